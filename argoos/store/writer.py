"""The one writer: all that waits to be written goes into one transaction, and is on disk when its callers go on.

What a commit costs is waiting for the disk, and it costs the same for one push and for a hundred.
"""

import asyncio
from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import TypeVar, cast

from sqlalchemy import Connection

from argoos.errors import StoreUnavailable
from argoos.store.arrivals import Arrivals
from argoos.store.database import Database, Work
from argoos.store.sized import Row

T = TypeVar("T")

DELIVERIES_LIMIT = 1_000
"""Deliveries in one transaction, so that the first of a flood is not kept waiting for the last."""

ROWS_LIMIT = 500
"""Rows that the claims, settlements and so on in one transaction may touch, by their own estimate: deliveries wait."""

ROWS_BESIDE_DELIVERIES = 100
"""The same for a transaction that deliveries wait for: a registry waits half a second, the history can wait longer.
Under a flood twice as many deliveries are answered, and pushes are settled as fast."""

GATHER_FROM = 4
GATHER_SECONDS = 0.001
"""After a commit that so many deliveries shared, how long we wait for their senders' next ones, unless as many wait
already: under load a group that is twice as large costs each of its members half as much."""

WAITING_LIMIT = 20_000
"""Callers that may wait; more are refused at once, so that a stalled disk does not fill the memory."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Delivery:
    rows: Sequence[Row]
    done: "asyncio.Future[object]"


@dataclass(frozen=True, slots=True, kw_only=True)
class _Job:
    work: Work[object]
    rows: int
    done: "asyncio.Future[object]"


@dataclass(frozen=True, slots=True, kw_only=True)
class _Group:
    """What is committed together."""

    deliveries: Sequence[_Delivery] = ()
    jobs: Sequence[_Job] = ()

    def alone(self) -> Iterator["_Group"]:
        """Return a group for each member."""
        for delivery in self.deliveries:
            yield _Group(deliveries=[delivery])
        for job in self.jobs:
            yield _Group(jobs=[job])

    def __len__(self) -> int:
        return len(self.deliveries) + len(self.jobs)

    def succeeded(self, results: Sequence[object]) -> None:
        """Let the callers go on; those that were cancelled meanwhile do not mind."""
        for delivery in self.deliveries:
            if not delivery.done.done():
                delivery.done.set_result(None)
        for job, result in zip(self.jobs, results, strict=True):
            if not job.done.done():
                job.done.set_result(result)

    def failed(self, error: Exception) -> None:
        """Raise the error in every caller; each gets his own where several share one."""
        for done in [*(one.done for one in self.deliveries), *(one.done for one in self.jobs)]:
            if not done.done():
                done.set_exception(_copy(error) if len(self) > 1 else error)


@dataclass(slots=True)
class GroupWriter:
    """Gathers what is to be written and commits it together.

    Args:
        database: where to.
        arrivals: how deliveries are inserted: all of a group at once.
    """

    database: Database
    arrivals: Arrivals
    _deliveries: deque[_Delivery] = field(default_factory=deque)
    _jobs: deque[_Job] = field(default_factory=deque)
    _woken: asyncio.Event = field(default_factory=asyncio.Event)
    _stopping: bool = False

    async def add(self, rows: Sequence[Row]) -> None:
        """Insert the rows of one delivery; return once they are on disk."""
        delivery = _Delivery(rows=rows, done=asyncio.get_running_loop().create_future())
        self._admit()
        self._deliveries.append(delivery)
        await delivery.done

    async def do(self, work: Work[T], *, rows: int = 25) -> T:
        """Run `work` in a transaction, shared with others; return its result once that is on disk.

        Args:
            work: what to do.
            rows: about how many rows it touches, or how many would take as long.
        """
        job = _Job(work=work, rows=rows, done=asyncio.get_running_loop().create_future())
        self._admit()
        self._jobs.append(job)
        return cast("T", await job.done)

    async def run(self) -> None:
        """Write until `stop` was called and nothing waits any more."""
        try:
            while not self._stopping or self._deliveries or self._jobs:
                await self._woken.wait()
                group = self._take()
                if not self._deliveries and not self._jobs and not self._stopping:
                    self._woken.clear()
                await self._commit(group)
                if GATHER_FROM <= len(group.deliveries) > len(self._deliveries):
                    await asyncio.sleep(GATHER_SECONDS)
        finally:
            self._stopping = True
            _Group(deliveries=list(self._deliveries), jobs=list(self._jobs)).failed(_closed())

    def stop(self) -> None:
        """Take nothing more."""
        self._stopping = True
        self._woken.set()

    def _admit(self) -> None:
        if self._stopping:
            raise _closed()
        if len(self._deliveries) + len(self._jobs) >= WAITING_LIMIT:
            raise StoreUnavailable(f"{WAITING_LIMIT} others wait for the database already; try again later")
        self._woken.set()

    def _take(self) -> _Group:
        """Take what fits into one transaction; what nobody waits for any more is left out."""
        deliveries = [self._deliveries.popleft() for _ in range(min(len(self._deliveries), DELIVERIES_LIMIT))]
        limit = ROWS_BESIDE_DELIVERIES if deliveries else ROWS_LIMIT
        jobs: list[_Job] = []
        while self._jobs and sum(job.rows for job in jobs) < limit:
            jobs.append(self._jobs.popleft())
        return _Group(
            deliveries=[one for one in deliveries if not one.done.done()],
            jobs=[one for one in jobs if not one.done.done()],
        )

    async def _commit(self, group: _Group) -> None:
        """Commit a group. The boundary of the writer: every error is that of a caller, and is raised there."""
        if not len(group):
            return
        try:
            results = await self.database.write(lambda connection: self._write(connection, group))
        except StoreUnavailable as error:
            group.failed(error)
        except Exception as error:  # noqa: BLE001 - see the docstring
            if len(group) == 1:
                group.failed(error)
                return
            for one in group.alone():  # so that one caller's mistake is not another's
                await self._commit(one)
        else:
            group.succeeded(results)
        finally:
            group.failed(_closed())  # those who know nothing yet: only if the writer itself is being ended

    def _write(self, connection: Connection, group: _Group) -> list[object]:
        rows = [row for delivery in group.deliveries for row in delivery.rows]
        if rows:
            self.arrivals.add(connection, rows)
        return [job.work(connection) for job in group.jobs]


def _closed() -> StoreUnavailable:
    return StoreUnavailable("the database is closed: Argoos is stopping")


def _copy(error: Exception) -> Exception:
    if isinstance(error, StoreUnavailable):
        copied = StoreUnavailable(str(error), delay_seconds=error.delay_seconds)
        copied.__cause__ = error.__cause__
        return copied
    return error
