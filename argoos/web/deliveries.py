"""``POST /event``: token, body, receiver, store, and only then 202. The hot path: a registry waits half a second."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from functools import lru_cache, partial

import structlog
from aiohttp import web

from argoos.core.image import RegistryNames, Repository
from argoos.core.push import Ignored, Push, Received
from argoos.errors import BadDelivery, BadToken, StoreUnavailable
from argoos.web.body import read_body
from argoos.web.collaborators import Collaborators
from argoos.web.gate import TOKEN_HEADER, Gate
from argoos.web.problems import problem, problem_of

log = structlog.get_logger(__name__)

LARGE_BYTES = 65_536
"""A larger body is read in a thread: tens of thousands of events take seconds, and other deliveries must not wait."""

NAMES_KEPT = 4096
"""Repositories whose canonical name is remembered."""

Refusal = BadToken | BadDelivery | StoreUnavailable | web.HTTPException


class Deliveries:
    """Takes deliveries. What was answered 202 is on disk.

    Args:
        given: the collaborators.
    """

    def __init__(self, given: Collaborators) -> None:
        self._gate = Gate(given.tokens)
        self._limit = given.max_body_bytes
        self._parse = given.receiver.parse
        # Both for the hot path: the same few repositories come again and again.
        self._repository = lru_cache(maxsize=NAMES_KEPT)(given.names.canonical)
        self._name = lru_cache(maxsize=NAMES_KEPT)(partial(_canonical_name, given.names))
        self._store = given.store
        self._metrics = given.metrics
        self._wake = given.wake
        self._now = given.now

    async def accept(self, request: web.Request) -> web.Response:
        """Answer one delivery. This handler is its own error boundary: a middleware would cost every request."""
        try:
            received = await self._keep(request)
        except (BadToken, BadDelivery, StoreUnavailable, web.HTTPException) as refusal:
            return self._refuse(request, refusal)
        self._metrics.delivery(202)
        self._tell_of(received)
        return web.Response(status=202)

    async def _keep(self, request: web.Request) -> Sequence[Received]:
        """Check, read and store a delivery, in this order; return its parts once they are on disk."""
        headers = request.headers
        if not self._gate.admits(headers.getall(TOKEN_HEADER, ())):
            raise BadToken("Bad Token")
        body = await read_body(request, limit=self._limit)
        received_at = self._now()
        if len(body) <= LARGE_BYTES:
            received = self._read(body, headers, received_at)
        else:
            received = await asyncio.to_thread(self._read, body, headers, received_at)
        if received:
            await self._store.add(received, received_at=received_at)
        return received

    def _read(self, body: bytes, headers: Mapping[str, str], received_at: datetime) -> Sequence[Received]:
        """Return the parts of a delivery, each repository by its canonical name."""
        return [self._canonical(part) for part in self._parse(body, headers, received_at=received_at)]

    def _canonical(self, part: Received) -> Received:
        """Return the part with its repository under the registry's own name."""
        match part:
            case Push(repository=repository):
                known = self._repository(repository)
                return part if known == repository else replace(part, repository=known)
            case Ignored(repository=name):
                spelled = self._name(name)
                return part if spelled == name else replace(part, repository=spelled)

    def _tell_of(self, received: Sequence[Received]) -> None:
        """Count what is no candidate, and wake the worker for what is one."""
        pushed = False
        for part in received:
            if isinstance(part, Ignored):
                self._metrics.ignored(part.reason)
            else:
                pushed = True
        if pushed:
            self._wake()

    def _refuse(self, request: web.Request, refusal: Refusal) -> web.Response:
        """Return the answer to a delivery that was not taken, and say so in the log: its sender waits behind it."""
        match refusal:
            case BadToken():  # the very answer of the original, which some senders look for
                response = web.Response(status=401, text="Bad Token")
            case web.HTTPException():
                response = problem(refusal.status, refusal.text or refusal.reason)
            case _:
                response = problem_of(refusal)
        self._metrics.delivery(response.status)
        log.warning(
            "a delivery was refused; its sender sends it again until it is taken",
            status=response.status,
            reason=refusal.text if isinstance(refusal, web.HTTPException) else str(refusal),
            remote=request.remote,
            user_agent=request.headers.get("User-Agent"),
        )
        return response


def _canonical_name(names: RegistryNames, name: str) -> str:
    """Return the repository that a part without a push names, under its registry's own name; "" stays ""."""
    registry, _, path = name.partition("/")
    return str(names.canonical(Repository(registry=registry, path=path))) if name else ""
