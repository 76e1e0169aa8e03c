"""An API server as a bare client sees it: create, PATCH, and a watch that notes when an image is seen to run."""

import asyncio
import time
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from typing import Any

import aiohttp
import orjson

from bench.notification import Pushed

NAMESPACE = "bench"
PATH = f"/apis/apps/v1/namespaces/{NAMESPACE}/deployments"
JSON_PATCH = "application/json-patch+json"

Json = dict[str, Any]


class Refused(Exception):
    """The API server refused a call of the benchmark itself."""


class Cluster:
    """Calls to one API server over connections that are kept open. Certificates are not looked at.

    Args:
        session: carries the token of whom the calls are made for.
        url: of the API server.
    """

    def __init__(self, session: aiohttp.ClientSession, url: str) -> None:
        self._session = session
        self._url = url

    @classmethod
    @asynccontextmanager
    async def opened(cls, url: str, token: str) -> AsyncIterator["Cluster"]:
        """Open it for the owner of a token."""
        connector = aiohttp.TCPConnector(ssl=False)
        headers = {"Authorization": f"Bearer {token}"}
        async with aiohttp.ClientSession(connector=connector, headers=headers) as session:
            yield cls(session, url)

    async def call(self, method: str, path: str, body: bytes | None = None, **query: str) -> bytes:
        """Make one call and return what it was answered with.

        Raises:
            Refused: the answer is no success.
        """
        content_type = JSON_PATCH if method == "PATCH" else "application/json"
        async with self._session.request(
            method, self._url + path, data=body, params=query, headers={"Content-Type": content_type}
        ) as answer:
            text = await answer.read()
            if answer.status >= 300:
                raise Refused(f"{method} {path}: {answer.status} {text[:500].decode(errors='replace')}")
            return text

    async def patch(self, name: str, push: Pushed) -> float:
        """Write the image of a push into the Deployment's first container, by one JSON Patch like those of Argoos.

        Returns when it was sent (`time.perf_counter`), once it is answered.
        """
        operations = [
            {"op": "test", "path": "/spec/template/spec/containers/0/name", "value": "app"},
            {"op": "replace", "path": "/spec/template/spec/containers/0/image", "value": push.image},
            {"op": "add", "path": "/metadata/annotations/example.com~1last-push", "value": push.image},
        ]
        sent_seconds = time.perf_counter()
        await self.call("PATCH", f"{PATH}/{name}", orjson.dumps(operations), fieldManager="bench")
        return sent_seconds

    async def patch_all(self, pushes: Mapping[str, Pushed], *, parallel: int) -> float:
        """Patch every Deployment (by name) to its push, so many at a time; return when the first was sent."""
        allowed = asyncio.Semaphore(parallel)

        async def one(name: str, push: Pushed) -> float:
            async with allowed:
                return await self.patch(name, push)

        return min(await asyncio.gather(*(one(name, push) for name, push in pushes.items())))

    async def images(self) -> dict[str, str]:
        """Return what the first container of each Deployment runs, by the Deployment's name."""
        listed: Json = orjson.loads(await self.call("GET", PATH))
        return {
            each["metadata"]["name"]: each["spec"]["template"]["spec"]["containers"][0]["image"]
            for each in listed["items"]
        }

    async def version(self) -> str:
        """Return the resourceVersion of now."""
        listed: Json = orjson.loads(await self.call("GET", PATH, limit="1"))
        version: str = listed["metadata"]["resourceVersion"]
        return version

    @asynccontextmanager
    async def watched(self) -> AsyncIterator["Sightings"]:
        """Watch all Deployments from now on, and note which image is seen where and when."""
        sightings = Sightings()
        query = {"watch": "true", "resourceVersion": await self.version()}
        quiet = aiohttp.ClientTimeout(total=None)
        async with self._session.get(self._url + PATH, params=query, timeout=quiet) as answer:
            reading = asyncio.create_task(sightings.follow(answer.content))
            try:
                yield sightings
            finally:
                reading.cancel()
                with suppress(asyncio.CancelledError):
                    await reading


class Sightings:
    """When each image was first seen to be what a Deployment runs."""

    def __init__(self) -> None:
        self._seen: dict[tuple[str, str], asyncio.Future[float]] = {}

    async def follow(self, lines: aiohttp.StreamReader) -> None:
        """Read the events of a watch until cancelled."""
        async for line in lines:
            seen_seconds = time.perf_counter()
            deployment: Json = orjson.loads(line)["object"]
            name: str = deployment["metadata"]["name"]
            for container in deployment["spec"]["template"]["spec"]["containers"]:
                sighting = self._sighting(name, container["image"])
                if not sighting.done():
                    sighting.set_result(seen_seconds)

    async def of(self, name: str, push: Pushed, *, timeout_seconds: float = 60) -> float:
        """Wait until the Deployment is seen with the push's image; return when that was (`time.perf_counter`).

        Raises:
            TimeoutError: it was not seen in time.
        """
        async with asyncio.timeout(timeout_seconds):
            return await asyncio.shield(self._sighting(name, push.image))

    async def of_all(self, pushes: Mapping[str, Pushed], *, timeout_seconds: float = 60) -> Sequence[float]:
        """Wait until each Deployment (by name) is seen with its push's image; return when each was."""
        return await asyncio.gather(
            *(self.of(name, push, timeout_seconds=timeout_seconds) for name, push in pushes.items())
        )

    def _sighting(self, name: str, image: str) -> "asyncio.Future[float]":
        return self._seen.setdefault((name, image), asyncio.get_running_loop().create_future())
