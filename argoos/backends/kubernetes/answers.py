"""What the API server (or the lack of it) means: the one place where its refusals become Argoos's errors."""

import ssl
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import aiohttp
import orjson
from aiohttp.http_exceptions import HttpProcessingError

from argoos.errors import (
    ArgoosError,
    BackendUnavailable,
    Conflict,
    Forbidden,
    PermanentError,
    TemporaryError,
    excerpt,
)

Json = Mapping[str, Any]
"""A JSON object as the API server sent it, not narrowed yet."""

CONNECTION_ERRORS = (aiohttp.ClientError, HttpProcessingError, TimeoutError, OSError)
"""What a call can end in when there is no answer, or only half of one."""

_PASSING = frozenset({401, 408, 410, 429})
"""Refusals that may be over when tried again. A 401 is one: tokens are replaced while they are used."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """What a call is about, in the words of RBAC. `namespace` and `name` are "" where the call is about all."""

    verb: str
    resource: str
    group: str = ""
    namespace: str = ""
    name: str = ""

    def __str__(self) -> str:
        """Return for example ``patch deployments "web" in namespace "shop"``."""
        return f"{self.verb} {self.subject}"

    @property
    def subject(self) -> str:
        """What the call is about, without the verb."""
        name = f' "{self.name}"' if self.name else ""
        place = f'namespace "{self.namespace}"' if self.namespace else "all namespaces"
        return f"{self.resource}{name} in {place}"


def refusal(status: int, headers: Mapping[str, str], body: bytes, target: Target) -> ArgoosError:
    """Return the error that an answer other than 2xx means."""
    message, fields = _read(body)
    said = f"cannot {target}: the API server answered {status}: {message or '(nothing more)'}"
    if status == 403:
        return _forbidden(said, message, target)
    if status in _PASSING or status >= 500:
        hint = "; it does not accept Argoos's credentials: renew them" if status == 401 else ""
        return TemporaryError(f"{said}{hint}", delay_seconds=_retry_after(headers))
    if status in {404, 409} or (status == 422 and not fields):
        return Conflict(said)  # 422 without fields: a `test` of a JSON Patch failed; the answer never says which
    return PermanentError(said + (f" (fields: {', '.join(fields)})" if fields else ""))


def json_object(text: bytes, target: Target) -> Json:
    """Parse what must be a JSON object.

    Raises:
        BackendUnavailable: it is not: it was cut off, or something else than an API server answers there.
    """
    try:
        value = orjson.loads(text)
    except orjson.JSONDecodeError as exc:
        raise BackendUnavailable(f"cannot {target}: the answer is no JSON: {excerpt(str(exc))}") from exc
    if not isinstance(value, dict):
        raise BackendUnavailable(f"cannot {target}: the answer is no JSON object; is that an API server?")
    return value


def silence(exc: BaseException, target: Target) -> BackendUnavailable:
    """Return the error that a call without a (whole) answer means."""
    if isinstance(exc, aiohttp.ClientConnectorCertificateError | aiohttp.ClientSSLError | ssl.SSLError):
        hint = "; if its certificate is of a private authority, name that one's ca_file"
        return BackendUnavailable(f"cannot {target}: no trusted connection: {excerpt(str(exc))}{hint}")
    if isinstance(exc, TimeoutError):
        return BackendUnavailable(f"cannot {target}: the API server did not answer in time")
    if isinstance(exc, aiohttp.ClientPayloadError | aiohttp.ServerDisconnectedError | ConnectionError):
        return BackendUnavailable(f"cannot {target}: the API server broke the connection off")
    return BackendUnavailable(f"cannot {target}: {excerpt(str(exc)) or type(exc).__name__}")


def _forbidden(said: str, message: str, target: Target) -> PermanentError:
    if f"cannot {target.verb} resource" not in message:
        return PermanentError(said)  # an admission webhook or a quota, which no role would change
    group = f' of API group "{target.group}"' if target.group else ""
    place = f'a Role in namespace "{target.namespace}"' if target.namespace else "a ClusterRole"
    return Forbidden(f'{said}; grant the verb "{target.verb}" on "{target.resource}"{group} in {place}')


def _read(body: bytes) -> tuple[str, tuple[str, ...]]:
    """Return a Status object's message and the fields it blames; of another body (429 is plain text) an excerpt."""
    try:
        status = orjson.loads(body)
    except orjson.JSONDecodeError:
        return excerpt(body[:4096].decode(errors="replace")), ()
    if not isinstance(status, dict):
        return excerpt(body[:4096].decode(errors="replace")), ()
    causes = (status.get("details") or {}).get("causes") or ()
    return excerpt(str(status.get("message") or "")), tuple(str(cause.get("field", "?")) for cause in causes)


def _retry_after(headers: Mapping[str, str]) -> float | None:
    """Return the seconds of ``Retry-After``; API servers send no dates there."""
    value = headers.get("Retry-After", "")
    return float(value) if value.isdecimal() else None
