"""What a delivery holds: pushes, and what is no candidate for a rollout."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from argoos.core.image import Repository


class NoCandidate(StrEnum):
    """Why a part of a delivery can never be rolled out; the words are kept in the history and counted."""

    NOT_A_PUSH = "not-a-push"
    """A pull, mount or delete."""
    NO_TAG = "no-tag"
    """A manifest pushed by digest alone: one platform of a multi-architecture image, usually."""
    SIGNATURE = "signature"
    """A tag that holds a signature, attestation or SBOM of another image, not an image."""
    NOT_AN_IMAGE = "not-an-image"
    """A layer, a chart, or another artifact that no container can run."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Push:
    """The reference ``repository:tag`` now exists, and has this digest.

    `key` identifies the delivery's part for ever: the same key is the same push, delivered again.
    `repository` is as the sender named it; the web room replaces it by its canonical name before it is stored.
    `pushed_at` is the sender's time (the time of receipt when it gave none); `actor` is who pushed, or "".
    """

    key: str
    repository: Repository
    tag: str
    digest: str
    pushed_at: datetime
    actor: str = ""
    media_type: str = ""
    sender: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ignored:
    """A part of a delivery that is no candidate, with the word that says why. Absent fields are ""."""

    key: str
    reason: NoCandidate
    repository: str = ""
    tag: str = ""
    digest: str = ""
    pushed_at: datetime
    actor: str = ""
    media_type: str = ""
    sender: str = ""
    detail: str = ""


Received = Push | Ignored
