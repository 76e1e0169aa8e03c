"""What is added is kept, once, as it came."""

import asyncio
from dataclasses import replace
from datetime import timedelta, timezone

import pytest

from argoos.core.image import Repository
from argoos.core.push import NoCandidate
from argoos.core.record import Outcome, PushState
from argoos.store import open_history, open_store
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
)


async def test_a_push_is_kept_whole(inbox: Inbox) -> None:
    """Every field of a push comes back in the history and in the claim."""
    added = replace(
        push("k"), actor="alice", media_type="application/vnd.oci.image.index.v1+json", sender="distribution"
    )

    await inbox.add([added], received_at=at(1))

    kept = await record(inbox, "k")
    assert (kept.repository, kept.tag, kept.digest) == (str(WEB), added.tag, added.digest)
    assert (kept.actor, kept.media_type, kept.sender) == (added.actor, added.media_type, added.sender)
    assert (kept.pushed_at, kept.received_at) == (START, at(1))
    assert (kept.state, kept.outcome, kept.reason, kept.error) == (PushState.QUEUED, None, "", "")
    assert (kept.attempts, kept.due_at, kept.settled_at, kept.steps) == (0, at(1), None, ())
    (queued,) = (await claim_one(inbox, at(1))).pushes
    assert (queued.id, queued.push, queued.received_at, queued.attempts) == (kept.id, added, at(1), 0)


async def test_what_is_no_candidate_is_kept_with_its_word_and_never_claimed(inbox: Inbox) -> None:
    """A part that can never be rolled out ends as it arrives."""
    await inbox.add([ignored("i", NoCandidate.SIGNATURE)], received_at=at(1))

    kept = await record(inbox, "i")
    assert (kept.state, kept.outcome, kept.settled_at) == (PushState.DONE, Outcome.IGNORED, at(1))
    assert (kept.reason, kept.error) == ("signature", "by digest")
    assert await claim_all(inbox, at(100)) == []


@pytest.mark.parametrize("state", ["queued", "running", "backoff", "done"])
async def test_a_repeated_delivery_changes_nothing(inbox: Inbox, state: str) -> None:
    """The same key is the same push, whatever has become of it since."""
    await inbox.add([push("k")], received_at=START)
    if state != "queued":
        claim = await claim_one(inbox, START)
        if state == "done":
            await inbox.settle(claim, [done(claim.pushes[0])], now=START)
        if state == "backoff":
            await inbox.settle(claim, [again(claim.pushes[0], at(51))], now=START)
    before = await inbox.pushes(ALL)

    await inbox.add([push("k", tag="9.9.9")], received_at=at(50))

    assert await inbox.pushes(ALL) == before
    if state != "queued":
        assert await claim_all(inbox, at(50)) == []


async def test_a_key_twice_in_one_delivery_is_kept_once(inbox: Inbox) -> None:
    """The first of two parts with the same key is kept."""
    await inbox.add([push("k", tag="1"), push("k", tag="2"), push("other")], received_at=START)

    assert [one.tag for one in await inbox.pushes(ALL)] == ["1.0.0", "1"]


async def test_ids_grow_in_the_order_of_arrival(inbox: Inbox) -> None:
    """Within a delivery and from one to the next, a later part has a higher id."""
    await inbox.add([push(f"a{number}") for number in range(40)], received_at=START)
    await inbox.add([push(f"b{number}") for number in range(40)], received_at=START)

    by_id = sorted(await inbox.pushes(ALL), key=lambda one: one.id)
    assert [one.key for one in by_id] == [f"{letter}{number}" for letter in "ab" for number in range(40)]


async def test_nothing_is_added_of_an_empty_delivery(inbox: Inbox) -> None:
    """A delivery without parts is no error."""
    await inbox.add([], received_at=START)

    assert await inbox.pushes(ALL) == []


async def test_many_callers_at_once_lose_nothing(inbox: Inbox) -> None:
    """Deliveries that are committed together are all there, those that share a key once."""
    repositories = [WEB, API]
    await asyncio.gather(
        *(inbox.add([push(f"k{number % 300}", repositories[number % 2])], received_at=START) for number in range(400))
    )

    assert sorted(one.key for one in await inbox.pushes(ALL)) == sorted(f"k{number}" for number in range(300))
    assert sum(len(claim.pushes) for claim in await claim_all(inbox, START)) == 300


async def test_a_cancelled_caller_does_not_disturb_the_others(inbox: Inbox) -> None:
    """Whoever stops waiting takes nobody with him."""
    adding = [asyncio.create_task(inbox.add([push(f"k{number}")], received_at=START)) for number in range(20)]
    await asyncio.sleep(0)
    for task in adding[::2]:
        task.cancel()
    ended = await asyncio.gather(*adding, return_exceptions=True)

    assert [type(one) for one in ended[1::2]] == [type(None)] * 10
    kept = {one.key for one in await inbox.pushes(ALL)}
    assert {f"k{number}" for number in range(1, 20, 2)} <= kept


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        ("Zoë ✨ 名前", "Zoë ✨ 名前"),
        ("line\nbreak\ttab 'quote' \"double\" ; -- %s :p ?", "line\nbreak\ttab 'quote' \"double\" ; -- %s :p ?"),
        ("x" * 100_000, "x" * 100_000),
        ("nul\0nul", "nul\\x00nul"),
        ("é nul\0", "é nul\\x00"),
        ("half \ud83d", "half \\ud83d"),
    ],
    ids=["unicode", "quoting", "long", "nul", "nul among others", "surrogate"],
)
async def test_texts_come_back_as_they_were(inbox: Inbox, text: str, kept: str) -> None:
    """Any text may come from outside; what no database can hold is spelled out."""
    await inbox.add([replace(push(f"key {text}"), actor=text)], received_at=START)

    (found,) = await inbox.pushes(ALL)
    assert (found.key, found.actor) == (f"key {kept}", kept)


@pytest.mark.parametrize("registry", ["docker.io", "registry", "localhost:5000", "[2001:db8::1]:5000"])
async def test_a_repository_comes_back_as_it_was(inbox: Inbox, registry: str) -> None:
    """A registry whose name is one word is not taken for a part of the path."""
    repository = Repository(registry=registry, path="team/web")
    await inbox.add([push("k", repository)], received_at=START)

    claim = await claim_one(inbox, START)
    assert claim.repository == repository
    assert claim.pushes[0].push.repository == repository


async def test_times_are_utc_whatever_zone_they_came_in(inbox: Inbox) -> None:
    """A time comes back as the same moment, aware, to the microsecond."""
    moment = START.replace(microsecond=123_457)
    there = moment.astimezone(timezone(timedelta(hours=5, minutes=45)))
    await inbox.add([replace(push("k"), pushed_at=there)], received_at=moment)

    kept = await record(inbox, "k")
    assert kept.pushed_at == kept.received_at == moment
    assert kept.pushed_at.utcoffset() == timedelta(0)


async def test_what_was_added_is_there_after_a_restart(url: str) -> None:
    """A store that is closed and opened again, and one that only reads, see the same."""
    async with open_store(url) as store:
        await store.add([push("k")], received_at=START)
        async with open_history(url) as history:
            beside = await history.pushes(ALL)
    async with open_store(url) as store:
        assert await store.pushes(ALL) == beside
        assert keys(await claim_one(store, START)) == ["k"]
