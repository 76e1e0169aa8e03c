"""Events of a distribution registry, made by hand, and the receiver to read them with."""

import json
from datetime import UTC, datetime
from typing import Any

from argoos.core.push import Push, Received
from argoos.receivers import RECEIVERS

RECEIVED_AT = datetime(2026, 11, 21, 13, 30, tzinfo=UTC)
DIGEST = "sha256:" + "0123456789abcdef" * 4
HEX = "a" * 64
OCI = "application/vnd.oci.image.manifest.v1+json"
OCI_INDEX = "application/vnd.oci.image.index.v1+json"
OCI_CONFIG = {"mediaType": "application/vnd.oci.image.config.v1+json"}
DOCKER_CONFIG = {"mediaType": "application/vnd.docker.container.image.v1+json"}
HELM_CONFIG = {"mediaType": "application/vnd.cncf.helm.config.v1+json"}
LAYER = {"mediaType": "application/vnd.oci.image.layer.v1.tar+gzip"}


def event(target: dict[str, Any] | None = None, **over: Any) -> dict[str, Any]:
    """Return an event of a push of registry.example.com/shop/web:1.4.2, with some of its fields replaced."""
    return {
        "id": "8c3a",
        "timestamp": "2026-11-21T13:12:24.351134663Z",
        "action": "push",
        "target": {
            "mediaType": OCI,
            "digest": DIGEST,
            "repository": "shop/web",
            "url": f"https://registry.example.com/v2/shop/web/manifests/{DIGEST}",
            "tag": "1.4.2",
            **(target or {}),
        },
        "request": {"host": "registry.example.com"},
        "actor": {"name": "ci"},
        **over,
    }


def parse(body: bytes, headers: dict[str, str] | None = None) -> list[Received]:
    """Let the receiver read a body."""
    return RECEIVERS["distribution"].parse(body, headers or {}, received_at=RECEIVED_AT)


def parse_one(raw: Any, headers: dict[str, str] | None = None) -> Received:
    """Let the receiver read an envelope of one event, which gives one part."""
    (part,) = parse(json.dumps({"events": [raw]}).encode(), headers)
    return part


def push_of(raw: Any, headers: dict[str, str] | None = None) -> Push:
    """Read an event that must be a push."""
    part = parse_one(raw, headers)
    assert isinstance(part, Push), part
    return part
