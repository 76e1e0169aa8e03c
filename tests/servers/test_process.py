import re
import sys
from pathlib import Path

import pytest

from tests.servers.process import Command, Server, ServerError, free_port, http_ok, run


def web_server(directory: Path, port: int) -> Server:
    """Make Python's own web server for `port`, not started."""
    argv = (sys.executable, "-u", "-m", "http.server", "--bind", "127.0.0.1", str(port))
    return Server("web", Command(argv=argv, ready=http_ok(f"http://127.0.0.1:{port}/")), directory)


async def test_a_server_runs_until_it_is_stopped(tmp_path: Path) -> None:
    """Inside the block it answers; after it the process is gone."""
    port = free_port()
    async with web_server(tmp_path, port) as server:
        assert server.is_running()
        assert await http_ok(f"http://127.0.0.1:{port}/")()
    assert not server.is_running()
    assert not await http_ok(f"http://127.0.0.1:{port}/")()


async def test_a_restart_keeps_the_port_and_appends_to_the_log(tmp_path: Path) -> None:
    """After a kill the same command serves the same port again."""
    async with web_server(tmp_path, free_port()) as server:
        first = server.pid
        await server.kill()
        assert not server.is_running()
        await server.start()
        assert server.pid != first
    assert len(re.findall("Serving HTTP", server.log.read_text())) == 2


async def test_a_frozen_server_does_not_answer_until_it_is_thawed(tmp_path: Path) -> None:
    """SIGSTOP keeps the port open and the answer away."""
    port = free_port()
    async with web_server(tmp_path, port) as server:
        server.freeze()
        assert not await http_ok(f"http://127.0.0.1:{port}/")()
        server.thaw()
        assert await http_ok(f"http://127.0.0.1:{port}/")()


async def test_a_frozen_server_can_be_stopped(tmp_path: Path) -> None:
    """A test that fails between freeze and thaw still ends its server."""
    async with web_server(tmp_path, free_port()) as server:
        server.freeze()
    assert not server.is_running()


async def test_a_server_that_ends_at_once_shows_its_last_words(tmp_path: Path) -> None:
    """The error holds the end of the log, where the reason stands."""
    argv = (sys.executable, "-c", "raise SystemExit('no such flag: --frob')")
    server = Server("broken", Command(argv=argv, ready=http_ok(f"http://127.0.0.1:{free_port()}/")), tmp_path)
    with pytest.raises(ServerError, match=r"(?s)broken ended at once.*no such flag: --frob") as caught:
        await server.start()
    assert str(server.log) in str(caught.value)


async def test_a_server_that_is_never_ready_is_given_up(tmp_path: Path) -> None:
    """After its time the process is ended and the error says so."""
    command = Command(argv=("sleep", "60"), ready=http_ok(f"http://127.0.0.1:{free_port()}/"), start_seconds=0.2)
    server = Server("slow", command, tmp_path)
    with pytest.raises(ServerError, match=r"slow was not ready in 0\.2 s"):
        await server.start()
    assert not server.is_running()


async def test_a_failed_command_raises_with_its_standard_error() -> None:
    """The exit code and what the command said are in the message."""
    with pytest.raises(ServerError, match=r"(?s)exit code 3 .*\nwhat went wrong$"):
        await run("sh", "-c", "echo what went wrong >&2; exit 3")


async def test_a_command_reads_its_input_and_returns_its_output() -> None:
    """`stdin` goes in, standard output comes back."""
    assert await run("cat", stdin="hello") == "hello"
