"""`argoos serve`: the daemon."""

import asyncio
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
    token: Annotated[
        list[str] | None, typer.Option(metavar="TOKEN", help="A token that opens the door. Repeatable.")
    ] = None,
    database: Annotated[
        str | None, typer.Option(metavar="URL", help="Where to keep pushes: sqlite:///argoos.db.")
    ] = None,
    master: Annotated[str | None, typer.Option(metavar="URL", help="Address of the Kubernetes API server.")] = None,
    incluster: Annotated[
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
    import structlog

    from argoos import app, logs
    from argoos.settings import load

    given = options.flags(
        config,
        assignments,
        manifests,
        listen=listen,
        tokens=token,
        database=database,
        master=master,
        in_cluster=incluster,
        skip_ssl_verification=skip_ssl_verification,
        ca_file=ca_file,
        cert_file=cert_file,
        key_file=key_file,
        server_cert=server_cert,
        server_key=server_key,
        verbose=verbose or context.obj.verbose or None,
    )
    loaded = load(given)
    context.obj.verbose = loaded.settings.verbose
    logs.configure(loaded.settings.log_format, verbose=loaded.settings.verbose)
    for note in loaded.notes:
        structlog.get_logger("argoos.settings").warning(note)
    asyncio.run(app.serve(loaded.settings))
