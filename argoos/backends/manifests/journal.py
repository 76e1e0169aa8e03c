"""What is about to be committed, kept in git's own folder: a kill between write and commit leaves no loose end."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import structlog

from argoos.backends.manifests import files
from argoos.errors import ArgoosError, TemporaryError

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Pending:
    """A commit that is to come: its message, and for each path the hash of what the file is to hold."""

    message: str = ""
    hashes: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """All that the journal holds: the commit to come, and which push moved each workload (by its uid) last."""

    pending: Pending = Pending()
    pushes: Mapping[str, str] = field(default_factory=dict)


def content_hash(data: bytes) -> str:
    """Return the hash by which a file's content is told."""
    return hashlib.sha256(data).hexdigest()


def load(path: Path) -> Page:
    """Read the journal; one that is missing or makes no sense is as good as empty. Blocking."""
    try:
        raw = json.loads(path.read_bytes())
        pending = Pending(message=str(raw["message"]), hashes=_texts(raw["hashes"]))
        return Page(pending=pending, pushes=_texts(raw["pushes"]))
    except FileNotFoundError:
        return Page()
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as exc:
        log.warning("the journal cannot be read; starting a new one", path=str(path), cause=str(exc))
        return Page()


def _texts(raw: Mapping[object, object]) -> dict[str, str]:
    return {str(key): str(value) for key, value in raw.items()}


def save(path: Path, page: Page) -> None:
    """Write the journal, durably. Blocking.

    Raises:
        TemporaryError: it cannot be written now.
    """
    raw = {"message": page.pending.message, "hashes": dict(page.pending.hashes), "pushes": dict(page.pushes)}
    data = json.dumps(raw, indent=1).encode()
    try:
        if not path.exists():
            path.write_bytes(b"")
        files.replace(path, expected=path.read_bytes(), data=data)
    except (OSError, ArgoosError) as exc:
        raise TemporaryError(f"the journal {path} cannot be written: {exc}") from exc
