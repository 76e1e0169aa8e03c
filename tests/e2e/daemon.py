"""`argoos serve` as its users run it: a process of its own, with a file of settings, a database and a token."""

import asyncio
import json
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import aiohttp

from tests.servers.process import Command, Server, free_port, http_ok

TOKEN = "example-token"
ARGOOS = str(Path(sys.executable).with_name("argoos"))
SETTLED = {"done", "failed"}


@dataclass
class Daemon:
    """A daemon on a port of its own, its files in `directory`. Started and stopped by `server`, as often as wanted."""

    directory: Path
    settings: Mapping[str, Any]
    port: int = field(default_factory=free_port)
    environment: Mapping[str, str] = field(default_factory=dict)
    flags: tuple[str, ...] = ()
    token: str = TOKEN

    def __post_init__(self) -> None:
        """Write the settings down."""
        self.directory.mkdir(parents=True, exist_ok=True)
        self.url = f"http://127.0.0.1:{self.port}"
        self.event_url = f"{self.url}/event"
        config = self.directory / "argoos.yaml"
        argv: tuple[str, ...] = (ARGOOS, *self.flags)
        if self.settings:
            base = {"listen": f"127.0.0.1:{self.port}", "database": "sqlite:///argoos.db", "tokens": [self.token]}
            config.write_text(json.dumps({**base, **self.settings}))  # JSON is YAML
            argv = (ARGOOS, "serve", "--config", str(config))
        command = Command(argv=argv, ready=http_ok(f"{self.url}/healthz"), environment=self.environment)
        self.server = Server("argoos", command, self.directory)

    async def ready(self) -> None:
        """Wait until every backend is synced."""
        probe = http_ok(f"{self.url}/readyz")
        async with asyncio.timeout(30):
            while not await probe():
                await asyncio.sleep(0.05)

    async def get(self, path: str, **query: str) -> Any:
        """Return what the API says."""
        headers = {"X-Argoos-Token": self.token}
        async with (
            aiohttp.ClientSession(self.url, headers=headers) as session,
            session.get(path, params=query) as answer,
        ):
            assert answer.status == 200, f"{path}: {answer.status} {await answer.text()}"
            return await answer.json()

    async def text(self, path: str) -> str:
        """Return what an open path answers."""
        async with aiohttp.ClientSession(self.url) as session, session.get(path) as answer:
            return await answer.text()

    async def status(self, path: str) -> int:
        """Return the status that an open path answers."""
        async with aiohttp.ClientSession(self.url) as session, session.get(path) as answer:
            return answer.status

    async def post(self, body: bytes, *, token: str | None = None) -> int:
        """Post a delivery and return the status of the answer."""
        headers = {"X-Argoos-Token": self.token if token is None else token}
        async with (
            aiohttp.ClientSession() as session,
            session.post(self.event_url, data=body, headers=headers) as answer,
        ):
            return answer.status

    async def pushes(self, **query: str) -> list[dict[str, Any]]:
        """Return the history, the newest first."""
        answer = await self.get("/api/v1/pushes", **query)
        found: list[dict[str, Any]] = answer["pushes"] if isinstance(answer, dict) else answer
        return found

    async def accepted(self, count: int) -> list[dict[str, Any]]:
        """Wait until that many pushes are in the history, settled or not."""
        async with asyncio.timeout(30):
            while len(found := await self.pushes()) < count:
                await asyncio.sleep(0.05)
        return found

    async def settled(self, tag: str, *, count: int = 1, seconds: float = 30) -> dict[str, Any]:
        """Wait until `count` pushes of the tag are settled, and return the newest with its steps."""
        found: list[dict[str, Any]] = []
        try:
            async with asyncio.timeout(seconds):
                while True:
                    found = await self.pushes(tag=tag)
                    if len(found) >= count and all(push["state"] in SETTLED for push in found):
                        push: dict[str, Any] = await self.get(f"/api/v1/pushes/{found[0]['id']}")
                        return push
                    await asyncio.sleep(0.05)
        except TimeoutError:
            raise AssertionError(f"{tag} was not settled in {seconds} s: {found}\n{self.server.tail()}") from None


def actions(push: Mapping[str, Any]) -> dict[str, str]:
    """Return what became of each container: ``workload/container`` -> ``update`` or the reason."""
    return {
        f"{step['workload']}/{step['container']}": step["reason"] or f"{step['action']} {step['result']}"
        for step in push["steps"]
    }
