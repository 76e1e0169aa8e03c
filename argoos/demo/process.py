"""The demo's daemon: the real `argoos serve` in a process of its own."""

import asyncio
import signal
import socket
import sys
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path

from argoos.commands.daemon import Daemon
from argoos.errors import PermanentError

START_SECONDS = 20.0
STOP_SECONDS = 12.0
_LOOK_SECONDS = 0.05


def free_port() -> int:
    """Return a port of the loopback interface that nobody listens on now."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        port: int = server.getsockname()[1]
        return port


@asynccontextmanager
async def serving(
    config: Path, *, log: Path, environ: Mapping[str, str], daemon: Daemon
) -> AsyncIterator[asyncio.subprocess.Process]:
    """Run `argoos serve` while the context lasts; it is ready when the context begins, and gone when it ends.

    Raises:
        PermanentError: it did not become ready; the message holds the end of its log.
    """
    with log.open("wb") as output:
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "argoos", "serve", "--config", str(config)),
            stdin=asyncio.subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            env=dict(environ),
            start_new_session=True,  # Ctrl-C is for the demo, which then stops the daemon as an operator would
        )
    try:
        await _ready(process, daemon, log)
        yield process
    finally:
        await _stop(process)


async def _ready(process: asyncio.subprocess.Process, daemon: Daemon, log: Path) -> None:
    try:
        async with asyncio.timeout(START_SECONDS):
            while await daemon.status("/readyz") != 200:
                if process.returncode is not None:
                    raise PermanentError(
                        f"the daemon ended by itself, with exit code {process.returncode}; its log:\n{_end(log)}"
                    )
                await asyncio.sleep(_LOOK_SECONDS)
    except TimeoutError as error:
        raise PermanentError(f"the daemon was not ready after {START_SECONDS:g} s; its log:\n{_end(log)}") from error


async def _stop(process: asyncio.subprocess.Process) -> None:
    if process.returncode is not None:
        return
    process.send_signal(signal.SIGTERM)
    try:
        async with asyncio.timeout(STOP_SECONDS):
            await process.wait()
    except TimeoutError:
        process.kill()
        await process.wait()


def _end(log: Path) -> str:
    return "\n".join(log.read_text(encoding="utf-8", errors="replace").splitlines()[-15:])
