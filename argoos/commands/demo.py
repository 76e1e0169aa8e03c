"""`argoos demo`: the main job on sample files, from notification to diff."""

import asyncio
import signal
import sys
import tempfile
from contextlib import ExitStack
from pathlib import Path
from shutil import which
from typing import Annotated

import typer

from argoos.errors import SettingsError


def command(
    *,
    keep: Annotated[bool, typer.Option("--keep", help="Leave the daemon running, and say what to try next.")] = False,
    directory: Annotated[
        Path | None,
        typer.Option(metavar="DIR", help="Where to put the files; must be empty. Default: a temporary one."),
    ] = None,
) -> None:
    """Show it at work on sample files.

    Notifications that real registries sent, sample manifests, and a real daemon between them. Needs nothing but this
    machine: a SQLite file, a directory of manifests, a free port of the loopback interface.
    """
    with ExitStack() as stack:
        if directory is None:
            place = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="argoos-demo-")))
        else:
            place = _empty(directory)
        asyncio.run(_run(place, keep=keep))
        if directory is not None:
            print(f"\nThe files are in {place}.")


def _empty(directory: Path) -> Path:
    try:
        directory.mkdir(parents=True, exist_ok=True)
        if any(directory.iterdir()):
            raise SettingsError([f"--directory {directory} is not empty; name a new one"])
    except OSError as error:
        raise SettingsError([f"--directory {directory} cannot be used: {error.strerror}"]) from error
    return directory.absolute()


async def _run(place: Path, *, keep: bool) -> None:
    # aiohttp and pydantic: half a second that --help should not pay
    from argoos.commands.daemon import Daemon
    from argoos.demo import process, sample, story
    from argoos.settings import Surroundings
    from argoos.settings.environment import without_ours

    port = process.free_port()
    daemon = Daemon(url=f"http://127.0.0.1:{port}", token=sample.TOKEN)
    config = sample.lay_out(place, port=port)
    environ = without_ours(Surroundings().environ)
    stop = _stop_event()
    async with process.serving(config, log=place / "argoos.log", environ=environ, daemon=daemon):
        print(f"A daemon serves {daemon.url}; it looks after the manifests in {place}/deploy.", flush=True)
        telling = asyncio.ensure_future(story.tell(daemon, place))
        stopping = asyncio.ensure_future(stop.wait())
        await asyncio.wait({telling, stopping}, return_when=asyncio.FIRST_COMPLETED)
        if not telling.done():
            telling.cancel()
            raise KeyboardInterrupt
        await telling
        if keep:
            print("", *story.what_next(daemon.url, place, _own_name()), sep="\n", flush=True)
            await stopping
        stopping.cancel()


def _stop_event() -> asyncio.Event:
    """Return an event that SIGINT and SIGTERM set, so that the daemon is stopped before we end."""
    stop = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    return stop


def _own_name() -> str:
    """Return how to call Argoos from another terminal."""
    own = Path(sys.argv[0]).absolute()
    found = which("argoos")
    return "argoos" if (found and Path(found).samefile(own)) or own.name != "argoos" else str(own)
