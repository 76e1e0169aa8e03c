"""HTTP on bare sockets: a sender so thin that the server is what gets measured.

aiohttp's client takes longer for a request than the servers measured here take to answer it.
"""

import asyncio
import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import cast

Address = tuple[str, int]

CONNECT_PAUSE_SECONDS = 0.001


@dataclass(frozen=True, slots=True, kw_only=True)
class Exchange:
    """One request and its answer. `number` is its place among the requests, `status` 0 when no answer came."""

    number: int
    status: int
    sent_seconds: float
    answered_seconds: float

    @property
    def milliseconds(self) -> float:
        """How long the answer took."""
        return 1000 * (self.answered_seconds - self.sent_seconds)


class Load:
    """Sends requests over several connections that are kept open, on each the next one once the last is answered.

    Args:
        requests: what to send, each whole; taken one by one.
        until_seconds: a `time.perf_counter` after which nothing more is sent.
    """

    def __init__(self, requests: Iterable[bytes], *, until_seconds: float = float("inf")) -> None:
        self._requests: Iterator[tuple[int, bytes]] = enumerate(requests)
        self._until = until_seconds
        self._open = 0
        self._done = asyncio.Event()
        self.exchanges: list[Exchange] = []

    async def over(self, address: Address, *, connections: int) -> Sequence[Exchange]:
        """Send everything and return the exchanges in the order of their answers."""
        loop = asyncio.get_running_loop()
        wires = [(await loop.create_connection(lambda: _Wire(self), *address))[1] for _ in range(connections)]
        self._open = len(wires)
        for wire in wires:
            wire.send()
        try:
            await self._done.wait()
        finally:
            for wire in wires:
                wire.close()
        return self.exchanges

    def next(self) -> tuple[int, bytes] | None:
        """Return what a connection is to send next, or None when it is done."""
        if time.perf_counter() < self._until:
            for one in self._requests:
                return one
        return None

    def ended(self) -> None:
        """Note that a connection has nothing more to do."""
        self._open -= 1
        if not self._open:
            self._done.set()


class _Wire(asyncio.Protocol):
    """One connection of a `Load`."""

    def __init__(self, load: Load) -> None:
        self._load = load
        self._buffer = b""
        self._number = -1
        self._sent = 0.0
        self._busy = False
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)

    def send(self) -> None:
        """Send the next request, if there is one."""
        following = self._load.next()
        if following is None or self._transport is None:
            self._busy = False
            self._load.ended()
            return
        self._busy = True
        self._number, request = following
        self._sent = time.perf_counter()
        self._transport.write(request)

    def data_received(self, data: bytes) -> None:
        buffer = self._buffer + data if self._buffer else data
        head, separator, body = buffer.partition(b"\r\n\r\n")
        if not separator or len(body) < _length(head):
            self._buffer = buffer
            return
        self._buffer = b""
        self._note(int(head[9:12]))
        self.send()

    def connection_lost(self, exc: Exception | None) -> None:
        self._transport = None
        if self._busy:
            self._busy = False
            self._note(0)
            self._load.ended()

    def close(self) -> None:
        """Close the connection."""
        if self._transport is not None:
            self._transport.close()

    def _note(self, status: int) -> None:
        exchange = Exchange(
            number=self._number, status=status, sent_seconds=self._sent, answered_seconds=time.perf_counter()
        )
        self._load.exchanges.append(exchange)


def _length(head: bytes) -> int:
    _, found, rest = head.lower().partition(b"\r\ncontent-length:")
    return int(rest.partition(b"\r\n")[0]) if found else 0


async def exchange(address: Address, request: bytes) -> Exchange:
    """Send one request over a new connection; the opening is not part of its time."""
    return (await Load([request]).over(address, connections=1))[0]


async def get(address: Address, path: str) -> int:
    """Return the status of a GET, 0 when nobody listens or the connection broke."""
    request = f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n".encode()
    try:
        return (await exchange(address, request)).status
    except OSError:
        return 0


async def until_ok(address: Address, path: str, *, timeout_seconds: float = 60) -> float:
    """Ask until the answer is 200, every millisecond; return when that was (`time.perf_counter`).

    Raises:
        TimeoutError: it never was.
    """
    async with asyncio.timeout(timeout_seconds):
        while await get(address, path) != 200:  # noqa: ASYNC110  # there is nothing that could wake us
            await asyncio.sleep(CONNECT_PAUSE_SECONDS)
    return time.perf_counter()


async def until_listening(address: Address, *, timeout_seconds: float = 60) -> None:
    """Try to connect, every millisecond, until somebody accepts.

    Raises:
        TimeoutError: nobody did.
    """
    loop = asyncio.get_running_loop()
    async with asyncio.timeout(timeout_seconds):
        while True:
            try:
                transport, _ = await loop.create_connection(asyncio.Protocol, *address)
            except OSError:
                await asyncio.sleep(CONNECT_PAUSE_SECONDS)
            else:
                transport.close()
                return
