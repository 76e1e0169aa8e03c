"""From the sending of a push to its image seen in the Deployment, against one PATCH by a bare client."""

import asyncio
from collections.abc import Sequence
from statistics import median, quantiles

from bench import wire
from bench.benchmark import Row, Within
from bench.cluster import Cluster, Sightings
from bench.daemon import Daemon
from bench.ground import Ground
from bench.notification import Pushed, request
from bench.population import name, repository

TRIES = 50
WARM_UP = 5
PAUSE_SECONDS = 0.03
"""Between two measurements, so that each one finds everybody idle, as a push mostly does."""

MORE_MS = 10
KEEL = {100: "13 ms", 1_000: "42 ms", 10_000: "241 ms"}


class Patched:
    """See the module. One Deployment takes the pushes, another one the bare patches, by turns."""

    name = "patched"

    def sizes(self, asked: Sequence[int]) -> Sequence[int]:
        """Run at every number: what exists and does not match must cost nothing."""
        return asked

    async def run(self, ground: Ground) -> Sequence[Row]:
        """Measure by turns."""
        daemon = ground.argoos()
        pushed: list[float] = []
        bare: list[float] = []
        async with daemon.server, ground.cluster.watched() as sightings:
            for _ in range(WARM_UP + TRIES):
                pushed.append(await push_to_patched(daemon, sightings, 0))
                await asyncio.sleep(PAUSE_SECONDS)
                bare.append(await patch_to_patched(ground.cluster, sightings, 1))
                await asyncio.sleep(PAUSE_SECONDS)
        pushed, bare = pushed[WARM_UP:], bare[WARM_UP:]
        size = ground.population.size
        row = Row(
            what=f"push to patched, 1 of {size:,} Deployments",
            figure=median(pushed),
            baseline=median(bare),
            unit="ms",
            against="one PATCH to patched",
            target=Within(more=MORE_MS),
            spread=f"p95 {_p95(pushed):.1f}, of the baseline {_p95(bare):.1f}",
            keel=KEEL.get(size, ""),
        )
        return (row,)


async def push_to_patched(daemon: Daemon, sightings: Sightings, number: int) -> float:
    """Push the repository of one Deployment; return the milliseconds until it is seen to run the image."""
    push = Pushed.of(repository(number))
    sent_seconds = (await wire.exchange(daemon.address, request(push))).sent_seconds
    return 1000 * (await sightings.of(name(number), push) - sent_seconds)


async def patch_to_patched(cluster: Cluster, sightings: Sightings, number: int) -> float:
    """Patch one Deployment; return the milliseconds until it is seen to run the image."""
    push = Pushed.of(repository(number))
    sent_seconds = await cluster.patch(name(number), push)
    return 1000 * (await sightings.of(name(number), push) - sent_seconds)


def _p95(milliseconds: Sequence[float]) -> float:
    return quantiles(milliseconds, n=20)[18]
