"""From the start of the process to 200 from `/readyz`, against a bare aiohttp server."""

import time
from collections.abc import Sequence
from statistics import median

from bench import wire
from bench.benchmark import AtMost, Row, nearest
from bench.daemon import Daemon
from bench.ground import Ground

STARTS = 5
WARM_UP = 1
READY_SECONDS = 2.0


class Start:
    """See the module. The first start, which makes the database and may compile, is not counted."""

    name = "start"

    def sizes(self, asked: Sequence[int]) -> Sequence[int]:
        """Run once, with the Deployments of a middling cluster, all of which are read first."""
        return nearest(asked, 1_000)

    async def run(self, ground: Ground) -> Sequence[Row]:
        """Start and stop both, several times."""
        ours, bare = ground.argoos(waits_for=None), ground.bare(waits_for=None)
        started = [await _ready(ours) for _ in range(WARM_UP + STARTS)][WARM_UP:]
        baseline = [await _ready(bare) for _ in range(WARM_UP + STARTS)][WARM_UP:]
        row = Row(
            what=f"start to ready, {ground.population.size:,} Deployments",
            figure=median(started),
            baseline=median(baseline),
            unit="s",
            against="a bare aiohttp server",
            target=AtMost(figure=READY_SECONDS),
            spread=f"{min(started):.2f}-{max(started):.2f}",
        )
        return (row,)


async def _ready(daemon: Daemon) -> float:
    started_seconds = time.perf_counter()
    async with daemon.server:
        return await wire.until_ok(daemon.address, "/readyz") - started_seconds
