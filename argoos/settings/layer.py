"""Layers of raw values: what one source gave, where each value stands, and how a later layer covers an earlier one."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

KeyPath = tuple[str | int, ...]
"""The way to a value: keys and list positions, ``("backends", 0, "path")``."""


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class Origin:
    """Where a value stands: ``argoos.yaml:3``, ``environment LISTEN``, ``flag --listen``. `line` orders problems."""

    rank: int
    source: str
    line: int = 0

    def __str__(self) -> str:
        """Return the place as messages name it."""
        return f"{self.source}:{self.line}" if self.line else self.source


DEFAULT = Origin(rank=9, source="default")
"""The origin of what nobody set."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """One thing that is wrong: where, with which key, and a half sentence that says what to do."""

    origin: Origin
    path: KeyPath
    text: str

    def __str__(self) -> str:
        """Return ``place: key: what is wrong``."""
        parts = [] if self.origin == DEFAULT else [str(self.origin)]
        parts += [spelled(self.path)] if self.path else []
        return ": ".join([*parts, self.text])


@dataclass(frozen=True, slots=True, kw_only=True)
class Layer:
    """What one source gave. `values` by top-level key; `kubernetes` are fields for the one Kubernetes backend.

    The original's names (``KUBE_MASTER_URL``, ``-ca-file`` …) know a single cluster, so they go into `kubernetes`.
    """

    values: Mapping[str, Any] = field(default_factory=dict)
    origins: Mapping[KeyPath, Origin] = field(default_factory=dict)
    kubernetes: Mapping[str, tuple[Any, Origin]] = field(default_factory=dict)
    problems: tuple[Problem, ...] = ()


@dataclass(slots=True, kw_only=True)
class Merged:
    """All layers on top of each other. `notes` are sentences on what was given and has no effect."""

    values: dict[str, Any] = field(default_factory=dict)
    origins: dict[KeyPath, Origin] = field(default_factory=dict)
    kubernetes: dict[str, tuple[Any, Origin]] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    def cover(self, layer: Layer) -> None:
        """Put a layer on top: it replaces whole top-level keys, and single fields of the Kubernetes backend."""
        for key, value in layer.values.items():
            self.forget(key)
            self.values[key] = value
        self.origins.update(layer.origins)
        self.kubernetes.update(layer.kubernetes)
        self.problems += layer.problems

    def forget(self, key: str) -> None:
        """Drop a top-level key and the origins of all below it."""
        self.values.pop(key, None)
        self.origins = {path: origin for path, origin in self.origins.items() if path[:1] != (key,)}

    def origin(self, path: KeyPath) -> Origin:
        """Return where the value at `path` stands, or what holds it."""
        for length in range(len(path), 0, -1):
            if path[:length] in self.origins:
                return self.origins[path[:length]]
        return DEFAULT


def merged(layers: Iterable[Layer]) -> Merged:
    """Lay the layers on top of each other, the weakest first."""
    result = Merged()
    for layer in layers:
        result.cover(layer)
    return result


def spelled(path: KeyPath) -> str:
    """Return a key path as messages spell it: ``backends[0].git.author``."""
    text = ""
    for part in path:
        text += f"[{part}]" if isinstance(part, int) else f".{part}" if text else part
    return text
