"""One file, several processes: one owner, any number of readers."""

import os
import re
import sqlite3
from pathlib import Path

import pytest

from argoos.errors import SettingsError, StoreUnavailable
from argoos.store import SqlStore, open_history, open_store
from tests.contracts.store.making import ALL, START, push
from tests.integration.store.files import read, write


async def test_a_second_owner_is_refused(store: SqlStore, path: Path, url: str) -> None:
    """The message names the file, the process that has it, and what to do; the first goes on."""
    await store.check(now=START)

    async with open_store(url) as second:
        with pytest.raises(StoreUnavailable) as caught:
            await second.check(now=START)

    assert re.fullmatch(
        rf"database {path} belongs to another Argoos that runs \(process {os.getpid()}\): "
        r"stop that one, or give this one another file",
        str(caught.value),
    )
    await store.add([push("k")], received_at=START)


async def test_the_file_is_free_once_its_owner_has_closed_it(url: str) -> None:
    """The next owner need not clear anything away."""
    for number in range(2):
        async with open_store(url) as store:
            await store.add([push(f"k{number}")], received_at=START)


async def test_readers_see_what_the_owner_writes(store: SqlStore, url: str) -> None:
    """A command that lists pushes works while the daemon runs, and does not disturb it."""
    async with open_store(url):
        pass
    await store.add([push("a")], received_at=START)
    async with open_history(url) as history:
        assert [one.key for one in await history.pushes(ALL)] == ["a"]
        await store.add([push("b")], received_at=START)
        assert [one.key for one in await history.pushes(ALL)] == ["b", "a"]
        assert (await history.depth()).waiting == 2


async def test_a_reader_does_not_write(store: SqlStore, url: str) -> None:
    """Its check says that it may not."""
    await store.check(now=START)
    async with open_history(url) as history:
        with pytest.raises(StoreUnavailable, match="was opened for reading only"):
            await history.check(now=START)


async def test_the_history_can_be_read_while_no_daemon_runs(url: str, path: Path) -> None:
    """A file that was closed in order is read as it is."""
    async with open_store(url) as store:
        await store.add([push("k")], received_at=START)
    async with open_history(url) as history:
        assert [one.key for one in await history.pushes(ALL)] == ["k"]
    assert not path.with_name("argoos.db-wal").exists()


async def test_a_reader_makes_no_file(path: Path, url: str) -> None:
    """A name that is wrong is told, not filled with an empty database."""
    async with open_history(url) as history:
        with pytest.raises(StoreUnavailable, match=f"there is no database {path}: `argoos serve` makes it"):
            await history.depth()
    assert list(path.parent.iterdir()) == []


@pytest.mark.parametrize(
    ("statement", "message"),
    [
        ("DROP TABLE alembic_version", "is not Argoos's: it has the tables heartbeat, pushes, queue"),
        ("DELETE FROM alembic_version", "is not Argoos's"),
        ("UPDATE alembic_version SET version_num = '9999'", "is of revision 9999, which is newer than this Argoos"),
    ],
)
async def test_tables_of_another_revision_are_refused(path: Path, url: str, statement: str, message: str) -> None:
    """Neither a reader nor an owner uses tables that it does not know."""
    async with open_store(url) as store:
        await store.check(now=START)
    with sqlite3.connect(path) as connection:
        connection.execute(statement)
    connection.close()

    async with open_history(url) as history:
        with pytest.raises(StoreUnavailable, match=message):
            await history.depth()
    async with open_store(url) as store:
        with pytest.raises(StoreUnavailable, match=message):
            await store.check(now=START)


async def test_an_empty_file_is_filled_by_an_owner_alone(path: Path, url: str) -> None:
    """An operator may have made the file to set its owner and mode; what holds nothing is no loss."""
    write(path, b"")
    async with open_history(url) as history:
        with pytest.raises(StoreUnavailable, match="is empty: `argoos serve` makes its tables"):
            await history.depth()
    async with open_store(url) as store:
        await store.check(now=START)
    assert read(path).startswith(b"SQLite format 3")


async def test_names_with_odd_characters_are_names(tmp_path: Path) -> None:
    """A path may hold what means something in an URI."""
    folder = tmp_path / "100% ärger? #1 & more"
    folder.mkdir()
    async with open_store(f"sqlite:///{folder}/argoos.db".replace("%", "%25").replace("?", "%3F")) as store:
        await store.check(now=START)
    assert (folder / "argoos.db").exists()


async def test_a_relative_name_is_that_of_the_start(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A later change of directory does not move the database."""
    monkeypatch.chdir(tmp_path)
    store = open_store("sqlite:///argoos.db")
    monkeypatch.chdir("/")
    async with store:
        await store.check(now=START)
    assert (tmp_path / "argoos.db").exists()


@pytest.mark.parametrize(
    ("url", "problem"),
    [
        ("sqlite://", "names no file; a database in memory would lose pushes"),
        ("sqlite:///:memory:", "names no file"),
        ("sqlite:///file:x?mode=memory&uri=true", "is not of the form"),
        ("sqlite:////x.db?cache=shared", "is not of the form"),
        ("sqlite://host/x.db", "is not of the form sqlite:////absolute/path or sqlite:///path"),
        ("mysql://user:secret@host/argoos", "mysql:// is no kind of database that Argoos knows: sqlite://"),
        ("sqlite+aiosqlite:///x.db", r"sqlite\+aiosqlite:// is no kind of database"),
        ("argoos.db", "not an URL of a database; the kinds are sqlite://"),
        ("", "not an URL"),
    ],
)
def test_an_url_that_cannot_be_used_is_a_mistake_of_the_settings(url: str, problem: str) -> None:
    """It is told at once, not when the first push arrives, and no password is shown."""
    for make in (open_store, open_history):
        with pytest.raises(SettingsError, match=f"database: .*{problem}|database: {problem}") as caught:
            make(url)
        assert len(caught.value.problems) == 1
        assert "secret" not in str(caught.value)
