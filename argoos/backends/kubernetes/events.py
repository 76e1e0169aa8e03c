"""Kubernetes Events: what `kubectl describe` shows an owner under his workload.

Core/v1 Events under a name made of what they say: the server merges nothing by itself, so the second time is refused
(409), and then the first one's count is raised.
"""

import asyncio
import hashlib
from collections import OrderedDict
from datetime import UTC, datetime
from typing import Never

import structlog

from argoos.backends.kubernetes.answers import Target
from argoos.backends.kubernetes.client import MERGE_PATCH, Call, Client
from argoos.backends.kubernetes.kinds import KINDS
from argoos.errors import ArgoosError, Conflict, TemporaryError
from argoos.ports import Notice, NoticeKind

log = structlog.get_logger(__name__)

_WAITING = 1000
"""Notices kept while the API server is slow or away; what comes on top is counted and dropped."""
_TRIES = 3
_PAUSE_SECONDS = 1.0
_TEXT_LIMIT = 1024
"""Characters of a message: as many as the newer events.k8s.io API takes."""
_COUNTS = 1000


class EventWriter:
    """Writes Events one after another in the background. `dropped` counts those that could not be written."""

    def __init__(self) -> None:
        self.dropped = 0
        self._waiting: asyncio.Queue[tuple[Notice, datetime]] = asyncio.Queue(maxsize=_WAITING)
        self._counts: OrderedDict[str, int] = OrderedDict()

    def put(self, notice: Notice) -> None:
        """Take a notice to be written soon."""
        try:
            self._waiting.put_nowait((notice, datetime.now(UTC)))
        except asyncio.QueueFull:
            self._drop(notice, "too many are waiting")

    async def run(self, client: Client) -> Never:
        """Write what is put, until cancelled."""
        while True:
            notice, at = await self._waiting.get()
            try:
                await self._write(client, notice, at)
            except ArgoosError as error:
                self._drop(notice, str(error))

    async def _write(self, client: Client, notice: Notice, at: datetime) -> None:
        for _ in range(_TRIES - 1):
            try:
                return await self._write_once(client, notice, at)
            except TemporaryError as error:
                await asyncio.sleep(error.delay_seconds or _PAUSE_SECONDS)
        return await self._write_once(client, notice, at)

    async def _write_once(self, client: Client, notice: Notice, at: datetime) -> None:
        name = event_name(notice)
        namespace = notice.workload.namespace
        path = f"/api/v1/namespaces/{namespace}/events"
        target = Target(verb="create", resource="events", namespace=namespace)
        try:
            await client.call(Call(method="POST", path=path, body=event(notice, at), target=target))
        except Conflict:  # said before; or the namespace is gone, which the next call tells
            await self._repeat(
                client, f"{path}/{name}", Target(verb="patch", resource="events", namespace=namespace), at
            )

    async def _repeat(self, client: Client, path: str, target: Target, at: datetime) -> None:
        """Raise the count of an Event; where it stands is not known before the answer to a first patch."""
        body: dict[str, object] = {"lastTimestamp": _timestamp(at)}
        while True:
            known = self._counts.get(path)
            if known is not None:
                body["count"] = known + 1
            call = Call(method="PATCH", path=path, body=body, content_type=MERGE_PATCH, target=target)
            answer = await client.call(call)
            self._counts[path] = answer.get("count") or 1
            self._counts.move_to_end(path)
            if len(self._counts) > _COUNTS:
                self._counts.popitem(last=False)
            if known is not None:
                return

    def _drop(self, notice: Notice, why: str) -> None:
        self.dropped += 1
        if self.dropped.bit_count() == 1:  # the 1st, 2nd, 4th, 8th …: a lasting trouble must not fill the log
            log.warning("event not written", workload=str(notice.workload), why=why, dropped=self.dropped)


def event_name(notice: Notice) -> str:
    """Return the name under which a notice is kept: the same for the same words about the same object."""
    said = f"{notice.workload.uid} {notice.kind} {notice.text}"
    return f"{notice.workload.name[:200]}.{hashlib.sha256(said.encode()).hexdigest()[:16]}"


def event(notice: Notice, at: datetime) -> dict[str, object]:
    """Return the Event for a notice.

    https://kubernetes.io/docs/reference/kubernetes-api/cluster-resources/event-v1/ (the older of the two APIs)
    """
    ref = notice.workload
    text = notice.text if len(notice.text) <= _TEXT_LIMIT else notice.text[: _TEXT_LIMIT - 1] + "…"
    return {
        "apiVersion": "v1",
        "kind": "Event",
        "metadata": {"name": event_name(notice), "namespace": ref.namespace},
        "involvedObject": {
            "apiVersion": KINDS[ref.kind].api_version,
            "kind": ref.kind,
            "namespace": ref.namespace,
            "name": ref.name,
            "uid": ref.uid,
        },
        "type": "Normal" if notice.kind is NoticeKind.IMAGE_UPDATED else "Warning",
        "reason": notice.kind.value,
        "message": text,
        "source": {"component": "argoos"},
        "firstTimestamp": _timestamp(at),
        "lastTimestamp": _timestamp(at),
        "count": 1,
    }


def _timestamp(at: datetime) -> str:
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
