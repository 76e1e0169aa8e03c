"""Image references: the full grammar, Docker Hub's short names, and hosts known by several names.

The grammar is that of https://github.com/distribution/reference (``reference.go`` and ``regexp.go``); the short names
are normalised as ``normalize.go`` there does it.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from functools import lru_cache

from argoos.errors import InvalidReference

DOCKER_HUB = "docker.io"
_HUB_ALIASES = frozenset({"index.docker.io", "registry-1.docker.io"})

_DOMAIN_PART = r"(?:[a-zA-Z0-9]|[a-zA-Z0-9][a-zA-Z0-9-]*[a-zA-Z0-9])"
_HOST = rf"(?:{_DOMAIN_PART}(?:\.{_DOMAIN_PART})*|\[[0-9a-fA-F:]+\])"
_DOMAIN = re.compile(rf"{_HOST}(?::[0-9]{{1,5}})?", re.ASCII)
_PATH_PART = r"[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*"
_PATH = re.compile(rf"{_PATH_PART}(?:/{_PATH_PART})*", re.ASCII)
_TAG = re.compile(r"[\w][\w.-]{0,127}", re.ASCII)
_DIGEST = re.compile(r"[A-Za-z][A-Za-z0-9]*(?:[-_+.][A-Za-z][A-Za-z0-9]*)*:[0-9a-fA-F]{32,}", re.ASCII)
_SHA256 = re.compile(r"sha256:[0-9a-f]{64}", re.ASCII)
_IMAGE_ID = re.compile(r"[0-9a-f]{64}", re.ASCII)
_DEFAULT_PORTS = (":443", ":80")
_NAME_LIMIT = 255


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class Repository:
    """A repository at a registry. `registry` is a lower-case host with an optional port, `path` what follows it."""

    registry: str
    path: str

    def __str__(self) -> str:
        """Return ``registry/path``."""
        return f"{self.registry}/{self.path}"

    @classmethod
    @lru_cache(maxsize=4096)
    def parse(cls, name: str) -> "Repository":
        """Parse a repository name as people write it: ``app``, ``team/app``, ``host:5000/team/app``.

        Raises:
            InvalidReference: the text is no repository name; the message says which part is wrong.
        """
        host, slash, rest = name.partition("/")
        is_host = bool(slash) and ("." in host or ":" in host or host == "localhost" or host != host.lower())
        registry, path = (host, rest) if is_host else (DOCKER_HUB, name)
        if is_host and not _DOMAIN.fullmatch(registry):
            raise InvalidReference(f"image name {name!r}: {registry!r} is no host name with an optional port")
        return cls.of(registry, path)

    @classmethod
    def of(cls, registry: str, path: str) -> "Repository":
        """Make a repository of a host and a path, normalising both as Docker does.

        Raises:
            InvalidReference: the path is empty, too long or holds what no repository name may hold.
        """
        if not _PATH.fullmatch(path):
            hint = "; repository names are lower case" if path != path.lower() else ""
            raise InvalidReference(f"image name {path!r} is not a repository path{hint}")
        if len(path) > _NAME_LIMIT:
            raise InvalidReference(f"image name {path[:40]!r}… is longer than {_NAME_LIMIT} characters")
        host = normal_host(registry)
        if host == DOCKER_HUB and "/" not in path:
            path = f"library/{path}"
        return cls(registry=host, path=path)


def normal_host(host: str) -> str:
    """Return a registry host in its one spelling: lower case, no default port, Docker Hub by its short name."""
    host = host.lower()
    for port in _DEFAULT_PORTS:
        host = host.removesuffix(port)
    return DOCKER_HUB if host in _HUB_ALIASES else host


@dataclass(frozen=True, slots=True, kw_only=True)
class ImageRef:
    """An image reference, parsed; `name` keeps the spelling of the repository as somebody wrote it.

    ``str()`` gives the reference back: ``parse(str(ref)) == ref`` for each.
    """

    name: str
    tag: str | None = None
    digest: str | None = None
    repository: Repository = field(repr=False)

    @classmethod
    def parse(cls, text: str) -> "ImageRef":
        """Parse ``[host[:port]/]path[:tag][@digest]``.

        Raises:
            InvalidReference: the text is no image reference; the message says which part is wrong.
        """
        if _IMAGE_ID.fullmatch(text):
            raise InvalidReference(f"image {text!r}: 64 hex digits are an image id, not a name")
        rest, at, digest = text.partition("@")
        if at and not _DIGEST.fullmatch(digest):
            raise InvalidReference(f"image {text!r}: {digest!r} is no digest (such as sha256:<64 hex digits>)")
        if digest.startswith("sha256:") and not _SHA256.fullmatch(digest):
            raise InvalidReference(f"image {text!r}: a sha256 digest has 64 lower-case hex digits")
        name, colon, tag = rest.rpartition(":")
        if not colon or "/" in tag or tag.endswith("]"):
            name, tag = rest, ""
        elif not _TAG.fullmatch(tag):
            raise InvalidReference(f"image {text!r}: {tag!r} is no tag (letters, digits, '_', '.', '-'; at most 128)")
        return cls(name=name, tag=tag or None, digest=digest or None, repository=Repository.parse(name))

    def __str__(self) -> str:
        """Return the reference as it is written in a workload."""
        tag = f":{self.tag}" if self.tag else ""
        digest = f"@{self.digest}" if self.digest else ""
        return f"{self.name}{tag}{digest}"

    def moved(self, *, tag: str, digest: str | None) -> "ImageRef":
        """Return this reference, spelled as it is, with another tag and digest."""
        return replace(self, tag=tag, digest=digest)

    @property
    def running_tag(self) -> str | None:
        """The tag that runs: the one written, ``latest`` when neither tag nor digest is, None for a bare digest."""
        return self.tag or (None if self.digest else "latest")


def is_digest(text: str) -> bool:
    """Tell whether `text` is a digest in canonical form (sha256 with its 64 digits, or another algorithm's)."""
    return bool(_DIGEST.fullmatch(text)) and (not text.startswith("sha256:") or bool(_SHA256.fullmatch(text)))


def is_tag(text: str) -> bool:
    """Tell whether `text` may be a tag."""
    return bool(_TAG.fullmatch(text))


class RegistryNames:
    """The alias table: the host pushed to is often not the host pulled from.

    Args:
        aliases: for each registry's own name, the other hosts it is known by.
    """

    def __init__(self, aliases: Mapping[str, Iterable[str]] | None = None) -> None:
        self._canonical: dict[str, str] = {}
        for name, others in (aliases or {}).items():
            for host in (name, *others):
                self._canonical[normal_host(host)] = normal_host(name)

    def canonical(self, repository: Repository) -> Repository:
        """Return the repository under its registry's own name; unknown hosts stay as they are."""
        registry = self._canonical.get(repository.registry)
        if registry is None or registry == repository.registry:
            return repository
        return Repository.of(registry, repository.path)
