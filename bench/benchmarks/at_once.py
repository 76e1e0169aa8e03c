"""Many Deployments to patch: by many pushes at once, and by one. Against a bare client that knows what to patch."""

import asyncio
from collections.abc import Mapping, Sequence
from statistics import median

from bench.benchmark import RatioAtMost, Row, Unmeasurable, nearest
from bench.cluster import Cluster, Sightings
from bench.daemon import Daemon
from bench.ground import Ground
from bench.notification import Pushed, request
from bench.population import name, repository
from bench.wire import Exchange, Load

PARALLEL = 16
"""Patches at a time: the default of the setting `parallel`, and what the bare client does."""

ROUNDS = 5
PAUSE_SECONDS = 0.5
REPOSITORIES = 200
RUNNING_ONE = 100
SHARED = "shop/shared"
RATIO = 2


class ManyPushes:
    """200 repositories are pushed at once; each is run by one Deployment."""

    name = "many-pushes"

    def sizes(self, asked: Sequence[int]) -> Sequence[int]:
        """Run once, with the Deployments of a middling cluster."""
        return nearest(asked, 1_000)

    async def run(self, ground: Ground) -> Sequence[Row]:
        """Measure several times, by turns."""
        count = min(REPOSITORIES, ground.population.size)
        ours: list[float] = []
        bare: list[float] = []
        daemon = ground.argoos()
        async with daemon.server, ground.cluster.watched() as sightings:
            for _ in range(ROUNDS):
                pushes = {name(number): Pushed.of(repository(number)) for number in range(count)}
                sent_seconds = await _post(daemon, list(pushes.values()))
                ours.append(await _seconds(sightings, pushes, sent_seconds))
                await asyncio.sleep(PAUSE_SECONDS)
                pushes = {name(number): Pushed.of(repository(number)) for number in range(count)}
                bare.append(await _patch(ground.cluster, sightings, pushes))
                await asyncio.sleep(PAUSE_SECONDS)
        return (_row(f"{count} repositories pushed at once", ours, bare, "78 s"),)


class OnePush:
    """One push; 100 Deployments run its repository."""

    name = "one-push"

    def sizes(self, asked: Sequence[int]) -> Sequence[int]:
        """Run once, with the Deployments of a middling cluster."""
        return nearest(asked, 1_000)

    async def run(self, ground: Ground) -> Sequence[Row]:
        """Measure several times, by turns."""
        names = await ground.population.add_running(SHARED, RUNNING_ONE)
        ours: list[float] = []
        bare: list[float] = []
        daemon = ground.argoos()
        try:
            async with daemon.server, ground.cluster.watched() as sightings:
                for _ in range(ROUNDS):
                    push = Pushed.of(SHARED)
                    sent_seconds = await _post(daemon, [push])
                    ours.append(await _seconds(sightings, dict.fromkeys(names, push), sent_seconds))
                    await asyncio.sleep(PAUSE_SECONDS)
                    bare.append(await _patch(ground.cluster, sightings, dict.fromkeys(names, Pushed.of(SHARED))))
                    await asyncio.sleep(PAUSE_SECONDS)
        finally:
            await ground.population.remove(names)
        return (_row(f"one push that {RUNNING_ONE} Deployments run", ours, bare, "56 s"),)


def _row(what: str, ours: Sequence[float], bare: Sequence[float], keel: str) -> Row:
    return Row(
        what=what,
        figure=median(ours),
        baseline=median(bare),
        unit="s",
        against=f"as many PATCHes by a bare client, {PARALLEL} at a time",
        target=RatioAtMost(ratio=RATIO),
        spread=f"{min(ours):.2f}-{max(ours):.2f}, of the baseline {min(bare):.2f}-{max(bare):.2f}",
        keel=keel,
    )


async def _post(daemon: Daemon, pushes: Sequence[Pushed]) -> float:
    """Post each push in a request of its own, up to 32 at a time; return when the first was sent."""
    requests = [request(push) for push in pushes]
    exchanges = await Load(requests).over(daemon.address, connections=min(32, len(requests)))
    return _first_sent(exchanges)


def _first_sent(exchanges: Sequence[Exchange]) -> float:
    refused = [one.status for one in exchanges if one.status != 202]
    if refused:
        raise Unmeasurable(f"{len(refused)} of {len(exchanges)} pushes were answered {refused[0]}")
    return min(one.sent_seconds for one in exchanges)


async def _patch(cluster: Cluster, sightings: Sightings, pushes: Mapping[str, Pushed]) -> float:
    return await _seconds(sightings, pushes, await cluster.patch_all(pushes, parallel=PARALLEL))


async def _seconds(sightings: Sightings, pushes: Mapping[str, Pushed], sent_seconds: float) -> float:
    """Return the seconds from the sending of the first until the last Deployment is seen to run its image."""
    return max(await sightings.of_all(pushes)) - sent_seconds
