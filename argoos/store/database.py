"""The seam between what the store does and the kind of database it does it in.

All work is written once, as plain functions of a SQLAlchemy `Connection` (see `arrivals`, `claiming`, `settling`,
`upkeep`, `reading`); a kind of database says how such a function is run in a transaction, and with which `INSERT`.
SQLite runs it in a thread of its own; one with an asynchronous driver would run it by ``AsyncConnection.run_sync``.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Protocol, TypeVar

from sqlalchemy import Connection, Insert, Select, Table

T = TypeVar("T")

Work = Callable[[Connection], T]
"""What is to be done with a connection that is in a transaction; it neither commits nor rolls back."""


class Inserts(Protocol):
    """The two forms of ``INSERT … ON CONFLICT`` that the store needs; each kind of database has its own class."""

    def ignoring(self, table: Table, rows: Sequence[Mapping[str, object]], *, key: str) -> Insert:
        """Insert rows; leave those that have the same `key` as they are."""
        ...

    def lowering(self, table: Table, rows: Select[str, int], *, key: str, column: str) -> Insert:
        """Insert (`key`, `column`) pairs; where the `key` is there, set `column` if the new value is lower."""
        ...


class Database(Protocol):
    """One database. Opens it when it is first used, and again after a failure.

    Raises:
        StoreUnavailable: from `read` and `write`; the text names the database, the cause, and what to do.
    """

    @property
    def inserts(self) -> Inserts:
        """How rows are inserted that may be there already."""
        ...

    async def write(self, work: Work[T]) -> T:
        """Run `work` in one transaction and return once that is on disk. Never called twice at a time."""
        ...

    async def read(self, work: Work[T]) -> T:
        """Run `work`, which only reads, beside whatever is being written."""
        ...

    async def close(self) -> None:
        """Finish what runs and close all connections."""
        ...
