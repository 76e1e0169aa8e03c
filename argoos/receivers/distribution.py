"""Notifications of the CNCF distribution registry (Docker Registry 2.x and 3.x), and whatever posts the same form.

The form: https://distribution.github.io/distribution/about/notifications/ and ``notifications/event.go`` of the
registry's source. Release 2.x and 3.x differ in the content type only, which is therefore not looked at.

A registry posts one delivery at a time and repeats a refused one until it is taken, so everything behind a refused
delivery waits. Hence only a body that is no envelope at all is refused; every odd event in one becomes `Ignored`.
"""

import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

import orjson

from argoos.core.image import is_digest, is_tag
from argoos.core.push import Ignored, NoCandidate, Push, Received
from argoos.errors import BadDelivery, InvalidReference
from argoos.receivers.field import (
    host_of_header,
    host_of_url,
    join_repository,
    read_media_type,
    read_media_types,
    read_text,
    read_time,
)

_EXPECTED = 'expected the envelope of a distribution registry: a JSON object such as {"events": [...]}'

REGISTRY_NAME_HEADER = "x-argoos-registry-name"
"""Names the registry's host for one delivery; stronger than what the event says of it."""

INDEX_TYPES = frozenset(
    {
        "application/vnd.oci.image.index.v1+json",
        "application/vnd.docker.distribution.manifest.list.v2+json",
    }
)
MANIFEST_TYPES = frozenset(
    {
        "application/vnd.oci.image.manifest.v1+json",
        "application/vnd.docker.distribution.manifest.v2+json",
        "application/vnd.docker.distribution.manifest.v1+prettyjws",
        "application/vnd.docker.distribution.manifest.v1+json",
    }
)
IMAGE_CONFIG_TYPES = frozenset(
    {
        "application/vnd.oci.image.config.v1+json",
        "application/vnd.docker.container.image.v1+json",
    }
)

# The referrers tag schema of the OCI distribution specification (``<algorithm>-<64 digits>``), which cosign extends by
# .sig, .att and .sbom.
_REFERRERS_TAG = re.compile(r"sha(?:256|512)-[0-9a-f]{64}(?:\.[\w.-]+)?", re.ASCII)
# Ids are UUIDs; a longer one would not fit an index entry of every database.
_ID_LIMIT = 128


class Distribution:
    """Reads the envelopes of a distribution registry."""

    name = "distribution"

    def parse(self, body: bytes, headers: Mapping[str, str], *, received_at: datetime) -> list[Received]:
        """Return every event of the envelope as a `Push` or as `Ignored`.

        An event that is no JSON object, or has no target, says nothing that could be kept: all such of one delivery
        become one `Ignored` that counts them.

        Raises:
            BadDelivery: the body is not a JSON object with an array ``events``.
        """
        registry = headers.get(REGISTRY_NAME_HEADER, "")
        received: list[Received] = []
        malformed = 0
        for index, raw in enumerate(_events(body)):
            target = raw.get("target") if isinstance(raw, dict) else None
            if isinstance(raw, dict) and isinstance(target, dict):
                received.append(_Event.read(raw, target, registry=registry).classify(_Origin(body, index, received_at)))
            else:
                malformed += 1
        if malformed:
            origin = _Origin(body, -1, received_at)
            detail = f"events that are no object with a target: {malformed}"
            received.append(_EMPTY.ignored(origin, NoCandidate.NOT_A_PUSH, detail))
        return received


@dataclass(frozen=True, slots=True)
class _Origin:
    """Where in which delivery an event stood; index -1 stands for all its malformed events together."""

    body: bytes
    index: int
    received_at: datetime

    def key(self, event_id: str) -> str:
        """Return the key under which the event is the same event for ever.

        A repeated delivery has the same bytes, so an event without an id is known by its place in them.
        """
        if event_id and len(event_id) <= _ID_LIMIT:
            return f"distribution:{event_id}"
        digest = hashlib.sha256(event_id.encode() if event_id else self.body).hexdigest()
        return f"distribution:sha256:{digest}" + ("" if event_id else f":{self.index}")


@dataclass(frozen=True, slots=True, kw_only=True)
class _Event:
    """What Argoos reads of one event. Absent texts, and those of another type than text, are ""."""

    id: str = ""
    action: str = ""
    timestamp: str = ""
    media_type: str = ""
    artifact_type: str = ""
    references: tuple[str, ...] = ()
    host: str = ""
    path: str = ""
    tag: str = ""
    digest: str = ""
    actor: str = ""

    @classmethod
    def read(cls, event: dict[str, object], target: dict[str, object], *, registry: str) -> "_Event":
        """Narrow the raw JSON of an event and its target; `registry` is the host that the header names, or ""."""
        request, actor, references = event.get("request"), event.get("actor"), target.get("references")
        host = host_of_header(registry) or (read_text(request.get("host")) if isinstance(request, dict) else "")
        return cls(
            id=read_text(event.get("id"), limit=None),
            action=read_text(event.get("action")),
            timestamp=read_text(event.get("timestamp")),
            media_type=read_media_type(target.get("mediaType")),
            artifact_type=read_media_type(target.get("artifactType")),
            references=read_media_types(references) if isinstance(references, list) else (),
            host=host or host_of_url(read_text(target.get("url"), limit=None)),
            path=read_text(target.get("repository")),
            tag=read_text(target.get("tag")),
            digest=read_text(target.get("digest")),
            actor=read_text(actor.get("name")) if isinstance(actor, dict) else "",
        )

    def classify(self, origin: _Origin) -> Received:
        """Decide whether this is a push of an image that a container could run, or why not."""
        noise = self._noise()
        if noise is not None:
            return self.ignored(origin, *noise)
        try:
            repository = join_repository(self.host, self.path)
        except InvalidReference as error:
            return self.ignored(origin, NoCandidate.NOT_AN_IMAGE, str(error))
        return Push(
            key=origin.key(self.id),
            repository=repository,
            tag=self.tag,
            digest=self.digest,
            pushed_at=read_time(self.timestamp, origin.received_at),
            actor=self.actor,
            media_type=self.media_type,
            sender=Distribution.name,
        )

    def ignored(self, origin: _Origin, reason: NoCandidate, detail: str) -> Ignored:
        """Return this event as one that is kept, but never rolled out."""
        try:
            repository = str(join_repository(self.host, self.path))
        except InvalidReference:
            repository = ""
        return Ignored(
            key=origin.key(self.id),
            reason=reason,
            repository=repository,
            tag=self.tag,
            digest=self.digest,
            pushed_at=read_time(self.timestamp, origin.received_at),
            actor=self.actor,
            media_type=self.media_type,
            sender=Distribution.name,
            detail=detail,
        )

    def _noise(self) -> tuple[NoCandidate, str] | None:
        """Return why this event is no push of a tagged image, with a sentence for this case; None when it is one."""
        tag, kind = self.tag, self.media_type
        if self.action != "push":
            return NoCandidate.NOT_A_PUSH, f"the action is {self.action!r}"
        if kind not in MANIFEST_TYPES and kind not in INDEX_TYPES:
            return NoCandidate.NOT_AN_IMAGE, f"the media type {kind!r} is not that of an image's manifest or index"
        if _REFERRERS_TAG.fullmatch(tag):
            return NoCandidate.SIGNATURE, f"the tag {tag!r} belongs to another image"
        if not is_tag(tag):  # not even where somebody put the digest in the tag's place
            return NoCandidate.NO_TAG, f"{tag!r} is no tag" if tag else "pushed by its digest alone"
        if not is_digest(self.digest):
            return NoCandidate.NOT_AN_IMAGE, f"{self.digest!r} is no digest"
        return self._artifact()

    def _artifact(self) -> tuple[NoCandidate, str] | None:
        """Return why this manifest is another artifact (a chart, an SBOM), where the registry lets us see it.

        A manifest refers to its config and its layers, if the registry is set to send that (``includereferences``).
        """
        if self.artifact_type and self.artifact_type not in IMAGE_CONFIG_TYPES:
            return NoCandidate.NOT_AN_IMAGE, f"an artifact of type {self.artifact_type}"
        if self.media_type in INDEX_TYPES or not self.references or IMAGE_CONFIG_TYPES.intersection(self.references):
            return None
        return NoCandidate.NOT_AN_IMAGE, f"its config is no image config: it refers to {self.references[0]}"


_EMPTY = _Event()


def _events(body: bytes) -> list[object]:
    """Return the events of an envelope, unread.

    Raises:
        BadDelivery: the body is no envelope.
    """
    try:
        envelope = orjson.loads(body)
    except orjson.JSONDecodeError:
        envelope = _lenient_json(body)
    if not isinstance(envelope, dict) or "events" not in envelope:
        raise BadDelivery(f"the body is JSON, but not a notification; {_EXPECTED}")
    events = envelope["events"]
    if events is None:  # what Go makes of an empty list
        return []
    if not isinstance(events, list):
        raise BadDelivery(f"the body's 'events' is not an array; {_EXPECTED}")
    return events


def _lenient_json(body: bytes) -> object:
    """Read what orjson refuses but RFC 8259 does not: lone surrogates, numbers beyond a double; and a byte order mark.

    Raises:
        BadDelivery: this reader refuses it, too; or it is nested too deeply to be a notification.
    """
    try:
        return json.loads(body)
    except (ValueError, RecursionError) as error:
        raise BadDelivery(f"the body is not JSON ({error}); {_EXPECTED}") from error
