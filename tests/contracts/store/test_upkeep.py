"""Waking what waits, forgetting what is old, proving that the store can be written."""

import pytest

from argoos.core.record import PushState
from tests.contracts.store.making import (
    ALL,
    API,
    START,
    WEB,
    Inbox,
    again,
    at,
    claim_all,
    claim_one,
    done,
    ignored,
    keys,
    push,
    record,
    update,
)


async def test_hastened_pushes_are_due_at_once(inbox: Inbox) -> None:
    """What waits for its next try need not wait once the hindrance is gone."""
    await inbox.add([push("web"), push("api", API)], received_at=START)
    for claim in await claim_all(inbox, START):
        await inbox.settle(claim, [again(claim.pushes[0], at(900))], now=START)

    await inbox.hasten(now=at(10))

    assert (await record(inbox, "web")).due_at == at(10)
    assert {claim.repository for claim in await claim_all(inbox, at(10))} == {WEB, API}


async def test_hasten_leaves_what_is_due_or_ended(inbox: Inbox) -> None:
    """Nothing is put off by it, and nothing comes back to life."""
    await inbox.add([push("ended", API)], received_at=START)
    claim = await claim_one(inbox, START)
    await inbox.settle(claim, [done(claim.pushes[0])], now=START)
    await inbox.add([push("due")], received_at=at(1))

    await inbox.hasten(now=at(10))

    assert (await record(inbox, "due")).due_at == at(1)
    assert (await record(inbox, "ended")).due_at is None
    assert [keys(claim) for claim in await claim_all(inbox, at(2))] == [["due"]]


async def test_hasten_does_not_touch_a_living_claim(inbox: Inbox) -> None:
    """A repository that is being worked on is not handed out again."""
    await inbox.add([push("k")], received_at=START)
    claim = await claim_one(inbox, START)

    await inbox.hasten(now=at(1))

    assert await claim_all(inbox, at(1)) == []
    assert await inbox.settle(claim, [done(claim.pushes[0])], now=at(1))


async def test_hasten_reaches_a_crowd(inbox: Inbox) -> None:
    """Thousands of waiting pushes are all made due."""
    await inbox.add([push(f"k{number}") for number in range(2_100)], received_at=START)
    while claims := await claim_all(inbox, START):
        await inbox.settle(claims[0], [again(one, at(900)) for one in claims[0].pushes], now=START)

    await inbox.hasten(now=at(1))

    due = set()
    for _ in range(5):
        claim = await claim_one(inbox, at(1))
        due.update(keys(claim))
        await inbox.settle(claim, [done(one) for one in claim.pushes], now=at(1))
    assert len(due) == 2_100


async def test_old_pushes_are_forgotten_with_their_steps(inbox: Inbox) -> None:
    """What was settled before the time given goes, what was settled at it or later stays."""
    for seconds in (0, 10, 20):
        await inbox.add([push(f"k{seconds}")], received_at=at(seconds))
        claim = await claim_one(inbox, at(seconds))
        await inbox.settle(claim, [done(claim.pushes[0], update())], now=at(seconds))

    assert await inbox.prune(settled_before=at(10), ignored_before=START, limit=100) == 1

    assert [(one.key, len(one.steps)) for one in await inbox.pushes(ALL)] == [("k20", 1), ("k10", 1)]
    assert await inbox.prune(settled_before=at(10), ignored_before=START, limit=100) == 0


async def test_what_was_ignored_has_its_own_term(inbox: Inbox) -> None:
    """Noise may be forgotten sooner than pushes."""
    await inbox.add([ignored("noise"), push("k")], received_at=START)
    claim = await claim_one(inbox, START)
    await inbox.settle(claim, [done(claim.pushes[0])], now=START)
    await inbox.add([ignored("later noise")], received_at=at(20))

    assert await inbox.prune(settled_before=START, ignored_before=at(10), limit=100) == 1

    assert [one.key for one in await inbox.pushes(ALL)] == ["later noise", "k"]


@pytest.mark.parametrize("state", ["queued", "backoff", "running"])
async def test_what_is_unfinished_is_never_forgotten(inbox: Inbox, state: str) -> None:
    """However old a push is, it stays until it has ended."""
    await inbox.add([push("k")], received_at=START)
    if state != "queued":
        claim = await claim_one(inbox, START)
        if state == "backoff":
            await inbox.settle(claim, [again(claim.pushes[0], at(1))], now=START)

    assert await inbox.prune(settled_before=at(10**9), ignored_before=at(10**9), limit=100) == 0

    assert (await record(inbox, "k")).state in (PushState.QUEUED, PushState.RUNNING)


@pytest.mark.parametrize(("limit", "deleted"), [(0, 0), (1, 1), (2_500, 2_500), (5_000, 3_000)])
async def test_no_more_than_the_limit_is_forgotten(inbox: Inbox, limit: int, deleted: int) -> None:
    """A large backlog is pruned in portions; the oldest go first."""
    for number in range(3):
        await inbox.add([ignored(f"k{number}-{part}") for part in range(1_000)], received_at=at(number))

    assert await inbox.prune(settled_before=START, ignored_before=at(100), limit=limit) == deleted

    kept = [one.key for one in await inbox.pushes(ALL)]
    assert len(kept) == min(1_000, 3_000 - deleted)
    assert all(key.startswith("k2") for key in kept)


async def test_a_key_that_was_forgotten_is_new_again(inbox: Inbox) -> None:
    """Deduplication reaches as far as the history, and a forgotten push's id is not given again."""
    await inbox.add([ignored("k")], received_at=START)
    (before,) = await inbox.pushes(ALL)
    await inbox.prune(settled_before=START, ignored_before=at(1), limit=10)

    await inbox.add([push("k")], received_at=at(2))

    assert (await record(inbox, "k")).id > before.id


async def test_check_passes_while_the_store_can_be_written(inbox: Inbox) -> None:
    """It may be asked as often as anybody likes."""
    for seconds in range(3):
        await inbox.check(now=at(seconds))
