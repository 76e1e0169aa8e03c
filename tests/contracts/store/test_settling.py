"""How claimed pushes end, and what stays of their steps."""

import asyncio
from dataclasses import replace

from argoos.core.record import Outcome, PushState, StepResult
from tests.contracts.store.making import (
    API,
    START,
    Inbox,
    again,
    at,
    claim_all,
    claim_one,
    done,
    failed,
    keys,
    push,
    record,
    skip,
    update,
)


async def test_a_push_that_is_done_is_done(inbox: Inbox) -> None:
    """State, outcome, time and steps are written down, and it is never claimed again."""
    await inbox.add([push("k")], received_at=START)
    claim = await claim_one(inbox, at(1))
    steps = (update("app"), skip("not-newer", "sidecar"))

    assert await inbox.settle(claim, [done(claim.pushes[0], *steps)], now=at(2))

    kept = await record(inbox, "k")
    assert (kept.state, kept.outcome, kept.settled_at) == (PushState.DONE, Outcome.UPDATED, at(2))
    assert (kept.due_at, kept.attempts, kept.error) == (None, 1, "")
    assert kept.steps == steps
    assert await claim_all(inbox, at(10_000)) == []


async def test_a_push_that_failed_keeps_its_error(inbox: Inbox) -> None:
    """A failure for good ends a push like a success does."""
    await inbox.add([push("k")], received_at=START)
    claim = await claim_one(inbox, START)

    await inbox.settle(claim, [failed(claim.pushes[0], "patch deployments is forbidden\0")], now=at(2))

    kept = await record(inbox, "k")
    assert (kept.state, kept.outcome, kept.settled_at) == (PushState.FAILED, Outcome.FAILED, at(2))
    assert kept.error == "patch deployments is forbidden\\x00"
    assert await claim_all(inbox, at(10_000)) == []


async def test_a_push_to_be_tried_again_waits_for_its_time(inbox: Inbox) -> None:
    """It is queued with one attempt more, and not due before."""
    await inbox.add([push("k")], received_at=START)
    claim = await claim_one(inbox, START)

    await inbox.settle(claim, [again(claim.pushes[0], at(30), update(result=StepResult.WAITING))], now=at(1))

    kept = await record(inbox, "k")
    assert (kept.state, kept.outcome, kept.due_at) == (PushState.QUEUED, Outcome.RETRYING, at(30))
    assert (kept.settled_at, kept.attempts, kept.error) == (None, 1, "the API server is away")
    assert await claim_all(inbox, at(29)) == []
    (queued,) = (await claim_one(inbox, at(30))).pushes
    assert queued.attempts == 1


async def test_a_repository_is_due_when_the_earliest_of_its_pushes_is(inbox: Inbox) -> None:
    """Of several pushes in backoff the first to be due takes the others with it."""
    await inbox.add([push("a"), push("b"), push("c")], received_at=START)
    claim = await claim_one(inbox, START)
    late, early, ended = claim.pushes

    await inbox.settle(claim, [again(late, at(90)), again(early, at(30)), done(ended)], now=at(1))

    assert await claim_all(inbox, at(29)) == []
    assert keys(await claim_one(inbox, at(30))) == ["a", "b"]


async def test_a_new_push_takes_those_in_backoff_with_it(inbox: Inbox) -> None:
    """So that an older push, tried again later, can not undo what the newer one did."""
    await inbox.add([push("old")], received_at=START)
    claim = await claim_one(inbox, START)
    await inbox.settle(claim, [again(claim.pushes[0], at(500))], now=START)

    await inbox.add([push("new")], received_at=at(10))

    assert keys(await claim_one(inbox, at(10))) == ["old", "new"]


async def test_pushes_without_a_settlement_return_at_once(inbox: Inbox) -> None:
    """A worker that stops gives back what it did not finish; that was no attempt."""
    await inbox.add([push("a"), push("b")], received_at=START)
    claim = await claim_one(inbox, START)

    assert await inbox.settle(claim, [done(claim.pushes[0])], now=at(1))

    returned = await record(inbox, "b")
    assert (returned.state, returned.due_at, returned.outcome) == (PushState.QUEUED, at(1), None)
    (queued,) = (await claim_one(inbox, at(1))).pushes
    assert (queued.push.key, queued.attempts) == ("b", 0)


async def test_a_claim_may_be_given_up_whole(inbox: Inbox) -> None:
    """Without any settlement all pushes are due again."""
    await inbox.add([push("a"), push("b")], received_at=START)
    claim = await claim_one(inbox, START)

    assert await inbox.settle(claim, [], now=at(1))

    assert keys(await claim_one(inbox, at(1))) == ["a", "b"]


async def test_steps_replace_those_of_the_try_before(inbox: Inbox) -> None:
    """What was said of a container before is forgotten, also for containers that are gone."""
    await inbox.add([push("k")], received_at=START)
    claim = await claim_one(inbox, START)
    before = (update("app", StepResult.WAITING, "409"), skip("never", "sidecar"))
    await inbox.settle(claim, [again(claim.pushes[0], at(1), *before)], now=START)
    claim = await claim_one(inbox, at(1))
    now = (update("app", StepResult.APPLIED),)

    await inbox.settle(claim, [done(claim.pushes[0], *now)], now=at(2))

    assert (await record(inbox, "k")).steps == now


async def test_an_update_that_was_applied_is_kept_when_it_merely_runs_now(inbox: Inbox) -> None:
    """A second try that finds the container up to date does not take the credit away, nor does a third."""
    await inbox.add([push("k")], received_at=START)
    claim = await claim_one(inbox, START)
    first = (update("app", StepResult.APPLIED), update("worker", StepResult.WAITING, "503"))
    await inbox.settle(claim, [again(claim.pushes[0], at(1), *first)], now=START)
    claim = await claim_one(inbox, at(1))
    second = (skip(container="app"), update("worker", StepResult.WAITING, "503"))
    await inbox.settle(claim, [again(claim.pushes[0], at(2), *second)], now=at(1))
    claim = await claim_one(inbox, at(2))
    third = (skip(container="app"), update("worker", StepResult.APPLIED))

    await inbox.settle(claim, [done(claim.pushes[0], *third)], now=at(2))

    assert (await record(inbox, "k")).steps == (update("app"), update("worker"))


async def test_an_applied_update_gives_way_to_any_other_word(inbox: Inbox) -> None:
    """Only "already running" leaves it; a container of another workload is another container."""
    await inbox.add([push("k")], received_at=START)
    claim = await claim_one(inbox, START)
    first = (update("app"), update("other"))
    await inbox.settle(claim, [again(claim.pushes[0], at(1), *first)], now=START)
    claim = await claim_one(inbox, at(1))
    second = (skip("superseded", "app"), replace(skip(container="other"), workload="elsewhere"))

    await inbox.settle(claim, [done(claim.pushes[0], *second)], now=at(1))

    assert (await record(inbox, "k")).steps == second


async def test_steps_belong_to_their_own_push(inbox: Inbox) -> None:
    """Of two pushes settled together, what one applied does not stand in the other's steps."""
    await inbox.add([push("a"), push("b")], received_at=START)
    claim = await claim_one(inbox, START)
    a, b = claim.pushes
    await inbox.settle(claim, [again(a, at(1), update()), again(b, at(1), skip("superseded"))], now=START)
    claim = await claim_one(inbox, at(1))
    a, b = claim.pushes

    await inbox.settle(claim, [done(a, skip()), done(b, skip())], now=at(1))

    assert (await record(inbox, "a")).steps == (update(),)
    assert (await record(inbox, "b")).steps == (skip(),)


async def test_many_steps_keep_their_order(inbox: Inbox) -> None:
    """A push that a hundred and more workloads take has as many steps, in the order of the plan."""
    await inbox.add([push("k")], received_at=START)
    claim = await claim_one(inbox, START)
    steps = tuple(replace(update(), workload=f"web-{number}") for number in range(301))

    await inbox.settle(claim, [done(claim.pushes[0], *steps)], now=START)

    assert (await record(inbox, "k")).steps == steps


async def test_one_caller_s_mistake_is_not_another_s(inbox: Inbox) -> None:
    """A step that breaks a rule of the schema is an error of its own caller alone; his claim stays his."""
    await inbox.add([push("web"), push("api", API)], received_at=START)
    web, api = sorted(await claim_all(inbox, START), key=lambda claim: str(claim.repository), reverse=True)
    mistaken = replace(update(), action="jump")

    results = await asyncio.gather(
        inbox.settle(web, [done(web.pushes[0], mistaken)], now=START),
        inbox.settle(api, [done(api.pushes[0], update())], now=START),
        inbox.add([push("new", API)], received_at=START),
        return_exceptions=True,
    )

    assert isinstance(results[0], Exception)
    assert list(results[1:]) == [True, None]
    assert (await record(inbox, "web")).state is PushState.RUNNING
    assert (await record(inbox, "api")).state is PushState.DONE
    assert keys(await claim_one(inbox, START)) == ["new"]
    assert await inbox.settle(web, [done(web.pushes[0], update())], now=START)
