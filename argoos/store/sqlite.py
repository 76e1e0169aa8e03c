"""SQLite: how its file is opened, locked and written, and what its errors mean. Nothing else here knows SQLite."""

import errno
import os
import sqlite3
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import TypeVar

from sqlalchemy import Connection, Insert, NullPool, Select, Table, create_engine, event
from sqlalchemy.dialects.sqlite import insert
from sqlalchemy.engine import URL
from sqlalchemy.exc import DBAPIError, SQLAlchemyError

from argoos.errors import SettingsError, StoreUnavailable, excerpt
from argoos.store import claiming, schema
from argoos.store.database import Work
from argoos.store.lane import Lane
from argoos.store.ownership import Ownership

T = TypeVar("T")

BUSY_SECONDS = 1.0
"""How long a transaction waits for another process that has locked the file."""

_READERS = 2  # so that one long answer for a page does not keep the worker waiting

_OWNER_PRAGMAS = (
    "journal_mode = WAL",  # readers and the writer do not wait for each other
    "synchronous = FULL",  # a commit is on disk when it returns, whatever dies then
    "foreign_keys = ON",
    "secure_delete = OFF",  # some builds overwrite what is deleted: pruning would write everything once more
    "cache_size = -2000",  # KiB; more saves nothing measurable, since the system caches the file, too
    "wal_autocheckpoint = 4000",  # pages, 16 MB: rarer pauses for writing back than the default's 4 MB
    "journal_size_limit = 67108864",  # bytes that the log keeps after a long reader has let it grow
)
_READER_PRAGMAS = ("query_only = ON", "cache_size = -500")


class SQLiteInserts:
    """SQLite's ``INSERT … ON CONFLICT``."""

    def ignoring(self, table: Table, rows: Sequence[Mapping[str, object]], *, key: str) -> Insert:
        """Insert rows; leave those that have the same `key` as they are."""
        return insert(table).values(list(rows)).on_conflict_do_nothing(index_elements=[key])

    def lowering(self, table: Table, rows: Select[str, int], *, key: str, column: str) -> Insert:
        """Insert (`key`, `column`) pairs; where the `key` is there, set `column` if the new value is lower."""
        inserting = insert(table).from_select([key, column], rows)
        new = inserting.excluded[column]
        return inserting.on_conflict_do_update(index_elements=[key], set_={column: new}, where=new < table.c[column])


class SQLiteDatabase:
    """One SQLite file: a thread that writes, two that read.

    Args:
        path: the file.
        owner: whether it may be made, locked for this process, brought up to date and written; otherwise it is only
            read, beside the process that owns it.
    """

    def __init__(self, path: Path, *, owner: bool) -> None:
        self.inserts = SQLiteInserts()
        self._path = path.absolute()
        self._owner = owner
        self._ownership = Ownership(self._path)
        self._taken_over = False
        self._opened = False
        self._writer = self._lane("argoos-store-writer", self._connect_writer)
        self._readers = [
            self._lane(f"argoos-store-reader-{number}", self._connect_reader) for number in range(_READERS)
        ]

    @classmethod
    def of(cls, url: URL, *, owner: bool) -> "SQLiteDatabase":
        """Make it of an URL such as ``sqlite:////var/lib/argoos/argoos.db``.

        Raises:
            SettingsError: the URL names no file, or more than a file.
        """
        shown = url.render_as_string(hide_password=True)
        if url.host or url.username or url.query or url.drivername != "sqlite":
            raise SettingsError([f"database: {shown} is not of the form sqlite:////absolute/path or sqlite:///path"])
        if not url.database or url.database == ":memory:" or url.database.startswith("file:"):
            raise SettingsError(
                [f"database: {shown} names no file; a database in memory would lose pushes that were accepted"]
            )
        return cls(Path(url.database), owner=owner)

    async def write(self, work: Work[T]) -> T:
        """Run `work` in one transaction and return once that is on disk."""
        if not self._owner:
            raise StoreUnavailable(f"database {self._path} was opened for reading only")
        return await self._writer.run(work)

    async def read(self, work: Work[T]) -> T:
        """Run `work`, which only reads, beside whatever is being written."""
        if self._owner and not self._opened:
            await self._writer.run(_nothing)  # makes the tables, if nobody has
        return await min(self._readers, key=lambda lane: lane.waiting).run(work)

    async def close(self) -> None:
        """Finish what runs, close all connections, give the file up."""
        for lane in (*self._readers, self._writer):
            await lane.close()
        self._ownership.release()

    def _lane(self, name: str, connect: Callable[[], Connection]) -> Lane:
        return Lane(name=name, connect=connect, identify=self._identify, explain=partial(explain, self._path))

    def _connect_writer(self) -> Connection:
        self._ownership.take()
        connection = _connect(self._path, "rwc", _OWNER_PRAGMAS)
        try:
            with connection.begin():
                schema.upgrade(connection, where=str(self._path))
                if not self._taken_over:
                    claiming.give_all_back(connection)
        except (StoreUnavailable, SQLAlchemyError):
            connection.close()
            raise
        self._taken_over = self._opened = True
        return connection

    def _connect_reader(self) -> Connection:
        if not self._path.exists():
            raise StoreUnavailable(f"there is no database {self._path}: `argoos serve` makes it when it starts")
        connection = _connect(self._path, "rw" if os.access(self._path, os.W_OK) else "ro", _READER_PRAGMAS)
        try:
            with connection.begin():
                schema.require(connection, where=str(self._path))
        except (StoreUnavailable, SQLAlchemyError):
            connection.close()
            raise
        return connection

    def _identify(self) -> object:
        """Return what tells this file from another of the same name."""
        found = self._path.stat()
        return found.st_dev, found.st_ino


def _nothing(_connection: Connection) -> None:
    """Do nothing, in a transaction."""


def _connect(path: Path, mode: str, pragmas: Sequence[str]) -> Connection:
    """Open the file. Transactions are begun by us: the driver's own way begins none before a change of tables."""

    def open_file() -> sqlite3.Connection:
        opened = sqlite3.connect(f"{path.as_uri()}?mode={mode}", uri=True, timeout=BUSY_SECONDS, isolation_level=None)
        try:
            for pragma in pragmas:
                opened.execute(f"PRAGMA {pragma}")
        except sqlite3.Error:
            opened.close()
            raise
        return opened

    engine = create_engine("sqlite://", creator=open_file, poolclass=NullPool)
    begin = "BEGIN IMMEDIATE" if mode == "rwc" else "BEGIN"
    event.listen(engine, "begin", lambda connection: connection.exec_driver_sql(begin))
    return engine.connect()


_CAUSES = {
    "SQLITE_FULL": ("its disk is full", "free some space"),
    "SQLITE_BUSY": ("another process has locked it", "see who has opened it (lsof), and end that"),
    "SQLITE_LOCKED": ("another process has locked it", "see who has opened it (lsof), and end that"),
    "SQLITE_READONLY": ("it cannot be written", "see who owns it, its mode, and how its file system is mounted"),
    "SQLITE_PERM": ("it may not be opened", "see who owns it and its mode"),
    "SQLITE_CANTOPEN": ("it cannot be opened", "see who owns it, its mode, and that of its directory"),
    "SQLITE_CORRUPT": ("it is damaged", "move it away or put a backup in its place; Argoos leaves it as it is"),
    "SQLITE_NOTADB": ("it is no SQLite database", "move it away or name another; Argoos leaves it as it is"),
    "SQLITE_IOERR": ("reading or writing it failed", "see the system's log for errors of its disk"),
}


def explain(path: Path, error: Exception) -> str:
    """Say for the operator which file, what is the matter, and what to do."""
    original = error.orig if isinstance(error, DBAPIError) else error
    if not path.parent.is_dir():
        cause, remedy = f"its directory {path.parent} does not exist", "make it, or name another file"
    elif isinstance(original, OSError):
        cause, remedy = _of_system(original)
    else:
        name = getattr(original, "sqlite_errorname", "")
        kind = "_".join(name.split("_")[:2])
        cause, remedy = _CAUSES.get(kind, ("it cannot be used", "see whether the sqlite3 command can open it"))
        cause = f"{cause} ({excerpt(str(original))}{f', {name}' if name else ''})"
    return f"database {path}: {cause}; {remedy}. It is tried again until it works"


def _of_system(error: OSError) -> tuple[str, str]:
    if error.errno == errno.ENOENT:
        return "it was removed while it was in use", "stop Argoos before you put another in its place"
    if error.errno == errno.ESTALE:
        return "it was replaced by another while it was in use", "stop Argoos before you put another in its place"
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return _CAUSES["SQLITE_FULL"]
    if error.errno == errno.EROFS:
        return _CAUSES["SQLITE_READONLY"]
    return f"it cannot be opened ({error.strerror})", "see who owns it, its mode, and that of its directory"
