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
from datetime import datetime
from functools import cached_property
from typing import NamedTuple

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

Noise = tuple[NoCandidate, str]
"""Why an event is no candidate: the word, and a sentence for this case."""


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
        registry = host_of_header(headers.get(REGISTRY_NAME_HEADER, ""))
        delivery = _Delivery(body)
        received: list[Received] = []
        malformed = 0
        for index, raw in enumerate(_events(body)):
            target = raw.get("target") if isinstance(raw, dict) else None
            if isinstance(raw, dict) and isinstance(target, dict):
                key = delivery.key(raw.get("id"), index)
                received.append(_Event.read(raw, target, registry=registry).classify(key, target, received_at))
            else:
                malformed += 1
        if malformed:
            detail = f"events that are no object with a target: {malformed}"
            nothing = _Event.read({}, {}, registry="")
            received.append(nothing.ignored(delivery.key(None, -1), (NoCandidate.NOT_A_PUSH, detail), received_at))
        return received


class _Delivery:
    """The bytes of one delivery, from which events without an id get their keys."""

    def __init__(self, body: bytes) -> None:
        self._body = body

    def key(self, event_id: object, index: int) -> str:
        """Return the key under which the event is the same event for ever.

        A repeated delivery has the same bytes, so an event without an id is known by its place in them; -1 is the
        place of all malformed events together.
        """
        if not isinstance(event_id, str) or not event_id:
            return f"distribution:sha256:{self._digest}:{index}"
        if len(event_id) <= _ID_LIMIT:
            return f"distribution:{read_text(event_id)}"
        return f"distribution:sha256:{hashlib.sha256(event_id.encode('utf-8', 'surrogatepass')).hexdigest()}"

    @cached_property
    def _digest(self) -> str:
        # Once for a delivery: many small events in a large body would make it quadratic.
        return hashlib.sha256(self._body).hexdigest()


class _Event(NamedTuple):
    """What Argoos reads of every event; absent texts are "". A named tuple, since it is made on the hot path."""

    action: str
    timestamp: str
    media_type: str
    host: str
    path: str
    tag: str
    digest: str
    actor: str

    @classmethod
    def read(cls, event: dict[str, object], target: dict[str, object], *, registry: str) -> "_Event":
        """Narrow the raw JSON of an event and its target; `registry` is the host that the header names, or ""."""
        request, actor = event.get("request"), event.get("actor")
        host = registry or (read_text(request.get("host")) if isinstance(request, dict) else "")
        return cls(
            action=read_text(event.get("action")),
            timestamp=read_text(event.get("timestamp")),
            media_type=read_media_type(target.get("mediaType")),
            host=host or host_of_url(read_text(target.get("url"))),
            path=read_text(target.get("repository")),
            tag=read_text(target.get("tag")),
            digest=read_text(target.get("digest")),
            actor=read_text(actor.get("name")) if isinstance(actor, dict) else "",
        )

    def classify(self, key: str, target: dict[str, object], received_at: datetime) -> Received:
        """Decide whether this is a push of an image that a container could run, or why not."""
        noise = self._noise() or self._artifact(target)
        if noise is not None:
            return self.ignored(key, noise, received_at)
        try:
            repository = join_repository(self.host, self.path)
        except InvalidReference as error:
            return self.ignored(key, (NoCandidate.NOT_AN_IMAGE, str(error)), received_at)
        return Push(
            key=key,
            repository=repository,
            tag=self.tag,
            digest=self.digest,
            pushed_at=read_time(self.timestamp, received_at),
            actor=self.actor,
            media_type=self.media_type,
            sender=Distribution.name,
        )

    def ignored(self, key: str, noise: Noise, received_at: datetime) -> Ignored:
        """Return this event as one that is kept, but never rolled out."""
        reason, detail = noise
        try:
            repository = str(join_repository(self.host, self.path))
        except InvalidReference:
            repository = ""
        return Ignored(
            key=key,
            reason=reason,
            repository=repository,
            tag=self.tag,
            digest=self.digest,
            pushed_at=read_time(self.timestamp, received_at),
            actor=self.actor,
            media_type=self.media_type,
            sender=Distribution.name,
            detail=detail,
        )

    def _noise(self) -> Noise | None:
        """Return why this event is no push of a tagged manifest; None when it is one."""
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
        return None

    def _artifact(self, target: dict[str, object]) -> Noise | None:
        """Return why this manifest is another artifact (a chart, an SBOM), where the registry lets us see it.

        A manifest refers to its config and its layers, if the registry is set to send that (``includereferences``).
        """
        artifact_type, references = read_media_type(target.get("artifactType")), target.get("references")
        if artifact_type and artifact_type not in IMAGE_CONFIG_TYPES:
            return NoCandidate.NOT_AN_IMAGE, f"an artifact of type {artifact_type}"
        types = read_media_types(references) if isinstance(references, list) else ()
        if self.media_type in INDEX_TYPES or not types or IMAGE_CONFIG_TYPES.intersection(types):
            return None
        return NoCandidate.NOT_AN_IMAGE, f"its config is no image config: it refers to {types[0]}"


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
