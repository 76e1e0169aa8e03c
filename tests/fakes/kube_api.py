"""An API server that speaks as much of the Kubernetes API as Argoos uses, as seen on kube-apiserver 1.36.

Lists in pages, watches (with or without an initial list), JSON patches, Events, and every refusal on demand.
It forgets nothing and checks little: the tests against the real server say that this one tells the truth.
"""

import asyncio
import copy
import itertools
import json
import ssl
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web
from aiohttp.test_utils import TestServer

from tests.fakes.json_patch import PatchRefused, apply_patch
from tests.fakes.kube_status import Object, failure, status

PLURALS = {"Deployment": "deployments", "StatefulSet": "statefulsets", "DaemonSet": "daemonsets", "CronJob": "cronjobs"}
SELECTED = "argoos.io/policy"

Trouble = Callable[[web.Request], web.Response | None]


@dataclass
class FakeKubeApi:
    """The state of the server, and what tests turn on it.

    `trouble` is asked before each request is served and may answer in its place; `hang_up_after_write` cuts the
    connection of the next patch when it is done, `away` that of every request. `watch_list` False: an etcd that cannot
    do it; `watch_list_known` False: a server too old to know the parameters. `token` is the one it accepts ("": any
    request).

    Each patch takes `delay_seconds`; `most_at_once` is how many were under way together. With `hold_events`, watches
    tell nothing until `release_events`.
    """

    token: str = ""
    trouble: Trouble | None = None
    watch_list: bool = True
    watch_list_known: bool = True
    hang_up_after_write: bool = False
    away: bool = False
    delay_seconds: float = 0
    hold_events: bool = False
    most_at_once: int = 0
    objects: dict[tuple[str, str, str], Object] = field(default_factory=dict)
    events: dict[tuple[str, str], Object] = field(default_factory=dict)
    writes: int = 0
    requests: list[web.Request] = field(default_factory=list)
    forgotten: int = 0
    _history: list[tuple[int, str, Object, Object]] = field(default_factory=list)
    _version: "itertools.count[int]" = field(default_factory=lambda: itertools.count(1))
    _latest: int = 0
    _released: int = 0
    _patching: int = 0
    _changed: asyncio.Condition = field(default_factory=asyncio.Condition)
    _watching: set[asyncio.Task[Any]] = field(default_factory=set)

    def app(self) -> web.Application:
        """Return the aiohttp application."""
        app = web.Application(middlewares=[self._guard], client_max_size=2**23)
        for base in ("/apis/apps/v1", "/apis/batch/v1"):
            for path in (f"{base}/{{plural}}", f"{base}/namespaces/{{namespace}}/{{plural}}"):
                app.router.add_get(path, self._read_many)
            one = f"{base}/namespaces/{{namespace}}/{{plural}}/{{name}}"
            app.router.add_get(one, self._read_one)
            app.router.add_patch(one, self._patch)
        app.router.add_post("/api/v1/namespaces/{namespace}/events", self._add_event)
        return app

    async def put(self, raw: Object) -> Object:
        """Create or replace an object as `kubectl replace` would."""
        raw = copy.deepcopy(raw)
        key = _key(raw)
        known = self.objects.get(key)
        raw["metadata"]["uid"] = known["metadata"]["uid"] if known else f"uid-{next(self._version)}"
        await self._keep(key, raw)
        return raw

    async def remove(self, kind: str, namespace: str, name: str) -> None:
        """Delete an object."""
        gone = self.objects.pop((PLURALS[kind], namespace, name))
        await self._record("DELETED", gone, copy.deepcopy(gone))

    def forget(self) -> None:
        """Compact: every version up to now is 410 Gone for a new watch."""
        self.forgotten = self._latest

    async def bookmark(self) -> None:
        """Send a bookmark on every watch."""
        await self._record("BOOKMARK", {}, {"metadata": {}})

    async def release_events(self, limit: int) -> None:
        """Let the watches tell the next `limit` of what was held, and give clients the time to read it."""
        self._released = [entry[0] for entry in self._history if entry[0] > self._released][:limit][-1]
        async with self._changed:
            self._changed.notify_all()
        await asyncio.sleep(0.05)

    def cut(self) -> None:
        """Break every open watch, as a server that dies does."""
        for task in self._watching:
            task.cancel()

    @property
    def watches(self) -> int:
        """How many watches are open."""
        return len(self._watching)

    async def _keep(self, key: tuple[str, str, str], raw: Object) -> None:
        before = self.objects.get(key)
        self.objects[key] = raw
        await self._record("PUT", before or {}, raw)

    async def _record(self, what: str, before: Object, raw: Object) -> None:
        self._latest = next(self._version)
        raw["metadata"]["resourceVersion"] = str(self._latest)
        self._history.append((self._latest, what, before, copy.deepcopy(raw)))
        if not self.hold_events:
            self._released = self._latest
        async with self._changed:
            self._changed.notify_all()

    @web.middleware
    async def _guard(self, request: web.Request, handler: Any) -> web.StreamResponse:
        self.requests.append(request)
        if self.away:
            _hang_up(request)
        if self.trouble is not None and (answer := self.trouble(request)) is not None:
            return answer
        if self.token and request.headers.get("Authorization") != f"Bearer {self.token}":
            return status(401, "Unauthorized")
        response: web.StreamResponse = await handler(request)
        return response

    def _selected(self, request: web.Request, raw: Object) -> bool:
        metadata = raw.get("metadata", {})
        plural, namespace = request.match_info["plural"], request.match_info.get("namespace")
        return (
            PLURALS.get(raw.get("kind", "")) == plural
            and namespace in {None, metadata["namespace"]}
            and SELECTED in metadata.get("labels", {})
        )

    async def _read_many(self, request: web.Request) -> web.StreamResponse:
        assert request.query["labelSelector"] == SELECTED
        if request.query.get("watch"):
            return await self._watch(request)
        start, limit = int(request.query.get("continue") or 0), int(request.query["limit"])
        found = [raw for _, raw in sorted(self.objects.items()) if self._selected(request, raw)]
        metadata: Object = {"resourceVersion": str(self._latest)}
        if len(found) > start + limit:
            metadata["continue"] = str(start + limit)
        items = [{key: raw[key] for key in raw if key not in {"kind", "apiVersion"}} for raw in found]
        return web.json_response({"kind": "List", "metadata": metadata, "items": items[start : start + limit]})

    async def _watch(self, request: web.Request) -> web.StreamResponse:
        initial = "sendInitialEvents" in request.query
        if initial and not self.watch_list_known:
            return status(422, "sendInitialEvents is forbidden for watch", [{"field": "sendInitialEvents"}])
        response = web.StreamResponse(headers={"Content-Type": "application/json"})
        await response.prepare(request)
        task = asyncio.create_task(self._stream(request, response, initial=initial))
        self._watching.add(task)
        try:
            async with asyncio.timeout(float(request.query["timeoutSeconds"])):
                await task
        except TimeoutError:
            return response
        except asyncio.CancelledError:
            task.cancel()
            _hang_up(request)
        finally:
            self._watching.discard(task)
        return response

    async def _stream(self, request: web.Request, response: web.StreamResponse, *, initial: bool) -> None:
        version = self._latest
        if initial and not self.watch_list:
            return await _send(response, "ERROR", failure(500, "the storage feature RequestWatchProgress is disabled"))
        if initial:
            for _, raw in sorted(self.objects.items()):
                if self._selected(request, raw):
                    await _send(response, "ADDED", raw)
            end = {"resourceVersion": str(version), "annotations": {"k8s.io/initial-events-end": "true"}}
            await _send(response, "BOOKMARK", {"metadata": end})
        else:
            version = int(request.query["resourceVersion"])
            if version < self.forgotten:
                return await _send(response, "ERROR", failure(410, "too old resource version"))
        async for event in self._after(version):
            await self._tell(request, response, event)
        return None

    async def _after(self, version: int) -> AsyncIterator[tuple[int, str, Object, Object]]:
        while True:
            for entry in [entry for entry in self._history if version < entry[0] <= self._released]:
                version = entry[0]
                yield entry
            async with self._changed:
                await self._changed.wait_for(lambda: self._released > version)  # noqa: B023  # read while waiting

    async def _tell(
        self, request: web.Request, response: web.StreamResponse, entry: tuple[int, str, Object, Object]
    ) -> None:
        number, what, before, raw = entry
        was, is_now = self._selected(request, before), self._selected(request, raw)
        if what == "BOOKMARK":
            await _send(response, "BOOKMARK", raw)
        elif was and (what == "DELETED" or not is_now):  # a label that goes: the old object, with the new version
            gone = copy.deepcopy(before)
            gone["metadata"]["resourceVersion"] = str(number)
            await _send(response, "DELETED", gone)
        elif is_now:
            await _send(response, "MODIFIED" if was else "ADDED", raw)

    async def _read_one(self, request: web.Request) -> web.Response:
        raw = self.objects.get(_requested(request))
        return web.json_response(raw) if raw else status(404, "not found")

    async def _patch(self, request: web.Request) -> web.Response:
        assert request.content_type == "application/json-patch+json"
        assert request.query["fieldManager"] == "argoos"
        self._patching += 1
        self.most_at_once = max(self.most_at_once, self._patching)
        await asyncio.sleep(self.delay_seconds)
        self._patching -= 1
        key = _requested(request)
        raw = self.objects.get(key)
        if raw is None:
            return status(404, "not found")
        try:
            changed = apply_patch(raw, json.loads(await request.read()))
        except PatchRefused:
            return status(422, "the server rejected our request due to an error in our request")
        if changed != raw:
            self.writes += 1
            await self._keep(key, changed)
        if self.hang_up_after_write:
            self.hang_up_after_write = False
            _hang_up(request)
        return web.json_response(self.objects[key])

    async def _add_event(self, request: web.Request) -> web.Response:
        event = await request.json()
        key = (request.match_info["namespace"], event["metadata"]["name"])
        if key in self.events:
            return status(409, "already exists")
        self.events[key] = event
        return web.json_response(event, status=201)


@asynccontextmanager
async def serving(api: FakeKubeApi, port: int | None = None, tls: ssl.SSLContext | None = None) -> AsyncIterator[str]:
    """Serve on a free port of 127.0.0.1 (or on `port`) and yield the address."""
    server = TestServer(api.app(), port=port)
    await server.start_server(ssl=tls)
    async with server:
        api.away = False
        try:
            yield f"{'https' if tls else 'http'}://127.0.0.1:{server.port}"
        finally:
            api.away = True
            api.cut()


def _key(raw: Object) -> tuple[str, str, str]:
    return (PLURALS[raw["kind"]], raw["metadata"]["namespace"], raw["metadata"]["name"])


def _requested(request: web.Request) -> tuple[str, str, str]:
    return (request.match_info["plural"], request.match_info["namespace"], request.match_info["name"])


def _hang_up(request: web.Request) -> None:
    if request.transport is not None:
        request.transport.abort()


async def _send(response: web.StreamResponse, what: str, raw: Object) -> None:
    await response.write(json.dumps({"type": what, "object": raw}).encode() + b"\n")
