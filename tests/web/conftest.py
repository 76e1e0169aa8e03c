"""A site on a free port with a store in memory, and a client for it."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from argoos.core.image import ImageRef, RegistryNames
from argoos.core.workload import Container, Workload, WorkloadRef
from argoos.metrics import Metrics
from argoos.planner import Planner
from argoos.receivers import RECEIVERS
from argoos.web.collaborators import Collaborators
from argoos.web.server import Listening, serve, site
from tests.fakes.backend import MemoryBackend
from tests.fakes.store import MemoryStore

NOW = datetime(2026, 11, 21, 14, 0, tzinfo=UTC)
EVENTS = Path(__file__).parent.parent / "fixtures" / "events"
PUSH = (EVENTS / "3.1.2" / "01-single-oci" / "04.json").read_bytes()
BLOB = (EVENTS / "3.1.2" / "01-single-oci" / "01.json").read_bytes()
NAMES = RegistryNames({"registry.example.com": ["127.0.0.1:5002"]})


@dataclass
class World:
    """What stands behind the site; a test changes it and looks at it."""

    store: MemoryStore = field(default_factory=MemoryStore)
    backend: MemoryBackend = field(default_factory=lambda: MemoryBackend(names=NAMES))
    metrics: Metrics = field(default_factory=Metrics)
    tokens: list[str] = field(default_factory=list)
    api_tokens: list[str] = field(default_factory=list)
    wakes: int = 0
    now: datetime = NOW

    def collaborators(self, **over: Any) -> Collaborators:
        """Return what the site is given, with some of it replaced."""
        planner = Planner(backends=[self.backend], history=self.store, names=NAMES, settle_seconds=30)
        given = Collaborators(
            receiver=RECEIVERS["distribution"],
            store=self.store,
            history=self.store,
            planner=planner,
            backends=[self.backend],
            names=NAMES,
            metrics=self.metrics,
            wake=self._wake,
            now=self._tick,
            tokens=lambda: self.tokens,
            api_tokens=lambda: self.api_tokens,
        )
        return replace(given, **over)

    def run(self, workload: str, *images: str, policy: str = "minor") -> None:
        """Let a workload run images in containers c0, c1 and so on."""
        ref = WorkloadRef(backend="memory", kind="Deployment", namespace="shop", name=workload, uid=workload)
        containers = tuple(
            Container(name=f"c{index}", image=ImageRef.parse(image), index=index) for index, image in enumerate(images)
        )
        self.backend.workloads[ref] = Workload(ref=ref, rules={"argoos.io/policy": policy}, containers=containers)

    def _wake(self) -> None:
        self.wakes += 1

    def _tick(self) -> datetime:
        self.now += timedelta(seconds=1)
        return self.now


Client = aiohttp.ClientSession
Start = Callable[..., Awaitable[Client]]


@pytest.fixture
def world() -> World:
    """What stands behind the site."""
    return World()


@pytest.fixture
async def start(world: World) -> AsyncIterator[Start]:
    """Serve the site, with some collaborators replaced, and give a client whose paths start at it."""
    async with AsyncExitStack() as stack:

        async def started(**over: Any) -> Client:
            listening = Listening(host="127.0.0.1", port=0, grace_seconds=1)
            url = await stack.enter_async_context(serve(site(world.collaborators(**over)), listening))
            return await stack.enter_async_context(aiohttp.ClientSession(url))

        yield started


@pytest.fixture
async def client(start: Start) -> Client:
    """A client of the site as it stands by default."""
    return await start()
