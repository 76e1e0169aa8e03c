"""How claimed pushes end: their outcome and steps written down, the claim given up, in one transaction."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import datetime

from sqlalchemy import Connection, Insert, Update, bindparam, delete, func, insert, literal_column, select, update

from argoos.core.reason import Reason
from argoos.core.record import Claim, PushState, Settlement, StepRecord, StepResult
from argoos.store.moment import Moment, to_micros
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


def _insert(_first: Parameters, rows: Sequence[Parameters]) -> Insert:
    return insert(steps).values([dict(zip(_COLUMNS, row, strict=True)) for row in rows])


def _end(ending: Parameters, ids: Sequence[Parameters]) -> Update:
    return (
        update(pushes)
        .ordered_values(
            *zip(_ENDING, ending, strict=True), (pushes.c.attempts, pushes.c.attempts + literal_column("1"))
        )
        .where(pushes.c.id.in_([push_id for (push_id,) in ids]), pushes.c.state == literal_column(f"'{_RUNNING}'"))
    )


_ENDING = (pushes.c.state, pushes.c.outcome, pushes.c.error, pushes.c.due_at, pushes.c.settled_at)
_WRITE_STEPS = Sized(len(_COLUMNS), _insert)
_SETTLE = Sized(1, _end, first=len(_ENDING))


def settle(connection: Connection, claim: Claim, settlements: Sequence[Settlement], *, now: datetime) -> bool:
    """Write down the settlements and give the claim up, unless somebody else has it by now: then return False."""
    name = str(claim.repository)
    if connection.execute(_GIVE_UP, {"of": name, "token": claim.token}).rowcount != 1:
        return False
    if settlements:
        _write_steps(connection, claim, settlements)
        alike: dict[Row, list[Row]] = defaultdict(list)
        for settlement in settlements:
            alike[_ending(settlement, now)].append((settlement.push_id,))
        for ending, ids in alike.items():
            _SETTLE.run(connection, ids, first=ending)
    if len(settlements) < len(claim.pushes):
        connection.execute(_RETURN, {"of": name, "now": now})
    due_at = connection.scalar(_NEXT, {"repository": name})
    if due_at is None:
        connection.execute(_FINISH, {"of": name})
    else:
        connection.execute(_REQUEUE, {"of": name, "next": due_at})
    return True


def _ending(settlement: Settlement, now: datetime) -> Row:
    """Return what is written down of a push: state, outcome, error, due_at, settled_at."""
    again = settlement.state is PushState.QUEUED
    due_at = to_micros(settlement.due_at or now) if again else None
    settled_at = None if again else to_micros(now)
    return settlement.state.value, settlement.outcome.value, storable(settlement.error), due_at, settled_at


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
    _WRITE_STEPS.run(connection, list(_rows(settlements, applied)))


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
