"""Pushes that were answered 202 and whose image no Deployment came to run, whatever died or was away meanwhile."""

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Iterator, Sequence

from bench import wire
from bench.benchmark import AtMost, Row, Unmeasurable, nearest
from bench.daemon import Daemon
from bench.ground import Ground
from bench.notification import Pushed, request
from bench.population import name, repository
from bench.wire import Exchange, Load

PUSHES = 200
CONNECTIONS = 8
BREAK_AFTER = 100
"""When so many pushes have been sent, the daemon is broken off: some are answered, some worked on, some done then."""

AWAY_SECONDS = 2.0

Outcome = tuple[Daemon, Sequence[Exchange]]
Scene = Callable[[Ground, Sequence[bytes]], Awaitable[Outcome]]


class Lost:
    """See the module. Each push goes to a Deployment of its own, so each can be seen."""

    name = "lost"

    def sizes(self, asked: Sequence[int]) -> Sequence[int]:
        """Run once, with the Deployments of a middling cluster."""
        return nearest(asked, 1_000)

    async def run(self, ground: Ground) -> Sequence[Row]:
        """Break off the daemon, its start and its API server, each in turn."""
        return (
            await _row(ground, "pushed while the process starts", _starting),
            await _row(ground, "kill -9 amid pushes, start", _killed),
            await _row(ground, "SIGTERM amid pushes, start", _stopped),
            await _row(ground, "pushed while the API server is away", _api_server_away),
        )


async def _row(ground: Ground, what: str, scene: Scene) -> Row:
    numbers = range(min(PUSHES, ground.population.size))
    pushes = [Pushed.of(repository(number)) for number in numbers]
    daemon, exchanges = await scene(ground, [request(push) for push in pushes])
    try:
        await daemon.drained()
        running = await ground.cluster.images()
    finally:
        await daemon.server.stop()
    accepted = [one.number for one in exchanges if one.status == 202]
    if not accepted:
        raise Unmeasurable(f"{what}: no push was answered 202")
    return Row(
        what=f"lost: {what}",
        figure=sum(running[name(number)] != pushes[number].image for number in accepted),
        baseline=len(accepted),
        unit="pushes",
        against="answered 202",
        target=AtMost(figure=0),
        spread=f"{len(pushes)} to send",
        keel="all",
    )


async def _starting(ground: Ground, requests: Sequence[bytes]) -> Outcome:
    """Push as soon as somebody listens, before the Deployments can have been read."""
    daemon = ground.argoos(waits_for=None)
    await daemon.server.start()
    await wire.until_listening(daemon.address)
    return daemon, await Load(requests).over(daemon.address, connections=CONNECTIONS)


async def _killed(ground: Ground, requests: Sequence[bytes]) -> Outcome:
    return await _broken_off(ground, requests, lambda daemon: daemon.server.kill())


async def _stopped(ground: Ground, requests: Sequence[bytes]) -> Outcome:
    return await _broken_off(ground, requests, lambda daemon: daemon.server.stop())


async def _broken_off(ground: Ground, requests: Sequence[bytes], end: Callable[[Daemon], Awaitable[None]]) -> Outcome:
    """End the daemon amid the pushes, and start it again with its database."""
    daemon = ground.argoos()
    await daemon.server.start()
    reached = asyncio.Event()
    load = Load(_announcing(requests, reached))
    sending = asyncio.create_task(load.over(daemon.address, connections=CONNECTIONS))
    await reached.wait()
    await end(daemon)
    exchanges = await sending
    await daemon.server.start()
    return daemon, exchanges


async def _api_server_away(ground: Ground, requests: Sequence[bytes]) -> Outcome:
    daemon = ground.argoos()
    await daemon.server.start()
    await ground.plane.apiserver.kill()
    try:
        exchanges = await Load(requests).over(daemon.address, connections=CONNECTIONS)
        await asyncio.sleep(AWAY_SECONDS)
    finally:
        await ground.plane.apiserver.start()
    return daemon, exchanges


def _announcing(requests: Iterable[bytes], reached: asyncio.Event) -> Iterator[bytes]:
    for number, one in enumerate(requests):
        if number == BREAK_AFTER:
            reached.set()
        yield one
    reached.set()
