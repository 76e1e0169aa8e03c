"""Probes, metrics and the index."""

import asyncio
from dataclasses import replace

import pytest

from argoos.core.record import Outcome, StepRecord
from argoos.web.server import Listening, metrics_site, serve
from tests.web.conftest import PUSH, Client, Start, World


@pytest.mark.parametrize("path", ["/healthz", "/healtz"])
@pytest.mark.parametrize("method", ["GET", "HEAD"])
async def test_alive_while_the_store_can_be_written(client: Client, path: str, method: str) -> None:
    """Both spellings, both methods."""
    answer = await client.request(method, path)
    assert (answer.status, await answer.text()) == (200, "" if method == "HEAD" else "ok\n")


@pytest.mark.parametrize("path", ["/healthz", "/healtz"])
async def test_a_store_that_cannot_be_written_is_503_with_the_reason(client: Client, world: World, path: str) -> None:
    """Who looks sees why."""
    world.store.failure = "the disk is full"
    answer = await client.get(path)
    assert (answer.status, await answer.text()) == (503, "the disk is full\n")


async def test_many_probes_make_one_write(client: Client, world: World) -> None:
    """The proof serves everybody for two seconds, whoever asks."""
    paths = ["/healthz", "/healtz", "/readyz"] * 10
    answers = await asyncio.gather(*(client.get(path) for path in paths))
    assert {answer.status for answer in answers} == {200}
    assert world.store.checks == 1


async def test_the_proof_does_not_outlive_its_time(
    client: Client, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A store that fails is noticed, and one that recovers as well."""
    monkeypatch.setattr("argoos.web.health.FRESH_SECONDS", 0.0)
    for failure, status in (("", 200), ("the disk is full", 503), ("", 200)):
        world.store.failure = failure
        assert (await client.get("/healthz")).status == status


async def test_a_store_that_does_not_answer_counts_as_away(start: Start, monkeypatch: pytest.MonkeyPatch) -> None:
    """A probe is answered in bounded time."""

    class Hanging:
        async def check(self, **_: object) -> None:
            await asyncio.Event().wait()

    monkeypatch.setattr("argoos.web.health.CHECK_SECONDS", 0.01)
    answer = await (await start(history=Hanging())).get("/healthz")
    assert (answer.status, "has not answered" in await answer.text()) == (503, True)


async def test_ready_once_every_backend_is_synced(client: Client, world: World) -> None:
    """Each backend is listed with what is amiss."""
    world.backend.synced = False
    answer = await client.get("/readyz")
    assert answer.status == 503
    assert await answer.json() == {
        "ready": False,
        "store": {"writable": True, "detail": ""},
        "backends": [{"backend": "memory", "synced": False, "detail": "switched off by the test"}],
    }
    world.backend.synced = True
    answer = await client.get("/readyz")
    assert (answer.status, (await answer.json())["ready"]) == (200, True)


async def test_not_ready_without_a_store(client: Client, world: World) -> None:
    """What cannot be kept must not be sent here."""
    world.store.failure = "the disk is full"
    answer = await client.get("/readyz")
    assert (answer.status, (await answer.json())["store"]) == (503, {"writable": False, "detail": "the disk is full"})


async def test_metrics_show_the_queue_and_the_backends(client: Client, world: World) -> None:
    """The gauges are read when somebody asks."""
    await client.post("/event", data=PUSH)
    world.backend.synced = False
    answer = await client.get("/metrics")
    assert answer.headers["Content-Type"].startswith("text/plain; version=0.0.4")
    shown = await answer.text()
    assert "argoos_queue_depth 1.0" in shown
    assert "argoos_oldest_waiting_push_seconds 1.0" in shown
    assert 'argoos_backend_synced{backend="memory"} 0.0' in shown
    assert "process_resident_memory_bytes" in shown


async def test_metrics_survive_a_store_that_is_away(client: Client, world: World) -> None:
    """What cannot be read is NaN; all else is there."""
    world.store.failure = "the disk is full"
    answer = await client.get("/metrics")
    assert answer.status == 200
    shown = await answer.text()
    assert "argoos_queue_depth NaN" in shown
    assert 'argoos_backend_synced{backend="memory"} 1.0' in shown


async def test_what_the_worker_tells_is_shown(client: Client, world: World) -> None:
    """Outcomes, steps by action and reason, and the time to the patch."""
    update = StepRecord(
        backend="m", kind="Deployment", namespace="shop", workload="web", container="c0", policy="minor",
        current="1.4.1", candidate="1.4.2", image="web:1.4.2", action="update", reason=None, detail="",
    )  # fmt: skip
    skip = replace(update, image=None, action="skip", reason="held")
    world.metrics.settled(Outcome.UPDATED, [update, skip, skip])
    world.metrics.patched(0.04)
    shown = await (await client.get("/metrics")).text()
    assert 'argoos_pushes_total{outcome="updated",reason=""} 1.0' in shown
    assert 'argoos_steps_total{action="update",reason=""} 1.0' in shown
    assert 'argoos_steps_total{action="skip",reason="held"} 2.0' in shown
    assert 'argoos_push_to_patch_seconds_bucket{le="0.05"} 1.0' in shown
    assert 'argoos_push_to_patch_seconds_bucket{le="0.025"} 0.0' in shown


async def test_metrics_can_move_to_an_address_of_their_own(start: Start, world: World) -> None:
    """Then the site has none, and the other address nothing else."""
    client = await start(serve_metrics=False)
    assert (await client.get("/metrics")).status == 404
    async with serve(metrics_site(world.collaborators()), Listening(host="127.0.0.1", port=0)) as url:
        answer = await client.get(f"{url}/metrics")
        assert "argoos_queue_depth" in await answer.text()
        assert (await client.get(f"{url}/event")).status == 404


async def test_the_index_lists_what_there_is(client: Client) -> None:
    """Plain text that names every address, each of which answers."""
    text = await (await client.get("/")).text()
    paths = [word for word in text.split() if word.startswith("/") and "ID" not in word]
    assert len(paths) == 8
    for path in paths:
        assert (await client.get(path)).status != 404


@pytest.mark.parametrize("path", ["/", "/healthz", "/healtz", "/readyz", "/metrics"])
@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE"])
async def test_other_methods_are_405(client: Client, path: str, method: str) -> None:
    """With Allow, as everywhere."""
    answer = await client.request(method, path)
    assert (answer.status, answer.headers["Allow"]) == (405, "GET,HEAD")
