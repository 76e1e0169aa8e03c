"""The site as a whole, and how it is served."""

import errno
import socket
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

from aiohttp import web

from argoos.errors import PermanentError
from argoos.web.api import api_application
from argoos.web.collaborators import Collaborators
from argoos.web.deliveries import Deliveries
from argoos.web.health import Health
from argoos.web.metrics import Exposition

INDEX = """\
Argoos: a push to your registry rolls out.

POST /event              notifications of a registry
GET  /healthz /healtz    200 while the process can write its store
GET  /readyz             200 while every backend is synced
GET  /metrics            for Prometheus (unless metrics_listen moves it)
GET  /api/v1/pushes      what was pushed and what became of it
                         ?repository= &tag= &state= &ignored=true &before= &limit=
GET  /api/v1/pushes/ID   one push with its steps
GET  /api/v1/workloads   the labelled workloads   ?repository=
GET  /api/v1/plan        what a push would change ?image= (repeatable)
"""

LINGER_SECONDS = 2.0
"""How long the rest of a refused body is read and thrown away, so that its sender gets to read the answer."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Listening:
    """Where and how to serve. `host` is "" for every interface; port 0 lets the system choose.

    `tls` is None for plain HTTP. `grace_seconds` is how long open requests may take once the stop has begun.
    """

    host: str
    port: int
    tls: ssl.SSLContext | None = None
    grace_seconds: float = 5.0


def site(given: Collaborators) -> web.Application:
    """Return the whole site. Serve it with `serve`: it counts on bodies that are not unpacked."""
    deliveries, health = Deliveries(given), Health(given)
    # No middleware here: it would cost every delivery.
    application = web.Application()
    router = application.router
    router.add_post("/event", deliveries.accept)
    router.add_post(
        "/event/", deliveries.accept
    )  # never a redirect: a registry follows it with a GET, and the event is lost
    router.add_get("/", index)
    router.add_get("/healthz", health.alive)
    router.add_get("/healtz", health.alive)
    router.add_get("/readyz", health.ready)
    if given.serve_metrics:
        router.add_get("/metrics", Exposition(given).show)
    application.add_subapp("/api", api_application(given))
    return application


def metrics_site(given: Collaborators) -> web.Application:
    """Return a site that has the metrics alone, for an address of their own."""
    application = web.Application()
    application.router.add_get("/metrics", Exposition(given).show)
    return application


async def index(_: web.Request) -> web.Response:
    """List what is where."""
    return web.Response(text=INDEX)


@asynccontextmanager
async def serve(application: web.Application, listening: Listening) -> AsyncIterator[str]:
    """Serve a site while the context lasts; yields its base URL, with the port that the system chose.

    On the way out nothing new is accepted, and open requests have `grace_seconds` to end before they are broken off.

    Raises:
        PermanentError: the address cannot be listened on; the message says why and what to do.
    """
    runner = web.AppRunner(
        application,
        access_log=None,
        auto_decompress=False,
        lingering_time=LINGER_SECONDS,
        shutdown_timeout=listening.grace_seconds,
    )
    await runner.setup()
    try:
        await _bind(runner, listening)
        host, port = runner.addresses[0][:2]
        scheme = "https" if listening.tls else "http"
        yield f"{scheme}://[{host}]:{port}" if ":" in host else f"{scheme}://{host}:{port}"
    finally:
        await runner.cleanup()


async def _bind(runner: web.AppRunner, listening: Listening) -> None:
    try:
        if listening.host:
            await web.TCPSite(runner, listening.host, listening.port, ssl_context=listening.tls).start()
        else:
            await web.SockSite(runner, _every_interface(listening.port), ssl_context=listening.tls).start()
    except OSError as error:
        raise PermanentError(f"cannot listen on {listening.host}:{listening.port}: {_hint(error)}") from error


def _every_interface(port: int) -> socket.socket:
    """Return one socket for IPv4 and IPv6, or for IPv4 alone where the machine has no IPv6."""
    if socket.has_dualstack_ipv6():
        try:
            return socket.create_server(("", port), family=socket.AF_INET6, dualstack_ipv6=True)
        except OSError as error:
            if error.errno not in (errno.EADDRNOTAVAIL, errno.EAFNOSUPPORT):
                raise
    return socket.create_server(("", port))


def _hint(error: OSError) -> str:
    match error.errno:
        case errno.EADDRINUSE:
            return "another process listens there; stop it, or choose another address (listen, metrics_listen)"
        case errno.EACCES:
            return "not permitted; ports below 1024 need the right CAP_NET_BIND_SERVICE"
        case errno.EADDRNOTAVAIL:
            return "this machine has no such address"
        case _ if isinstance(error, socket.gaierror):
            return f"the host is unknown ({error.strerror})"
        case _:
            return str(error)
