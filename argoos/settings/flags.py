"""The command line as a source of settings: the strongest one."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from argoos.settings.environment import FLAG_RANK, ORIGINAL_KUBERNETES, nearest, read_text
from argoos.settings.fields import Located, Raw
from argoos.settings.layer import KeyPath, Layer, Origin, Problem
from argoos.settings.schema import Settings


@dataclass(frozen=True, slots=True, kw_only=True)
class Flags:
    """What the command line says about settings.

    `config` is ``--config``; `assignments` are the ``KEY=VALUE`` of ``--set``; `values` are the flags with a name of
    their own, by key of the settings (or field of the Kubernetes backend), None where a flag was not given; `manifests`
    are directories that become the only backends.
    """

    config: Path | None = None
    assignments: Sequence[str] = ()
    values: Mapping[str, Any] = field(default_factory=dict)
    manifests: Sequence[str] = ()


FLAG_NAMES = {"tokens": "--token", "in_cluster": "--incluster"}
"""Flags that are not called as their key is, with dashes."""


def flag_layer(flags: Flags, *, base: Path) -> Layer:
    """Read the flags that were given."""
    values: Raw = {}
    kubernetes: dict[str, tuple[Any, Origin]] = {}
    origins: dict[KeyPath, Origin] = {}
    problems: list[Problem] = []
    for assignment in flags.assignments:
        key, equals, text = assignment.partition("=")
        origin = Origin(rank=FLAG_RANK, source=f"flag --set {key}")
        if not equals or key not in Settings.model_fields:
            hint = nearest(key, list(Settings.model_fields)) if equals else "; write --set KEY=VALUE"
            problems.append(Problem(origin=origin, path=(), text=f"{key!r} is no setting{hint}"))
            continue
        values[key], found, wrong = read_text(key, text, base=base, origin=origin)
        origins |= found
        problems += wrong
    if flags.manifests:
        values["backends"] = _directories(flags.manifests, base)
        origins[("backends",)] = Origin(rank=FLAG_RANK, source="flag --manifests")
    for key, value in flags.values.items():
        if value is None or (isinstance(value, list | tuple) and not value):
            continue  # not given; an empty list here would take the tokens of the file away
        origin = Origin(rank=FLAG_RANK, source=f"flag {FLAG_NAMES.get(key, '--' + key.replace('_', '-'))}")
        if key in ORIGINAL_KUBERNETES.values():
            kubernetes[key] = (_located(value, base), origin)
        else:
            values[key] = _located(value, base)
            origins[(key,)] = origin
    return Layer(values=values, origins=origins, kubernetes=kubernetes, problems=tuple(problems))


def _directories(paths: Sequence[str], base: Path) -> list[Raw]:
    names = [{}] if len(paths) == 1 else [{"name": f"manifests-{number}"} for number in range(1, len(paths) + 1)]
    return [{"kind": "manifests", "path": Located(path, base), **name} for path, name in zip(paths, names, strict=True)]


def _located(value: Any, base: Path) -> Any:  # noqa: ANN401 - a text, a number, a list of texts: whatever the flag takes
    if isinstance(value, str):
        return Located(value, base)
    return [_located(item, base) for item in value] if isinstance(value, list | tuple) else value
