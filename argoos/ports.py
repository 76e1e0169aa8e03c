"""The seams: what the middle of Argoos asks of its edges. One contract test suite for each, passed by every adapter."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Protocol

from argoos.core.image import Repository
from argoos.core.push import Received
from argoos.core.record import Claim, PushedAt, PushRecord, PushState, QueueDepth, Settlement
from argoos.core.step import Update
from argoos.core.workload import Workload, WorkloadRef
from argoos.errors import Conflict, PermanentError, TemporaryError


class Receiver(Protocol):
    """Reads what one kind of sender posts. Pure: bytes and headers in, values out."""

    name: str

    def parse(self, body: bytes, headers: Mapping[str, str], *, received_at: datetime) -> list[Received]:
        """Return every part of the delivery. Header names are lower case.

        Raises:
            BadDelivery: the body is no notification at all. One odd part never rejects the others.
        """
        ...


class Store(Protocol):
    """The durable inbox. What a method has returned from is on disk. Every method may raise `StoreUnavailable`."""

    async def add(self, received: Sequence[Received], *, received_at: datetime) -> None:
        """Keep all parts of a delivery; those whose key is known already are left as they are."""
        ...

    async def claim(self, *, limit: int, now: datetime, lease_seconds: float) -> list[Claim]:
        """Claim up to `limit` repositories that have a push due at `now`, each with all its waiting pushes.

        No repository is in two living claims. A claim whose lease expired counts as never made.
        """
        ...

    async def settle(self, claim: Claim, settlements: Sequence[Settlement], *, now: datetime) -> bool:
        """Write down how the claim's pushes ended and give the claim up, in one transaction.

        Pushes of the claim without a settlement return to the queue at once. False: the claim had been lost, and
        nothing was written.
        """
        ...

    async def renew(self, claims: Sequence[Claim], *, now: datetime, lease_seconds: float) -> None:
        """Extend the leases of claims that are still ours."""
        ...

    async def hasten(self, *, now: datetime) -> None:
        """Make every queued push due at `now`: what it waited for may have passed."""
        ...

    async def prune(self, *, settled_before: datetime, ignored_before: datetime, limit: int) -> int:
        """Delete up to `limit` settled (and ignored) pushes that are older, never unfinished ones; return how many."""
        ...


class History(Protocol):
    """What the store knows, for those who only read. Every method may raise `StoreUnavailable`."""

    async def pushed_at(self, repository: Repository) -> PushedAt:
        """Return when each (tag, digest) of the repository was pushed last (at most the latest 1,000 of them)."""
        ...

    async def pushes(self, query: "PushQuery") -> list[PushRecord]:
        """Return pushes with their steps, the newest first."""
        ...

    async def push(self, push_id: int) -> PushRecord | None:
        """Return one push with its steps."""
        ...

    async def depth(self) -> QueueDepth:
        """Return how much waits."""
        ...

    async def check(self, *, now: datetime) -> None:
        """Prove that the store can be written, by a small write that is committed; raise `StoreUnavailable` if not."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class PushQuery:
    """Which pushes to list: every given field must match. `before_id` is for paging; `limit` is 1 to 1,000."""

    repository: str | None = None
    tag: str | None = None
    state: PushState | None = None
    include_ignored: bool = False
    before_id: int | None = None
    limit: int = 50


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """All updates that one workload is to get in one write.

    `push_id` names the push in the history (of several, the latest); `at` is the time to record.
    """

    workload: Workload
    updates: tuple[Update, ...]
    push_id: str
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Applied:
    """The change was written, or was found to be there already."""


Attempt = Applied | Conflict | TemporaryError | PermanentError
"""What became of a change. Errors are values here: one workload's failure is not another's."""


class NoticeKind(StrEnum):
    """What a workload's owner is told; the words are the reasons of Kubernetes Events."""

    IMAGE_UPDATED = "ImageUpdated"
    INVALID_POLICY = "InvalidPolicy"
    UPDATE_FAILED = "UpdateFailed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Notice:
    """A sentence for the owner of a workload, put where he looks (on Kubernetes: an Event on the workload)."""

    workload: WorkloadRef
    kind: NoticeKind
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class BackendStatus:
    """Whether the list of workloads is complete and current; `detail` says in a sentence what is amiss, or ""."""

    synced: bool
    detail: str = ""


class Backend(Protocol):
    """One orchestrator, or one folder of manifests. Knows its labelled workloads at any time, without asking.

    Repositories in `find` and in `Workload` are compared by canonical name: an adapter is given the `RegistryNames`.
    """

    name: str

    async def run(self) -> None:
        """Keep the list of labelled workloads current until cancelled; reconnect alone; never return on its own.

        May be cancelled at any time, and closes its connections then. `find` and `apply` work only while it runs.
        """
        ...

    def status(self) -> BackendStatus:
        """Tell whether the list can be trusted now."""
        ...

    async def find(self, repository: Repository | None = None) -> Sequence[Workload]:
        """Return the labelled workloads that run an image of the (canonical) repository, or all of them.

        Raises:
            BackendUnavailable: the list is not complete yet, or could not be kept current.
        """
        ...

    async def reread(self, ref: WorkloadRef) -> Workload | None:
        """Ask the orchestrator itself for one workload; None when it is gone, replaced, or has lost its label.

        Raises:
            TemporaryError, PermanentError: it could not be asked.
        """
        ...

    async def apply(self, changes: Sequence[Change]) -> Sequence[Attempt]:
        """Write each change, bounded in parallel, and say for each, in order, what became of it. Idempotent.

        A change is written only where the containers still are what `Container.image` says (else `Conflict`), as one
        write for each workload that alters nothing but images and Argoos's own annotations.
        """
        ...

    async def report(self, notice: Notice) -> None:
        """Tell a workload's owner something. Never waits for the orchestrator and never raises."""
        ...
