"""The store and the history, over whichever database there is."""

import asyncio
from collections.abc import Sequence
from datetime import datetime
from functools import partial
from types import TracebackType
from typing import Self

from argoos.core.image import Repository
from argoos.core.push import Received
from argoos.core.record import Claim, PushedAt, PushRecord, QueueDepth, Settlement
from argoos.ports import PushQuery
from argoos.store import claiming, reading, settling, upkeep
from argoos.store.arrivals import Arrivals, rows_of
from argoos.store.database import Database
from argoos.store.writer import GroupWriter


class SqlHistory:
    """The `History` for those who only read, beside the daemon that writes. Use it with ``async with``.

    Args:
        database: is closed with it.
    """

    def __init__(self, database: Database) -> None:
        self._database = database

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._database.close()

    async def pushed_at(self, repository: Repository) -> PushedAt:
        """Return when each (tag, digest) of the repository was pushed last (at most the latest 1,000 of them)."""
        return await self._database.read(partial(reading.pushed_at, repository=repository))

    async def pushes(self, query: PushQuery) -> list[PushRecord]:
        """Return pushes with their steps, the newest first."""
        return await self._database.read(partial(reading.find, query=query))

    async def push(self, push_id: int) -> PushRecord | None:
        """Return one push with its steps."""
        return await self._database.read(partial(reading.one, push_id=push_id))

    async def depth(self) -> QueueDepth:
        """Return how much waits."""
        return await self._database.read(reading.depth)

    async def check(self, *, now: datetime) -> None:
        """Prove that the store can be written, by a small write that is committed."""
        await self._database.write(partial(upkeep.beat, now=now))


class SqlStore(SqlHistory):
    """The `Store` and the `History` of the daemon. Works inside ``async with``, which opens nothing yet.

    The database is opened by the first call, and again after a failure: each call raises `StoreUnavailable` as long as
    it cannot be, and works once it can. Should the writer end by a mistake of ours, the task that entered the store is
    cancelled, and leaving it raises the mistake: a store that cannot write must not look alive.

    Args:
        database: is closed with it.
    """

    def __init__(self, database: Database) -> None:
        super().__init__(database)
        self._writer = GroupWriter(database, Arrivals(database.inserts))
        self._writing: asyncio.Task[None] | None = None
        self._owner: asyncio.Task[object] | None = None

    async def __aenter__(self) -> Self:
        self._owner = asyncio.current_task()
        self._writing = asyncio.create_task(self._writer.run(), name="store: writer")
        self._writing.add_done_callback(self._writer_ended)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._writer.stop()
        try:
            if self._writing is not None:
                await self._writing
        finally:
            self._owner = None
            await self._database.close()

    def _writer_ended(self, writing: asyncio.Task[None]) -> None:
        if self._owner is not None and not writing.cancelled() and writing.exception() is not None:
            self._owner.cancel("the writer of the store has failed")

    async def add(self, received: Sequence[Received], *, received_at: datetime) -> None:
        """Keep all parts of a delivery; those whose key is known already are left as they are."""
        if received:
            await self._writer.add(rows_of(received, received_at))

    async def claim(self, *, limit: int, now: datetime, lease_seconds: float) -> list[Claim]:
        """Claim up to `limit` repositories that have a push due at `now`, each with its waiting pushes."""
        if limit < 1:
            return []
        return await self._writer.do(partial(claiming.claim, limit=limit, now=now, lease_seconds=lease_seconds))

    async def settle(self, claim: Claim, settlements: Sequence[Settlement], *, now: datetime) -> bool:
        """Write down how the claim's pushes ended and give the claim up; False: the claim had been lost."""
        rows = 25 + len(claim.pushes) + sum(len(settlement.steps) for settlement in settlements)
        work = partial(settling.settle, claim=claim, settlements=settlements, now=now)
        return await self._writer.do(work, rows=rows)

    async def renew(self, claims: Sequence[Claim], *, now: datetime, lease_seconds: float) -> None:
        """Extend the leases of claims that are still ours."""
        if claims:
            await self._writer.do(partial(claiming.renew, claims=claims, now=now, lease_seconds=lease_seconds))

    async def hasten(self, *, now: datetime) -> None:
        """Make every queued push due at `now`, a slice at a time."""
        while await self._writer.do(partial(upkeep.hasten, now=now), rows=upkeep.SLICE):
            continue

    async def prune(self, *, settled_before: datetime, ignored_before: datetime, limit: int) -> int:
        """Delete up to `limit` settled (and ignored) pushes that are older, a slice at a time; return how many."""
        deleted = 0
        while left := limit - deleted:
            size = min(left, upkeep.SLICE)
            slice_ = partial(upkeep.prune, settled_before=settled_before, ignored_before=ignored_before, limit=size)
            found = await self._writer.do(slice_, rows=size)
            deleted += found
            if found < size:
                break
        return deleted

    async def check(self, *, now: datetime) -> None:
        """Prove that the store can be written, by a small write that is committed."""
        await self._writer.do(partial(upkeep.beat, now=now))
