"""How long to wait before the next try."""

FIRST_SECONDS = 0.5
LONGEST_SECONDS = 60.0


def backoff_seconds(attempts: int, *, asked_seconds: float | None, chance: float) -> float:
    """Return how many seconds to wait after the given number of failed tries (1 or more).

    Doubles from `FIRST_SECONDS` to `LONGEST_SECONDS`; half of it is left to chance, so that what failed together is
    not tried again together. What the other side asked for (``Retry-After``) is the least.

    Args:
        attempts: failed tries so far.
        asked_seconds: what the other side asked for, or None.
        chance: a random number from 0 to 1, the caller's.
    """
    whole = min(LONGEST_SECONDS, FIRST_SECONDS * 2.0 ** min(attempts - 1, 30))
    return max(whole * (0.5 + chance / 2), asked_seconds or 0.0)
