"""What the history answers."""

import pytest

from argoos.core.push import NoCandidate
from argoos.core.record import PushState, QueueDepth
from argoos.ports import PushQuery
from tests.contracts.store.making import (
    API,
    START,
    WEB,
    Inbox,
    again,
    at,
    claim_all,
    claim_one,
    digest,
    done,
    failed,
    ignored,
    push,
    update,
)


async def _fill(inbox: Inbox) -> None:
    """Add a push in each state, and noise."""
    await inbox.add([push("done", tag="1"), push("failed", tag="2"), push("backoff", tag="3")], received_at=START)
    claim = await claim_one(inbox, START)
    a, b, c = claim.pushes
    await inbox.settle(claim, [done(a, update()), failed(b, "no"), again(c, at(100))], now=at(1))
    await inbox.add([push("running", API, tag="1")], received_at=at(2))
    await claim_one(inbox, at(2))
    await inbox.add([push("queued", API, tag="4"), ignored("noise")], received_at=at(3))


@pytest.mark.parametrize(
    ("query", "found"),
    [
        (PushQuery(), ["queued", "running", "backoff", "failed", "done"]),
        (PushQuery(include_ignored=True), ["noise", "queued", "running", "backoff", "failed", "done"]),
        (PushQuery(repository=str(WEB)), ["backoff", "failed", "done"]),
        (PushQuery(repository=str(WEB), include_ignored=True), ["noise", "backoff", "failed", "done"]),
        (PushQuery(repository="team/web"), []),
        (PushQuery(tag="1"), ["running", "done"]),
        (PushQuery(tag="1", repository=str(API)), ["running"]),
        (PushQuery(state=PushState.QUEUED), ["queued", "backoff"]),
        (PushQuery(state=PushState.RUNNING), ["running"]),
        (PushQuery(state=PushState.DONE), ["done"]),
        (PushQuery(state=PushState.DONE, include_ignored=True), ["noise", "done"]),
        (PushQuery(state=PushState.FAILED), ["failed"]),
        (PushQuery(limit=2), ["queued", "running"]),
        (PushQuery(tag="1' OR '1'='1"), []),
    ],
    ids=str,
)
async def test_every_given_field_must_match(inbox: Inbox, query: PushQuery, found: list[str]) -> None:
    """The newest come first; noise is shown when it is asked for."""
    await _fill(inbox)

    assert [one.key for one in await inbox.pushes(query)] == found


async def test_pages_follow_each_other(inbox: Inbox) -> None:
    """The id of a page's last push leads to the next page, though new pushes arrive between."""
    await inbox.add([push(f"k{number}") for number in range(25)], received_at=START)
    seen: list[str] = []
    before = None
    while page := await inbox.pushes(PushQuery(limit=10, before_id=before)):
        seen += [one.key for one in page]
        before = page[-1].id
        await inbox.add([push(f"new after {len(seen)}")], received_at=START)

    assert seen == [f"k{number}" for number in reversed(range(25))]


async def test_one_push_is_found_by_its_id(inbox: Inbox) -> None:
    """With its steps; an id that is none gives None."""
    await _fill(inbox)
    (listed,) = await inbox.pushes(PushQuery(state=PushState.DONE))

    assert await inbox.push(listed.id) == listed
    assert listed.steps == (update(),)
    assert await inbox.push(10**9) is None


async def test_depth_counts_what_is_unfinished(inbox: Inbox) -> None:
    """Queued and running pushes wait, noise and what has ended do not; the oldest is the first to have arrived."""
    assert await inbox.depth() == QueueDepth(waiting=0, oldest_received_at=None)
    await _fill(inbox)

    assert await inbox.depth() == QueueDepth(waiting=3, oldest_received_at=START)


async def test_pushed_at_tells_the_last_time_of_each_tag_and_digest(inbox: Inbox) -> None:
    """By the sender's time, whatever order things arrived in; other repositories and noise do not count."""
    await inbox.add(
        [
            push("1", tag="1.0", letter="a", seconds=5),
            push("2", tag="1.0", letter="a", seconds=3),
            push("3", tag="1.0", letter="b", seconds=4),
            push("4", tag="latest", letter="a", seconds=9),
            push("5", API, tag="2.0", seconds=1),
            ignored("noise", NoCandidate.NOT_A_PUSH),
        ],
        received_at=at(10),
    )

    assert dict(await inbox.pushed_at(WEB)) == {
        ("1.0", digest("a")): at(5),
        ("1.0", digest("b")): at(4),
        ("latest", digest("a")): at(9),
    }


async def test_pushed_at_knows_the_latest_thousand(inbox: Inbox) -> None:
    """Of a repository with many tags the newest are known; a tag that is pushed all the time counts once."""
    await inbox.add([push(f"k{number}", tag=f"t{number}") for number in range(1_005)], received_at=START)
    await inbox.add([push(f"l{number}", tag="latest", seconds=number) for number in range(500)], received_at=START)

    known = await inbox.pushed_at(WEB)

    assert len(known) == 1_000
    assert known["latest", digest()] == at(499)
    assert {tag for tag, _ in known} == {"latest", *(f"t{number}" for number in range(6, 1_005))}


async def test_answers_do_not_wait_for_each_other(inbox: Inbox) -> None:
    """The history may be asked while claims are held."""
    await inbox.add([push("k")], received_at=START)
    await claim_all(inbox, START)

    assert [one.state for one in await inbox.pushes(PushQuery())] == [PushState.RUNNING]
