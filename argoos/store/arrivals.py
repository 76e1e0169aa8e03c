"""What arrives: rows for the parts of a delivery, and the queue woken for the pushes among them."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import assert_never

from sqlalchemy import Connection, Insert, func, select

from argoos.core.push import Ignored, Push, Received
from argoos.core.record import Outcome, PushState
from argoos.store.database import Inserts
from argoos.store.moment import to_micros
from argoos.store.sized import Cell, Parameters, Row, Sized
from argoos.store.tables import WAITING, pushes, queue
from argoos.store.text import storable

_COLUMNS = tuple(column.name for column in pushes.columns if column.name != "id")
_QUEUED = PushState.QUEUED.value
_DONE = PushState.DONE.value
_STATE = _COLUMNS.index("state")


class Arrivals:
    """Adds rows, each key once.

    Args:
        inserts: the database's own ``INSERT … ON CONFLICT``.
    """

    def __init__(self, inserts: Inserts) -> None:
        self._inserts = inserts
        self._insert = Sized(len(_COLUMNS), self._inserting)
        self._wake = Sized(1, self._waking)

    def add(self, connection: Connection, rows: Sequence[Row]) -> None:
        """Insert the rows whose key is new, and make the repositories of the new pushes due."""
        self._insert.run(connection, rows)
        self._wake.run(connection, [row[:1] for row in rows if row[_STATE] == _QUEUED])

    def _inserting(self, _first: Parameters, rows: Sequence[Parameters]) -> Insert:
        cells = [dict(zip(_COLUMNS, row, strict=True)) for row in rows]
        return self._inserts.ignoring(pushes, cells, key="key")

    def _waking(self, _first: Parameters, keys: Sequence[Parameters]) -> Insert:
        """Make a repository due when the earliest of these pushes is; with it, all that wait there are claimed.

        A push in backoff, whose delivery is repeated, is due when it was: nothing is lowered by it.
        """
        new = (
            select(pushes.c.repository, func.min(pushes.c.due_at))
            .where(pushes.c.key.in_([key for (key,) in keys]), WAITING)
            .group_by(pushes.c.repository)
        )
        return self._inserts.lowering(queue, new, key="repository", column="due_at")


def rows_of(received: Iterable[Received], received_at: datetime) -> list[Row]:
    """Return the row of each part of a delivery, its values in the order of the table."""
    at = to_micros(received_at)
    return [_row(part, at) for part in received]


def _row(part: Received, at: int) -> Row:
    fate: tuple[Cell, ...]
    match part:
        case Push():
            repository = str(part.repository)
            fate = (_QUEUED, None, "", "", 0, at, None)
        case Ignored():
            repository = storable(part.repository)
            fate = (_DONE, Outcome.IGNORED.value, part.reason.value, storable(part.detail), 0, None, at)
        case _:
            assert_never(part)
    texts = (part.key, repository, part.tag, part.digest, part.actor, part.media_type, part.sender)
    return (*map(storable, texts), to_micros(part.pushed_at), at, *fate)
