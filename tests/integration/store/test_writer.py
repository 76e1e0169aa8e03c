"""The one writer: groups, their limits, and its end."""

import asyncio
import sqlite3
from pathlib import Path
from typing import TypeVar

import pytest
from sqlalchemy import Connection

from argoos.errors import StoreUnavailable
from argoos.store import SqlStore, open_store, writer
from argoos.store.arrivals import Arrivals, rows_of
from argoos.store.database import Work
from argoos.store.sqlite import SQLiteDatabase
from tests.contracts.store.making import ALL, START, push

T = TypeVar("T")


class _Counting(SQLiteDatabase):
    """A database that counts its transactions."""

    transactions = 0

    async def write(self, work: Work[T]) -> T:
        self.transactions += 1
        return await super().write(work)


async def test_what_waits_is_committed_together(path: Path) -> None:
    """A hundred callers at once cost a handful of commits."""
    database = _Counting(path, owner=True)
    async with SqlStore(database) as store:
        await asyncio.gather(*(store.add([push(f"k{number}")], received_at=START) for number in range(100)))
        await asyncio.gather(*(store.check(now=START) for _ in range(30)))
        assert len(await store.pushes(ALL)) == 100

    assert database.transactions <= 5


async def test_more_callers_than_can_wait_are_refused(
    store: SqlStore, other: sqlite3.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A disk that hangs does not fill the memory with those who wait for it."""
    monkeypatch.setattr(writer, "WAITING_LIMIT", 3)
    await store.check(now=START)
    other.execute("BEGIN EXCLUSIVE")
    adding = [asyncio.create_task(store.add([push(f"k{number}")], received_at=START)) for number in range(5)]
    ended = await asyncio.gather(*adding, return_exceptions=True)
    other.execute("ROLLBACK")

    refused = [one for one in ended if "others wait for the database already" in str(one)]
    assert len(refused) == 2


async def test_a_group_is_not_larger_than_its_limit(path: Path) -> None:
    """Work on many rows is spread over transactions, so that deliveries need not wait for all of it."""
    database = SQLiteDatabase(path, owner=True)
    group_writer = writer.GroupWriter(database, Arrivals(database.inserts))
    seen: list[object] = []

    def note(connection: Connection) -> None:
        seen.append(connection.get_transaction())

    jobs = [asyncio.create_task(group_writer.do(note, rows=writer.ROWS_LIMIT // 2)) for _ in range(6)]
    await asyncio.sleep(0)
    writing = asyncio.create_task(group_writer.run())
    await asyncio.gather(*jobs)
    group_writer.stop()
    await writing
    await database.close()

    assert seen[0] is seen[1]
    assert seen[1] is not seen[2]


async def test_less_is_done_beside_deliveries(path: Path) -> None:
    """A delivery waits for little else in its own transaction; what is left of the work is done after it."""
    database = SQLiteDatabase(path, owner=True)
    group_writer = writer.GroupWriter(database, Arrivals(database.inserts))
    seen: list[object] = []

    def note(connection: Connection) -> None:
        seen.append(connection.get_transaction())

    jobs = [asyncio.create_task(group_writer.do(note, rows=writer.ROWS_BESIDE_DELIVERIES)) for _ in range(2)]
    delivery = asyncio.create_task(group_writer.add(rows_of([push("k")], START)))
    await asyncio.sleep(0)
    writing = asyncio.create_task(group_writer.run())
    await asyncio.gather(delivery, *jobs)
    group_writer.stop()
    await writing
    await database.close()

    assert seen[0] is not seen[1]


async def test_a_writer_that_fails_stops_its_owner(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A mistake in the writer itself is raised where the store is left; nobody waits for ever."""

    def fail(_self: object, _results: object) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr(writer._Group, "succeeded", fail)

    adding: list[asyncio.Task[None]] = []

    async def own() -> None:
        async with open_store(url) as store:
            adding.append(asyncio.create_task(store.add([push("k")], received_at=START)))
            await asyncio.sleep(60)

    owner = asyncio.create_task(own())
    async with asyncio.timeout(10):
        with pytest.raises(ZeroDivisionError):
            await owner
        with pytest.raises(StoreUnavailable, match="closed"):
            await adding[0]


async def test_a_group_of_a_failed_writer_is_told(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Those whose group was being committed get an error, too, and those who come later."""
    database = SQLiteDatabase(path, owner=True)
    group_writer = writer.GroupWriter(database, Arrivals(database.inserts))
    writing = asyncio.create_task(group_writer.run())
    adding = asyncio.create_task(group_writer.do(lambda connection: connection.exec_driver_sql("SELECT 1").scalar()))
    await asyncio.sleep(0)
    writing.cancel()
    ended = await asyncio.gather(writing, adding, return_exceptions=True)
    await database.close()

    assert isinstance(ended[0], asyncio.CancelledError)
    assert isinstance(ended[1], StoreUnavailable)
    with pytest.raises(StoreUnavailable, match="closed"):
        await group_writer.do(lambda _connection: None)
