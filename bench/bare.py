"""The baseline of a delivery: an aiohttp server that reads the body and answers, in a process of its own.

Run as ``python -m bench.bare PORT``. It serves as Argoos does: one process, one loop, no access log, no middleware.
"""

import asyncio
import sys

from aiohttp import web


async def accept(request: web.Request) -> web.Response:
    """Read the body and keep nothing."""
    await request.read()
    return web.Response(status=202)


async def ready(_: web.Request) -> web.Response:
    """Answer 200."""
    return web.Response()


async def serve(port: int) -> None:
    """Serve until the process is ended."""
    application = web.Application()
    application.router.add_post("/event", accept)
    application.router.add_get("/readyz", ready)
    runner = web.AppRunner(application, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", port).start()
    await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(serve(int(sys.argv[1])))
