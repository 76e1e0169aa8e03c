"""The worker over a real SQLite store and a backend in memory: what is claimed ends, whatever happens to it."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import replace
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from argoos.core.image import ImageRef
from argoos.core.record import PushState
from argoos.errors import Conflict, Forbidden, StoreUnavailable, TemporaryError
from argoos.ports import PushQuery
from argoos.store import SqlStore, open_store
from argoos.worker import WorkerOptions
from tests.fakes.backend import MemoryBackend
from tests.worker.bench import Bench, until
from tests.worker.builders import digest, push, workload

IMAGE = "registry.example/shop/web"
OLD = f"{IMAGE}:1.4.2"


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[SqlStore]:
    """Open a store on disk."""
    async with open_store(f"sqlite:///{tmp_path}/argoos.db") as store:
        yield store


@pytest.fixture
def bench(store: SqlStore) -> Bench:
    """Put a worker together over one backend."""
    return Bench(store, [MemoryBackend()])


async def test_a_push_is_rolled_out_and_written_down(bench: Bench) -> None:
    """A push that a label allows moves the container; history and owner are told."""
    bench.put(workload("web", web=OLD), workload("far", {"argoos.io/policy": "patch"}, web=OLD))
    async with bench.working():
        await bench.deliver(push("1.5.0"))
        (record,) = await bench.ended()
    assert record.outcome == "updated"
    assert {step.workload: step.reason for step in record.steps} == {"web": None, "far": "beyond-policy"}
    assert bench.image("web") == f"{IMAGE}:1.5.0@{digest('a')}"
    assert [(notice.workload.name, notice.kind) for notice in bench.backends[0].notices] == [("web", "ImageUpdated")]
    assert "(push 1 by ci)" in bench.backends[0].notices[0].text


async def test_pushes_that_wait_together_make_one_write(bench: Bench) -> None:
    """Ten pushes of one repository are one claim: the best is written, the others are superseded."""
    bench.put(workload("web", web=OLD))
    await bench.deliver(*(push(f"1.{minor}.0", seconds=minor) for minor in range(5, 15)))
    async with bench.working():
        records = await bench.ended(10)
    assert bench.backends[0].writes == 1
    assert bench.image("web").startswith(f"{IMAGE}:1.14.0@")
    assert [record.outcome for record in records] == ["skipped"] * 9 + ["updated"]


async def test_what_nobody_runs_is_said_so(bench: Bench) -> None:
    """A push of a repository that no labelled workload runs ends as just that."""
    bench.put(workload("web", web=OLD))
    async with bench.working():
        await bench.deliver(push("1.0.0", repository="registry.example/other"))
        (record,) = await bench.ended()
    assert (record.state, record.outcome, record.steps) == ("done", "no-workload", ())


async def test_a_conflict_is_decided_on_anew(bench: Bench) -> None:
    """A workload that changed under our hands is read again: what is right for it now is done."""
    bench.put(workload("web", web=OLD))
    backend = bench.backends[0]
    (ref,) = backend.workloads
    stale = backend.workloads[ref]
    moved = replace(stale, containers=(replace(stale.containers[0], image=ImageRef.parse(f"{IMAGE}:2.0.0")),))
    backend.refusals["web"] = [Conflict("it has changed")]
    backend.gate = asyncio.Event()
    async with bench.working():
        await bench.deliver(push("1.5.0"))
        await asyncio.sleep(0.05)
        backend.workloads[ref] = moved
        backend.gate.set()
        (record,) = await bench.ended()
    assert bench.image("web") == f"{IMAGE}:2.0.0"
    assert [step.reason for step in record.steps] == ["not-newer"]


async def test_a_workload_that_is_gone_is_no_step(bench: Bench) -> None:
    """A workload that was deleted between decision and write leaves nothing to do."""
    bench.put(workload("web", web=OLD), workload("gone", web=OLD))
    backend = bench.backends[0]
    backend.gate = asyncio.Event()
    async with bench.working():
        await bench.deliver(push("1.5.0"))
        await asyncio.sleep(0.05)
        backend.workloads = {ref: each for ref, each in backend.workloads.items() if ref.name != "gone"}
        backend.gate.set()
        (record,) = await bench.ended()
    assert [step.workload for step in record.steps] == ["web"]


async def test_a_passing_hindrance_is_waited_for(bench: Bench) -> None:
    """What may pass is tried again; the steps that were applied meanwhile stay applied in the history."""
    bench.put(workload("web", web=OLD), workload("slow", web=OLD))
    bench.backends[0].refusals["slow"] = [TemporaryError("the API server is busy")]
    async with bench.working():
        await bench.deliver(push("1.5.0"))
        waiting = await bench.waiting()
        assert (waiting.outcome, waiting.error) == ("retrying", "the API server is busy")
        (record,) = await bench.ended()
    assert (record.outcome, record.attempts) == ("updated", 2)
    assert {step.workload: step.result for step in record.steps} == {"web": "applied", "slow": "applied"}


async def test_a_lasting_failure_is_not_another_workloads(bench: Bench) -> None:
    """A workload that may not be patched fails with its reason; the others of the push are moved."""
    bench.put(workload("web", web=OLD), workload("locked", web=OLD))
    bench.backends[0].refusals["locked"] = [Forbidden("patch on deployments is missing")]
    async with bench.working():
        await bench.deliver(push("1.5.0"))
        (record,) = await bench.ended()
    assert (record.state, record.error) == ("failed", "patch on deployments is missing")
    assert {step.workload: step.result for step in record.steps} == {"web": "applied", "locked": "failed"}
    assert {notice.kind for notice in bench.backends[0].notices} == {"ImageUpdated", "UpdateFailed"}


async def test_one_backend_that_is_away_does_not_hold_up_another(store: SqlStore) -> None:
    """A push is applied where it can be, and where it cannot as soon as that backend is back."""
    there, away = MemoryBackend(name="memory"), MemoryBackend(name="away", synced=False)
    bench = Bench(store, [there, away])
    bench.put(workload("web", web=OLD))
    elsewhere = workload("web", web=OLD)
    elsewhere = replace(elsewhere, ref=replace(elsewhere.ref, backend="away"))
    away.workloads = {elsewhere.ref: elsewhere}
    async with bench.working():
        await bench.deliver(push("1.5.0"))
        await bench.waiting()
        assert bench.image("web") == f"{IMAGE}:1.5.0@{digest('a')}"
        away.synced = True
        (record,) = await bench.ended()
    assert bench.image("web", backend=1) == f"{IMAGE}:1.5.0@{digest('a')}"
    assert record.outcome == "updated"
    assert {step.backend: step.result for step in record.steps} == {"memory": "applied", "away": "applied"}


async def test_nothing_is_claimed_before_a_backend_is_there(store: SqlStore) -> None:
    """While no backend has its list, pushes wait untried; once one has, they are done at once."""
    away = MemoryBackend(synced=False)
    bench = Bench(store, [away])
    bench.put(workload("web", web=OLD))
    async with bench.working():
        await bench.deliver(push("1.5.0"))
        await asyncio.sleep(0.3)
        (only,) = await store.pushes(PushQuery())
        assert (only.state, only.attempts) == ("queued", 0)
        away.synced = True
        (record,) = await bench.ended()
    assert record.outcome == "updated"


async def test_a_late_push_does_not_undo_a_later_one(bench: Bench) -> None:
    """Under `all`, a push that waited for another try does not come after a newer push of the repository."""
    bench.put(workload("web", {"argoos.io/policy": "all"}, web=f"{IMAGE}:latest"))
    bench.backends[0].refusals["web"] = [TemporaryError("busy", delay_seconds=60)]
    async with bench.working():
        await bench.deliver(push("latest", letter="a"))
        await bench.waiting()
        await bench.deliver(push("latest", letter="b", seconds=5))
        first, second = await bench.ended(2)
    assert bench.image("web") == f"{IMAGE}:latest@{digest('b')}"
    assert (first.outcome, second.outcome) == ("skipped", "updated")


async def test_a_stop_finishes_what_is_claimed(bench: Bench) -> None:
    """A worker that is told to stop ends what it has begun, and begins nothing more."""
    bench.put(workload("web", web=OLD))
    bench.backends[0].gate = asyncio.Event()
    async with bench.working():
        await bench.deliver(push("1.5.0"))
        await asyncio.sleep(0.05)
        bench.worker.stop()
        bench.backends[0].gate.set()
        (record,) = await bench.ended()
    assert record.outcome == "updated"


async def test_a_stop_returns_what_does_not_end_in_time(store: SqlStore) -> None:
    """What hangs when the worker stops goes back into the queue, free for the next one at once."""
    hanging = MemoryBackend(gate=asyncio.Event())
    bench = Bench(store, [hanging], WorkerOptions(shutdown_seconds=0.1))
    bench.put(workload("web", web=OLD))
    async with bench.working():
        await bench.deliver(push("1.5.0"))
        await asyncio.sleep(0.05)
    (record,) = await store.pushes(PushQuery())
    assert (record.state, record.attempts) == ("queued", 0)
    hanging.gate = None
    following = Bench(store, [hanging])
    async with following.working():
        (record,) = await following.ended()
    assert record.outcome == "updated"


async def test_a_mistake_of_ours_is_told_and_tried_again(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    """An error that nobody foresaw is logged with its traceback, and loses neither the push nor the worker."""
    bench.put(workload("web", web=OLD))
    backend = bench.backends[0]
    find, calls = backend.find, 0

    async def broken(*arguments: object) -> object:
        nonlocal calls
        calls += 1
        if calls == 1:
            raise ZeroDivisionError("of all things")
        return await find()

    monkeypatch.setattr(backend, "find", broken)
    with capture_logs() as logs:
        async with bench.working():
            await bench.deliver(push("1.5.0"))
            (record,) = await bench.ended()
    assert record.outcome == "updated"
    assert record.attempts == 2
    assert any(line["log_level"] == "error" and "mistake in Argoos" in line["event"] for line in logs)


async def test_a_store_that_is_away_for_a_moment_stops_nothing(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    """A store that cannot be written when a push is to be settled is asked again until it can."""
    bench.put(workload("web", web=OLD))
    settle, calls = bench.store.settle, 0

    async def unwilling(*arguments: object, **named: object) -> bool:
        nonlocal calls
        calls += 1
        if calls == 1:
            raise StoreUnavailable("the disk is full")
        return await settle(*arguments, **named)  # type: ignore[arg-type]

    monkeypatch.setattr(bench.store, "settle", unwilling)
    async with bench.working():
        await bench.deliver(push("1.5.0"))
        (record,) = await bench.ended()
    assert record.outcome == "updated"
    assert bench.backends[0].writes == 1


async def test_repositories_are_worked_on_in_parallel_but_bounded(store: SqlStore) -> None:
    """As many repositories as allowed are under way at once, no more."""
    backend = MemoryBackend(gate=asyncio.Event())
    bench = Bench(store, [backend], WorkerOptions(parallel=3))
    repositories = [f"registry.example/shop/{number}" for number in range(8)]
    bench.put(*(workload(name.rpartition("/")[2], web=f"{name}:1.4.2") for name in repositories))
    async with AsyncExitStack() as stack:
        await stack.enter_async_context(bench.working())
        await bench.deliver(*(push("1.5.0", repository=name) for name in repositories))

        async def running() -> int:
            return sum(one.state is PushState.RUNNING for one in await store.pushes(PushQuery(limit=100)))

        await until(running, lambda count: count >= 3)
        await asyncio.sleep(0.1)
        assert await running() == 3
        assert backend.gate is not None
        backend.gate.set()
        records = await bench.ended(8)
    assert {record.outcome for record in records} == {"updated"}
