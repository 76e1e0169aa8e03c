"""Raw calls to the API server: the Kubernetes client's configuration and connections, none of its models.

Its API classes cost 0.6 s and 13 MB when first touched, and its models ten times the memory of the JSON they are made
of; so calls are made below them.
"""

import asyncio
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

import aiohttp
import structlog

from argoos.backends.kubernetes import credentials
from argoos.backends.kubernetes.answers import CONNECTION_ERRORS, Json, Target, json_object, refusal, silence
from argoos.backends.kubernetes.options import KubernetesOptions
from argoos.errors import BackendUnavailable

if TYPE_CHECKING:
    from kubernetes.aio.client import ApiClient

log = structlog.get_logger(__name__)

JSON_PATCH = "application/json-patch+json"

_CONNECT_SECONDS = 5
_QUIET_SECONDS = 90
"""How long a watch may be silent: a healthy one has a bookmark every minute. A frozen server is noticed by it."""
_RELOAD_SECONDS = 10
"""Credentials are read again at most this often: a login plugin may ask a person or a slow service."""

_LOGIN_SECONDS = 60
"""How long a login plugin may take."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """One request. `target` says what it is about, for messages; `body` is sent as JSON of `content_type`."""

    method: str
    path: str
    target: Target
    query: Sequence[tuple[str, str]] = ()
    body: object = None
    content_type: str = "application/json"


class Client:
    """Connections to one API server, opened at the first call. Every call may raise what `answers` tells of."""

    def __init__(self, options: KubernetesOptions) -> None:
        self._options = options
        self._session: _Session | None = None
        self._opening = asyncio.Lock()
        self._loaded_at = 0.0

    async def call(self, call: Call) -> Json:
        """Send a request and return the object that it is answered with."""
        total = aiohttp.ClientTimeout(total=self._options.request_timeout_seconds, sock_connect=_CONNECT_SECONDS)
        try:
            async with self._send(call, total) as response:
                body = await response.read()
        except CONNECTION_ERRORS as exc:
            raise silence(exc, call.target) from exc
        return json_object(body, call.target)

    @asynccontextmanager
    async def stream(self, call: Call) -> AsyncIterator[aiohttp.StreamReader]:
        """Send a request and hand over the body of its answer to be read as it comes; errors there are translated."""
        quiet = aiohttp.ClientTimeout(total=None, sock_connect=_CONNECT_SECONDS, sock_read=_QUIET_SECONDS)
        try:
            async with self._send(call, quiet) as response:
                yield response.content
        except CONNECTION_ERRORS as exc:
            raise silence(exc, call.target) from exc

    async def close(self) -> None:
        """Close all connections, as soon as no call uses them; the next call opens new ones."""
        session, self._session = self._session, None
        if session is not None:
            await session.retire()

    @asynccontextmanager
    async def _send(self, call: Call, timeout: aiohttp.ClientTimeout) -> AsyncIterator[aiohttp.ClientResponse]:
        for again in (True, False):
            async with self._borrowed() as session, await _request(session.api, call, timeout) as response:
                try:
                    if response.status == 401 and again and await self._renewed(session):
                        continue  # it did nothing: safe to repeat
                    if response.status >= 300:
                        raise refusal(response.status, response.headers, await response.read(), call.target)
                    yield response
                    return
                finally:
                    _break_off(response)

    @asynccontextmanager
    async def _borrowed(self) -> "AsyncIterator[_Session]":
        async with self._opening:
            if self._session is None:
                self._session = await self._open()
            session = self._session
        session.users += 1
        try:
            yield session
        finally:
            session.users -= 1
            if session.retired:
                await session.retire()

    async def _open(self) -> "_Session":
        await asyncio.to_thread(_import_client)  # 0.2 s, in which the receiver must answer
        from kubernetes.aio.client import ApiClient

        self._loaded_at = time.monotonic()
        try:
            async with asyncio.timeout(_LOGIN_SECONDS):
                config = await credentials.load(self._options)
        except TimeoutError as exc:
            message = f"cannot log in to Kubernetes: the login plugin did not end within {_LOGIN_SECONDS} s"
            raise BackendUnavailable(message) from exc
        try:
            api = ApiClient(config)  # reads the client certificate, for good
        except OSError as exc:
            raise BackendUnavailable(f"cannot use the certificates for {config.host}: {exc}") from exc
        api.user_agent = "argoos"
        log.info("kubernetes api", host=config.host, proxy=bool(config.proxy), verified=config.verify_ssl)
        return _Session(api)

    async def _renewed(self, refused: "_Session") -> bool:
        """Read the credentials anew after a 401, unless another call has just done so; False: that was tried lately.

        Tokens are replaced in files that the client reads but once, and certificates expire. Watches that are open go
        on with what they were opened with.
        """
        async with self._opening:
            if self._session is not refused:
                return True
            if time.monotonic() - self._loaded_at < _RELOAD_SECONDS:
                return False
            log.warning("kubernetes credentials refused, reading them again")
            self._session = await self._open()
            await refused.retire()
            return True


class _Session:
    """Connections with one set of credentials. Closed when the last call has ended: aiohttp leaves one hanging else."""

    def __init__(self, api: "ApiClient") -> None:
        self.api = api
        self.users = 0
        self.retired = False

    async def retire(self) -> None:
        """Be used by no more calls, and close with the last one."""
        self.retired = True
        if self.users == 0:
            await self.api.close()  # type: ignore[no-untyped-call]  # the client is typed in part


async def _request(api: "ApiClient", call: Call, timeout: aiohttp.ClientTimeout) -> aiohttp.ClientResponse:
    headers = {"Accept": "application/json", "Content-Type": call.content_type}
    request = await api.param_serialize(
        call.method,
        call.path,
        query_params=list(call.query),
        header_params=headers,
        body=call.body,
        auth_settings=["BearerToken"],
    )
    answer = await api.call_api(*request, _request_timeout=timeout)
    response: aiohttp.ClientResponse = answer.response
    return response


def _break_off(response: aiohttp.ClientResponse) -> None:
    """Cut the connection of an answer that has not been read to its end, as every cancelled watch.

    Closed politely it would exchange goodbyes with a server that may be frozen, after its owner is gone.
    """
    connection = response.connection
    if connection is not None and connection.transport is not None and not response.content.at_eof():
        connection.transport.abort()


def _import_client() -> None:
    import kubernetes.aio.client
    import kubernetes.aio.config  # noqa: F401
