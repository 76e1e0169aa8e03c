"""A worker with all that it works with: a real store, backends in memory."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TypeVar

from argoos.applier import Applier
from argoos.core.image import RegistryNames
from argoos.core.push import Push
from argoos.core.record import PushRecord, PushState
from argoos.core.workload import Workload
from argoos.metrics import Metrics
from argoos.planner import Planner
from argoos.ports import PushQuery
from argoos.store import SqlStore
from argoos.worker import Worker, WorkerOptions
from tests.fakes.backend import MemoryBackend

_T = TypeVar("_T")


@dataclass
class Bench:
    """A worker and all that it works with."""

    store: SqlStore
    backends: list[MemoryBackend]
    options: WorkerOptions = field(default_factory=WorkerOptions)
    names: RegistryNames = field(default_factory=RegistryNames)

    def __post_init__(self) -> None:
        """Put the worker together."""
        by_name = {backend.name: backend for backend in self.backends}
        planner = Planner(backends=self.backends, history=self.store, names=self.names, settle_seconds=30)
        self.worker = Worker(
            store=self.store,
            applier=Applier(backends=by_name, planner=planner),
            metrics=Metrics(),
            options=self.options,
            now=lambda: datetime.now(UTC),
        )

    @asynccontextmanager
    async def working(self) -> AsyncIterator[None]:
        """Let the worker run while the context lasts, and stop it in good order."""
        task = asyncio.create_task(self.worker.run())
        try:
            yield
        finally:
            self.worker.stop()
            await asyncio.wait_for(task, 15)

    async def deliver(self, *pushes: Push) -> None:
        """Store pushes as a delivery, and wake the worker."""
        await self.store.add(pushes, received_at=datetime.now(UTC))
        self.worker.wake()

    def put(self, *workloads: Workload) -> None:
        """Let the first backend run workloads."""
        self.backends[0].workloads |= {each.ref: each for each in workloads}

    def image(self, name: str, backend: int = 0) -> str:
        """Return the image of the first container of a workload."""
        (found,) = [each for ref, each in self.backends[backend].workloads.items() if ref.name == name]
        return str(found.containers[0].image)

    async def ended(self, count: int = 1) -> list[PushRecord]:
        """Wait until that many pushes are settled, and return all of them, the oldest first."""

        async def found() -> list[PushRecord]:
            pushes = await self.store.pushes(PushQuery(limit=1000))
            return [one for one in reversed(pushes) if one.state in (PushState.DONE, PushState.FAILED)]

        return await until(found, lambda pushes: len(pushes) >= count)

    async def waiting(self) -> PushRecord:
        """Wait until the one push is queued for another try, and return it."""

        async def found() -> PushRecord:
            (only,) = await self.store.pushes(PushQuery())
            return only

        return await until(found, lambda only: only.state is PushState.QUEUED and only.attempts > 0)


async def until(ask: Callable[[], Awaitable[_T]], holds: Callable[[_T], bool]) -> _T:
    """Ask until the answer is as wanted, and return it; fail after ten seconds."""
    async with asyncio.timeout(10):
        while not holds(answer := await ask()):
            await asyncio.sleep(0.01)
    return answer
