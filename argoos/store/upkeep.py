"""What keeps the store in order: waking what waits, forgetting what is old, proving that it can be written."""

from datetime import datetime

from sqlalchemy import ColumnElement, Connection, bindparam, delete, insert, select, update

from argoos.store.moment import Moment
from argoos.store.tables import FREE, IGNORED, SETTLED, WAITING, heartbeat, pushes, queue

SLICE = 1_000
"""Rows that one transaction of upkeep touches at most, so that arrivals never wait long for it."""

_NOW = bindparam("now", type_=Moment)
_BEAT = update(heartbeat).values(beat_at=_NOW)
_FIRST_BEAT = insert(heartbeat).values(id=1, beat_at=_NOW)

_LATE_PUSHES = select(pushes.c.id).where(WAITING, pushes.c.due_at > _NOW).limit(SLICE)
_HASTEN_PUSHES = update(pushes).where(pushes.c.id.in_(_LATE_PUSHES.scalar_subquery())).values(due_at=_NOW)
_LATE_QUEUE = select(queue.c.repository).where(FREE, queue.c.due_at > _NOW).limit(SLICE)
_HASTEN_QUEUE = update(queue).where(queue.c.repository.in_(_LATE_QUEUE.scalar_subquery())).values(due_at=_NOW)


def hasten(connection: Connection, *, now: datetime) -> bool:
    """Make a slice of what waits for a later time due; return whether there may be more."""
    late = connection.execute(_HASTEN_PUSHES, {"now": now}).rowcount
    late_repositories = connection.execute(_HASTEN_QUEUE, {"now": now}).rowcount
    return max(late, late_repositories) == SLICE


def prune(connection: Connection, *, settled_before: datetime, ignored_before: datetime, limit: int) -> int:
    """Delete up to `limit` old rows, with their steps; return how many."""
    deleted = _delete_older(connection, IGNORED, ignored_before, limit)
    return deleted + _delete_older(connection, SETTLED, settled_before, limit - deleted)


def beat(connection: Connection, *, now: datetime) -> None:
    """Write something."""
    if not connection.execute(_BEAT, {"now": now}).rowcount:
        connection.execute(_FIRST_BEAT, {"now": now})


def _delete_older(connection: Connection, which: ColumnElement[bool], before: datetime, limit: int) -> int:
    old = select(pushes.c.id).where(which, pushes.c.settled_at < before).order_by(pushes.c.settled_at).limit(limit)
    return connection.execute(delete(pushes).where(pushes.c.id.in_(old.scalar_subquery()))).rowcount
