"""The Kubernetes backend for the contract suite, over the fake API server."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any

from argoos.backends.kubernetes import KubernetesBackend, KubernetesOptions
from argoos.core.image import RegistryNames
from argoos.ports import Backend
from tests.contracts.backends.harness import Harness, Spec
from tests.contracts.backends.kubernetes_deployment import deployment, images, rest
from tests.fakes.kube_api import FakeKubeApi, serving

NAMESPACE = "shop"


class FakeKubernetes:
    """A `Harness` over the fake API server at `url`."""

    keeps_last_push = True
    keeps_digests = True

    def __init__(self, api: FakeKubeApi, url: str) -> None:
        self._api = api
        self._url = url

    async def put(self, spec: Spec) -> None:
        """See `Harness.put`."""
        await self._api.put(deployment(spec, NAMESPACE))

    async def remove(self, name: str) -> None:
        """See `Harness.remove`."""
        await self._api.remove("Deployment", NAMESPACE, name)

    async def images(self, name: str) -> dict[str, str]:
        """See `Harness.images`."""
        return images(self._raw(name))

    async def rest(self, name: str) -> Any:
        """See `Harness.rest`."""
        return rest(self._raw(name))

    async def writes(self) -> int:
        """See `Harness.writes`."""
        return self._api.writes

    @asynccontextmanager
    async def started(self, names: RegistryNames) -> AsyncIterator[Backend]:
        """See `Harness.started`."""
        options = KubernetesOptions(master=self._url)
        async with running(KubernetesBackend(name="test", options=options, names=names)) as backend:
            yield backend

    def _raw(self, name: str) -> dict[str, Any]:
        return self._api.objects["deployments", NAMESPACE, name]


@asynccontextmanager
async def open_fake(folder: Path) -> AsyncIterator[Harness]:
    """Open the harness over a fake API server of its own."""
    api = FakeKubeApi()
    async with serving(api) as url:
        yield FakeKubernetes(api, url)


@asynccontextmanager
async def running(backend: KubernetesBackend, *, synced: bool = True) -> AsyncIterator[KubernetesBackend]:
    """Run a backend until the end of the block; entered once it knows all workloads, unless `synced` is False."""
    task = asyncio.create_task(backend.run())
    try:
        async with asyncio.timeout(10):
            while synced and not backend.status().synced:
                assert not task.done(), task.exception()
                await asyncio.sleep(0.01)
        yield backend
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task
        await asyncio.sleep(0.01)  # a TLS connection cut in the middle of a request needs the loop a little longer
