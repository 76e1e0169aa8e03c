"""A push that one Deployment runs, right behind a hundred that nobody runs."""

import asyncio
from collections.abc import Sequence
from statistics import median

from bench.benchmark import Row
from bench.benchmarks.patched import PAUSE_SECONDS, patch_to_patched, push_to_patched
from bench.daemon import Daemon
from bench.ground import Ground
from bench.notification import request, unknown
from bench.wire import Load

AHEAD = 100
CONNECTIONS = 16
TRIES = 20


class Behind:
    """See the module. The hundred are answered just before the one is sent."""

    name = "behind"

    def sizes(self, asked: Sequence[int]) -> Sequence[int]:
        """Run once, with the most Deployments: what must be looked through then is longest."""
        return asked[-1:]

    async def run(self, ground: Ground) -> Sequence[Row]:
        """Measure by turns with a bare PATCH."""
        daemon = ground.argoos()
        pushed: list[float] = []
        bare: list[float] = []
        async with daemon.server, ground.cluster.watched() as sightings:
            for _ in range(TRIES):
                await _noise(daemon)
                pushed.append(await push_to_patched(daemon, sightings, 0))
                await asyncio.sleep(10 * PAUSE_SECONDS)
                bare.append(await patch_to_patched(ground.cluster, sightings, 1))
                await asyncio.sleep(PAUSE_SECONDS)
        size = ground.population.size
        row = Row(
            what=f"push to patched behind {AHEAD} pushes that nobody runs, 1 of {size:,}",
            figure=median(pushed),
            baseline=median(bare),
            unit="ms",
            against="one PATCH to patched",
            spread=f"{min(pushed):.0f}-{max(pushed):.0f}",
            keel="18,600 ms" if size == 10_000 else "",
        )
        return (row,)


async def _noise(daemon: Daemon) -> None:
    requests = [request(unknown(number)) for number in range(AHEAD)]
    await Load(requests).over(daemon.address, connections=CONNECTIONS)
