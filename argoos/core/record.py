"""What is kept of a push: its state, its outcome and its steps, as history, API and pages show them."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from argoos.core.image import Repository
from argoos.core.push import Push
from argoos.core.step import Skip, Step, Update


class PushState(StrEnum):
    """Where a push stands: ``queued -> running -> done | failed``."""

    QUEUED = "queued"
    """It waits to be worked on, or for its next try."""
    RUNNING = "running"
    """A worker has it."""
    DONE = "done"
    """It has ended, and nothing failed."""
    FAILED = "failed"
    """It has ended, and something could not be done."""


class Outcome(StrEnum):
    """How a push ended (or, for `RETRYING`, how its last try did)."""

    UPDATED = "updated"
    """At least one container was moved, and nothing failed."""
    SKIPPED = "skipped"
    """Labelled workloads run this repository, and none was to be moved; each step says why."""
    NO_WORKLOAD = "no-workload"
    """No labelled workload runs this repository."""
    IGNORED = "ignored"
    """The delivery's part was no candidate; its reason says why."""
    RETRYING = "retrying"
    """Something stood in the way that may pass; the push is tried again when it is due (`due_at`)."""
    FAILED = "failed"
    """At least one container was to be moved and could not be; trying again does not help."""


class StepResult(StrEnum):
    """What became of a step that was an update."""

    APPLIED = "applied"
    """It was written, or was found to be written."""
    WAITING = "waiting"
    """A hindrance that may pass; it is tried again with the push."""
    FAILED = "failed"
    """It could not be written, and trying again does not help."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StepRecord:
    """One step in words. `current` and `candidate` are tags ("" when there is none).

    `image` is what would be (or was) written, None for a skip; `action` is ``update`` or ``skip``; `reason` is None
    for an update; `result` and `error` are set once an update was tried.
    """

    backend: str
    kind: str
    namespace: str
    workload: str
    container: str
    policy: str
    current: str
    candidate: str
    image: str | None
    action: str
    reason: str | None
    detail: str
    result: StepResult | None = None
    error: str = ""

    @classmethod
    def of(cls, step: Step, *, result: StepResult | None = None, error: str = "") -> "StepRecord":
        """Put a step into words, with what became of it."""
        ref, container = step.workload.ref, step.container
        return cls(
            backend=ref.backend,
            kind=ref.kind,
            namespace=ref.namespace,
            workload=ref.name,
            container=container.name,
            policy=step.policy,
            current=container.image.running_tag or container.image.digest or "",
            candidate=step.push.tag,
            image=str(step.image) if isinstance(step, Update) else None,
            action="update" if isinstance(step, Update) else "skip",
            reason=step.reason.value if isinstance(step, Skip) else None,
            detail=step.detail,
            result=result,
            error=error,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class PushRecord:
    """A push as the history keeps it. `id` grows with the order of arrival.

    `repository`, `tag`, `digest`, `actor` … are "" where the sender gave none (parts that are no candidates).
    `due_at` is when it is tried next, for a queued push; `settled_at` is None until it is done or failed.
    """

    id: int
    key: str
    repository: str
    tag: str
    digest: str
    actor: str
    media_type: str
    sender: str
    pushed_at: datetime
    received_at: datetime
    state: PushState
    outcome: Outcome | None
    reason: str
    error: str
    attempts: int
    due_at: datetime | None
    settled_at: datetime | None
    steps: tuple[StepRecord, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class QueuedPush:
    """A claimed push: `id` as in the history, `attempts` made before this one."""

    id: int
    push: Push
    received_at: datetime
    attempts: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Claim:
    """All waiting pushes of one repository, in the order of arrival, for one worker until `lease_until_at`.

    `token` proves the claim when it is renewed or settled: a claim whose lease has expired may be another's by then.
    """

    repository: Repository
    token: str
    lease_until_at: datetime
    pushes: tuple[QueuedPush, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Settlement:
    """How one claimed push is to be written down.

    `state` DONE or FAILED ends it; QUEUED returns it, to be tried at `due_at`. Steps replace those of the try before,
    except that an update that was applied then is kept when the new step for the same container only says that it
    already runs.
    """

    push_id: int
    state: PushState
    outcome: Outcome
    error: str = ""
    due_at: datetime | None = None
    steps: tuple[StepRecord, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class QueueDepth:
    """How much waits: pushes queued or running, and when the oldest of them was received (None when none waits)."""

    waiting: int
    oldest_received_at: datetime | None


PushedAt = Mapping[tuple[str, str], datetime]
"""When each (tag, digest) of one repository was pushed last, as far as the history knows."""
