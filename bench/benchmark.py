"""What a benchmark is, and the rows it returns: a figure, its baseline, a target."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol, assert_never

from bench.ground import Ground


class Unmeasurable(Exception):
    """A figure could not be taken; the message says what did not happen."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AtMost:
    """The figure itself is bounded, whatever the baseline is."""

    figure: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Within:
    """The figure may be larger than its baseline by so much, in the unit of both."""

    more: float


@dataclass(frozen=True, slots=True, kw_only=True)
class RatioAtMost:
    """The figure may be so many times its baseline."""

    ratio: float


@dataclass(frozen=True, slots=True, kw_only=True)
class RatioAtLeast:
    """The figure must be so many times its baseline."""

    ratio: float


Target = AtMost | Within | RatioAtMost | RatioAtLeast


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One line of the table.

    `against` says what the baseline is. `spread` says how the single measurements lie, `keel` what Keel takes for the
    same on such a machine; that is quoted, not measured here.
    """

    what: str
    figure: float
    baseline: float
    unit: str
    against: str
    target: Target | None = None
    spread: str = ""
    keel: str = ""

    @property
    def ratio(self) -> float | None:
        """The figure in units of its baseline; None when the baseline is nothing."""
        return self.figure / self.baseline if self.baseline else None

    @property
    def met(self) -> bool | None:
        """Whether the target is met; None when there is none."""
        match self.target:
            case None:
                return None
            case AtMost(figure=figure):
                return self.figure <= figure
            case Within(more=more):
                return self.figure <= self.baseline + more
            case RatioAtMost(ratio=ratio):
                return self.figure <= ratio * self.baseline
            case RatioAtLeast(ratio=ratio):
                return self.figure >= ratio * self.baseline
            case _:
                assert_never(self.target)


class Benchmark(Protocol):
    """Measures one thing and what it would take without Argoos.

    It may assume that nothing else runs, and stops every process that it starts.
    """

    name: str

    def sizes(self, asked: Sequence[int]) -> Sequence[int]:
        """Return the numbers of Deployments to run at, out of those asked for (ascending, at least one)."""
        ...

    async def run(self, ground: Ground) -> Sequence[Row]:
        """Measure, with as many Deployments as `ground.population.size` says.

        Raises:
            Unmeasurable: what was to be measured did not happen.
            ServerError: a server did not start or stop.
        """
        ...


def nearest(asked: Sequence[int], wanted: int) -> tuple[int]:
    """Return the number asked for that is nearest to the one that a benchmark is meant for."""
    return (min(asked, key=lambda size: abs(size - wanted)),)
