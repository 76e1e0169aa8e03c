"""How a claimed push is settled, as a table."""

from dataclasses import replace
from datetime import timedelta

import pytest

from argoos.core.image import RegistryNames
from argoos.core.plan import plan
from argoos.core.record import Outcome, PushState, Settlement, StepResult
from argoos.core.settle import Hindrance, Moment, Tried, settle
from tests.worker.builders import START, digest, push, queued, workload

PUSH = push("1.4.3")
MOMENT = Moment(now=START + timedelta(seconds=10), give_up=timedelta(hours=1), chance=1.0)


def tried(
    result: StepResult | None, *, image: str = "registry.example/shop/web:1.4.2", delay: float | None = None
) -> Tried:
    """Return the one step that the push makes of a container, with a result."""
    (step,) = plan([PUSH], [workload("web", web=image)], names=RegistryNames(), pushed_at={}, settle=timedelta())
    error = "" if result in (None, StepResult.APPLIED) else "because"
    return Tried(step=step, result=result, error=error, delay_seconds=delay)


SKIPPED = tried(None, image="registry.example/shop/web:1.5.0")
APPLIED, WAITING, FAILED = (tried(result) for result in (StepResult.APPLIED, StepResult.WAITING, StepResult.FAILED))


@pytest.mark.parametrize(
    ("steps", "hindrances", "state", "outcome"),
    [
        ([], [], PushState.DONE, Outcome.NO_WORKLOAD),
        ([SKIPPED], [], PushState.DONE, Outcome.SKIPPED),
        ([SKIPPED, APPLIED], [], PushState.DONE, Outcome.UPDATED),
        ([APPLIED, FAILED], [], PushState.FAILED, Outcome.FAILED),
        ([APPLIED, WAITING], [], PushState.QUEUED, Outcome.RETRYING),
        ([FAILED, WAITING], [], PushState.QUEUED, Outcome.RETRYING),
        ([APPLIED], [Hindrance(error="away")], PushState.QUEUED, Outcome.RETRYING),
        ([], [Hindrance(error="away")], PushState.QUEUED, Outcome.RETRYING),
    ],
)
def test_outcome(steps: list[Tried], hindrances: list[Hindrance], state: PushState, outcome: Outcome) -> None:
    """What may pass is waited for before anything is called failed, and failure outweighs success."""
    settled = settle(queued(PUSH), steps, hindrances, MOMENT)
    assert (settled.state, settled.outcome) == (state, outcome)
    assert len(settled.steps) == len(steps)


def test_a_wait_doubles_and_heeds_what_was_asked_for() -> None:
    """The next try is after the backoff, or after what the other side asked for if that is longer."""

    def wait(attempts: int, delay: float | None) -> float:
        settled = settle(queued(PUSH, attempts=attempts), [tried(StepResult.WAITING, delay=delay)], [], MOMENT)
        assert settled.due_at is not None
        return (settled.due_at - MOMENT.now).total_seconds()

    assert [wait(attempts, None) for attempts in (0, 1, 2, 50)] == [0.5, 1.0, 2.0, 60.0]
    assert wait(0, 7.0) == 7.0
    assert wait(50, 7.0) == 60.0


def test_what_waited_too_long_is_failed_with_its_last_error() -> None:
    """A hindrance that does not pass ends in a failure that says so, on the push and on the step."""
    late = replace(MOMENT, now=START + timedelta(hours=1))
    settled = settle(queued(PUSH), [WAITING], [], late)
    assert settled.state is PushState.FAILED
    assert settled.error == "given up after 1 h: because"
    assert settled.steps[0].result is StepResult.FAILED


def settled_over(last_push: str) -> Settlement:
    """Settle a push over a container that runs it already, its workload marked with the push `last_push`."""
    running = replace(workload("web", web=f"registry.example/shop/web:1.4.3@{digest('a')}"), last_push=last_push)
    (step,) = plan([PUSH], [running], names=RegistryNames(), pushed_at={}, settle=timedelta())
    return settle(queued(PUSH, id_=17), [Tried(step=step)], [], MOMENT)


def test_what_was_applied_before_a_crash_counts_as_applied() -> None:
    """A workload marked with this very push was moved by it, though the try that did it could not write that down."""
    settled = settled_over("17")
    assert settled.outcome is Outcome.UPDATED
    assert (settled.steps[0].action, settled.steps[0].result) == ("update", StepResult.APPLIED)


def test_what_another_push_applied_stays_a_skip() -> None:
    """A workload that runs the image because of an earlier push of it was not moved by this one."""
    settled = settled_over("16")
    assert settled.outcome is Outcome.SKIPPED
    assert settled.steps[0].reason == "already-running"
