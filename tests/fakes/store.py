"""What the web room needs of a store, without a disk: `Store.add` and `History`, in dictionaries."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from argoos.core.image import Repository
from argoos.core.push import Ignored, Push, Received
from argoos.core.record import Outcome, PushedAt, PushRecord, PushState, QueueDepth
from argoos.errors import StoreUnavailable
from argoos.ports import PushQuery


@dataclass
class MemoryStore:
    """Keeps pushes by id. While `failure` is set, every method raises `StoreUnavailable` with that text."""

    failure: str = ""
    records: dict[int, PushRecord] = field(default_factory=dict)
    pushed: dict[int, Push] = field(default_factory=dict)
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
