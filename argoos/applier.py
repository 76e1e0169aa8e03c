"""Look, plan and act: write each workload of a plan once, and decide again where the ground has moved."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import assert_never

from argoos.core.push import Push
from argoos.core.reason import Reason
from argoos.core.record import QueuedPush, StepResult
from argoos.core.settle import Hindrance, Tried
from argoos.core.step import Skip, Step, Update
from argoos.core.workload import WorkloadRef
from argoos.errors import ArgoosError, Conflict, PermanentError, TemporaryError
from argoos.planner import Planner
from argoos.ports import Applied, Attempt, Backend, Change, Notice, NoticeKind

ROUNDS = 5
"""How often a workload that changes under our hands is decided on anew before the push waits for a while."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """The pushes of one claim, and the time that is written into the workloads."""

    pushes: Sequence[QueuedPush]
    at: datetime

    @property
    def candidates(self) -> Sequence[Push]:
        """The pushes themselves, in the order of arrival."""
        return [queued.push for queued in self.pushes]

    def push_id(self, updates: Sequence[Update]) -> str:
        """Return the history's id of the push behind these updates (of several, the latest)."""
        keys = {update.push.key for update in updates}
        return str(max(queued.id for queued in self.pushes if queued.push.key in keys))


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """What became of a job: its steps as they were tried, and what kept the plan from being whole."""

    tried: Sequence[Tried] = ()
    hindrances: Sequence[Hindrance] = ()


class Applier:
    """Carries out claimed pushes.

    Args:
        backends: where to write, by name.
        planner: decides, and decides again when a workload turns out to have changed.
    """

    def __init__(self, *, backends: Mapping[str, Backend], planner: Planner) -> None:
        self._backends = backends
        self._planner = planner

    def synced(self) -> frozenset[str]:
        """Return the names of the backends whose lists can be trusted now."""
        return frozenset(name for name, backend in self._backends.items() if backend.status().synced)

    @property
    def all_synced(self) -> bool:
        """Whether every backend's list can be trusted now."""
        return all(backend.status().synced for backend in self._backends.values())

    async def carry_out(self, job: Job) -> Result:
        """Plan the job's pushes against what runs now, and apply the plan.

        Raises:
            StoreUnavailable: earlier pushes could not be looked up; nothing was applied.
        """
        planned = await self._planner.plan(job.candidates)
        hindrances = [hindrance(error) for error in planned.unavailable.values()]
        return Result(tried=await self._apply(planned.steps, job), hindrances=hindrances)

    async def _apply(self, steps: Sequence[Step], job: Job) -> list[Tried]:
        """Apply the steps of one plan and return each with what became of it.

        Steps of a workload that had changed are replaced by those of the new decision; of one that is gone, dropped.
        """
        done: list[Tried] = []
        pending = _by_workload(steps)
        for _ in range(ROUNDS):
            attempts = await self._write(pending, job)
            done += [tried for ref, attempt in attempts.items() for tried in self._settled(pending[ref], attempt)]
            moved = [ref for ref, attempt in attempts.items() if isinstance(attempt, Conflict)]
            if not moved:
                return done
            pending, failed = await self._decide_again(moved, pending, job)
            done += failed
        error = f"it changed under our hands {ROUNDS} times"
        return done + [_tried(step, StepResult.WAITING, error) for each in pending.values() for step in each]

    async def _write(
        self, pending: Mapping[WorkloadRef, Sequence[Step]], job: Job
    ) -> dict[WorkloadRef, Attempt | None]:
        """Write every workload that has updates; None for those that have none."""
        changes: dict[str, list[Change]] = {}
        for ref, steps in pending.items():
            updates = tuple(step for step in steps if isinstance(step, Update))
            if updates:
                change = Change(workload=updates[0].workload, updates=updates, push_id=job.push_id(updates), at=job.at)
                changes.setdefault(ref.backend, []).append(change)
        written = await asyncio.gather(*(self._write_to(name, each) for name, each in changes.items()))
        attempts: dict[WorkloadRef, Attempt | None] = dict.fromkeys(pending)
        for name, outcome in zip(changes, written, strict=True):
            attempts |= {change.workload.ref: attempt for change, attempt in zip(changes[name], outcome, strict=True)}
        return attempts

    async def _write_to(self, name: str, changes: Sequence[Change]) -> Sequence[Attempt]:
        try:
            return await self._backends[name].apply(changes)
        except (TemporaryError, PermanentError) as error:
            return [error] * len(changes)

    async def _decide_again(
        self, refs: Sequence[WorkloadRef], pending: Mapping[WorkloadRef, Sequence[Step]], job: Job
    ) -> tuple[dict[WorkloadRef, Sequence[Step]], list[Tried]]:
        """Read the workloads anew and plan them; return the new steps, and those that could not be decided."""
        again: dict[WorkloadRef, Sequence[Step]] = {}
        undecided: list[Tried] = []
        for ref in refs:
            try:
                workload = await self._backends[ref.backend].reread(ref)
            except (TemporaryError, PermanentError) as error:
                undecided += self._settled(pending[ref], error)
                continue
            if workload is not None:
                again[ref] = await self._planner.plan_for(job.candidates, [workload])
        return again, undecided

    def _settled(self, steps: Sequence[Step], attempt: Attempt | None) -> list[Tried]:
        """Join the steps of one workload with what became of its write (None: it had no updates, so none was made)."""
        match attempt:
            case Conflict():
                return []
            case None | Applied():
                return [_tried(step, StepResult.APPLIED, "") for step in steps]
            case TemporaryError():
                return [_tried(step, StepResult.WAITING, str(attempt), attempt.delay_seconds) for step in steps]
            case PermanentError():
                return [_tried(step, StepResult.FAILED, str(attempt)) for step in steps]
            case _:
                assert_never(attempt)

    async def tell(self, tried: Sequence[Tried], job: Job) -> None:
        """Tell the owners of the workloads what was done, what failed, and which labels mean nothing."""
        ids = {queued.push.key: queued.id for queued in job.pushes}
        for one in tried:
            notice = _notice(one, ids[one.step.push.key])
            if notice is not None:
                await self._backends[notice.workload.backend].report(notice)


def _by_workload(steps: Sequence[Step]) -> dict[WorkloadRef, Sequence[Step]]:
    grouped: dict[WorkloadRef, list[Step]] = {}
    for step in steps:
        grouped.setdefault(step.workload.ref, []).append(step)
    return dict(grouped)


def hindrance(error: ArgoosError) -> Hindrance:
    """Return an error that keeps a plan from being whole as the value that is settled with."""
    return Hindrance(error=str(error), delay_seconds=error.delay_seconds if isinstance(error, TemporaryError) else None)


def _tried(step: Step, result: StepResult, error: str, delay_seconds: float | None = None) -> Tried:
    if isinstance(step, Skip):
        return Tried(step=step)
    return Tried(step=step, result=result, error=error, delay_seconds=delay_seconds)


def _notice(tried: Tried, push_id: int) -> Notice | None:
    step, ref = tried.step, tried.step.workload.ref
    before = step.container.image
    match step, tried.result:
        case Update(), StepResult.APPLIED:
            by = f" by {step.push.actor}" if step.push.actor else ""
            text = f"{step.container.name}: {before} -> {step.image} (push {push_id}{by})"
            return Notice(workload=ref, kind=NoticeKind.IMAGE_UPDATED, text=text)
        case Update(), StepResult.FAILED:
            text = f"{step.container.name}: not moved to {step.image}: {tried.error}"
            return Notice(workload=ref, kind=NoticeKind.UPDATE_FAILED, text=text)
        case Skip(reason=Reason.INVALID_POLICY), _:
            return Notice(workload=ref, kind=NoticeKind.INVALID_POLICY, text=f"{step.container.name}: {step.detail}")
        case _:
            return None
