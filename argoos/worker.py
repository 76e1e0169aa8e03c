"""The worker: claim, look, plan, apply, settle. Repositories in parallel, all waiting pushes of one together."""

import asyncio
import contextlib
import random
from collections import Counter
from collections.abc import Callable, Coroutine, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import structlog

from argoos.applier import Applier, Job, Result, hindrance
from argoos.core.record import Claim, PushState, QueuedPush, Settlement, StepResult
from argoos.core.settle import Hindrance, Moment, Tried, settle
from argoos.errors import ArgoosError, StoreUnavailable
from argoos.metrics import Metrics
from argoos.ports import Store

log = structlog.get_logger(__name__)

IDLE_SECONDS = 1.0
"""How often the queue is looked at without being told: pushes that wait for their next try become due by time alone."""

UNSYNCED_SECONDS = 0.1
"""How often backends are looked at while one of them has not read its list."""


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkerOptions:
    """`parallel` repositories at once; a claim's lease; how long a push may wait; how long a stop may take."""

    parallel: int = 32
    lease_seconds: float = 60.0
    give_up_seconds: float = 86_400.0
    shutdown_seconds: float = 8.0


class Worker:
    """Takes pushes from the store and carries them out.

    Args:
        store: the durable queue.
        applier: carries out what was claimed.
        metrics: is told of every push that ends.
        options: how much at once, how long.
        now: the clock, UTC.
    """

    def __init__(
        self,
        *,
        store: Store,
        applier: Applier,
        metrics: Metrics,
        options: WorkerOptions,
        now: Callable[[], datetime],
    ) -> None:
        self._store = store
        self._applier = applier
        self._metrics = metrics
        self._options = options
        self._now = now
        self._woken = asyncio.Event()
        self._stopping = asyncio.Event()
        self._running: dict[asyncio.Task[None], Claim] = {}
        self._synced: frozenset[str] = frozenset()
        self._complaint = ""

    def wake(self) -> None:
        """Say that there may be something to do."""
        self._woken.set()

    def stop(self) -> None:
        """Claim nothing more; `run` returns once what is claimed is finished or returned."""
        self._stopping.set()
        self._woken.set()

    async def run(self) -> None:
        """Work until `stop` is called."""
        renewing = asyncio.create_task(self._renew_leases(), name="worker: leases")
        try:
            while not self._stopping.is_set():
                self._woken.clear()
                await self._start_what_is_due()
                await self._wait()
            await self._finish()
        finally:
            renewing.cancel()
            for task in self._running:
                task.cancel()
            await asyncio.gather(renewing, *self._running, return_exceptions=True)

    async def _start_what_is_due(self) -> None:
        free = self._options.parallel - len(self._running)
        try:
            if not await self._ready() or free <= 0:
                return
            claims = await self._store.claim(limit=free, now=self._now(), lease_seconds=self._options.lease_seconds)
        except StoreUnavailable as error:
            if str(error) != self._complaint:  # not every second anew
                log.warning("the store cannot be read; trying again until it can", error=str(error))
            self._complaint = str(error)
            return
        self._complaint = ""
        for claim in claims:
            task = asyncio.create_task(self._work(claim), name=f"worker: {claim.repository}")
            self._running[task] = claim
            task.add_done_callback(self._ended)

    async def _ready(self) -> bool:
        """Tell whether any backend can be asked; when one has come back, what waited for it is due at once."""
        synced = self._applier.synced()
        if synced - self._synced:
            await self._store.hasten(now=self._now())
        self._synced = synced
        return bool(synced)

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._running.pop(task, None)
        self._woken.set()

    async def _wait(self) -> None:
        try:
            async with asyncio.timeout(IDLE_SECONDS if self._applier.all_synced else UNSYNCED_SECONDS):
                await self._woken.wait()
        except TimeoutError:
            return

    async def _work(self, claim: Claim) -> None:
        """Carry out one claim. The boundary of the worker: whatever goes wrong, its pushes are settled or returned."""
        job = Job(pushes=claim.pushes, at=self._now())
        try:
            result = await self._applier.carry_out(job)
        except asyncio.CancelledError:
            await self._give_back(claim)
            raise
        except ArgoosError as error:
            result = Result(hindrances=[hindrance(error)])
        except Exception as error:
            log.exception("a push could not be worked on: a mistake in Argoos", repository=str(claim.repository))
            mistake = f"a mistake in Argoos: {type(error).__name__}: {error}"
            result = Result(hindrances=[Hindrance(error=mistake)])
        own: dict[str, list[Tried]] = {queued.push.key: [] for queued in claim.pushes}
        for one in result.tried:
            own[one.step.push.key].append(one)
        settlements = [self._settlement(each, own[each.push.key], result.hindrances) for each in claim.pushes]
        await _uninterrupted(self._settle(claim, settlements))
        await self._applier.tell(result.tried, job)

    async def _give_back(self, claim: Claim) -> None:
        """Return the pushes of a claim that is broken off; if that fails, the end of its lease returns them."""
        with contextlib.suppress(StoreUnavailable):
            await self._store.settle(claim, (), now=self._now())

    def _settlement(self, queued: QueuedPush, own: Sequence[Tried], hindrances: Sequence[Hindrance]) -> Settlement:
        moment = Moment(
            now=self._now(),
            give_up=timedelta(seconds=self._options.give_up_seconds),
            chance=random.random(),  # noqa: S311 - spreads retries, guards nothing
        )
        if any(one.result is StepResult.APPLIED for one in own):
            self._metrics.patched((moment.now - queued.received_at).total_seconds())
        return settle(queued, own, hindrances, moment)

    async def _settle(self, claim: Claim, settlements: Sequence[Settlement]) -> None:
        """Write down how the claim ended; while the store is away, until the lease would be over anyway."""
        tries = max(1, int(self._options.lease_seconds))
        for _ in range(tries):
            try:
                kept = await self._store.settle(claim, settlements, now=self._now())
            except StoreUnavailable as error:
                log.warning("a push could not be settled; trying again", error=str(error))
                await asyncio.sleep(IDLE_SECONDS)
                continue
            if kept:
                self._tell_of(claim, settlements)
            else:
                log.warning("a claim was lost to another worker", repository=str(claim.repository))
            return
        log.error("a push could not be settled; it is worked on again", repository=str(claim.repository))

    def _tell_of(self, claim: Claim, settlements: Sequence[Settlement]) -> None:
        """Write the one log line of each push, and count those that ended."""
        by_id = {queued.id: queued for queued in claim.pushes}
        for settlement in settlements:
            queued = by_id[settlement.push_id]
            ended = settlement.state in (PushState.DONE, PushState.FAILED)
            if ended:
                self._metrics.settled(settlement.outcome, settlement.steps)
            skipped = Counter(step.reason for step in settlement.steps if step.reason)
            log.log(
                _level(settlement),
                "push",
                id=queued.id,
                repository=str(claim.repository),
                tag=queued.push.tag,
                digest=queued.push.digest,
                actor=queued.push.actor or None,
                outcome=settlement.outcome.value,
                updated=sum(step.result is StepResult.APPLIED for step in settlement.steps),
                skipped=dict(skipped) or None,
                attempts=queued.attempts + 1,
                seconds=round((self._now() - queued.received_at).total_seconds(), 3),
                error=settlement.error or None,
                due_at=settlement.due_at.isoformat() if settlement.due_at else None,
            )

    async def _renew_leases(self) -> None:
        while True:
            await asyncio.sleep(self._options.lease_seconds / 3)
            try:
                claims = list(self._running.values())
                if claims:
                    await self._store.renew(claims, now=self._now(), lease_seconds=self._options.lease_seconds)
            except StoreUnavailable as error:
                log.warning("leases could not be renewed", error=str(error))

    async def _finish(self) -> None:
        """Wait for what is claimed; what does not end in time is returned to the queue (see `_work`)."""
        if self._running:
            await asyncio.wait(tuple(self._running), timeout=self._options.shutdown_seconds)


async def _uninterrupted(work: Coroutine[None, None, None]) -> None:
    """Finish `work` even when the caller is cancelled meanwhile; the cancellation goes on afterwards."""
    task = asyncio.ensure_future(work)
    try:
        await asyncio.shield(task)
    except asyncio.CancelledError:
        await task
        raise


def _level(settlement: Settlement) -> int:
    """Return the log level: failures are errors, retries are warnings (numbers as in `logging`)."""
    return {PushState.FAILED: 40, PushState.QUEUED: 30}.get(settlement.state, 20)
