"""The composition as a whole: it serves, it stops in order, and it never goes on without one of its parts."""

import asyncio
import os
import signal
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp
import pytest
import trustme
from structlog.testing import capture_logs

from argoos import app
from argoos.errors import BackendUnavailable, PermanentError
from argoos.settings import Need, Settings, Surroundings, load
from tests.fakes.backend import MemoryBackend
from tests.servers.process import free_port

Ask = Callable[[str], Awaitable[tuple[int, str]]]


def settings(folder: Path, text: str = "") -> Settings:
    """Return settings with a backend of files in `folder`, on a free port."""
    (folder / "deploy").mkdir(exist_ok=True)
    (folder / "argoos.yaml").write_text(
        f"listen: 127.0.0.1:{free_port()}\nbackends: [{{kind: manifests, path: deploy}}]\n"
        f"database: sqlite:///argoos.db\n{text}\n"
    )
    return load(need=Need.ALL, surroundings=Surroundings(environ={}, directory=folder)).settings


@asynccontextmanager
async def serving(given: Settings, **tls: Any) -> AsyncIterator[Ask]:
    """Serve until the context ends with SIGTERM; yields a way to ask the daemon."""
    task = asyncio.create_task(app.serve(given))
    scheme = "https" if tls else "http"

    async with aiohttp.ClientSession() as session:

        async def ask(path: str, port: int | None = None) -> tuple[int, str]:
            url = f"{scheme}://127.0.0.1:{port or given.listen.port}{path}"
            async with session.get(url, **tls) as answer:
                return answer.status, await answer.text()

        async with asyncio.timeout(10):
            while not task.done():
                try:
                    if (await ask("/readyz"))[0] == 200:
                        break
                except aiohttp.ClientConnectionError:
                    await asyncio.sleep(0.02)
        try:
            if task.done():
                await task
            yield ask
            os.kill(os.getpid(), signal.SIGTERM)
            await asyncio.wait_for(task, 10)
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)


async def test_it_serves_until_it_is_told_to_stop(tmp_path: Path) -> None:
    """The daemon answers, says loudly that no token is set, and ends in good order at SIGTERM."""
    with capture_logs() as logs:
        async with serving(settings(tmp_path)) as ask:
            assert await ask("/healtz") == (200, "ok\n")
            assert (await ask("/metrics"))[0] == 200
    said = [line["event"] for line in logs]
    assert any("no token is set" in line for line in said)
    assert said[-1] == "stopped"


async def test_metrics_may_have_an_address_of_their_own(tmp_path: Path) -> None:
    """With `metrics_listen`, the metrics are there and nowhere else."""
    given = settings(tmp_path, f"metrics_listen: 127.0.0.1:{free_port()}")
    async with serving(given) as ask:
        assert (await ask("/metrics"))[0] == 404
        assert given.metrics_listen is not None
        async with (
            aiohttp.ClientSession() as session,
            session.get(f"http://127.0.0.1:{given.metrics_listen.port}/metrics") as answer,
        ):
            assert "argoos_queue_depth" in await answer.text()


async def test_it_serves_https(tmp_path: Path) -> None:
    """With `server_cert` and `server_key`, everything is served over TLS."""
    authority = trustme.CA()
    made = authority.issue_cert("127.0.0.1")
    made.cert_chain_pems[0].write_to_path(tmp_path / "cert.pem")
    made.private_key_pem.write_to_path(tmp_path / "key.pem")
    trust = ssl.create_default_context()
    authority.configure_trust(trust)
    given = settings(tmp_path, "server_cert: cert.pem\nserver_key: key.pem")
    async with serving(given, ssl=trust) as ask:
        assert (await ask("/healthz"))[0] == 200


async def test_a_part_that_fails_ends_the_whole(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A background task that dies takes the daemon with it: it never goes on half alive."""

    class Dying(MemoryBackend):
        async def run(self) -> None:
            await asyncio.sleep(0.05)
            raise ZeroDivisionError("of all things")

    monkeypatch.setattr(app, "_backend", lambda *_: Dying())
    with pytest.raises(ExceptionGroup) as caught:
        await asyncio.wait_for(app.serve(settings(tmp_path)), 10)
    assert caught.group_contains(ZeroDivisionError)


async def test_a_port_that_is_taken_is_said(tmp_path: Path) -> None:
    """An address that another process listens on ends the start with the reason."""
    given = settings(tmp_path)
    taken = await asyncio.start_server(lambda *_: None, given.listen.host, given.listen.port)
    async with taken:
        with pytest.raises(ExceptionGroup) as caught:
            await asyncio.wait_for(app.serve(given), 10)
    assert caught.group_contains(PermanentError, match="another process listens there")


async def test_a_plan_does_not_wait_for_ever(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A dry run over a backend that cannot read its list ends with the backend's own words."""
    monkeypatch.setattr(app, "_backend", lambda *_: MemoryBackend(synced=False))
    with pytest.raises(BackendUnavailable, match="memory: switched off by the test"):
        async with app.planner_for(settings(tmp_path), timeout_seconds=0.1):
            pass
