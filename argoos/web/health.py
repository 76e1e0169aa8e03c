"""``/healthz``, ``/healtz`` (the original's spelling) and ``/readyz``, for probes."""

import asyncio

import orjson
from aiohttp import web

from argoos.errors import StoreUnavailable
from argoos.web.collaborators import Collaborators

FRESH_SECONDS = 2.0
"""How long one proof that the store can be written serves all probes."""

CHECK_SECONDS = 5.0
"""After which a store that has not answered counts as away."""


class Health:
    """Answers probes.

    Args:
        given: the collaborators.
    """

    def __init__(self, given: Collaborators) -> None:
        self._history = given.history
        self._backends = tuple(given.backends)
        self._now = given.now
        self._checking = asyncio.Lock()
        self._fresh_until = float("-inf")
        self._failure = ""

    async def alive(self, _: web.Request) -> web.Response:
        """Answer 200 while the process can write its store: what it cannot keep it must not accept."""
        failure = await self._store_failure()
        return web.Response(status=503, text=f"{failure}\n") if failure else web.Response(text="ok\n")

    async def ready(self, _: web.Request) -> web.Response:
        """Answer 200 while every backend's list is current and the store can be written; say which is not."""
        failure = await self._store_failure()
        statuses = [(backend.name, backend.status()) for backend in self._backends]
        ready = not failure and all(status.synced for _, status in statuses)
        document = {
            "ready": ready,
            "store": {"writable": not failure, "detail": failure},
            "backends": [
                {"backend": name, "synced": status.synced, "detail": status.detail} for name, status in statuses
            ],
        }
        return web.Response(status=200 if ready else 503, body=orjson.dumps(document), content_type="application/json")

    async def _store_failure(self) -> str:
        """Return why the store cannot be written, or ""; many probes at once make one write."""
        loop = asyncio.get_running_loop()
        async with self._checking:
            if loop.time() >= self._fresh_until:
                self._failure = await self._check()
                self._fresh_until = loop.time() + FRESH_SECONDS
            return self._failure

    async def _check(self) -> str:
        try:
            async with asyncio.timeout(CHECK_SECONDS):
                await self._history.check(now=self._now())
        except StoreUnavailable as error:
            return str(error)
        except TimeoutError:
            return f"the store has not answered for {CHECK_SECONDS:.0f} seconds"
        return ""
