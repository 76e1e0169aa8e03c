"""The tables in the file are those in the code, keep their promises, and are found by the right indexes."""

import re
import sqlite3
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, Engine, create_engine, event

from argoos.core.record import PushState
from argoos.errors import StoreUnavailable
from argoos.ports import PushQuery
from argoos.store import SqlStore, open_store, schema
from argoos.store.sqlite import SQLiteDatabase
from argoos.store.tables import metadata
from tests.contracts.store.making import (
    LEASE_SECONDS,
    START,
    WEB,
    again,
    at,
    claim_all,
    claim_one,
    done,
    ignored,
    push,
    update,
)

_ROOT = Path(__file__).parents[3]


async def _make(url: str) -> None:
    async with open_store(url) as store:
        await store.check(now=START)


def _ddl(connection: sqlite3.Connection) -> dict[str, str]:
    rows = connection.execute("SELECT name, sql FROM sqlite_master WHERE sql IS NOT NULL")
    return {name: " ".join(sql.split()) for name, sql in rows}


async def test_the_migrations_make_just_the_tables_of_a_new_database(url: str, path: Path) -> None:
    """Columns, constraints, indexes and revision are the same to the letter, and alembic finds nothing to change."""
    await _make(url)
    by_migration = path.with_suffix(".migrated")
    engine = create_engine(f"sqlite:///{by_migration}")
    with engine.begin() as connection:
        schema.migrate(connection)
    engine.dispose()

    migrated, coded = sqlite3.connect(by_migration), sqlite3.connect(path)
    try:
        assert _ddl(migrated) == _ddl(coded)
        revision = "SELECT version_num FROM alembic_version"
        assert migrated.execute(revision).fetchall() == coded.execute(revision).fetchall() == [(schema.HEAD,)]
    finally:
        migrated.close()
        coded.close()
    engine = create_engine(url)
    with engine.connect() as connection:
        assert compare_metadata(MigrationContext.configure(connection), metadata) == []
    engine.dispose()


def test_the_revisions_are_those_of_the_migrations() -> None:
    """The constants that spare a start the import of alembic are true."""
    config = Config()
    config.set_main_option("script_location", "argoos.store:migrations")
    config.set_main_option("path_separator", "os")
    script = ScriptDirectory.from_config(config)

    assert tuple(one.revision for one in reversed(list(script.walk_revisions()))) == schema.REVISIONS
    assert script.get_heads() == [schema.HEAD]


@pytest.mark.parametrize("is_new", [True, False])
async def test_a_start_does_not_load_alembic(url: str, is_new: bool) -> None:
    """It costs memory and time that only an upgrade is worth: neither a new database nor a current one needs it."""
    if not is_new:
        await _make(url)
    program = (
        "import asyncio, sys\n"
        "from datetime import UTC, datetime\n"
        "from argoos.store import open_store\n"
        "async def main():\n"
        "    async with open_store(sys.argv[1]) as store:\n"
        "        await store.check(now=datetime.now(UTC))\n"
        "asyncio.run(main())\n"
        "print(sorted(name for name in sys.modules if name in ('alembic', 'mako', 'aiosqlite')))\n"
    )
    printed = _run(program, url)

    assert printed == "[]\n"


def _run(program: str, url: str) -> str:
    command = [sys.executable, "-c", program, url]
    return subprocess.run(command, check=True, capture_output=True, text=True, cwd=_ROOT).stdout


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE pushes SET state = 'stuck'",
        "UPDATE pushes SET outcome = 'maybe'",
        "UPDATE pushes SET state = 'done'",
        "UPDATE pushes SET settled_at = 1",
        "UPDATE pushes SET due_at = NULL",
        "INSERT INTO queue (repository, due_at) SELECT repository, 0 FROM queue",
        "UPDATE queue SET claim_token = 'x'",
        "UPDATE queue SET claim_token = NULL, lease_until_at = 1",
        "UPDATE pushes SET key = 'k'",
        "INSERT INTO steps SELECT 9, 0, '', '', '', '', '', '', '', '', NULL, 'update', NULL, '', NULL, ''",
        "INSERT INTO steps SELECT id, 0, '', '', '', '', '', '', '', '', NULL, 'skip', NULL, '', NULL, '' FROM pushes",
        "INSERT INTO heartbeat VALUES (2, 0)",
    ],
)
async def test_the_schema_forbids_what_must_not_be(url: str, path: Path, statement: str) -> None:
    """No code can make a state that means nothing, a key twice, two claims of a repository, a step of no push."""
    async with open_store(url) as store:
        await store.add([push("k"), push("other")], received_at=START)

    with sqlite3.connect(path) as connection:
        connection.execute("PRAGMA foreign_keys = ON")
        with pytest.raises(sqlite3.IntegrityError):
            connection.execute(statement)
    connection.close()


async def test_a_commit_waits_for_the_disk(path: Path) -> None:
    """The promise of durability rests on these settings of the connection that writes."""

    def ask(connection: Connection) -> list[object]:
        names = ("journal_mode", "synchronous", "foreign_keys")
        return [connection.exec_driver_sql(f"PRAGMA {name}").scalar() for name in names]

    database = SQLiteDatabase(path, owner=True)
    try:
        assert await database.write(ask) == ["wal", 2, 1]
    finally:
        await database.close()


async def test_a_reading_connection_can_not_write(path: Path) -> None:
    """Not even by mistake."""
    database = SQLiteDatabase(path, owner=True)
    try:
        with pytest.raises(StoreUnavailable, match="it cannot be written"):
            await database.read(lambda connection: connection.exec_driver_sql("DELETE FROM pushes"))
    finally:
        await database.close()


@contextmanager
def _statements() -> Iterator[dict[str, object]]:
    """Collect each statement that any connection runs, with parameters to explain it by."""
    seen: dict[str, object] = {}

    def note(*arguments: object) -> None:
        statement, parameters, many = str(arguments[2]), arguments[3], arguments[5]
        seen[statement] = parameters[0] if many and isinstance(parameters, list) else parameters

    event.listen(Engine, "before_cursor_execute", note)
    yield seen
    event.remove(Engine, "before_cursor_execute", note)


async def _use(store: SqlStore) -> None:
    """Do all that a daemon does all day."""
    await store.add([push("a"), push("b"), ignored("i")], received_at=START)
    claim = await claim_one(store, START)
    await store.settle(claim, [again(claim.pushes[0], at(1), update()), done(claim.pushes[1])], now=START)
    claim = await claim_one(store, at(1))
    await store.renew([claim], now=at(1), lease_seconds=LEASE_SECONDS)
    claim = await claim_one(store, at(1_000))
    await store.settle(claim, [again(claim.pushes[0], at(9_000), update())], now=at(1_000))
    await store.hasten(now=at(1_001))
    claim = await claim_one(store, at(1_001))
    await store.settle(claim, [done(claim.pushes[0])], now=at(1_001))
    await store.pushed_at(WEB)
    await store.push(1)
    await store.pushes(PushQuery(repository=str(WEB)))
    await store.pushes(PushQuery(before_id=2))
    await store.depth()
    await store.prune(settled_before=at(2_000), ignored_before=at(2_000), limit=1)
    await store.check(now=START)
    assert await claim_all(store, at(9_999)) == []


async def test_nothing_that_is_done_all_day_reads_a_table_from_end_to_end(url: str, path: Path) -> None:
    """What claiming, settling, asking and pruning cost does not grow with the history: SQLite uses the indexes."""
    await _make(url)
    async with open_store(url) as store:
        with _statements() as seen:
            await _use(store)
    connection = sqlite3.connect(path)
    scans: list[str] = []
    for statement, parameters in seen.items():
        if not statement.startswith(("BEGIN", "PRAGMA")):
            plan = connection.execute(f"EXPLAIN QUERY PLAN {statement}", parameters)  # type: ignore[arg-type]  # any will do
            scans += [f"{detail}: {statement}" for *_, detail in plan if _is_scan(detail)]
    connection.close()

    assert len(seen) > 20
    assert scans == []


def _is_scan(detail: str) -> bool:
    """Tell whether a line of a plan reads all rows of a table that grows: not those of an index over what waits."""
    few = r"SCAN \w+ USING (COVERING )?INDEX ix_(pushes_(waiting|ignored|settled)|queue_(due|lease))"
    return re.match(r"SCAN (pushes|steps|queue)\b", detail) is not None and re.match(few, detail) is None


async def test_no_thread_outlives_the_store(url: str) -> None:
    """What is opened is closed."""
    before = set(threading.enumerate())
    async with open_store(url) as store:
        await store.add([push("k")], received_at=START)
        await store.pushes(PushQuery(state=PushState.QUEUED))
        assert set(threading.enumerate()) > before
    assert set(threading.enumerate()) == before


async def test_a_store_that_was_never_used_opens_nothing(url: str, path: Path) -> None:
    """Making a store and closing it touches no file."""
    async with open_store(url):
        pass
    assert _names(path.parent) == []


def _names(folder: Path) -> list[str]:
    return [entry.name for entry in folder.iterdir()]
