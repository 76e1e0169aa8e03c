"""The manifests backend for the contract suite: over a plain folder, and over a git work tree with a remote."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any
from unittest.mock import patch

import yaml

from argoos.backends.manifests import files
from argoos.backends.manifests.backend import ManifestsBackend
from argoos.backends.manifests.options import GitOptions, ManifestsOptions
from argoos.core.image import RegistryNames
from argoos.ports import Backend
from tests.contracts.backends.harness import Harness, Spec
from tests.contracts.backends.kubernetes_deployment import deployment, images, rest
from tests.integration.manifests.repository import AUTHOR, Repository, repository_with_remote

NAMESPACE = "shop"


class PlainFolder:
    """A `Harness` over files: one for each workload."""

    keeps_last_push = False
    keeps_digests = False

    def __init__(self, folder: Path, writes: Callable[[], int]) -> None:
        self._folder = folder
        self._writes = writes

    async def put(self, spec: Spec) -> None:
        """See `Harness.put`."""
        self._path(spec.name).write_text(yaml.safe_dump(deployment(spec, NAMESPACE), sort_keys=False))

    async def remove(self, name: str) -> None:
        """See `Harness.remove`."""
        self._path(name).unlink()

    async def images(self, name: str) -> dict[str, str]:
        """See `Harness.images`."""
        return images(self._raw(name))

    async def rest(self, name: str) -> Any:
        """See `Harness.rest`."""
        return rest(self._raw(name))

    async def writes(self) -> int:
        """See `Harness.writes`."""
        return self._writes()

    @asynccontextmanager
    async def started(self, names: RegistryNames) -> AsyncIterator[Backend]:
        """See `Harness.started`."""
        async with running(ManifestsBackend(name="test", options=self.options(), names=names)) as backend:
            yield backend

    def options(self) -> ManifestsOptions:
        """Return what the backend is started with."""
        return ManifestsOptions(path=self._folder, rescan_seconds=0.05)

    def _path(self, name: str) -> Path:
        return self._folder / f"{name}.yaml"

    def _raw(self, name: str) -> dict[str, Any]:
        raw: dict[str, Any] = yaml.safe_load(self._path(name).read_text())
        return raw


class GitFolder(PlainFolder):
    """The same in a git work tree; what a person does there he commits and pushes."""

    keeps_last_push = True

    def __init__(self, repository: Repository) -> None:
        super().__init__(repository.folder, self._commits)
        self._repository = repository

    async def put(self, spec: Spec) -> None:
        """See `Harness.put`."""
        await super().put(spec)
        self._repository.commit(f"Write {spec.name}")

    async def remove(self, name: str) -> None:
        """See `Harness.remove`."""
        await super().remove(name)
        self._repository.commit(f"Remove {name}")

    def options(self) -> ManifestsOptions:
        """Return what the backend is started with."""
        git = GitOptions(author=AUTHOR, push=True)
        return ManifestsOptions(path=self._folder, git=git, rescan_seconds=0.05)

    def _commits(self) -> int:
        """Count the commits of the backend that the remote has got."""
        return int(self._repository.git("rev-list", "--count", "--author", AUTHOR, "origin/main"))


@asynccontextmanager
async def open_folder(folder: Path) -> AsyncIterator[Harness]:
    """Open the harness over a plain folder."""
    with patch.object(files, "replace", wraps=files.replace) as replaced:
        yield PlainFolder(folder, lambda: replaced.call_count)


@asynccontextmanager
async def open_git_folder(folder: Path) -> AsyncIterator[Harness]:
    """Open the harness over a clone of a repository of its own."""
    yield GitFolder(repository_with_remote(folder))


@asynccontextmanager
async def running(backend: ManifestsBackend, *, synced: bool = True) -> AsyncIterator[ManifestsBackend]:
    """Run a backend until the end of the block; entered once it has looked at everything, unless `synced` is False."""
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
