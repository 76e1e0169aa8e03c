"""The settle window: builders push each platform's image under the tag first, and the index last."""

import pytest

from argoos.core.record import PushedAt
from argoos.core.workload import Workload
from tests.core.builders import (
    REPOSITORY,
    SETTLE_SECONDS,
    answers,
    applied,
    at,
    container,
    detail,
    digest,
    planned,
    push,
    workload,
)

RUNNING = f":1.4.2@{digest(1)}"
"""What runs, pushed at second 0."""

KNOWN = {("1.4.2", digest(1)): at(0)}


@pytest.mark.parametrize("policy", ["patch", "minor", "major", "all", "digest"])
def test_the_rest_of_a_push_is_taken_whatever_the_policy(policy: str) -> None:
    """Another digest of the running tag within the window belongs to the push that runs."""
    pushed = push("1.4.2", number=2, seconds=SETTLE_SECONDS)
    assert answers([pushed], workload(RUNNING, policy=policy), pushed_at=KNOWN) == [f":1.4.2@{digest(2)}"]


@pytest.mark.parametrize(
    ("rules", "expected"),
    [
        ({"policy": "never"}, "never"),
        ({"policy": "minor", "tags": "range:>=2"}, "tag-filtered"),
        ({"policy": "minr"}, "invalid-policy"),
    ],
)
def test_but_what_was_never_to_move_does_not_move(rules: dict[str, str], expected: str) -> None:
    """The window loosens versions only, neither never nor a filter."""
    assert answers([push("1.4.2", number=2, seconds=5)], workload(RUNNING, **rules), pushed_at=KNOWN) == [expected]


@pytest.mark.parametrize("seconds", [-5, 0, SETTLE_SECONDS + 0.001, 3600])
def test_an_overwritten_version_is_not_taken(seconds: float) -> None:
    """Before what runs, at its very moment, or after the window, another digest is no part of its push."""
    pushed = push("1.4.2", number=2, seconds=seconds)
    assert answers([pushed], workload(RUNNING, policy="major"), pushed_at=KNOWN) == ["not-newer"]
    words = detail([pushed], workload(RUNNING, policy="major"), pushed_at=KNOWN)
    assert words.startswith("same version, another digest")


def test_of_the_rest_the_last_is_taken() -> None:
    """Three children and an index wait together: the index is pushed last and taken."""
    pushes = [push("1.4.2", number=number, seconds=number) for number in (2, 3, 4)]
    taken = ["superseded", "superseded", f":1.4.2@{digest(4)}"]
    assert answers(pushes, workload(RUNNING, policy="minor"), pushed_at=KNOWN) == taken
    words = detail(pushes[2:], workload(RUNNING, policy="minor"), pushed_at=KNOWN)
    assert words == "pushed again within 30 s: the rest of one push"


def test_a_newer_version_is_better_than_the_rest_of_the_running_one() -> None:
    """The window makes a candidate of the running version, no more."""
    pushes = [push("1.4.2", number=2, seconds=2), push("1.4.3", number=3, seconds=1)]
    found = answers(pushes, workload(RUNNING, policy="minor"), pushed_at=KNOWN)
    assert found == ["superseded", f":1.4.3@{digest(3)}"]


def test_each_part_opens_the_window_anew() -> None:
    """Parts that arrive together are followed as far as parts that arrive one by one."""
    pushes = [push("1.4.2", number=number, seconds=20 * (number - 1)) for number in (2, 3, 4)]
    alone: tuple[Workload, ...] = (workload(RUNNING, policy="minor"),)
    together = applied(alone, planned(pushes, *alone, pushed_at=KNOWN))
    history = dict(KNOWN)
    for part in pushes:
        alone = applied(alone, planned([part], *alone, pushed_at=history))
        history[part.tag, part.digest] = part.pushed_at
    assert together == alone
    assert str(together[0].containers[0].image) == f"{REPOSITORY}:1.4.2@{digest(4)}"


def test_a_pause_ends_the_chain() -> None:
    """Once no part came for longer than the window, what comes then is an overwritten version."""
    pushes = [push("1.4.2", number=2, seconds=20), push("1.4.2", number=3, seconds=60)]
    assert answers(pushes, workload(RUNNING, policy="minor"), pushed_at=KNOWN) == [f":1.4.2@{digest(2)}", "not-newer"]


@pytest.mark.parametrize(
    ("image", "known"),
    [
        (RUNNING, {}),
        (":1.4.2", KNOWN),
        (RUNNING, {("1.4.2", digest(9)): at(0)}),
        (RUNNING, {("1.4.1", digest(1)): at(0)}),
    ],
)
def test_without_knowing_when_what_runs_was_pushed_there_is_no_window(image: str, known: PushedAt) -> None:
    """The window counts from the push of the running digest under the running tag, and from nothing else."""
    pushed = push("1.4.2", number=2, seconds=5)
    assert answers([pushed], workload(image, policy="minor"), pushed_at=known) == ["not-newer"]


def test_the_window_is_for_the_tag_that_runs() -> None:
    """The same version under another tag is not the rest of the running push."""
    pushes = [push("v1.4.2", number=2, seconds=5)]
    assert answers(pushes, workload(RUNNING, policy="minor"), pushed_at=KNOWN) == ["not-newer"]


def test_what_runs_without_a_version_has_no_window_under_a_policy_of_versions() -> None:
    """Such a container was never moved by this policy, so nothing can be the rest of its move."""
    running, known = workload(f":latest@{digest(1)}", policy="minor"), {("latest", digest(1)): at(0)}
    pushed = push("latest", number=2, seconds=5)
    assert answers([pushed], running, pushed_at=known) == ["current-not-a-version"]


def test_a_push_without_digest_does_not_open_the_window_of_another() -> None:
    """Long after what runs, a push that names no digest does not let in the overwritten version behind it."""
    pushes = [push("1.4.2", number=0, seconds=600), push("1.4.2", number=2, seconds=605)]
    assert answers(pushes, workload(RUNNING, policy="minor"), pushed_at=KNOWN) == ["already-running", "not-newer"]


def test_a_push_without_digest_opens_a_window_too() -> None:
    """The tag was taken without a digest; the push that names one comes within the window and pins it."""
    pushes = [push("1.4.2", number=0, seconds=0), push("1.4.2", number=2, seconds=5)]
    running = workload(container(":1.4.2"), policy="minor")
    assert answers(pushes, running) == ["already-running", f":1.4.2@{digest(2)}"]
