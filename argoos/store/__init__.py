"""The durable inbox and its history, in an SQL database (`kinds` says in which)."""

from argoos.store.kinds import open_history, open_store
from argoos.store.store import SqlHistory, SqlStore

__all__ = ["SqlHistory", "SqlStore", "open_history", "open_store"]
