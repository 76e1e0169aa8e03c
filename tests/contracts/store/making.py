"""Values for the tests of stores, each in one line."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Protocol

from argoos.core.image import Repository
from argoos.core.push import Ignored, NoCandidate, Push
from argoos.core.record import Claim, Outcome, PushRecord, PushState, QueuedPush, Settlement, StepRecord, StepResult
from argoos.ports import History, PushQuery, Store

START = datetime(2026, 1, 1, 12, tzinfo=UTC)
WEB = Repository(registry="registry.example.com:5000", path="team/web")
API = Repository(registry="registry.example.com:5000", path="team/api")
LEASE_SECONDS = 60.0
ALL = PushQuery(include_ignored=True, limit=1_000)


class Inbox(Store, History, Protocol):
    """What a database of Argoos is: the store and its history."""


def at(seconds: float) -> datetime:
    """Return the time so many seconds after the start."""
    return START + timedelta(seconds=seconds)


def digest(letter: str = "a") -> str:
    """Return a digest of one repeated hex digit."""
    return f"sha256:{letter * 64}"


def push(key: str, repository: Repository = WEB, *, tag: str = "1.0.0", letter: str = "a", seconds: float = 0) -> Push:
    """Return a push whose sender says that it was made so many seconds after the start."""
    return Push(key=key, repository=repository, tag=tag, digest=digest(letter), pushed_at=at(seconds), actor="ci")


def ignored(key: str, reason: NoCandidate = NoCandidate.NO_TAG) -> Ignored:
    """Return a part of a delivery that is no candidate."""
    return Ignored(key=key, reason=reason, repository=str(WEB), digest=digest(), pushed_at=START, detail="by digest")


def update(container: str = "app", result: StepResult | None = StepResult.APPLIED, error: str = "") -> StepRecord:
    """Return a step that moved, or was to move, a container."""
    return StepRecord(
        backend="kubernetes",
        kind="Deployment",
        namespace="shop",
        workload="web",
        container=container,
        policy="minor",
        current="0.9.0",
        candidate="1.0.0",
        image=f"{WEB}:1.0.0@{digest()}",
        action="update",
        reason=None,
        detail="",
        result=result,
        error=error,
    )


def skip(reason: str = "already-running", container: str = "app") -> StepRecord:
    """Return a step that left the same container alone."""
    step = replace(update(container), action="skip", reason=reason, image=None, result=None)
    return replace(step, detail="it is what runs")


def done(queued: QueuedPush, *steps: StepRecord, outcome: Outcome = Outcome.UPDATED) -> Settlement:
    """Return the settlement of a push that has ended well."""
    return Settlement(push_id=queued.id, state=PushState.DONE, outcome=outcome, steps=steps)


def failed(queued: QueuedPush, error: str) -> Settlement:
    """Return the settlement of a push that has failed for good."""
    return Settlement(push_id=queued.id, state=PushState.FAILED, outcome=Outcome.FAILED, error=error)


def again(queued: QueuedPush, due_at: datetime, *steps: StepRecord) -> Settlement:
    """Return the settlement of a push that is to be tried again."""
    return Settlement(
        push_id=queued.id,
        state=PushState.QUEUED,
        outcome=Outcome.RETRYING,
        error="the API server is away",
        due_at=due_at,
        steps=steps,
    )


async def claim_all(inbox: Inbox, now: datetime, *, limit: int = 100) -> list[Claim]:
    """Claim whatever is due."""
    return await inbox.claim(limit=limit, now=now, lease_seconds=LEASE_SECONDS)


async def claim_one(inbox: Inbox, now: datetime) -> Claim:
    """Claim the one repository that is due."""
    (claim,) = await claim_all(inbox, now)
    return claim


async def record(inbox: Inbox, key: str) -> PushRecord:
    """Return the push that was added with this key."""
    (found,) = [one for one in await inbox.pushes(ALL) if one.key == key]
    return found


def keys(claim: Claim) -> list[str]:
    """Return the keys of a claim's pushes, in its order."""
    return [queued.push.key for queued in claim.pushes]
