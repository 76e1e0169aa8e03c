"""`argoos serve` as its users run it: a process of its own, a SQLite file, a kubeconfig, a token, JSON logs."""

import asyncio
import json
import re
import sys
from dataclasses import dataclass
from pathlib import Path

import aiohttp

from bench.notification import TOKEN
from bench.wire import Address, get
from tests.servers.process import Command, Server, free_port

# Some machines tell Python to write no bytecode. An installed Argoos has it, and a start that compiles is no start.
_ENVIRONMENT = {"PYTHONDONTWRITEBYTECODE": ""}

DRAINED_POLL_SECONDS = 0.1

_NOTHING_WAITS = re.compile(r"^argoos_queue_depth 0\.0$", re.MULTILINE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Daemon:
    """A server to post to. `ready` in `Server.start` is what its health says."""

    server: Server
    address: Address

    def memory(self) -> "Memory":
        """Return what the process takes now."""
        return Memory.of(self.server.pid)

    async def drained(self, *, timeout_seconds: float = 120) -> None:
        """Wait until no push waits or is worked on any more.

        Raises:
            TimeoutError: some still do.
        """
        url = "http://{}:{}/metrics".format(*self.address)
        async with asyncio.timeout(timeout_seconds), aiohttp.ClientSession() as session:
            while True:
                async with session.get(url) as answer:
                    if _NOTHING_WAITS.search(await answer.text()):
                        return
                await asyncio.sleep(DRAINED_POLL_SECONDS)


@dataclass(frozen=True, slots=True, kw_only=True)
class Memory:
    """Resident memory in MB (a million bytes): now, and the most that it ever was."""

    now: float
    peak: float

    @classmethod
    def of(cls, pid: int) -> "Memory":
        """Read it of a process: https://man7.org/linux/man-pages/man5/proc_pid_status.5.html."""
        lines = Path(f"/proc/{pid}/status").read_text().splitlines()
        kibibytes = {
            key: int(value.split()[0]) for key, _, value in (line.partition(":") for line in lines) if "kB" in value
        }
        return cls(now=kibibytes["VmRSS"] * 1024 / 1e6, peak=kibibytes["VmHWM"] * 1024 / 1e6)


def argoos(directory: Path, kubeconfig: Path, *, waits_for: str | None = "/readyz") -> Daemon:
    """Make a daemon, not started, that keeps its database, settings and log in `directory`.

    Args:
        directory: is made; a second daemon there goes on with the first one's database.
        kubeconfig: says which API server, and as whom.
        waits_for: the path that is 200 once `Server.start` may return; None: it returns at once.
    """
    directory.mkdir(parents=True, exist_ok=True)
    port = free_port()
    settings = {
        "listen": f"127.0.0.1:{port}",
        "tokens": [TOKEN],
        "database": f"sqlite:///{directory / 'argoos.db'}",
        "backends": [{"kind": "kubernetes", "kubeconfig": str(kubeconfig)}],
        "log_format": "json",
    }
    config = directory / "argoos.yaml"
    config.write_text(json.dumps(settings, indent=2))  # JSON is YAML
    program = Path(sys.executable).parent / "argoos"
    return _daemon("argoos", (str(program), "serve", "--config", str(config)), port, directory, waits_for)


def bare(directory: Path, *, waits_for: str | None = "/readyz") -> Daemon:
    """Make the bare aiohttp server, not started."""
    port = free_port()
    return _daemon("bare", (sys.executable, "-m", "bench.bare", str(port)), port, directory, waits_for)


def _daemon(name: str, argv: tuple[str, ...], port: int, directory: Path, waits_for: str | None) -> Daemon:
    address = ("127.0.0.1", port)

    async def ready() -> bool:
        return waits_for is None or await get(address, waits_for) == 200

    command = Command(argv=argv, ready=ready, environment=_ENVIRONMENT)
    return Daemon(server=Server(name, command, directory), address=address)
