"""What those ask who only read: the history, the depth of the queue, when things were pushed."""

from collections.abc import Sequence

from sqlalchemy import Connection, Row, Select, bindparam, func, select

from argoos.core.image import Repository
from argoos.core.record import Outcome, PushedAt, PushRecord, PushState, QueueDepth, StepRecord, StepResult
from argoos.ports import PushQuery
from argoos.store.tables import WAITING, pushes, steps

PUSHED_AT_LIMIT = 1_000
"""How many (tag, digest) of one repository are known at most."""

_LOOKED_AT = 2_000  # pushes of one repository: enough for 1,000 different ones where each is pushed twice

_LATEST = (
    select(pushes.c.tag, pushes.c.digest, pushes.c.pushed_at, pushes.c.id)
    .where(pushes.c.repository == bindparam("repository"), pushes.c.reason == "")
    .order_by(pushes.c.id.desc())
    .limit(_LOOKED_AT)
    .subquery()
)
_PUSHED_AT = (
    select(_LATEST.c.tag, _LATEST.c.digest, func.max(_LATEST.c.pushed_at).label("pushed_at"))
    .group_by(_LATEST.c.tag, _LATEST.c.digest)
    .order_by(func.max(_LATEST.c.id).desc())
    .limit(PUSHED_AT_LIMIT)
)
_STEPS = (
    select(steps)
    .where(steps.c.push_id.in_(bindparam("ids", expanding=True)))
    .order_by(steps.c.push_id, steps.c.position)
)
_ONE = select(pushes).where(pushes.c.id == bindparam("push_id"))
_DEPTH = select(func.count(), func.min(pushes.c.id)).where(WAITING)
_RECEIVED_AT = select(pushes.c.received_at).where(pushes.c.id == bindparam("push_id"))


def pushed_at(connection: Connection, repository: Repository) -> PushedAt:
    """Return when each (tag, digest) of the repository was pushed last, parts that are no candidates left out."""
    rows = connection.execute(_PUSHED_AT, {"repository": str(repository)})
    return {(tag, digest): at for tag, digest, at in rows}


def find(connection: Connection, query: PushQuery) -> list[PushRecord]:
    """Return the pushes that match, the newest first."""
    return _with_steps(connection, connection.execute(_select(query)).all())


def one(connection: Connection, push_id: int) -> PushRecord | None:
    """Return one push."""
    found = _with_steps(connection, connection.execute(_ONE, {"push_id": push_id}).all())
    return found[0] if found else None


def depth(connection: Connection) -> QueueDepth:
    """Return how many pushes are queued or running, and when the one of these that arrived first was received."""
    waiting, first = connection.execute(_DEPTH).one()
    received_at = connection.scalar(_RECEIVED_AT, {"push_id": first}) if waiting else None
    return QueueDepth(waiting=waiting, oldest_received_at=received_at)


def _select(query: PushQuery) -> Select[*tuple[object, ...]]:
    asked = select(pushes).order_by(pushes.c.id.desc()).limit(query.limit)
    if query.repository is not None:
        asked = asked.where(pushes.c.repository == query.repository)
    if query.tag is not None:
        asked = asked.where(pushes.c.tag == query.tag)
    if query.state is not None:
        asked = asked.where(pushes.c.state == query.state.value)
    if query.before_id is not None:
        asked = asked.where(pushes.c.id < query.before_id)
    if not query.include_ignored:
        asked = asked.where(pushes.c.reason == "")
    if query.state in (PushState.QUEUED, PushState.RUNNING):
        asked = asked.where(WAITING)  # says nothing new, but lets the database find the few that wait among all
    return asked


def _with_steps(connection: Connection, rows: Sequence[Row[*tuple[object, ...]]]) -> list[PushRecord]:
    found: dict[int, list[StepRecord]] = {row.id: [] for row in rows}
    if found:
        for row in connection.execute(_STEPS, {"ids": list(found)}):
            found[row.push_id].append(step_record(row))
    return [_record(row, tuple(found[row.id])) for row in rows]


def _record(row: Row[*tuple[object, ...]], its_steps: tuple[StepRecord, ...]) -> PushRecord:
    state = PushState(row.state)
    return PushRecord(
        id=row.id,
        key=row.key,
        repository=row.repository,
        tag=row.tag,
        digest=row.digest,
        actor=row.actor,
        media_type=row.media_type,
        sender=row.sender,
        pushed_at=row.pushed_at,
        received_at=row.received_at,
        state=state,
        outcome=Outcome(row.outcome) if row.outcome else None,
        reason=row.reason,
        error=row.error,
        attempts=row.attempts,
        due_at=row.due_at if state is PushState.QUEUED else None,
        settled_at=row.settled_at,
        steps=its_steps,
    )


def step_record(row: Row[*tuple[object, ...]]) -> StepRecord:
    """Return a row of `steps` as a value."""
    return StepRecord(
        backend=row.backend,
        kind=row.kind,
        namespace=row.namespace,
        workload=row.workload,
        container=row.container,
        policy=row.policy,
        current=row.current,
        candidate=row.candidate,
        image=row.image,
        action=row.action,
        reason=row.reason,
        detail=row.detail,
        result=StepResult(row.result) if row.result else None,
        error=row.error,
    )
