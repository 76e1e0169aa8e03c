"""The table of the kinds of database, and how a store is made of an URL."""

from collections.abc import Callable, Mapping

from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError

from argoos.errors import SettingsError
from argoos.store.database import Database
from argoos.store.sqlite import SQLiteDatabase
from argoos.store.store import SqlHistory, SqlStore

KINDS: Mapping[str, Callable[[URL, bool], Database]] = {
    "sqlite": lambda url, owner: SQLiteDatabase.of(url, owner=owner),
}
"""For each scheme of an URL, what makes the database: of the URL, and of whether it is owned or only read."""


def open_store(url: str) -> SqlStore:
    """Return the daemon's store. Nothing is opened before it is used.

    Raises:
        SettingsError: the URL is of no known kind.
    """
    return SqlStore(_database(url, owner=True))


def open_history(url: str) -> SqlHistory:
    """Return the history for reading only, while a daemon may be writing.

    Raises:
        SettingsError: the URL is of no known kind.
    """
    return SqlHistory(_database(url, owner=False))


def _database(text: str, *, owner: bool) -> Database:
    choices = ", ".join(f"{kind}://…" for kind in sorted(KINDS))
    try:
        url = make_url(text)
    except (ArgumentError, ValueError) as error:
        raise SettingsError([f"database: not an URL of a database; the kinds are {choices}"]) from error
    kind = KINDS.get(url.drivername)
    if kind is None:
        raise SettingsError([f"database: {url.drivername}:// is no kind of database that Argoos knows: {choices}"])
    return kind(url, owner)
