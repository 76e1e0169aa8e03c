"""The Kubernetes backend for the contract suite, over a real API server: each world is a namespace of its own."""

import asyncio
import io
import itertools
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import Any

import aiohttp

from argoos.backends.kubernetes import KubernetesBackend, KubernetesOptions, Namespaces
from argoos.core.image import RegistryNames
from argoos.ports import Backend
from tests.contracts.backends.harness import Harness, Spec
from tests.contracts.backends.kubernetes_deployment import Raw, deployment, images, rest
from tests.contracts.backends.kubernetes_harness import running
from tests.servers.kubernetes import ControlPlane

_numbers = itertools.count(1)


class Api:
    """An administrator's calls to the real API server."""

    def __init__(self, session: aiohttp.ClientSession, url: str) -> None:
        self._session = session
        self._url = url

    async def call(self, method: str, path: str, body: object = None, **query: str) -> Raw:
        """Send a request; an answer that refuses fails the test."""
        data = None if body is None else io.BytesIO(json.dumps(body).encode())  # bytes as big as some are warned of
        headers = {"Content-Type": "application/json"}
        async with self._session.request(
            method, self._url + path, data=data, params=query, headers=headers, ssl=False
        ) as answer:
            text = await answer.text()
            assert answer.status < 300, f"{method} {path}: {answer.status} {text}"
            raw: Raw = json.loads(text)
            return raw

    async def watch(self, path: str, version: str) -> AsyncIterator[Raw]:
        """Yield events until cancelled."""
        timeout = aiohttp.ClientTimeout(total=None)
        query = {"watch": "true", "resourceVersion": version}
        async with self._session.get(self._url + path, params=query, ssl=False, timeout=timeout) as answer:
            while line := await answer.content.readline():
                yield json.loads(line)


class RealKubernetes:
    """A `Harness` in one namespace of a control plane."""

    keeps_last_push = True
    keeps_digests = True

    def __init__(self, plane: ControlPlane, api: Api, namespace: str) -> None:
        self._plane = plane
        self._api = api
        self._namespace = namespace
        self._path = f"/apis/apps/v1/namespaces/{namespace}/deployments"
        self._own: set[str] = set()
        self._seen: dict[str, str] = {}

    async def put(self, spec: Spec) -> None:
        """See `Harness.put`."""
        raw = deployment(spec, self._namespace)
        known = {each["metadata"]["name"] for each in (await self._list())["items"]}
        if spec.name in known:
            answer = await self._api.call("PUT", f"{self._path}/{spec.name}", raw)
        else:
            answer = await self._api.call("POST", self._path, raw)
        self._own.add(answer["metadata"]["resourceVersion"])

    async def remove(self, name: str) -> None:
        """See `Harness.remove`."""
        await self._api.call("DELETE", f"{self._path}/{name}")

    async def images(self, name: str) -> dict[str, str]:
        """See `Harness.images`."""
        return images(await self._api.call("GET", f"{self._path}/{name}"))

    async def rest(self, name: str) -> Any:
        """See `Harness.rest`."""
        return rest(await self._api.call("GET", f"{self._path}/{name}"))

    async def writes(self) -> int:
        """See `Harness.writes`."""
        latest = {each["metadata"]["resourceVersion"] for each in (await self._list())["items"]}
        async with asyncio.timeout(10):
            while not latest <= self._seen.keys():  # the watch below fills it
                await asyncio.sleep(0.01)
        return sum(what == "MODIFIED" and version not in self._own for version, what in self._seen.items())

    async def count(self, start: str) -> None:
        """Note every version of every Deployment after the version `start`, until cancelled."""
        async for event in self._api.watch(self._path, start):
            self._seen[event["object"]["metadata"]["resourceVersion"]] = event["type"]

    @asynccontextmanager
    async def started(self, names: RegistryNames) -> AsyncIterator[Backend]:
        """See `Harness.started`."""
        options = KubernetesOptions(
            kubeconfig=str(self._plane.kubeconfig), namespaces=Namespaces(allow=(self._namespace,))
        )
        async with running(KubernetesBackend(name="test", options=options, names=names)) as backend:
            yield backend

    async def version(self) -> str:
        """Return the resourceVersion of now."""
        version: str = (await self._list())["metadata"]["resourceVersion"]
        return version

    async def _list(self) -> Raw:
        return await self._api.call("GET", self._path)


@asynccontextmanager
async def administrator(plane: ControlPlane) -> AsyncIterator[Api]:
    """Open an administrator's connection."""
    async with aiohttp.ClientSession(headers={"Authorization": f"Bearer {plane.admin_token}"}) as session:
        yield Api(session, plane.url)


@asynccontextmanager
async def open_real(plane: ControlPlane) -> AsyncIterator[Harness]:
    """Open the harness in a new namespace."""
    namespace = f"contract-{next(_numbers)}"
    async with administrator(plane) as api:
        await api.call("POST", "/api/v1/namespaces", {"metadata": {"name": namespace}})
        harness = RealKubernetes(plane, api, namespace)
        counting = asyncio.create_task(harness.count(await harness.version()))
        try:
            yield harness
        finally:
            counting.cancel()
            with suppress(asyncio.CancelledError):
                await counting
