"""A store without a disk: what `Store` and `History` promise, in dictionaries."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

from argoos.core.image import Repository
from argoos.core.push import Ignored, Push, Received
from argoos.core.record import Claim, Outcome, PushedAt, PushRecord, PushState, QueueDepth, QueuedPush, Settlement
from argoos.errors import StoreUnavailable
from argoos.ports import PushQuery


@dataclass
class MemoryStore:
    """Keeps pushes by id. While `failure` is set, every method raises `StoreUnavailable` with that text."""

    failure: str = ""
    records: dict[int, PushRecord] = field(default_factory=dict)
    pushed: dict[int, Push] = field(default_factory=dict)
    claims: dict[Repository, Claim] = field(default_factory=dict)
    checks: int = 0
    _keys: set[str] = field(default_factory=set)

    async def add(self, received: Sequence[Received], *, received_at: datetime) -> None:
        """Keep what is not known yet."""
        self._fail()
        for part in received:
            if part.key not in self._keys:
                self._keys.add(part.key)
                number = len(self._keys)
                self.records[number] = _record(number, part, received_at)
                if isinstance(part, Push):
                    self.pushed[number] = part

    async def claim(self, *, limit: int, now: datetime, lease_seconds: float) -> list[Claim]:
        """Claim repositories that have something due, in the order of arrival."""
        self._fail()
        for lapsed in [claim for claim in self.claims.values() if claim.lease_until_at <= now]:
            self._give_up(lapsed)
        queued = [one for one in self.records.values() if one.state is PushState.QUEUED]
        due = dict.fromkeys(self.pushed[one.id].repository for one in queued if one.due_at and one.due_at <= now)
        names = [name for name in due if name not in self.claims][:limit]
        for name in names:
            mine = [one for one in queued if self.pushed[one.id].repository == name]
            self.claims[name] = Claim(
                repository=name,
                token=f"{name} {now}",
                lease_until_at=now + timedelta(seconds=lease_seconds),
                pushes=tuple(_queued(one, self.pushed[one.id]) for one in mine),
            )
            for one in mine:
                self.records[one.id] = replace(one, state=PushState.RUNNING)
        return [self.claims[name] for name in names]

    async def settle(self, claim: Claim, settlements: Sequence[Settlement], *, now: datetime) -> bool:
        """Write down how pushes ended, with their last steps; False when the claim is no longer ours."""
        self._fail()
        if not self._holds(claim):
            return False
        for end in settlements:
            old, ended = self.records[end.push_id], end.state is not PushState.QUEUED
            new = replace(old, state=end.state, outcome=end.outcome, error=end.error, steps=end.steps)
            self.records[old.id] = replace(
                new, attempts=old.attempts + 1, due_at=end.due_at, settled_at=now if ended else None
            )
        self._give_up(claim)
        return True

    async def renew(self, claims: Sequence[Claim], *, now: datetime, lease_seconds: float) -> None:
        """Extend leases that are still ours."""
        self._fail()
        until = now + timedelta(seconds=lease_seconds)
        self.claims |= {
            claim.repository: replace(claim, lease_until_at=until) for claim in claims if self._holds(claim)
        }

    async def hasten(self, *, now: datetime) -> None:
        """Make all that waits due."""
        self._fail()
        waiting = [one for one in self.records.values() if one.state is PushState.QUEUED]
        self.records |= {one.id: replace(one, due_at=now) for one in waiting if one.due_at and one.due_at > now}

    async def prune(self, *, settled_before: datetime, ignored_before: datetime, limit: int) -> int:
        """Forget what was settled long ago."""
        self._fail()
        limits = {Outcome.IGNORED: ignored_before}
        ended = [
            (one.id, one.settled_at, limits.get(one.outcome or Outcome.FAILED, settled_before))
            for one in self.records.values()
        ]
        old = [number for number, settled_at, before in ended if settled_at and settled_at < before][:limit]
        self.records = {number: one for number, one in self.records.items() if number not in old}
        return len(old)

    async def pushed_at(self, repository: Repository) -> PushedAt:
        """Tell when each tag and digest was pushed last."""
        self._fail()
        mine = [push for push in self.pushed.values() if push.repository == repository]
        return {(push.tag, push.digest): push.pushed_at for push in sorted(mine, key=lambda push: push.pushed_at)}

    async def pushes(self, query: PushQuery) -> list[PushRecord]:
        """List pushes, the newest first."""
        self._fail()
        return [one for one in reversed(self.records.values()) if _wanted(one, query)][: query.limit]

    async def push(self, push_id: int) -> PushRecord | None:
        """Return one push."""
        self._fail()
        return self.records.get(push_id)

    async def depth(self) -> QueueDepth:
        """Count what waits."""
        self._fail()
        waiting = [one.received_at for one in self.records.values() if one.settled_at is None]
        return QueueDepth(waiting=len(waiting), oldest_received_at=min(waiting, default=None))

    async def check(self, *, now: datetime) -> None:
        """Count that somebody asked."""
        self.checks += 1
        self._fail()

    def _fail(self) -> None:
        if self.failure:
            raise StoreUnavailable(self.failure)

    def _holds(self, claim: Claim) -> bool:
        held = self.claims.get(claim.repository)
        return held is not None and held.token == claim.token

    def _give_up(self, claim: Claim) -> None:
        del self.claims[claim.repository]
        for one in (self.records[queued.id] for queued in claim.pushes):
            if one.state is PushState.RUNNING:
                self.records[one.id] = replace(one, state=PushState.QUEUED)


def _queued(one: PushRecord, push: Push) -> QueuedPush:
    return QueuedPush(id=one.id, push=push, received_at=one.received_at, attempts=one.attempts)


def _wanted(one: PushRecord, query: PushQuery) -> bool:
    asked = ((query.repository, one.repository), (query.tag, one.tag), (query.state, one.state))
    found = all(wanted in (None, value) for wanted, value in asked)
    later = query.before_id is None or one.id < query.before_id
    return found and later and (query.include_ignored or one.outcome is not Outcome.IGNORED)


def _record(number: int, part: Received, received_at: datetime) -> PushRecord:
    same = {
        name: getattr(part, name) for name in ("key", "tag", "digest", "actor", "media_type", "sender", "pushed_at")
    }
    queued = {"state": PushState.QUEUED, "outcome": None, "due_at": received_at, "settled_at": None}
    done = {"state": PushState.DONE, "outcome": Outcome.IGNORED, "due_at": None, "settled_at": received_at}
    reason, error = (part.reason.value, part.detail) if isinstance(part, Ignored) else ("", "")
    kept: dict[str, Any] = same | (done if reason else queued) | {"reason": reason, "error": error}
    return PushRecord(id=number, repository=str(part.repository), received_at=received_at, attempts=0, **kept)
