"""The distribution registry, releases 2.8.2 and 3.1.2, configured to notify a given address of every push.

Configuration: https://distribution.github.io/distribution/about/configuration/
"""

import json
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Self

import aiohttp
import trustme

from tests.servers.binaries import Binaries
from tests.servers.process import Command, Server, free_port

VERSIONS = ("2.8.2", "3.1.2")

# What a registry with `password=True` asks for; the line is bcrypt of the password, the only kind a registry reads.
USERNAME = "pusher"
PASSWORD = "let-me-push"
HTPASSWD = "pusher:$2a$05$X.n2Z0imdN3Eg08aocA1AeVNzT9cXr4E1F5THqqzW99e.YR3uY26q"


@dataclass(frozen=True, slots=True, kw_only=True)
class Endpoint:
    """Where a registry posts its notifications, and how patient it is.

    `token` goes into the header `X-Argoos-Token`, `registry_name` into `X-Argoos-Registry-Name`.
    After `threshold` failures in a row the registry waits `backoff_seconds` before each further try.
    """

    url: str
    token: str | None = None
    registry_name: str | None = None
    timeout_seconds: float = 0.5
    threshold: int = 5
    backoff_seconds: float = 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """How a registry is served: over TLS, with a password, telling the config of a manifest in its notifications."""

    tls: bool = False
    password: bool = False
    include_references: bool = False


class Registry:
    """A registry on a free port of 127.0.0.1 with its images in `directory`; a restart keeps both.

    `server` can be stopped, killed, frozen and started alone. Notifications that wait for the endpoint are lost
    with the process.
    """

    def __init__(
        self, version: str, binaries: Binaries, directory: Path, endpoint: Endpoint, options: Options | None = None
    ) -> None:
        self.version = version
        self.options = options or Options()
        self.host = f"127.0.0.1:{free_port()}"
        self.url = f"{'https' if self.options.tls else 'http'}://{self.host}"
        self._directory = directory
        self.certificates = directory / "certificates"
        self.certificates.mkdir(parents=True, exist_ok=True)
        if self.options.tls:
            self._issue_certificate()
        config = directory / "config.yml"
        config.write_text(json.dumps(self._config(endpoint), indent=2))  # JSON is YAML
        command = Command(
            argv=(str(binaries.registry(version)), "serve", str(config)),
            ready=self._ready,
            environment={"OTEL_TRACES_EXPORTER": "none"},  # 3.x sends traces to localhost unless told not to
        )
        self.server = Server(f"registry-{version}", command, directory)

    @property
    def ca_file(self) -> Path:
        """The certificate of the authority that a client of a registry with `tls` has to trust."""
        return self.certificates / "ca.crt"

    @asynccontextmanager
    async def session(self) -> AsyncIterator[aiohttp.ClientSession]:
        """Open an HTTP session with this registry that trusts it and knows its password."""
        trust: ssl.SSLContext | bool = True
        if self.options.tls:
            trust = ssl.create_default_context(cafile=self.ca_file)
        headers = {}
        if self.options.password:
            headers["Authorization"] = aiohttp.encode_basic_auth(USERNAME, PASSWORD)
        connector = aiohttp.TCPConnector(ssl=trust)
        timeout = aiohttp.ClientTimeout(total=30)
        async with aiohttp.ClientSession(self.url, connector=connector, headers=headers, timeout=timeout) as session:
            yield session

    async def _ready(self) -> bool:
        try:
            async with self.session() as session, session.get("/v2/") as response:
                return response.status == 200
        except (aiohttp.ClientError, TimeoutError):
            return False

    def _issue_certificate(self) -> None:
        authority = trustme.CA()
        authority.cert_pem.write_to_path(self.ca_file)
        certificate = authority.issue_cert("127.0.0.1", "localhost")
        # Not beside ca.crt: skopeo takes every *.key of that folder for the key of a client.
        certificate.cert_chain_pems[0].write_to_path(self._directory / "server.crt")
        certificate.private_key_pem.write_to_path(self._directory / "server.key")

    def _config(self, endpoint: Endpoint) -> dict[str, object]:
        http: dict[str, object] = {"addr": self.host, "secret": "only-for-tests"}
        if self.options.tls:
            http["tls"] = {
                "certificate": str(self._directory / "server.crt"),
                "key": str(self._directory / "server.key"),
            }
        config: dict[str, object] = {
            "version": "0.1",
            "log": {"level": "info", "accesslog": {"disabled": True}},
            "storage": {"filesystem": {"rootdirectory": str(self._directory / "images")}, "delete": {"enabled": True}},
            "http": http,
            "notifications": {
                "events": {"includereferences": self.options.include_references},
                "endpoints": [_endpoint(endpoint)],
            },
        }
        if self.options.password:
            htpasswd = self._directory / "htpasswd"
            htpasswd.write_text(HTPASSWD + "\n")
            config["auth"] = {"htpasswd": {"realm": "test", "path": str(htpasswd)}}
        return config

    async def __aenter__(self) -> Self:
        await self.server.start()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.server.stop()


def _endpoint(endpoint: Endpoint) -> dict[str, object]:
    headers: dict[str, list[str]] = {}  # the registry wants a list for each
    if endpoint.token is not None:
        headers["X-Argoos-Token"] = [endpoint.token]
    if endpoint.registry_name is not None:
        headers["X-Argoos-Registry-Name"] = [endpoint.registry_name]
    return {
        "name": "argoos",
        "url": endpoint.url,
        "headers": headers,
        "timeout": f"{endpoint.timeout_seconds * 1000:.0f}ms",
        "threshold": endpoint.threshold,
        "backoff": f"{endpoint.backoff_seconds * 1000:.0f}ms",
    }
