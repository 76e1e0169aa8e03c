"""Claims: repositories taken out of the queue for a worker, kept for him, and put back when he is gone."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from uuid import uuid4

from sqlalchemy import Connection, Row, Update, bindparam, delete, literal_column, select, update

from argoos.core.image import Repository
from argoos.core.push import Push
from argoos.core.record import Claim, PushState, QueuedPush
from argoos.store.moment import Moment
from argoos.store.sized import Parameters, Sized
from argoos.store.tables import CLAIMED, FREE, WAITING, pushes, queue

CLAIM_LIMIT = 500
"""Pushes of one repository in one claim, and the number after which a call claims no further repository."""

_QUEUED = PushState.QUEUED.value
_RUNNING = PushState.RUNNING.value
_NOW = bindparam("now", type_=Moment)
_Row = Row[int, str, str, str, datetime, str, str, str, datetime, int]

_DUE = (
    select(queue.c.repository)
    .where(FREE, queue.c.due_at <= _NOW)
    .order_by(queue.c.due_at, queue.c.repository)
    .limit(bindparam("limit"))
    .with_for_update(skip_locked=True)
)
_WAITING = (
    select(
        pushes.c.id,
        pushes.c.key,
        pushes.c.tag,
        pushes.c.digest,
        pushes.c.pushed_at,
        pushes.c.actor,
        pushes.c.media_type,
        pushes.c.sender,
        pushes.c.received_at,
        pushes.c.attempts,
    )
    .where(WAITING, pushes.c.repository == bindparam("repository"))
    .order_by(pushes.c.due_at, pushes.c.id)  # the due ones first, or a crowd in backoff would keep them out for ever
    .limit(CLAIM_LIMIT)
)
_TAKE = (
    update(queue)
    .where(queue.c.repository == bindparam("of"))
    .values(claim_token=bindparam("token"), lease_until_at=bindparam("until", type_=Moment))
)
_RENEW = (
    update(queue)
    .where(queue.c.repository == bindparam("of"), queue.c.claim_token == bindparam("token"))
    .values(lease_until_at=bindparam("until", type_=Moment))
)
_EMPTY = delete(queue).where(queue.c.repository == bindparam("of"))
_EXPIRED = select(queue.c.repository).where(CLAIMED, queue.c.lease_until_at <= _NOW)
_RETURN = (
    update(pushes)
    .where(WAITING, pushes.c.repository == bindparam("of"), pushes.c.state == _RUNNING)
    .values(state=_QUEUED)
)
_FREE = update(queue).where(queue.c.repository == bindparam("of")).values(claim_token=None, lease_until_at=None)


def _running(_first: Parameters, ids: Sequence[Parameters]) -> Update:
    among = pushes.c.id.in_([push_id for (push_id,) in ids])
    return update(pushes).values(state=literal_column(f"'{_RUNNING}'")).where(among)


_RUN = Sized(1, _running)


def claim(connection: Connection, *, limit: int, now: datetime, lease_seconds: float) -> list[Claim]:
    """Claim repositories that are due, those first that are due longest."""
    _give_back(connection, connection.scalars(_EXPIRED, {"now": now}).all())
    token, until = uuid4().hex, now + timedelta(seconds=lease_seconds)
    claims: list[Claim] = []
    taken = 0
    for name in connection.scalars(_DUE, {"now": now, "limit": limit}).all():
        rows = connection.execute(_WAITING, {"repository": name}).all()
        if not rows:
            connection.execute(_EMPTY, {"of": name})
            continue
        claims.append(_claim(name, token, until, rows))
        taken += len(rows)
        if taken >= CLAIM_LIMIT:
            break
    if claims:
        _RUN.run(connection, [(queued.id,) for one in claims for queued in one.pushes])
        connection.execute(_TAKE, [{"of": str(one.repository), "token": token, "until": until} for one in claims])
    return claims


def renew(connection: Connection, claims: Sequence[Claim], *, now: datetime, lease_seconds: float) -> None:
    """Extend the leases of those claims that nobody else has taken since."""
    until = now + timedelta(seconds=lease_seconds)
    connection.execute(_RENEW, [{"of": str(one.repository), "token": one.token, "until": until} for one in claims])


def give_all_back(connection: Connection) -> None:
    """Return every claim to the queue: for an owner who has just taken over, and knows that no other lives."""
    _give_back(connection, connection.scalars(select(queue.c.repository).where(CLAIMED)).all())


def _give_back(connection: Connection, names: Sequence[str]) -> None:
    if names:
        connection.execute(_RETURN, [{"of": name} for name in names])
        connection.execute(_FREE, [{"of": name} for name in names])


def _claim(name: str, token: str, until: datetime, rows: Sequence[_Row]) -> Claim:
    registry, _, path = name.partition("/")
    repository = Repository(registry=registry, path=path)
    queued = sorted((_queued(repository, row) for row in rows), key=lambda one: one.id)
    return Claim(repository=repository, token=token, lease_until_at=until, pushes=tuple(queued))


def _queued(repository: Repository, row: _Row) -> QueuedPush:
    push_id, key, tag, digest, pushed_at, actor, media_type, sender, received_at, attempts = row
    push = Push(
        key=key,
        repository=repository,
        tag=tag,
        digest=digest,
        pushed_at=pushed_at,
        actor=actor,
        media_type=media_type,
        sender=sender,
    )
    return QueuedPush(id=push_id, push=push, received_at=received_at, attempts=attempts)
