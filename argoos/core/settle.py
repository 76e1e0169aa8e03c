"""What is written down of a claimed push, once its steps were tried."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from argoos.core.reason import Reason
from argoos.core.record import Outcome, PushState, QueuedPush, Settlement, StepRecord, StepResult
from argoos.core.retry import backoff_seconds
from argoos.core.step import Skip, Step


@dataclass(frozen=True, slots=True, kw_only=True)
class Tried:
    """A step and what became of it. `result` is None for a skip; `delay_seconds` is how long we were asked to wait."""

    step: Step
    result: StepResult | None = None
    error: str = ""
    delay_seconds: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Hindrance:
    """Why not all could be planned: a backend that could not be asked, or a mistake of our own."""

    error: str
    delay_seconds: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Moment:
    """When a push is settled: `now`, the longest that a push may wait, and a random number from 0 to 1 for backoff."""

    now: datetime
    give_up: timedelta
    chance: float


def settle(queued: QueuedPush, tried: Sequence[Tried], hindrances: Sequence[Hindrance], moment: Moment) -> Settlement:
    """Say how a push ends: done, failed, or queued again because what stood in the way may pass.

    Args:
        queued: the push as it was claimed.
        tried: its own steps, in the order of the plan.
        hindrances: what kept the plan from being whole.
        moment: when.
    """
    steps = tuple(_record(queued, one) for one in tried)
    waiting = [one for one in tried if one.result is StepResult.WAITING]
    if waiting or hindrances:
        return _again(
            queued,
            steps,
            [*hindrances, *(Hindrance(error=w.error, delay_seconds=w.delay_seconds) for w in waiting)],
            moment,
        )
    failed = [step for step in steps if step.result is StepResult.FAILED]
    if failed:
        return Settlement(
            push_id=queued.id, state=PushState.FAILED, outcome=Outcome.FAILED, error=failed[0].error, steps=steps
        )
    if any(step.result is StepResult.APPLIED for step in steps):
        outcome = Outcome.UPDATED
    else:
        outcome = Outcome.SKIPPED if steps else Outcome.NO_WORKLOAD
    return Settlement(push_id=queued.id, state=PushState.DONE, outcome=outcome, steps=steps)


def _again(
    queued: QueuedPush, steps: tuple[StepRecord, ...], hindrances: Sequence[Hindrance], moment: Moment
) -> Settlement:
    error = hindrances[0].error
    if moment.now - queued.received_at >= moment.give_up:
        error = f"given up after {_hours(moment.give_up)}: {error}"
        steps = tuple(_failed(step) for step in steps)
        return Settlement(push_id=queued.id, state=PushState.FAILED, outcome=Outcome.FAILED, error=error, steps=steps)
    asked = max((hindrance.delay_seconds or 0.0 for hindrance in hindrances), default=0.0)
    wait = backoff_seconds(queued.attempts + 1, asked_seconds=asked, chance=moment.chance)
    return Settlement(
        push_id=queued.id,
        state=PushState.QUEUED,
        outcome=Outcome.RETRYING,
        error=error,
        due_at=moment.now + timedelta(seconds=wait),
        steps=steps,
    )


def _record(queued: QueuedPush, tried: Tried) -> StepRecord:
    """Put a step into words; what this very push has applied before (and could not write down) counts as applied."""
    record = StepRecord.of(tried.step, result=tried.result, error=tried.error)
    step = tried.step
    ours = isinstance(step, Skip) and step.reason is Reason.ALREADY_RUNNING
    if not ours or step.workload.last_push != str(queued.id):
        return record
    return replace(
        record,
        action="update",
        reason=None,
        image=str(step.container.image),
        result=StepResult.APPLIED,
        detail="applied by an earlier try",
    )


def _failed(step: StepRecord) -> StepRecord:
    return replace(step, result=StepResult.FAILED) if step.result is StepResult.WAITING else step


def _hours(duration: timedelta) -> str:
    return f"{duration.total_seconds() / 3600:g} h"
