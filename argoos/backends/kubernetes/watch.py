"""Keeping one kind of workload current: list, watch, resume, and start again when that fails.

The first list and the watch are one request where the server can do that ("watch list",
https://kubernetes.io/docs/reference/using-api/api-concepts/#streaming-lists): a fifth of the memory of a list of all.
Else it is a list in pages and a watch from there.
"""

import asyncio
import random
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Never

import aiohttp
import orjson
import structlog

from argoos.backends.kubernetes.answers import Json, Target, json_object, refusal
from argoos.backends.kubernetes.client import Call, Client
from argoos.backends.kubernetes.index import Index, Key, Scope
from argoos.backends.kubernetes.kinds import Kind
from argoos.backends.kubernetes.options import KubernetesOptions
from argoos.backends.kubernetes.slim import slim
from argoos.core.workload import POLICY_LABEL
from argoos.errors import ArgoosError, BackendUnavailable, Conflict, Forbidden, PermanentError, TemporaryError

log = structlog.get_logger(__name__)

_PAGE = 100
"""Objects in a page of a list. Peak memory at 10,000 Deployments of 9 KB: 95 MB, 114 in pages of 250, 145 of 500."""
_LINE_LIMIT = 2**24
"""Bytes of one event. etcd takes objects of 1.5 MB, which are up to 5.4 MB when each character is escaped."""
_BURST = 32
"""Events handled at a stretch: a few milliseconds' worth."""
_END_OF_LIST = "k8s.io/initial-events-end"
_FIRST_PAUSE_SECONDS = 0.2
_LONGEST_PAUSE_SECONDS = 10
_SHORT_WATCH_SECONDS = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """Why the workloads of a scope are not known for certain, and since when."""

    text: str
    since_at: datetime


class _Expired(Conflict):
    """The version to resume from is forgotten (410 Gone): only a new list helps."""


class _NoWatchList(PermanentError):
    """The server, or the etcd behind it, cannot send a list as a watch."""


class Watcher:
    """Feeds the index with one kind of workload, in one namespace or (None) in all.

    `problem` is None while everything that happens to them is seen. After a watch that just ends (its time is over)
    or breaks, it is resumed from where it was. When resuming fails, the list is read anew before the problem is over,
    since a workload that appeared meanwhile must be known by then.
    """

    def __init__(
        self, *, backend: str, kind: Kind, namespace: str | None, options: KubernetesOptions, index: Index
    ) -> None:
        self.scope: Scope = (kind.name, namespace)
        self.problem: Problem | None = None
        self._backend = backend
        self._kind = kind
        self._namespace = namespace
        self._options = options
        self._index = index
        self._watching = self._target("watch")
        self._version = ""
        self._failures = 0
        self.stopped()

    async def run(self, client: Client) -> Never:
        """List and watch until cancelled."""
        while True:
            started = time.monotonic()
            try:
                await self._follow(client)
            except ArgoosError as error:
                self._failed(error)
                await asyncio.sleep(self._pause(error))
            else:
                if time.monotonic() - started < _SHORT_WATCH_SECONDS:  # something in between cuts watches short
                    await asyncio.sleep(_SHORT_WATCH_SECONDS)

    def stopped(self) -> None:
        """Trust nothing any more: nobody watches."""
        self._version = ""
        self._set_problem(f"the list of {self._watching.subject} has not been read yet")

    async def _follow(self, client: Client) -> None:
        """Watch once, from the opening to the end; before that, list if there is nothing to resume from."""
        if not self._version:
            try:
                return await self._watch_list(client)
            except _NoWatchList as refused:
                log.info("listing in pages", kind=self._kind.name, namespace=self._namespace, because=str(refused))
                await self._list_pages(client)
        async with client.stream(self._watch_call({"resourceVersion": self._version})) as lines:
            if self.problem is not None:
                log.info("watching again", kind=self._kind.name, namespace=self._namespace)
                self.problem = None
            async for event in self._events(lines):
                self._take(event)
        return None

    async def _watch_list(self, client: Client) -> None:
        call = self._watch_call({"sendInitialEvents": "true", "resourceVersionMatch": "NotOlderThan"})
        seen: set[Key] | None = set()
        try:
            async with client.stream(call) as lines:
                async for event in self._events(lines):
                    if seen is None:
                        self._take(event)
                    elif not _ends_list(event):
                        self._take_listed(event["object"], seen)
                    else:
                        self._listed(seen, event["object"]["metadata"]["resourceVersion"])
                        seen = None
        except (Forbidden, _Expired):
            raise
        except (Conflict, PermanentError) as exc:  # parameters it does not know
            raise _NoWatchList(str(exc)) from exc
        if seen is not None:
            raise _NoWatchList("the watch ended before the list was complete")

    async def _list_pages(self, client: Client) -> None:
        seen: set[Key] = set()
        token = ""
        while True:
            # No resourceVersion: with one, the server ignores the limit and sends everything at once.
            query = (("labelSelector", POLICY_LABEL), ("limit", str(_PAGE)), ("continue", token))
            path = self._kind.path(self._namespace)
            page = await client.call(Call(method="GET", path=path, query=query, target=self._target("list")))
            for raw in page["items"]:
                self._take_listed(raw, seen)
            token = page["metadata"].get("continue", "")
            if not token:
                return self._listed(seen, page["metadata"]["resourceVersion"])

    def _listed(self, seen: set[Key], version: str) -> None:
        self._index.keep_only(self.scope, seen)
        self._reached(version)
        self.problem = None
        log.info("workloads listed", kind=self._kind.name, namespace=self._namespace, count=len(seen))

    def _take_listed(self, raw: Json, seen: set[Key]) -> None:
        workload = slim(raw, self._kind, self._backend)
        if workload is not None and self._options.namespaces.admits(workload.ref.namespace):
            self._index.put(workload, listed=True)
            seen.add(self._key(raw))

    def _take(self, event: Json) -> None:
        """Put one event of the watch into the index."""
        raw = event["object"]
        version = raw["metadata"]["resourceVersion"]
        if event["type"] != "BOOKMARK" and self._options.namespaces.admits(raw["metadata"]["namespace"]):
            workload = None if event["type"] == "DELETED" else slim(raw, self._kind, self._backend)
            if workload is None:
                self._index.drop(self._key(raw), version)
            else:
                self._index.put(workload)
        self._reached(version)
        self._failures = 0

    def _reached(self, version: str) -> None:
        self._version = version
        self._index.reach(self.scope, version)

    async def _events(self, lines: aiohttp.StreamReader) -> AsyncIterator[Json]:
        """Yield the events of a watch until it ends."""
        count = 0
        while line := await lines.readline(max_line_length=_LINE_LIMIT):
            yield self._parse(line)
            count += 1
            if count % _BURST == 0:
                await asyncio.sleep(0)  # lines that have come already are read without a pause: others want to work

    def _parse(self, line: bytes) -> Json:
        """Return the event in a line; raise what it stands for if it is an error, which comes after HTTP 200."""
        event = json_object(line, self._watching)
        if "type" not in event or "object" not in event:
            raise BackendUnavailable(f"cannot {self._watching}: this is no event of a watch; is that an API server?")
        if event["type"] != "ERROR":
            return event
        status = event["object"]
        code = status.get("code", 500)
        error = refusal(code, {}, orjson.dumps(status), self._watching)
        if code == 410:
            raise _Expired(str(error))
        raise error if self._version else _NoWatchList(str(error))

    def _watch_call(self, query: dict[str, str]) -> Call:
        seconds = int(self._options.watch_timeout_seconds * random.uniform(1, 1.2))  # noqa: S311  # spreads load
        common = {
            "watch": "true",
            "allowWatchBookmarks": "true",
            "labelSelector": POLICY_LABEL,
            "timeoutSeconds": str(seconds),
        }
        path = self._kind.path(self._namespace)
        return Call(method="GET", path=path, query=tuple({**common, **query}.items()), target=self._watching)

    def _target(self, verb: str) -> Target:
        return Target(verb=verb, resource=self._kind.plural, group=self._kind.group, namespace=self._namespace or "")

    def _key(self, raw: Json) -> Key:
        return (self._kind.name, raw["metadata"]["namespace"], raw["metadata"]["name"])

    def _failed(self, error: ArgoosError) -> None:
        self._failures += 1
        if self._failures > 1 or isinstance(error, _Expired):
            self._version = ""
        if self.problem is None or self._failures == 1:
            log.warning("not watching", kind=self._kind.name, namespace=self._namespace, error=str(error))
        self._set_problem(str(error))

    def _set_problem(self, text: str) -> None:
        since_at = self.problem.since_at if self.problem else datetime.now(UTC)
        self.problem = Problem(text=text, since_at=since_at)

    def _pause(self, error: ArgoosError) -> float:
        """Return the seconds until the next try: what the server asked for, else growing, and not all at one time."""
        asked = error.delay_seconds if isinstance(error, TemporaryError) else None
        doublings = min(self._failures - 1, 10)
        growing = min(_FIRST_PAUSE_SECONDS * 2**doublings, _LONGEST_PAUSE_SECONDS) / 2
        return (asked or growing) * random.uniform(1, 2)  # noqa: S311  # spreads load


def _ends_list(event: Json) -> bool:
    annotations = event["object"]["metadata"].get("annotations") or {}
    return event["type"] == "BOOKMARK" and annotations.get(_END_OF_LIST) == "true"
