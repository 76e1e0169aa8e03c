"""A step in words, as history, API and pages show it."""

import pytest

from argoos.core.record import StepRecord, StepResult
from tests.core.builders import REPOSITORY, container, digest, planned, push, workload


def test_an_update_in_words() -> None:
    """The current tag, the candidate and the image that is written; no reason."""
    (step,) = planned([push("1.5.0", number=5)], workload(container(":1.4.2", name="main"), policy="minor"))
    assert StepRecord.of(step) == StepRecord(
        backend="test",
        kind="Deployment",
        namespace="shop",
        workload="web",
        container="main",
        policy="minor",
        current="1.4.2",
        candidate="1.5.0",
        image=f"{REPOSITORY}:1.5.0@{digest(5)}",
        action="update",
        reason=None,
        detail="",
    )


def test_a_skip_in_words() -> None:
    """The reason's word and the detail; nothing is written."""
    (step,) = planned([push("2.0.0")], workload(":1.4.2", policy="minor"))
    record = StepRecord.of(step)
    assert (record.action, record.image, record.reason) == ("skip", None, "beyond-policy")
    assert record.detail == "another major version than 1.4.2, and the policy is minor"


def test_an_invalid_policy_is_shown_as_it_is_written() -> None:
    """The policy of the record is the label's own text, so that the mistake can be seen."""
    (step,) = planned([push("2.0.0")], workload(":1.4.2", policy="minr"))
    assert (StepRecord.of(step).policy, StepRecord.of(step).reason) == ("minr", "invalid-policy")


@pytest.mark.parametrize(
    ("image", "current"),
    [(":1.4", "1.4"), (f":1.4@{digest(1)}", "1.4"), (f"@{digest(1)}", digest(1)), (REPOSITORY, "latest")],
)
def test_what_runs_is_shown_as_a_tag_where_there_is_one(image: str, current: str) -> None:
    """A bare digest is shown as such, and an image without tag and digest as latest."""
    (step,) = planned([push("x")], workload(image, policy="never"))
    assert StepRecord.of(step).current == current


def test_what_became_of_an_update_is_kept_with_it() -> None:
    """Result and error are those of the try."""
    (step,) = planned([push("1.5.0")], workload(":1.4.2", policy="minor"))
    record = StepRecord.of(step, result=StepResult.FAILED, error="forbidden")
    assert (record.action, record.result, record.error) == ("update", StepResult.FAILED, "forbidden")
