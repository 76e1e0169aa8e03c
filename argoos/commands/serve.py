"""`argoos serve`: the daemon."""

import asyncio
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Annotated

import typer

from argoos.commands import options


def command(
    *,
    config: options.Config = None,
    assignments: options.Assignments = None,
    manifests: options.Manifests = None,
    listen: Annotated[
        str | None, typer.Option(metavar="HOST:PORT", help="Where to listen; :PORT for every interface.")
    ] = None,
    tokens: Annotated[
        list[str] | None, typer.Option("--token", metavar="TOKEN", help="A token that opens the door. Repeatable.")
    ] = None,
    database: Annotated[
        str | None, typer.Option(metavar="URL", help="Where to keep pushes: sqlite:///argoos.db.")
    ] = None,
    master: Annotated[str | None, typer.Option(metavar="URL", help="Address of the Kubernetes API server.")] = None,
    in_cluster: Annotated[
        bool | None, typer.Option("--incluster/--no-incluster", help="Use the account of the pod that Argoos runs in.")
    ] = None,
    skip_ssl_verification: Annotated[
        bool | None,
        typer.Option(
            "--skip-ssl-verification/--no-skip-ssl-verification", help="Do not check the API server's certificate."
        ),
    ] = None,
    ca_file: Annotated[
        str | None, typer.Option(metavar="FILE", help="Authority of the API server's certificate.")
    ] = None,
    cert_file: Annotated[
        str | None, typer.Option(metavar="FILE", help="Client certificate for the API server.")
    ] = None,
    key_file: Annotated[str | None, typer.Option(metavar="FILE", help="Key of the client certificate.")] = None,
    server_cert: Annotated[str | None, typer.Option(metavar="FILE", help="Certificate to serve HTTPS with.")] = None,
    server_key: Annotated[str | None, typer.Option(metavar="FILE", help="Key of that certificate.")] = None,
    verbose: Annotated[bool | None, typer.Option("--verbose/--no-verbose", help="Log what happens inside.")] = None,
    context: typer.Context,
) -> None:
    """Run the daemon.

    It accepts pushes, and moves the workloads whose label allows it. Every setting can be given in argoos.yaml, as
    ARGOOS_<KEY> in the environment, or with --set.
    """
    # aiohttp, SQLAlchemy and the rest: a second that no other command pays
    with _unimportable("rich"):  # structlog takes it along if it can: 5 MB and 0.1 s, for tracebacks that we do not use
        import structlog

    from argoos import app, logs
    from argoos.settings import load

    loaded = load(options.flags(config, assignments, manifests, **_named(context)))
    context.obj.verbose = loaded.settings.verbose
    logs.configure(loaded.settings.log_format, verbose=loaded.settings.verbose)
    for note in loaded.notes:
        structlog.get_logger("argoos.settings").warning(note)
    asyncio.run(app.serve(loaded.settings))


@contextmanager
def _unimportable(name: str) -> Iterator[None]:
    """Let imports of a module fail meanwhile, unless it is imported already.

    https://docs.python.org/3/reference/import.html#the-module-cache
    """
    if name in sys.modules:
        yield
        return
    sys.modules[name] = None  # type: ignore[assignment]  # what that page says of None
    try:
        yield
    finally:
        del sys.modules[name]


def _named(context: typer.Context) -> dict[str, object]:
    """Return the flags with a name of their own; their parameters are called as the settings they set."""
    shared = {"config", "assignments", "manifests"}
    named = {key: value for key, value in context.params.items() if key not in shared}
    if named["verbose"] is None and context.obj.verbose:
        named["verbose"] = True  # given before the command
    return named
