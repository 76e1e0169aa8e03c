"""A lane: one thread with one connection, for a database whose driver can only wait in a thread.

A whole transaction is one trip to the thread and back. Drivers that make an asynchronous face for SQLite make a trip
for each statement and each commit; on a busy machine each of these costs a change of threads twice over.
"""

import asyncio
import contextlib
import errno
import os
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from sqlalchemy import Connection
from sqlalchemy.exc import DataError, DBAPIError, IntegrityError, InterfaceError, ProgrammingError, SQLAlchemyError

from argoos.errors import StoreUnavailable
from argoos.store.database import Work

T = TypeVar("T")

REOPEN_SECONDS = 0.5
"""After a failure, how long calls fail at once with the same words, before the database is opened again."""

_MISTAKES = (IntegrityError, DataError, ProgrammingError, InterfaceError)  # of the caller's values, not of the database


class Lane:
    """Runs work in transactions, one after the other. Opens when first used, and again after a failure.

    Args:
        name: of the thread.
        connect: opens and prepares a connection; called in the thread.
        identify: tells the database from another under the same name; `OSError` when it is gone. Its driver would go
            on writing to what nobody can open again.
        explain: says for the operator what an error of the driver means and what to do.
    """

    def __init__(
        self,
        *,
        name: str,
        connect: Callable[[], Connection],
        identify: Callable[[], object],
        explain: Callable[[Exception], str],
    ) -> None:
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix=name)
        self._connect = connect
        self._identify = identify
        self._identity: object = None
        self._explain = explain
        self._connection: Connection | None = None
        self._failure = ""
        self._reopen_at = 0.0  # of time.monotonic()
        self.waiting = 0
        """How much was asked for and is not done."""

    async def run(self, work: Work[T]) -> T:
        """Run `work` in a transaction; return once that is committed."""
        self.waiting += 1
        try:
            return await asyncio.wrap_future(self._thread.submit(self._transact, work))
        finally:
            self.waiting -= 1

    async def close(self) -> None:
        """Finish what was asked for, close the connection, end the thread."""
        await asyncio.wrap_future(self._thread.submit(self._drop))
        self._thread.shutdown()

    def _transact(self, work: Work[T]) -> T:
        if self._failure and time.monotonic() < self._reopen_at:
            raise StoreUnavailable(self._failure)
        try:
            return self._try(work)
        except _MISTAKES:
            raise
        except (DBAPIError, OSError) as error:
            unavailable = StoreUnavailable(self._explain(error))
            self._failed(unavailable)
            raise unavailable from error
        except StoreUnavailable as error:
            self._failed(error)
            raise

    def _try(self, work: Work[T]) -> T:
        if self._connection is None:
            self._connection = self._connect()
            self._identity = self._identify()
        elif self._identify() != self._identity:
            raise OSError(errno.ESTALE, os.strerror(errno.ESTALE))
        with self._connection.begin():
            done = work(self._connection)
        self._failure = ""
        return done

    def _failed(self, unavailable: StoreUnavailable) -> None:
        self._failure = str(unavailable)
        self._reopen_at = time.monotonic() + REOPEN_SECONDS
        self._drop()

    def _drop(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            with contextlib.suppress(SQLAlchemyError):  # it is being thrown away because it may be broken
                connection.close()
