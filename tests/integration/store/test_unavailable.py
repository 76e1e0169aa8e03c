"""A file that cannot be used: every call says so, nothing is destroyed, and all is well once the cause has passed."""

import asyncio
import sqlite3
from collections.abc import Awaitable, Callable
from itertools import count
from pathlib import Path

import pytest

from argoos.core.record import Claim
from argoos.errors import StoreUnavailable
from argoos.ports import PushQuery
from argoos.store import SqlStore, open_store
from argoos.store.lane import REOPEN_SECONDS
from tests.contracts.store.making import ALL, LEASE_SECONDS, START, WEB, at, claim_one, done, keys, push, update
from tests.integration.store.files import fill, move, read, remount, remove, tear, write

_CLAIM = Claim(repository=WEB, token="none", lease_until_at=at(60), pushes=())

CALLS: dict[str, Callable[[SqlStore], Awaitable[object]]] = {
    "add": lambda store: store.add([push("k")], received_at=START),
    "claim": lambda store: store.claim(limit=1, now=START, lease_seconds=LEASE_SECONDS),
    "settle": lambda store: store.settle(_CLAIM, [], now=START),
    "renew": lambda store: store.renew([_CLAIM], now=START, lease_seconds=LEASE_SECONDS),
    "hasten": lambda store: store.hasten(now=START),
    "prune": lambda store: store.prune(settled_before=START, ignored_before=START, limit=1),
    "check": lambda store: store.check(now=START),
    "pushed_at": lambda store: store.pushed_at(WEB),
    "pushes": lambda store: store.pushes(PushQuery()),
    "push": lambda store: store.push(1),
    "depth": lambda store: store.depth(),
}


async def _recovers(store: SqlStore) -> None:
    """Wait until the store works again, a few seconds at most."""
    async with asyncio.timeout(10):
        while True:
            try:
                await store.check(now=START)
            except StoreUnavailable:
                await asyncio.sleep(REOPEN_SECONDS / 5)
            else:
                return


@pytest.mark.parametrize("call", CALLS)
async def test_every_call_says_that_the_directory_is_missing(tmp_path: Path, call: str) -> None:
    """The message names the file and what to do, and there are no other errors than this one."""
    path = tmp_path / "none" / "argoos.db"
    async with open_store(f"sqlite:///{path}") as store:
        with pytest.raises(StoreUnavailable) as caught:
            await CALLS[call](store)

    assert str(caught.value).startswith(f"database {path}: its directory {path.parent} does not exist; make it")
    assert isinstance(caught.value.__cause__, OSError)


async def test_the_store_works_once_its_directory_is_there(tmp_path: Path) -> None:
    """Nobody need restart the daemon."""
    folder = tmp_path / "late"
    async with open_store(f"sqlite:///{folder}/argoos.db") as store:
        with pytest.raises(StoreUnavailable):
            await store.check(now=START)
        folder.mkdir()
        await _recovers(store)
        await store.add([push("k")], received_at=START)
        assert keys(await claim_one(store, START)) == ["k"]


async def test_a_failed_opening_is_not_repeated_by_every_caller(tmp_path: Path) -> None:
    """For a moment calls fail at once with the same words, though the cause has passed already."""
    folder = tmp_path / "late"
    async with open_store(f"sqlite:///{folder}/argoos.db") as store:
        with pytest.raises(StoreUnavailable) as first:
            await store.check(now=START)
        folder.mkdir()
        with pytest.raises(StoreUnavailable) as second:
            await store.check(now=START)

    assert str(second.value) == str(first.value)
    assert list(folder.iterdir()) == []


async def test_a_full_disk_is_told_and_survived(small_disk: Path) -> None:
    """What was acknowledged before is kept, the rest is refused, and with room again all goes on."""
    ballast = small_disk / "ballast"
    acknowledged: list[str] = []
    async with open_store(f"sqlite:///{small_disk}/argoos.db") as store:
        await store.check(now=START)
        fill(ballast, leaving=300_000)
        with pytest.raises(StoreUnavailable, match=r"its disk is full .*; free some space") as caught:
            await _add_for_ever(store, acknowledged)
        assert caught.value.__cause__ is not None
        assert {one.key for one in await store.pushes(ALL)} >= set(acknowledged)
        remove(ballast)
        await _recovers(store)
        await store.add([push("after")], received_at=START)

    async with open_store(f"sqlite:///{small_disk}/argoos.db") as store:
        assert {one.key for one in await store.pushes(ALL)} >= {*acknowledged, "after"}
    assert acknowledged


async def test_a_disk_that_is_full_from_the_start_is_told(small_disk: Path) -> None:
    """The tables are made once there is room."""
    ballast = small_disk / "ballast"
    fill(ballast)
    async with open_store(f"sqlite:///{small_disk}/argoos.db") as store:
        with pytest.raises(StoreUnavailable, match="its disk is full"):
            await store.add([push("k")], received_at=START)
        remove(ballast)
        await _recovers(store)


async def test_a_locked_file_is_told_and_survived(store: SqlStore, other: sqlite3.Connection) -> None:
    """While another process holds the lock, writing fails within seconds and reading goes on."""
    await store.add([push("k")], received_at=START)
    other.execute("BEGIN EXCLUSIVE")

    with pytest.raises(StoreUnavailable, match=r"another process has locked it .*; see who has opened it") as caught:
        await store.add([push("refused")], received_at=START)
    assert caught.value.__cause__ is not None
    assert [one.key for one in await store.pushes(ALL)] == ["k"]

    other.execute("ROLLBACK")
    await _recovers(store)
    assert keys(await claim_one(store, START)) == ["k"]


async def test_all_who_wait_are_told(store: SqlStore, other: sqlite3.Connection) -> None:
    """When a shared transaction fails, each of its callers gets the error."""
    await store.check(now=START)
    other.execute("BEGIN EXCLUSIVE")

    ended = await asyncio.gather(
        *(store.add([push(f"k{number}")], received_at=START) for number in range(20)), return_exceptions=True
    )

    assert [type(one) for one in ended] == [StoreUnavailable] * 20
    assert len({id(one) for one in ended}) == 20
    other.execute("ROLLBACK")


async def test_a_file_that_is_no_database_is_left_alone(path: Path) -> None:
    """Whatever it is, somebody may need it; once it is moved away Argoos goes on."""
    content = b"this is somebody's diary, not a database\n" * 1_000
    write(path, content)
    async with open_store(f"sqlite:///{path}") as store:
        for _ in range(2):
            with pytest.raises(StoreUnavailable, match=r"it is no SQLite database .*; move it away"):
                await store.add([push("k")], received_at=START)
            await asyncio.sleep(REOPEN_SECONDS * 1.1)
        assert read(path) == content
        move(path, path.with_suffix(".diary"))
        await _recovers(store)
        await store.add([push("k")], received_at=START)


async def test_a_torn_page_is_told_and_left_alone(path: Path, url: str) -> None:
    """A damaged page inside the file: what touches it fails, and the file is not written to."""
    async with open_store(url) as store:
        await store.add([push(f"k{number}") for number in range(500)], received_at=START)
    content = tear(path)

    async with open_store(url) as store:
        with pytest.raises(StoreUnavailable, match=r"it is damaged .*; move it away or put a backup in its place"):
            await store.add([push(f"new{number}") for number in range(50)], received_at=START)
        with pytest.raises(StoreUnavailable):
            await store.pushes(ALL)
    assert read(path) == content


async def test_tables_of_somebody_else_are_left_alone(path: Path, url: str) -> None:
    """A database with other tables is refused by their names."""
    with sqlite3.connect(path) as connection:
        connection.execute("CREATE TABLE albums (title TEXT)")
    connection.close()
    before = read(path)

    async with open_store(url) as store:
        with pytest.raises(StoreUnavailable, match="is not Argoos's: it has the tables albums; name another one"):
            await store.check(now=START)
    assert len(read(path)) == len(before)
    with sqlite3.connect(path) as connection:
        assert connection.execute("SELECT name FROM sqlite_master").fetchall() == [("albums",)]
    connection.close()


async def test_a_read_only_file_system_is_told(small_disk: Path) -> None:
    """What cannot be written is said to be so, and is used as soon as it can be."""
    url = f"sqlite:///{small_disk}/argoos.db"
    async with open_store(url) as store:
        await store.add([push("k")], received_at=START)
    remount(small_disk, "ro")
    try:
        async with open_store(url) as store:
            with pytest.raises(StoreUnavailable, match=r"it cannot be written.*how its file system is mounted"):
                await store.check(now=START)
            remount(small_disk, "rw")
            await _recovers(store)
            assert keys(await claim_one(store, START)) == ["k"]
    finally:
        remount(small_disk, "rw")


@pytest.mark.parametrize("how", ["removed", "replaced"])
async def test_a_file_that_is_gone_is_noticed(store: SqlStore, path: Path, how: str) -> None:
    """Nothing is acknowledged that would be written to a file that nobody can open again."""
    await store.add([push("k")], received_at=START)
    await store.pushes(ALL)
    if how == "replaced":
        write(path.with_suffix(".copy"), b"")
        move(path.with_suffix(".copy"), path)
    else:
        remove(path)

    with pytest.raises(StoreUnavailable, match=f"it was {how}.* while it was in use"):
        await store.add([push("lost")], received_at=START)
    with pytest.raises(StoreUnavailable, match=f"it was {how}.* while it was in use"):
        await store.depth()
    await _recovers(store)
    await store.add([push("new")], received_at=START)
    async with asyncio.timeout(5):
        while (await _depth(store)) != 1:
            await asyncio.sleep(0.05)


async def test_a_failure_leaves_claims_as_they_are(store: SqlStore, other: sqlite3.Connection) -> None:
    """Opening again after a failure does not take the living workers' claims from them."""
    await store.add([push("k")], received_at=START)
    claim = await claim_one(store, START)
    other.execute("BEGIN EXCLUSIVE")
    with pytest.raises(StoreUnavailable):
        await store.check(now=START)
    other.execute("ROLLBACK")
    await _recovers(store)

    assert await store.claim(limit=1, now=at(1), lease_seconds=LEASE_SECONDS) == []
    assert await store.settle(claim, [done(claim.pushes[0], update())], now=at(1))


async def test_a_closed_store_takes_nothing(url: str) -> None:
    """What is added while the store closes is kept, what comes later is refused."""
    async with open_store(url) as store:
        adding = [asyncio.create_task(store.add([push(f"k{number}")], received_at=START)) for number in range(50)]
        await asyncio.sleep(0)
    await asyncio.gather(*adding)
    with pytest.raises(StoreUnavailable, match="closed"):
        await store.add([push("late")], received_at=START)

    async with open_store(url) as store:
        assert len(await store.pushes(ALL)) == 50


async def _depth(store: SqlStore) -> int:
    try:
        return (await store.depth()).waiting
    except StoreUnavailable:
        return -1


async def _add_for_ever(store: SqlStore, acknowledged: list[str]) -> None:
    """Add pushes, and note which of them are on disk."""
    for number in count():
        await store.add([push(f"k{number}", tag="t" * 2_000)], received_at=START)
        acknowledged.append(f"k{number}")


def test_all_calls_are_tried() -> None:
    """The table above leaves no method of the store out."""
    public = {name for name in vars(SqlStore) | vars(SqlStore.__mro__[1]) if not name.startswith("_")}
    assert public == CALLS.keys()
