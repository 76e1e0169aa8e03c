"""Raw objects and questions that the tests of this folder share."""

from typing import Any

from aiohttp import web

from argoos.backends.kubernetes import KubernetesBackend
from tests.contracts.backends.harness import Spec
from tests.contracts.backends.kubernetes_deployment import deployment
from tests.contracts.backends.suite import WEB
from tests.fakes.kube_api import FakeKubeApi


def web_app(
    name: str = "shop", namespace: str = "team-a", *, image: str = f"{WEB}:1.0", **rules: str
) -> dict[str, Any]:
    """Return a labelled Deployment with one container."""
    rules = {"argoos.io/policy": "all"} | {f"argoos.io/{key}": value for key, value in rules.items()}
    return deployment(Spec(name=name, containers={"web": image}, rules=rules), namespace)


async def names(backend: KubernetesBackend) -> list[str]:
    """Return the names of all workloads that the backend knows."""
    return [workload.ref.name for workload in await backend.find()]


def opened(api: FakeKubeApi, what: str = "deployments") -> list[dict[str, str]]:
    """Return the query parameters of all lists and watches of a kind so far."""
    return [dict(request.query) for request in api.requests if request.path.endswith(f"/{what}")]


def is_write(request: web.Request) -> bool:
    """Tell whether a request changes a workload."""
    return request.method == "PATCH" and "/events/" not in request.path
