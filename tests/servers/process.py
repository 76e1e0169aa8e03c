"""Processes of real servers: start one, wait until it answers, stop, kill, freeze and start it again.

Every server runs in a process group of its own, writes to a log file, and dies with the thread that started it
(`setpriv --pdeathsig`), so that a test run that is killed leaves nothing listening. Start servers from the main thread.
"""

import asyncio
import http.client
import os
import random
import shutil
import signal
import socket
import ssl
import subprocess
from collections.abc import Awaitable, Callable, Mapping
from contextlib import closing, suppress
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Self
from urllib.parse import urlsplit

POLL_SECONDS = 0.03
LOG_TAIL_BYTES = 3000

# Linux hands out ports from 32768 up for outgoing connections. A server that is to come back on its own port
# must not find it taken by one of those, so servers listen below.
FIRST_PORT = 20_000
LAST_PORT = 32_000
_handed_out: set[int] = set()

Probe = Callable[[], Awaitable[bool]]


class ServerError(Exception):
    """A server did not start, did not stop, or refused a command; the message ends with what it printed."""


def free_port() -> int:
    """Return a port of 127.0.0.1 on which nothing listens, never the same one twice in a process."""
    for _ in range(1000):
        port = random.randrange(FIRST_PORT, LAST_PORT)
        if port in _handed_out:
            continue
        with socket.socket() as listener:
            try:
                listener.bind(("127.0.0.1", port))
            except OSError:
                continue
        _handed_out.add(port)
        return port
    raise ServerError(f"no free port between {FIRST_PORT} and {LAST_PORT}; stop some servers")


def http_ok(url: str, *, token: str | None = None) -> Probe:
    """Make a probe that is true once `url` answers 200 within a second; certificates are not looked at.

    It asks in a thread with the standard library: an asyncio connection that is given up in the middle of its TLS
    handshake, as happens with a server that is just starting, leaves its socket to the garbage collector.
    """
    parts = urlsplit(url)
    headers = {"Authorization": f"Bearer {token}"} if token else {}

    address = (parts.hostname or "", parts.port)
    unchecked = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    unchecked.check_hostname = False
    unchecked.verify_mode = ssl.CERT_NONE

    def ask() -> bool:
        connection: http.client.HTTPConnection
        if parts.scheme == "https":
            connection = http.client.HTTPSConnection(*address, timeout=1, context=unchecked)
        else:
            connection = http.client.HTTPConnection(*address, timeout=1)
        with closing(connection):
            try:
                connection.request("GET", parts.path or "/", headers=headers)
                return connection.getresponse().status == 200
            except (OSError, http.client.HTTPException):
                return False

    async def probe() -> bool:
        return await asyncio.to_thread(ask)

    return probe


@dataclass(frozen=True, slots=True, kw_only=True)
class Command:
    """What to run: arguments, extra environment, and when it counts as started.

    `ready` is asked every few hundredths of a second until it is true or `start_seconds` are over.
    """

    argv: tuple[str, ...]
    ready: Probe
    environment: Mapping[str, str] = field(default_factory=dict)
    start_seconds: float = 60.0


class Server:
    """One server process that can be stopped, killed, frozen and started again with the same command.

    It keeps no event loop, so a fixture of the whole session may hand it to tests that each run in a loop of
    their own. Names the process by `name` in errors and in `<directory>/<name>.log`.
    """

    def __init__(self, name: str, command: Command, directory: Path) -> None:
        self.name = name
        self.command = command
        self.log = directory / f"{name}.log"
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def pid(self) -> int:
        """The process id. Raises `ServerError` when the server does not run."""
        if self._process is None:
            raise ServerError(f"{self.name} is not running")
        return self._process.pid

    def is_running(self) -> bool:
        """Say whether the process exists (a frozen one does)."""
        return self._process is not None and self._process.poll() is None

    def tail(self) -> str:
        """Return the end of the log."""
        return self.log.read_bytes()[-LOG_TAIL_BYTES:].decode(errors="replace") if self.log.exists() else ""

    async def start(self) -> None:
        """Start the process and wait until it is ready.

        Raises:
            ServerError: it ended or was not ready in time; it is stopped then.
        """
        if self.is_running():
            raise ServerError(f"{self.name} is already running; stop it first")
        self._spawn()
        try:
            async with asyncio.timeout(self.command.start_seconds):
                await self._wait_until_ready()
        except TimeoutError as exc:
            await self.kill()
            raise ServerError(self._failure(f"was not ready in {self.command.start_seconds:g} s")) from exc
        except BaseException:
            await self.kill()
            raise

    async def _wait_until_ready(self) -> None:
        while not await self.command.ready():
            if not self.is_running():
                raise ServerError(self._failure("ended at once"))
            await asyncio.sleep(POLL_SECONDS)
        # Another server may have answered the probe, on a port that this one could not get.
        if not self.is_running():
            raise ServerError(self._failure("ended while it was asked"))

    def _failure(self, what: str) -> str:
        return f"{self.name} {what}; its log {self.log} ends:\n{self.tail()}"

    def _spawn(self) -> None:
        self.log.parent.mkdir(parents=True, exist_ok=True)
        setpriv = shutil.which("setpriv")
        guard = (setpriv, "--pdeathsig", "KILL", "--") if setpriv else ()
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(
                (*guard, *self.command.argv),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                env={**os.environ, **self.command.environment},
                start_new_session=True,
            )

    async def stop(self, grace_seconds: float = 10.0) -> None:
        """End the process with SIGTERM, with SIGKILL when that takes longer than `grace_seconds`."""
        if self._process is not None:
            self._signal(signal.SIGCONT)
            self._signal(signal.SIGTERM)
            with suppress(subprocess.TimeoutExpired):
                await asyncio.to_thread(self._process.wait, grace_seconds)
        await self.kill()

    async def terminated(self, seconds: float) -> int:
        """Send SIGTERM, wait until the process has ended by itself, and return its exit status.

        Raises:
            subprocess.TimeoutExpired: it has not, after so many seconds.
        """
        if self._process is None:
            raise ServerError(f"{self.name} is not running")
        self._signal(signal.SIGTERM)
        return await asyncio.to_thread(self._process.wait, seconds)

    async def kill(self) -> None:
        """End the process and its children with SIGKILL, as a crash would, and wait until it is gone."""
        if self._process is None:
            return
        self._signal(signal.SIGKILL)
        await asyncio.to_thread(self._process.wait)
        self._process = None

    async def restart(self) -> None:
        """Stop and start: the same command, so the same port and data."""
        await self.stop()
        await self.start()

    def freeze(self) -> None:
        """Halt the process with SIGSTOP: connections stay open and nothing is answered."""
        self._signal(signal.SIGSTOP)

    def thaw(self) -> None:
        """Let a frozen process go on."""
        self._signal(signal.SIGCONT)

    def _signal(self, number: signal.Signals) -> None:
        with suppress(ProcessLookupError):
            os.killpg(self.pid, number)

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.stop()


async def run(*argv: str, stdin: str | None = None, environment: Mapping[str, str] | None = None) -> str:
    """Run a command to its end and return what it printed.

    Raises:
        ServerError: the exit code is not 0; the message holds the standard error output.
    """
    process = await asyncio.create_subprocess_exec(
        *argv,
        stdin=asyncio.subprocess.PIPE if stdin is not None else asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        env={**os.environ, **(environment or {})},
    )
    try:
        out, err = await process.communicate(None if stdin is None else stdin.encode())
    except asyncio.CancelledError:
        process.kill()
        await process.wait()
        raise
    if process.returncode != 0:
        command = " ".join(argv)
        raise ServerError(f"exit code {process.returncode} from {command}:\n{err.decode(errors='replace').strip()}")
    return out.decode()
