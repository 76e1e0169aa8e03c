"""How an API server refuses: Status objects."""

from typing import Any

from aiohttp import web

Object = dict[str, Any]


def failure(code: int, message: str, causes: list[Object] | None = None) -> Object:
    """Return a Status object."""
    details = {"causes": causes} if causes else {}
    return {"kind": "Status", "status": "Failure", "message": message, "details": details, "code": code}


def status(code: int, message: str, causes: list[Object] | None = None) -> web.Response:
    """Return an answer that refuses."""
    return web.json_response(failure(code, message, causes), status=code)
