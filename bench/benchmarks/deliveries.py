"""`POST /event`, committed before it is answered, against a handler that only reads the body."""

import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from statistics import median, quantiles

from bench import wire
from bench.benchmark import AtMost, RatioAtLeast, Row, Target, Unmeasurable, nearest
from bench.daemon import Daemon
from bench.ground import Ground
from bench.notification import request, unknown
from bench.wire import Load

CONNECTIONS = 32
ROUNDS = 3
ROUND_SECONDS = 4.0
ROUND_REQUESTS = 80_000
"""More than any server here answers in a round."""

QUEUED = 100_000
TARGET = RatioAtLeast(ratio=0.6)
"""For deliveries alone; where the worker settles pushes besides, the same processor does several times as much."""

P99_MS = 50
PER_ENVELOPE = 100
"""Pushes in each request that fills the queue: a registry sends one, but this is quicker."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Measured:
    """What several rounds gave: requests per second of each, milliseconds of each answer."""

    rates: list[float] = field(default_factory=list)
    milliseconds: list[float] = field(default_factory=list)

    @property
    def rate(self) -> float:
        return median(self.rates)

    @property
    def p99(self) -> float:
        return quantiles(self.milliseconds, n=100)[98]


class Deliveries:
    """See the module."""

    name = "deliveries"

    def sizes(self, asked: Sequence[int]) -> Sequence[int]:
        """Run once; how many Deployments there are does not matter."""
        return nearest(asked, 0)

    async def run(self, ground: Ground) -> Sequence[Row]:
        """Measure with the worker idle, with a long queue, and with the worker at work."""
        alone, working, baseline = ground.argoos_alone(), ground.argoos(), ground.bare()
        rows: list[Row] = []
        async with baseline.server:
            async with alone.server:
                rows += _rows("queue empty at first", *await _in_turn(alone, baseline), target=TARGET)
                await _fill(alone)
                rows += _rows(f"{QUEUED:,} queued", *await _in_turn(alone, baseline), target=TARGET)
            async with working.server:
                rows += _rows("while the worker settles them", *await _in_turn(working, baseline), target=None)
        return rows


def _rows(when: str, ours: _Measured, bare: _Measured, *, target: Target | None) -> Sequence[Row]:
    against = "aiohttp handler that only reads the body"
    return (
        Row(
            what=f"/event, {CONNECTIONS} connections, {when}",
            figure=ours.rate,
            baseline=bare.rate,
            unit="/s",
            against=against,
            target=target,
            spread=f"{min(ours.rates):.0f}-{max(ours.rates):.0f}",
        ),
        Row(
            what="  p99 of its answers",
            figure=ours.p99,
            baseline=bare.p99,
            unit="ms",
            against=against,
            target=AtMost(figure=P99_MS),
            spread=f"median {median(ours.milliseconds):.1f}, max {max(ours.milliseconds):.0f}",
        ),
    )


async def _in_turn(ours: Daemon, bare: Daemon) -> tuple[_Measured, _Measured]:
    """Measure both by turns, so that what else the machine does strikes both."""
    measured = (_Measured(), _Measured())
    for _ in range(ROUNDS):
        for daemon, into in zip((ours, bare), measured, strict=True):
            await _round(daemon, into)
    return measured


async def _round(daemon: Daemon, into: _Measured) -> None:
    requests = [request(unknown(number)) for number in range(ROUND_REQUESTS)]  # made before, not to slow the sender
    start = time.perf_counter()
    load = Load(requests, until_seconds=start + ROUND_SECONDS)
    exchanges = await load.over(daemon.address, connections=CONNECTIONS)
    seconds = time.perf_counter() - start
    _accepted(daemon, exchanges)
    into.rates.append(len(exchanges) / seconds)
    into.milliseconds.extend(one.milliseconds for one in exchanges)


async def _fill(daemon: Daemon) -> None:
    """Queue pushes that cannot be worked on."""
    starts = range(0, QUEUED, PER_ENVELOPE)
    load = Load(request(*map(unknown, range(start, start + PER_ENVELOPE))) for start in starts)
    _accepted(daemon, await load.over(daemon.address, connections=4))


def _accepted(daemon: Daemon, exchanges: Sequence[wire.Exchange]) -> None:
    refused = [one.status for one in exchanges if one.status != 202]
    if refused:
        raise Unmeasurable(
            f"{daemon.server.name} answered {refused[0]} to {len(refused)} of {len(exchanges)} deliveries"
        )
