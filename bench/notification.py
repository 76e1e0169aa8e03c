"""A push as a registry of release 3.1 announces it: the body, and the HTTP request that carries it."""

import itertools
import secrets
import uuid
from dataclasses import dataclass

import orjson

REGISTRY = "registry.example.com:5000"
TOKEN = "bench-token"

_patches = itertools.count(1)

# What a request of the registry's Go client looks like, but for the address.
_HEAD = (
    "POST /event HTTP/1.1\r\n"
    "Host: 127.0.0.1\r\n"
    "User-Agent: Go-http-client/1.1\r\n"
    "Content-Length: %d\r\n"
    "Content-Type: application/vnd.docker.distribution.events.v2+json\r\n"
    f"X-Argoos-Token: {TOKEN}\r\n\r\n"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Pushed:
    """An image that was pushed: newer than every other one that this process has made up, so a workload takes it."""

    repository: str
    tag: str
    digest: str

    @classmethod
    def of(cls, repository: str) -> "Pushed":
        """Make up the next version of a repository."""
        return cls(repository=repository, tag=f"1.0.{next(_patches)}", digest=f"sha256:{secrets.token_hex(32)}")

    @property
    def image(self) -> str:
        """The reference that a container gets."""
        return f"{REGISTRY}/{self.repository}:{self.tag}@{self.digest}"


def request(*pushes: Pushed) -> bytes:
    """Return the HTTP request that announces the pushes, each under an id of its own; a registry sends one."""
    body = orjson.dumps({"events": [_event(push) for push in pushes]}, option=orjson.OPT_INDENT_2)
    return (_HEAD % len(body)).encode() + body


def _event(push: Pushed) -> dict[str, object]:
    return {
        "id": str(uuid.uuid4()),
        "timestamp": "2026-11-21T13:12:43.703223249Z",
        "action": "push",
        "target": {
            "mediaType": "application/vnd.oci.image.manifest.v1+json",
            "digest": push.digest,
            "size": 578,
            "length": 578,
            "repository": push.repository,
            "url": f"http://{REGISTRY}/v2/{push.repository}/manifests/{push.digest}",
            "tag": push.tag,
        },
        "request": {
            "id": str(uuid.uuid4()),
            "addr": "127.0.0.1:60634",
            "host": REGISTRY,
            "method": "PUT",
            "useragent": "skopeo/1.9.3",
        },
        "actor": {"name": "builder"},
        "source": {"addr": "registry:5002", "instanceID": "01a1fe3c-db14-7ce5-bf8d-ed016f759f96"},
    }


def unknown(number: int) -> Pushed:
    """Return a push of a repository that no workload runs, one of a thousand."""
    return Pushed.of(f"nobody/app-{number % 1000:04}")
