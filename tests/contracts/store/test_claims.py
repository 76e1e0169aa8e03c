"""A repository is claimed whole, by one worker at a time, until he settles it or his lease ends."""

import asyncio
from collections import Counter

import pytest

from argoos.core.image import Repository
from argoos.core.record import Claim, PushState
from argoos.store import open_store
from tests.contracts.store.making import (
    ALL,
    API,
    LEASE_SECONDS,
    START,
    WEB,
    Inbox,
    again,
    at,
    claim_all,
    claim_one,
    done,
    keys,
    push,
    record,
)


async def test_all_waiting_pushes_of_a_repository_are_claimed_together(inbox: Inbox) -> None:
    """Ten pushes of one repository are one claim, in the order of arrival; another repository is another claim."""
    for number in range(10):
        await inbox.add([push(f"web{number}"), push(f"api{number}", API)], received_at=at(number))

    claims = {claim.repository: claim for claim in await claim_all(inbox, at(10))}

    assert set(claims) == {WEB, API}
    assert keys(claims[WEB]) == [f"web{number}" for number in range(10)]
    assert keys(claims[API]) == [f"api{number}" for number in range(10)]
    assert claims[WEB].lease_until_at == at(10 + LEASE_SECONDS)
    assert {one.state for one in await inbox.pushes(ALL)} == {PushState.RUNNING}


async def test_nothing_is_due_in_an_empty_store(inbox: Inbox) -> None:
    """There is nothing to claim where nothing was added."""
    assert await claim_all(inbox, START) == []


async def test_a_push_is_not_due_before_it_was_received(inbox: Inbox) -> None:
    """What is due is judged by the caller's clock."""
    await inbox.add([push("k")], received_at=at(10))

    assert await claim_all(inbox, at(9.999)) == []
    assert len(await claim_all(inbox, at(10))) == 1


async def test_the_limit_counts_repositories_and_the_longest_due_go_first(inbox: Inbox) -> None:
    """With room for two, the two that wait longest are claimed, then the rest."""
    repositories = [Repository(registry="r.example", path=f"app{number}") for number in range(5)]
    for number in (3, 0, 4, 1, 2):
        await inbox.add([push(f"k{number}", repositories[number])], received_at=at(number))

    claimed = [[claim.repository for claim in await claim_all(inbox, at(10), limit=2)] for _ in range(4)]

    assert [set(names) for names in claimed] == [
        set(repositories[:2]),
        set(repositories[2:4]),
        {repositories[4]},
        set(),
    ]


@pytest.mark.parametrize("limit", [0, -1])
async def test_with_no_room_nothing_is_claimed(inbox: Inbox, limit: int) -> None:
    """A worker that is full claims nothing."""
    await inbox.add([push("k")], received_at=START)

    assert await claim_all(inbox, START, limit=limit) == []


async def test_a_crowd_is_claimed_in_parts(inbox: Inbox) -> None:
    """More than 500 pushes of one repository are claimed in the order of arrival; the rest is due right after."""
    await inbox.add([push(f"k{number}") for number in range(1_100)], received_at=START)
    sizes, seen = [], []
    while claims := await claim_all(inbox, START):
        (claim,) = claims
        assert await inbox.settle(claim, [done(one) for one in claim.pushes], now=START)
        sizes.append(len(claim.pushes))
        seen += keys(claim)

    assert sizes == [500, 500, 100]
    assert seen == [f"k{number}" for number in range(1_100)]


async def test_a_crowd_in_backoff_does_not_keep_a_new_push_out(inbox: Inbox) -> None:
    """However many older ones wait to be tried again, the new push is in the next claim."""
    await inbox.add([push(f"old{number}") for number in range(600)], received_at=START)
    for _ in range(2):
        claim = await claim_one(inbox, at(1))
        await inbox.settle(claim, [again(one, at(1_000)) for one in claim.pushes], now=at(1))
    assert await claim_all(inbox, at(2)) == []

    await inbox.add([push("new")], received_at=at(3))

    claim = await claim_one(inbox, at(3))
    assert len(claim.pushes) == 500
    assert keys(claim)[-1] == "new"


async def test_a_push_that_arrives_while_its_repository_is_claimed_waits(inbox: Inbox) -> None:
    """It stays queued, and is due as soon as the claim is settled."""
    await inbox.add([push("first")], received_at=START)
    claim = await claim_one(inbox, START)
    await inbox.add([push("second")], received_at=at(1))

    assert await claim_all(inbox, at(2)) == []
    assert (await record(inbox, "second")).state is PushState.QUEUED
    await inbox.settle(claim, [done(claim.pushes[0])], now=at(3))
    assert keys(await claim_one(inbox, at(3))) == ["second"]


async def test_many_workers_never_share_a_repository(inbox: Inbox) -> None:
    """Whatever order claims and settlements come in, no repository is held twice, and each push is worked on once."""
    repositories = [Repository(registry="r.example", path=f"app{number}") for number in range(12)]
    held: set[Repository] = set()
    worked: Counter[str] = Counter()

    async def work() -> None:
        idle = 0
        while idle < 5:
            claims = await claim_all(inbox, at(1), limit=3)
            idle = 0 if claims else idle + 1
            for claim in claims:
                assert claim.repository not in held
                held.add(claim.repository)
            await asyncio.sleep(0)
            for claim in claims:
                worked.update(keys(claim))
                held.discard(claim.repository)
                assert await inbox.settle(claim, [done(one) for one in claim.pushes], now=at(1))

    async def feed() -> None:
        for number in range(120):
            await inbox.add([push(f"k{number}", repositories[number % 12])], received_at=START)

    await asyncio.gather(feed(), *(work() for _ in range(8)))

    for claim in await claim_all(inbox, at(1)):
        worked.update(keys(claim))
    assert worked == Counter(f"k{number}" for number in range(120))


async def test_an_expired_lease_counts_as_never_made(inbox: Inbox) -> None:
    """The pushes return to the queue with their attempts as they were, and another may claim them."""
    await inbox.add([push("k")], received_at=START)
    lost = await claim_one(inbox, START)

    assert await claim_all(inbox, at(LEASE_SECONDS - 0.001)) == []
    claim = await claim_one(inbox, at(LEASE_SECONDS))

    assert keys(claim) == ["k"]
    assert claim.pushes[0].attempts == 0
    assert claim.token != lost.token


async def test_a_lost_claim_can_no_longer_be_settled(inbox: Inbox) -> None:
    """The late worker is told so, nothing of his is written, and the new claim stays good."""
    await inbox.add([push("k")], received_at=START)
    lost = await claim_one(inbox, START)
    claim = await claim_one(inbox, at(LEASE_SECONDS))

    assert await inbox.settle(lost, [done(lost.pushes[0])], now=at(LEASE_SECONDS)) is False

    assert (await record(inbox, "k")).state is PushState.RUNNING
    assert await inbox.settle(claim, [done(claim.pushes[0])], now=at(LEASE_SECONDS)) is True


async def test_a_claim_can_be_settled_once(inbox: Inbox) -> None:
    """A settlement that is repeated finds the claim given up."""
    await inbox.add([push("k")], received_at=START)
    claim = await claim_one(inbox, START)

    assert await inbox.settle(claim, [done(claim.pushes[0])], now=START) is True
    assert await inbox.settle(claim, [done(claim.pushes[0])], now=START) is False


async def test_a_renewed_lease_lasts_longer(inbox: Inbox) -> None:
    """A worker that is slow but alive keeps what it has."""
    await inbox.add([push("web"), push("api", API)], received_at=START)
    claims = await claim_all(inbox, START)
    await inbox.renew(claims, now=at(50), lease_seconds=LEASE_SECONDS)

    assert await claim_all(inbox, at(50 + LEASE_SECONDS - 1)) == []
    assert len(await claim_all(inbox, at(50 + LEASE_SECONDS))) == 2


async def test_a_lost_claim_is_not_renewed(inbox: Inbox) -> None:
    """Renewing what another has claimed meanwhile does not extend his lease."""
    await inbox.add([push("k")], received_at=START)
    lost = await claim_one(inbox, START)
    claim = await claim_one(inbox, at(LEASE_SECONDS))

    await inbox.renew([lost], now=at(LEASE_SECONDS), lease_seconds=1_000)
    await inbox.renew([], now=at(LEASE_SECONDS), lease_seconds=1_000)

    (new,) = await claim_all(inbox, at(2 * LEASE_SECONDS))
    assert new.token not in (lost.token, claim.token)


async def test_a_cancelled_claim_is_not_lost_for_ever(inbox: Inbox) -> None:
    """Whoever stops waiting for his claim leaves at most a lease behind."""
    await inbox.add([push("k")], received_at=START)
    claiming = asyncio.create_task(claim_all(inbox, START))
    await asyncio.sleep(0)
    claiming.cancel()
    await asyncio.gather(claiming, return_exceptions=True)

    assert keys(await claim_one(inbox, at(LEASE_SECONDS))) == ["k"]


async def test_claims_survive_a_close_as_queued_pushes(url: str) -> None:
    """What a process had claimed when it ended is due for the next one, whose clock may even be behind."""
    async with open_store(url) as store:
        await store.add([push("k")], received_at=START)
        lost: Claim = await claim_one(store, at(5))
    async with open_store(url) as store:
        claim = await claim_one(store, at(1))
        assert keys(claim) == ["k"]
        assert await store.settle(lost, [done(lost.pushes[0])], now=at(1)) is False
