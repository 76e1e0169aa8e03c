"""The Deployments that exist while something is measured: how one looks, and how there come to be so many."""

import asyncio
import secrets
from collections.abc import Iterable, Iterator, Sequence

import orjson

from bench.cluster import PATH, Cluster, Json
from bench.notification import REGISTRY

PARALLEL = 16

_ENVIRONMENT = [{"name": f"SETTING_{number:02}", "value": f"value {number:02} " * 4} for number in range(20)]


class Population:
    """Deployments `app-00000` and so on, each with an image of its own: `shop/app-00000` and so on.

    They look like those of a cluster that is applied from files, 9 KB of JSON with `last-applied-configuration`; their
    `replicas: 0` costs no node.

    Args:
        cluster: where they are, called by who may create them.
    """

    def __init__(self, cluster: Cluster) -> None:
        self._cluster = cluster
        self.size = 0

    async def grow(self, size: int) -> None:
        """Create Deployments until there are `size`."""
        await self._create(deployment(name(number), repository(number)) for number in range(self.size, size))
        self.size = max(self.size, size)

    async def add_running(self, repository: str, count: int) -> Sequence[str]:
        """Create `count` Deployments that all run the same repository; return their names."""
        stem = f"{repository.replace('/', '-')}-{secrets.token_hex(3)}"
        names = [f"{stem}-{number:03}" for number in range(count)]
        await self._create(deployment(each, repository) for each in names)
        return names

    async def remove(self, names: Iterable[str]) -> None:
        """Delete Deployments."""
        await asyncio.gather(*(self._cluster.call("DELETE", f"{PATH}/{each}") for each in names))

    async def _create(self, deployments: Iterator[Json]) -> None:
        async def some() -> None:
            for each in deployments:
                await self._cluster.call("POST", PATH, orjson.dumps(each))

        async with asyncio.TaskGroup() as group:
            for _ in range(PARALLEL):
                group.create_task(some())


def name(number: int) -> str:
    """Return the name of the Deployment with this number."""
    return f"app-{number:05}"


def repository(number: int) -> str:
    """Return the repository whose image the Deployment with this number runs."""
    return f"shop/app-{number:05}"


def deployment(name: str, repository: str) -> Json:
    """Return a Deployment that takes every newer patch release of `repository`."""
    containers = [
        {"name": "app", "image": f"{REGISTRY}/{repository}:1.0.0", "env": _ENVIRONMENT},
        {"name": "proxy", "image": "docker.io/envoyproxy/envoy:v1.30.1", "env": _ENVIRONMENT},
    ]
    body: Json = {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": name, "labels": {"app": name, "argoos.io/policy": "patch"}},
        "spec": {
            "replicas": 0,
            "selector": {"matchLabels": {"app": name}},
            "template": {"metadata": {"labels": {"app": name}}, "spec": {"containers": containers}},
        },
    }
    applied = {"kubectl.kubernetes.io/last-applied-configuration": orjson.dumps(body).decode()}
    return {**body, "metadata": {**body["metadata"], "annotations": applied}}
