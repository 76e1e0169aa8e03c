"""Resident memory: the most there ever was, and whether it grows with the pushes."""

from collections.abc import Sequence
from statistics import linear_regression

from bench.benchmark import AtMost, Row, Unmeasurable, Within
from bench.daemon import Daemon
from bench.ground import Ground
from bench.notification import Pushed, request, unknown
from bench.population import repository
from bench.wire import Exchange, Load

PEAK_MB = 120
GROWTH_MB = 5
"""What counts as flat: the allocator's own comings and goings, whatever the number of pushes."""

WARM_UP = 30_000
"""Pushes before the baseline of growth: by then all code has run, and the database's caches are as full as they get."""

PER_ENVELOPE = 100
BATCH = 1_000
CONNECTIONS = 8
MATCHING = 20
"""One of so many pushes is run by a Deployment, which is patched: a registry holds more than is rolled out."""


class Memory:
    """See the module."""

    name = "memory"

    def sizes(self, asked: Sequence[int]) -> Sequence[int]:
        """Run once, with the most Deployments."""
        return asked[-1:]

    async def run(self, ground: Ground) -> Sequence[Row]:
        """Measure a daemon that knows no Deployment, then one that knows them all and is sent pushes."""
        alone, daemon, size = ground.argoos_alone(), ground.argoos(), ground.population.size
        async with alone.server:
            await _push(alone, 0, matching=0)
            without = alone.memory().peak
        async with daemon.server:
            listed = daemon.memory().peak
            await _warm_up(daemon)
            samples = [await _settled(daemon, start, size) for start in range(0, ground.pushes + BATCH, BATCH)]
            peak = daemon.memory().peak
        return (
            Row(
                what=f"peak memory, {size:,} Deployments",
                figure=peak,
                baseline=without,
                unit="MB",
                against="a daemon that has read none",
                target=AtMost(figure=PEAK_MB),
                spread=f"{listed:.0f} once all were read, then {WARM_UP + ground.pushes:,} pushes",
                keel="163-252 MiB" if size == 10_000 else "",
            ),
            _growth(samples, ground.pushes),
        )


def _growth(samples: Sequence[float], pushes: int) -> Row:
    slope = linear_regression(range(len(samples)), samples).slope
    return Row(
        what=f"memory after {pushes:,} pushes more",
        figure=samples[-1],
        baseline=samples[0],
        unit="MB",
        against=f"after {WARM_UP + BATCH:,} pushes",
        target=Within(more=GROWTH_MB),
        spread=f"{min(samples):.1f}-{max(samples):.1f}, slope {1000 * slope:+.0f} kB per {BATCH:,} pushes",
    )


async def _warm_up(daemon: Daemon) -> None:
    """Send many pushes quickly, a hundred in each request."""
    starts = range(0, WARM_UP, PER_ENVELOPE)
    load = Load(request(*map(unknown, range(start, start + PER_ENVELOPE))) for start in starts)
    _accepted(await load.over(daemon.address, connections=CONNECTIONS))
    await daemon.drained()


async def _settled(daemon: Daemon, start: int, size: int) -> float:
    """Send a batch, wait until nothing of it waits any more, return the memory."""
    await _push(daemon, start, matching=size)
    await daemon.drained()
    return daemon.memory().now


async def _push(daemon: Daemon, start: int, *, matching: int) -> None:
    """Send a batch, some of it to the `matching` Deployments that there are."""
    numbers = range(start, start + BATCH)
    load = Load(request(_pushed(number, matching)) for number in numbers)
    _accepted(await load.over(daemon.address, connections=CONNECTIONS))


def _accepted(exchanges: Sequence[Exchange]) -> None:
    if any(one.status != 202 for one in exchanges):
        raise Unmeasurable("a push was not answered 202")


def _pushed(number: int, matching: int) -> Pushed:
    if matching and number % MATCHING == 0:
        return Pushed.of(repository(number // MATCHING % matching))
    return unknown(number)
