"""How long to wait before the next try."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from argoos.core.retry import FIRST_SECONDS, LONGEST_SECONDS, backoff_seconds


@pytest.mark.parametrize(
    ("attempts", "shortest", "longest"),
    [(1, 0.25, 0.5), (2, 0.5, 1.0), (3, 1.0, 2.0), (7, 16.0, 32.0), (8, 30.0, 60.0), (100, 30.0, 60.0)],
)
def test_the_wait_doubles_up_to_a_minute_and_half_of_it_is_chance(
    attempts: int, shortest: float, longest: float
) -> None:
    """Chance 0 gives half of the wait, chance 1 the whole."""
    assert backoff_seconds(attempts, asked_seconds=None, chance=0.0) == shortest
    assert backoff_seconds(attempts, asked_seconds=None, chance=1.0) == longest
    assert backoff_seconds(attempts, asked_seconds=None, chance=0.5) == (shortest + longest) / 2


@pytest.mark.parametrize(
    ("asked", "waited"), [(None, 0.5), (0.0, 0.5), (0.3, 0.5), (7.0, 7.0), (600.0, 600.0)]
)  # fmt: skip
def test_what_the_other_side_asks_for_is_the_least(asked: float | None, waited: float) -> None:
    """A ``Retry-After`` longer than our own wait is kept, also beyond our longest; a shorter one changes nothing."""
    assert backoff_seconds(1, asked_seconds=asked, chance=1.0) == waited


@given(attempts=st.integers(1, 10**9), asked=st.none() | st.floats(0, 3600), chance=st.floats(0, 1))
def test_every_wait_is_within_its_bounds(attempts: int, asked: float | None, chance: float) -> None:
    """No number of tries gives a wait of nothing, or one longer than the longest or what was asked for."""
    waited = backoff_seconds(attempts, asked_seconds=asked, chance=chance)
    assert max(FIRST_SECONDS / 2, asked or 0.0) <= waited <= max(LONGEST_SECONDS, asked or 0.0)
