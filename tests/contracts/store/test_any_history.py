"""Whatever happens in whatever order: nothing is lost, nothing is held twice, nothing ends twice."""

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from argoos.core.image import Repository
from argoos.core.record import Claim, PushState
from argoos.store import open_store
from tests.contracts.store.conftest import KINDS
from tests.contracts.store.making import ALL, LEASE_SECONDS, Inbox, again, at, claim_all, done, push

_REPOSITORIES = [Repository(registry="r.example", path=f"app{number}") for number in range(3)]

_ACTIONS = st.one_of(
    st.tuples(st.just("add"), st.integers(0, 30), st.integers(0, 2)),
    st.tuples(st.just("claim"), st.integers(1, 3), st.just(0)),
    st.tuples(st.just("settle"), st.integers(0, 5), st.integers(0, 3)),
    st.tuples(st.just("renew"), st.integers(0, 5), st.just(0)),
    st.tuples(st.just("wait"), st.integers(1, 90), st.just(0)),
    st.tuples(st.just("hasten"), st.just(0), st.just(0)),
    st.tuples(st.just("restart"), st.just(0), st.just(0)),
)


@dataclass
class _World:
    """What must be true of the store, kept beside it."""

    inbox: Inbox
    now: float = 0
    added: dict[str, Repository] = field(default_factory=dict)
    ended: set[str] = field(default_factory=set)
    attempts: dict[str, int] = field(default_factory=dict)
    claims: list[tuple[Claim, float]] = field(default_factory=list)
    """All claims ever made, with the end of the lease as far as it was extended."""

    def living(self) -> dict[str, Claim]:
        """Return the claims whose lease runs, by their tokens and repositories."""
        return {f"{claim.token} {claim.repository}": claim for claim, until in self.claims if until > self.now}

    async def add(self, number: int, which: int) -> None:
        key = f"k{number}"
        self.added.setdefault(key, _REPOSITORIES[which])
        self.attempts.setdefault(key, 0)
        await self.inbox.add([push(key, _REPOSITORIES[which])], received_at=at(self.now))

    async def claim(self, limit: int) -> None:
        held = {claim.repository for claim in self.living().values()}
        for claim in await claim_all(self.inbox, at(self.now), limit=limit):
            assert claim.repository not in held
            for queued in claim.pushes:
                key = queued.push.key
                assert key not in self.ended
                assert self.added[key] == claim.repository
                assert queued.attempts == self.attempts[key]
            assert [one.id for one in claim.pushes] == sorted(one.id for one in claim.pushes)
            self.claims.append((claim, self.now + LEASE_SECONDS))

    async def settle(self, which: int, how: int) -> None:
        """Settle the first pushes of a claim as done, the second as to be tried again, the others not at all."""
        if not self.claims:
            return
        place = which % len(self.claims)
        claim, until = self.claims[place]
        ended, tried = claim.pushes[:how], claim.pushes[how : 2 * how]
        settlements = [*map(done, ended), *(again(one, at(self.now + 40)) for one in tried)]
        if await self.inbox.settle(claim, settlements, now=at(self.now)):
            self.ended |= {one.push.key for one in ended}
            for one in (*ended, *tried):
                self.attempts[one.push.key] += 1
        else:
            assert until <= self.now, "a living claim was refused"
        self.claims[place] = (claim, min(until, self.now))

    async def renew(self, which: int) -> None:
        if self.living():
            claim = list(self.living().values())[which % len(self.living())]
            await self.inbox.renew([claim], now=at(self.now), lease_seconds=LEASE_SECONDS)
            self.claims = [(one, self.now + LEASE_SECONDS if one is claim else until) for one, until in self.claims]

    async def drain(self) -> None:
        """Let all leases end; then every push that has not ended is claimed, once."""
        self.now += 10_000
        claims = await claim_all(self.inbox, at(self.now))
        left = [queued.push.key for claim in claims for queued in claim.pushes]
        assert sorted(left) == sorted(self.added.keys() - self.ended)
        states = {one.key: one.state for one in await self.inbox.pushes(ALL)}
        assert {key for key, state in states.items() if state is PushState.DONE} == self.ended
        assert states.keys() == self.added.keys()


async def _play(url: str, actions: list[tuple[str, int, int]]) -> None:
    opened = open_store(url)
    world = _World(inbox=await opened.__aenter__())
    try:
        for action, first, second in actions:
            match action:
                case "add":
                    await world.add(first, second)
                case "claim":
                    await world.claim(first)
                case "settle":
                    await world.settle(first, second)
                case "renew":
                    await world.renew(first)
                case "wait":
                    world.now += first
                case "hasten":
                    await world.inbox.hasten(now=at(world.now))
                case _:
                    await opened.__aexit__(None, None, None)
                    opened = open_store(url)
                    world.inbox = await opened.__aenter__()
                    world.claims = [(claim, min(until, world.now)) for claim, until in world.claims]
        await world.drain()
    finally:
        await opened.__aexit__(None, None, None)


@pytest.mark.parametrize("make_url", KINDS.values(), ids=KINDS)
@settings(max_examples=25, deadline=None)
@given(actions=st.lists(_ACTIONS, min_size=5, max_size=40))
async def test_no_order_of_events_loses_a_push_or_hands_it_out_twice(
    make_url: Callable[[Path], str], actions: list[tuple[str, int, int]]
) -> None:
    """Adding, claiming, settling, waiting and restarting, mixed at random, keep every promise of the store."""
    with TemporaryDirectory() as folder:
        await _play(make_url(Path(folder)), actions)
