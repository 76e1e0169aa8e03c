"""How claimed pushes end: their outcome and steps written down, the claim given up, in one transaction."""

from collections.abc import Iterable, Sequence
from datetime import datetime

from sqlalchemy import Connection, Insert, bindparam, delete, func, insert, select, update

from argoos.core.reason import Reason
from argoos.core.record import Claim, PushState, Settlement, StepRecord, StepResult
from argoos.store.moment import Moment
from argoos.store.reading import step_record
from argoos.store.sized import Cell, Parameters, Row, Sized
from argoos.store.tables import WAITING, pushes, queue, steps
from argoos.store.text import storable

_RUNNING = PushState.RUNNING.value
_COLUMNS = tuple(column.name for column in steps.columns)
_Slot = tuple[str, str, str, str, str]
_WORDS = _COLUMNS[2:]  # those that a StepRecord has, too

_GIVE_UP = (
    update(queue)
    .where(queue.c.repository == bindparam("of"), queue.c.claim_token == bindparam("token"))
    .values(claim_token=None, lease_until_at=None)
)
_SETTLE = (
    update(pushes)
    .where(pushes.c.id == bindparam("push_id"), pushes.c.state == _RUNNING)
    .values(
        state=bindparam("new_state"),
        outcome=bindparam("new_outcome"),
        error=bindparam("new_error"),
        due_at=bindparam("new_due_at", type_=Moment),
        settled_at=bindparam("new_settled_at", type_=Moment),
        attempts=pushes.c.attempts + 1,
    )
)
_RETURN = (
    update(pushes)
    .where(WAITING, pushes.c.repository == bindparam("of"), pushes.c.state == _RUNNING)
    .values(state=PushState.QUEUED.value, due_at=bindparam("now", type_=Moment))
)
_NEXT = select(func.min(pushes.c.due_at)).where(WAITING, pushes.c.repository == bindparam("repository"))
_REQUEUE = update(queue).where(queue.c.repository == bindparam("of")).values(due_at=bindparam("next", type_=Moment))
_FINISH = delete(queue).where(queue.c.repository == bindparam("of"))
_APPLIED = select(steps).where(
    steps.c.push_id.in_(bindparam("ids", expanding=True)), steps.c.result == StepResult.APPLIED.value
)
_FORGET = delete(steps).where(steps.c.push_id == bindparam("of"))


def _insert(rows: Sequence[Parameters]) -> Insert:
    return insert(steps).values([dict(zip(_COLUMNS, row, strict=True)) for row in rows])


_WRITE = Sized(len(_COLUMNS), _insert)


def settle(connection: Connection, claim: Claim, settlements: Sequence[Settlement], *, now: datetime) -> bool:
    """Write down the settlements and give the claim up, unless somebody else has it by now: then return False."""
    name = str(claim.repository)
    if connection.execute(_GIVE_UP, {"of": name, "token": claim.token}).rowcount != 1:
        return False
    if settlements:
        _write_steps(connection, claim, settlements)
        connection.execute(_SETTLE, [_values(settlement, now) for settlement in settlements])
    if len(settlements) < len(claim.pushes):
        connection.execute(_RETURN, {"of": name, "now": now})
    due_at = connection.scalar(_NEXT, {"repository": name})
    if due_at is None:
        connection.execute(_FINISH, {"of": name})
    else:
        connection.execute(_REQUEUE, {"of": name, "next": due_at})
    return True


def _values(settlement: Settlement, now: datetime) -> dict[str, object]:
    again = settlement.state is PushState.QUEUED
    return {
        "push_id": settlement.push_id,
        "new_state": settlement.state.value,
        "new_outcome": settlement.outcome.value,
        "new_error": storable(settlement.error),
        "new_due_at": (settlement.due_at or now) if again else None,
        "new_settled_at": None if again else now,
    }


def _write_steps(connection: Connection, claim: Claim, settlements: Sequence[Settlement]) -> None:
    """Replace the steps of the try before, but for what was applied then and merely found to run now."""
    tried = {queued.id for queued in claim.pushes if queued.attempts}
    again = [settlement.push_id for settlement in settlements if settlement.push_id in tried]
    applied: dict[tuple[int, _Slot], StepRecord] = {}
    if again:
        for row in connection.execute(_APPLIED, {"ids": again}):
            record = step_record(row)
            applied[row.push_id, _slot(record)] = record
        connection.execute(_FORGET, [{"of": push_id} for push_id in again])
    _WRITE.run(connection, list(_rows(settlements, applied)))


def _rows(settlements: Iterable[Settlement], applied: dict[tuple[int, _Slot], StepRecord]) -> Iterable[Row]:
    for settlement in settlements:
        for position, step in enumerate(settlement.steps):
            record = step
            if step.reason == Reason.ALREADY_RUNNING.value:
                record = applied.get((settlement.push_id, _slot(step)), step)
            yield (settlement.push_id, position, *_cells(record))


def _cells(step: StepRecord) -> Iterable[Cell]:
    for word in _WORDS:
        cell = getattr(step, word)
        yield None if cell is None else storable(cell)


def _slot(step: StepRecord) -> _Slot:
    """Return what a step is about."""
    return step.backend, step.kind, step.namespace, step.workload, step.container
