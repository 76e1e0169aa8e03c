"""Kubernetes Events: what `kubectl describe` shows an owner under his workload.

Core/v1 Events under a name made of what they say: so the server refuses the same words about the same object (409) for
as long as it keeps the first, an hour as a rule.
"""

import asyncio
import hashlib
from contextlib import suppress
from datetime import UTC, datetime
from typing import Never

import structlog

from argoos.backends.kubernetes.answers import Target
from argoos.backends.kubernetes.client import Call, Client
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


class EventWriter:
    """Writes Events one after another in the background. `dropped` counts those that could not be written."""

    def __init__(self) -> None:
        self.dropped = 0
        self._waiting: asyncio.Queue[tuple[Notice, datetime]] = asyncio.Queue(maxsize=_WAITING)

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
        namespace = notice.workload.namespace
        path = f"/api/v1/namespaces/{namespace}/events"
        target = Target(verb="create", resource="events", namespace=namespace)
        # 409: it stands there already. To count it up would take the right to patch Events, more than is to be gained.
        with suppress(Conflict):
            await client.call(Call(method="POST", path=path, body=event(notice, at), target=target))

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
