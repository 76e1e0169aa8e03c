"""A backend without an orchestrator: workloads in a dictionary. It passes the suite that the real ones pass."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from argoos.core.image import ImageRef, RegistryNames, Repository
from argoos.core.workload import Container, Workload, WorkloadRef
from argoos.errors import BackendUnavailable, Conflict
from argoos.ports import Applied, Attempt, BackendStatus, Change, Notice


@dataclass
class MemoryBackend:
    """Keeps workloads by reference; a workload named in `refusals` gets those first, instead of being written."""

    name: str = "memory"
    names: RegistryNames = field(default_factory=RegistryNames)
    workloads: dict[WorkloadRef, Workload] = field(default_factory=dict)
    refusals: dict[str, list[Attempt]] = field(default_factory=dict)
    notices: list[Notice] = field(default_factory=list)
    synced: bool = True
    writes: int = 0
    gate: asyncio.Event | None = None
    """When set, a write waits for it: a test can look at what happens meanwhile."""

    async def run(self) -> None:
        """Wait to be cancelled: there is nothing to keep current."""
        await asyncio.Event().wait()

    def status(self) -> BackendStatus:
        """Tell what the test wants told."""
        return BackendStatus(synced=self.synced, detail="" if self.synced else "switched off by the test")

    async def find(self, repository: Repository | None = None) -> Sequence[Workload]:
        """Return what runs the repository."""
        if not self.synced:
            raise BackendUnavailable(f"{self.name} is switched off by the test")
        return [
            workload
            for workload in self.workloads.values()
            if repository is None or repository in map(self.names.canonical, workload.repositories())
        ]

    async def reread(self, ref: WorkloadRef) -> Workload | None:
        """Return what is there now."""
        return self.workloads.get(ref)

    async def apply(self, changes: Sequence[Change]) -> Sequence[Attempt]:
        """Write each change."""
        if self.gate is not None:
            await self.gate.wait()
        return [self._apply(change) for change in changes]

    def _apply(self, change: Change) -> Attempt:
        ref = change.workload.ref
        if self.refusals.get(ref.name):
            return self.refusals[ref.name].pop(0)
        now = self.workloads.get(ref)
        if now is None:
            return Conflict(f"{ref} is gone")
        containers = {container.name: container for container in now.containers}
        for update in change.updates:
            there = containers.get(update.container.name)
            if there is None or there.image not in (update.container.image, update.image):
                return Conflict(f"{ref}: {update.container.name} has changed")
            containers[there.name] = _moved(there, update.image.digest or update.push.digest or None, update.image)
        after = replace(now, containers=tuple(containers.values()), last_push=change.push_id)
        self.writes += after != now
        self.workloads[ref] = after
        return Applied()

    async def report(self, notice: Notice) -> None:
        """Keep the notice for the test to read."""
        self.notices.append(notice)


def _moved(container: Container, digest: str | None, image: ImageRef) -> Container:
    return replace(container, image=image, digest=digest)
