"""Resident memory: the most there ever was, and whether it grows with the pushes."""

from collections.abc import Sequence
from statistics import linear_regression

from bench.benchmark import AtMost, Row, Unmeasurable, Within
from bench.daemon import Daemon
from bench.ground import Ground
from bench.notification import Pushed, request, unknown
from bench.population import repository
from bench.wire import Load

PEAK_MB = 120
GROWTH_MB = 5
"""What counts as flat: the allocator's own comings and goings, whatever the number of pushes."""

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
            samples = [await _settled(daemon, start, size) for start in range(0, ground.pushes, BATCH)]
            peak = daemon.memory().peak
        return (
            Row(
                what=f"peak memory, {size:,} Deployments read and {ground.pushes:,} pushes",
                figure=peak,
                baseline=without,
                unit="MB",
                against="a daemon that has read none, 1,000 pushes",
                target=AtMost(figure=PEAK_MB),
                spread=f"{listed:.0f} once all were read",
                keel="163-252 MiB" if size == 10_000 else "",
            ),
            _growth(samples, ground.pushes),
        )


def _growth(samples: Sequence[float], pushes: int) -> Row:
    """Compare the end with what it was after a tenth, when all code has run."""
    warm = samples[len(samples) // 10 :]
    spread = f"{min(warm):.1f}-{max(warm):.1f}"
    if len(warm) > 2:
        slope = linear_regression(range(len(warm)), warm).slope
        spread += f", slope {1000 * slope:+.0f} kB per {BATCH:,} pushes"
    return Row(
        what=f"memory after {pushes:,} pushes",
        figure=warm[-1],
        baseline=warm[0],
        unit="MB",
        against="after a tenth of them",
        target=Within(more=GROWTH_MB),
        spread=spread,
    )


async def _settled(daemon: Daemon, start: int, size: int) -> float:
    """Send a batch, wait until nothing of it waits any more, return the memory."""
    await _push(daemon, start, matching=size)
    await daemon.drained()
    return daemon.memory().now


async def _push(daemon: Daemon, start: int, *, matching: int) -> None:
    """Send a batch, some of it to the `matching` Deployments that there are."""
    numbers = range(start, start + BATCH)
    load = Load(request(_pushed(number, matching)) for number in numbers)
    exchanges = await load.over(daemon.address, connections=CONNECTIONS)
    if any(one.status != 202 for one in exchanges):
        raise Unmeasurable("a push was not answered 202")


def _pushed(number: int, matching: int) -> Pushed:
    if matching and number % MATCHING == 0:
        return Pushed.of(repository(number // MATCHING % matching))
    return unknown(number)
