"""Problem documents (RFC 9457), and the error boundary that makes one of every error under ``/api``."""

import math
from collections.abc import Awaitable, Callable, Mapping
from http import HTTPStatus

import orjson
import structlog
from aiohttp import web

from argoos.errors import ArgoosError, BadToken, CallerError, NotFound, TemporaryError

log = structlog.get_logger(__name__)

CONTENT_TYPE = "application/problem+json"
RETRY_SECONDS = 1.0
"""What ``Retry-After`` says when nobody knows better: about what a locked database needs."""

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


def problem(status: int, detail: str, *, headers: Mapping[str, str] | None = None) -> web.Response:
    """Return a problem document. Its title is the status in words, `detail` says what happened and what to do."""
    document = {"type": "about:blank", "title": HTTPStatus(status).phrase, "status": status, "detail": detail}
    return web.Response(status=status, body=orjson.dumps(document), content_type=CONTENT_TYPE, headers=headers)


def problem_of(error: ArgoosError) -> web.Response:
    """Return the problem document of an error of ours: the class decides the status."""
    match error:
        case BadToken():
            return problem(401, str(error), headers={"WWW-Authenticate": 'Bearer realm="argoos"'})
        case NotFound():
            return problem(404, str(error))
        case CallerError():
            return problem(400, str(error))
        case TemporaryError():
            return problem(503, str(error), headers=retry_after(error))
        case _:
            return problem(500, str(error))


def retry_after(error: TemporaryError) -> dict[str, str]:
    """Return the header that says when to try again, in whole seconds."""
    seconds = RETRY_SECONDS if error.delay_seconds is None else error.delay_seconds
    return {"Retry-After": str(max(1, math.ceil(seconds)))}


@web.middleware
async def boundary(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Answer every error with a problem document. The boundary of the API: nothing passes it unanswered."""
    try:
        return await handler(request)
    except ArgoosError as error:
        return problem_of(error)
    except web.HTTPException as error:
        return _of_http(request, error)
    except Exception:
        log.exception("a request could not be answered: a mistake in Argoos", path=request.path)
        return problem(500, "a mistake in Argoos; its log holds the traceback")


def _of_http(request: web.Request, error: web.HTTPException) -> web.Response:
    """Put into words what aiohttp's router says: no such path, or not with this method."""
    match error:
        case web.HTTPMethodNotAllowed():
            allowed = ", ".join(sorted(error.allowed_methods))
            return problem(405, f"{request.path} takes {allowed}, not {error.method}", headers={"Allow": allowed})
        case web.HTTPNotFound():
            return problem(404, f"there is no {request.path}; GET / lists what there is")
        case _:
            return problem(error.status, error.text or error.reason)
