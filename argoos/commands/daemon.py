"""A running daemon, asked over HTTP by the commands that need one."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import aiohttp
import orjson

from argoos.errors import ArgoosError, BadToken, CallerError, NotFound, PermanentError, TemporaryError, excerpt
from argoos.settings import Settings, Tokens

if TYPE_CHECKING:
    from collections.abc import Sequence

TIMEOUT_SECONDS = 30.0
EVERY_INTERFACE = frozenset({"", "0.0.0.0", "::"})  # noqa: S104 - hosts to listen on, none to connect to


@dataclass(frozen=True, slots=True, kw_only=True)
class Answered:
    """What the daemon answered."""

    status: int
    body: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Daemon:
    """Where a daemon is and what opens it. `url` has no path; `token` is "" when none is needed."""

    url: str
    token: str = field(default="", repr=False)

    async def get(self, path: str, parameters: "Sequence[tuple[str, str]]" = ()) -> Any:  # noqa: ANN401 - JSON
        """Return the JSON document at `path`.

        Raises:
            ArgoosError: the daemon is away or refuses; the message says why.
        """
        answered = await self._send("GET", path, parameters=parameters)
        if answered.status != 200:
            raise _refusal(answered, self.url)
        try:
            return orjson.loads(answered.body)
        except orjson.JSONDecodeError as error:
            raise PermanentError(f"{self.url}{path} did not answer with JSON; is that Argoos?") from error

    async def deliver(self, body: bytes, headers: Mapping[str, str]) -> None:
        """Post one delivery as a registry would, and return once it is accepted.

        Raises:
            ArgoosError: the daemon is away or refuses; the message says why.
        """
        answered = await self._send("POST", "/event", body=body, headers=headers)
        if not 200 <= answered.status < 300:
            raise _refusal(answered, self.url)

    async def status(self, path: str) -> int | None:
        """Return the status that `path` is answered with; None while nobody answers."""
        try:
            return (await self._send("GET", path)).status
        except TemporaryError:
            return None

    async def _send(
        self,
        method: str,
        path: str,
        *,
        parameters: "Sequence[tuple[str, str]]" = (),
        body: bytes | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> Answered:
        shown = {**(headers or {}), **({"X-Argoos-Token": self.token} if self.token else {})}
        timeout = aiohttp.ClientTimeout(total=TIMEOUT_SECONDS)
        try:
            async with (
                aiohttp.ClientSession(timeout=timeout) as session,
                session.request(
                    method, self.url + path, params=list(parameters), data=body, headers=shown, allow_redirects=False
                ) as response,
            ):
                return Answered(status=response.status, body=await response.read())
        except (aiohttp.ClientError, TimeoutError) as error:
            said = excerpt(str(error)) or "no answer in time"
            raise TemporaryError(
                f"no daemon can be reached at {self.url}: {said}; start one with argoos serve, or name it with --url"
            ) from error


def daemon(settings: Settings, *, url: str | None, token: str | None, for_api: bool) -> Daemon:
    """Return the daemon that the options name, or else the one that these settings would start on this machine.

    Raises:
        CallerError: `url` is none.
    """
    if token is None:
        deliveries = Tokens(settings.tokens, settings.tokens_file)()
        own = Tokens(settings.api_tokens, settings.api_tokens_file)() if for_api else ()
        token = next(iter((*own, *deliveries)), "")
    return Daemon(url=_base(url) if url else _local(settings), token=token)


def _local(settings: Settings) -> str:
    host = "127.0.0.1" if settings.listen.host in EVERY_INTERFACE else settings.listen.host
    scheme = "https" if settings.server_cert else "http"
    return f"{scheme}://[{host}]:{settings.listen.port}" if ":" in host else f"{scheme}://{host}:{settings.listen.port}"


def _base(url: str) -> str:
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise CallerError(f"--url {url!r} is no address; write http://host:port or https://host")
    if parts.path.rstrip("/") not in ("", "/event"):
        raise CallerError(f"--url {url!r} has a path; write the address alone: {parts.scheme}://{parts.netloc}")
    return f"{parts.scheme}://{parts.netloc}"


def _refusal(answered: Answered, url: str) -> ArgoosError:
    """Return the error that a status means, with what the daemon says of it."""
    said = _detail(answered.body)
    match answered.status:
        case 401:
            return BadToken(f"{url} does not accept the token ({said}); give one with --token, or set tokens")
        case 404:
            return NotFound(said)
        case status if status in (429, 503):
            return TemporaryError(f"{url} cannot do that now ({status}): {said}; try again")
        case status:
            return PermanentError(f"{url} answered {status}: {said}")


def _detail(body: bytes) -> str:
    """Return the sentence in a problem document, or the beginning of whatever else it is."""
    try:
        document = orjson.loads(body)
    except orjson.JSONDecodeError:
        return excerpt(body.decode(errors="replace"))
    detail = document.get("detail") if isinstance(document, dict) else None
    return excerpt(str(detail or document))
