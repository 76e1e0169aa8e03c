"""Reads all sources, lays them on top of each other, checks the result, and reports every problem at once."""

import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from enum import Flag, auto
from pathlib import Path

from pydantic import ValidationError

from argoos.errors import SettingsError
from argoos.settings import checks, report
from argoos.settings.environment import CONFIG_NAME, environment_layer, original_layer
from argoos.settings.file import FILE_NAME, read_file
from argoos.settings.flags import Flags, flag_layer
from argoos.settings.layer import KeyPath, Layer, Merged, Origin, Problem, merged
from argoos.settings.schema import Settings
from argoos.settings.tokens import TokenFile

SERVICE_ACCOUNT = Path("/var/run/secrets/kubernetes.io/serviceaccount")
"""Where Kubernetes mounts a pod's account."""


class Need(Flag):
    """What a command cannot do without."""

    NOTHING = 0
    BACKENDS = auto()
    """At least one backend."""
    DATABASE = auto()
    """A database that can be made: its directory exists."""
    ALL = BACKENDS | DATABASE


@dataclass(frozen=True, slots=True, kw_only=True)
class Surroundings:
    """What the process finds around it: environment, working directory, and where a pod's account would be mounted."""

    environ: Mapping[str, str] = field(default_factory=lambda: dict(os.environ), repr=False)
    directory: Path = field(default_factory=Path.cwd)
    service_account: Path = SERVICE_ACCOUNT

    @property
    def in_cluster(self) -> bool:
        """Whether this is a pod with an account."""
        return "KUBERNETES_SERVICE_HOST" in self.environ and (self.service_account / "token").exists()


@dataclass(frozen=True, slots=True, kw_only=True)
class Loaded:
    """The settings, the place each given value stands at, and sentences on what was given and has no effect."""

    settings: Settings
    origins: Mapping[KeyPath, Origin]
    notes: tuple[str, ...]
    file: Path | None

    def origin(self, path: KeyPath) -> Origin:
        """Return where the value at `path` stands, or what holds it."""
        return Merged(origins=dict(self.origins)).origin(path)


def load(flags: Flags | None = None, *, need: Need = Need.ALL, surroundings: Surroundings | None = None) -> Loaded:
    """Return the settings that hold: defaults < file < ``ARGOOS_*`` < the original's variables < flags.

    Raises:
        SettingsError: with every problem of every source, each naming its place, its key and what to write.
    """
    flags, around = flags or Flags(), surroundings or Surroundings()
    file, found = _file_layer(flags, around)
    values = merged(
        [
            found,
            environment_layer(around.environ, base=around.directory),
            original_layer(around.environ, base=around.directory),
            flag_layer(flags, base=around.directory),
        ]
    )
    _place_clusters(values, around)
    problems = list(values.problems)
    settings: Settings | None = None
    try:
        settings = Settings.model_validate(values.values)
    except ValidationError as error:
        problems += report.problems(error, values)
    problems += [
        Problem(origin=values.origin(path), path=path, text=text) for path, text in checks.faults(values.values)
    ]
    problems += _missing(values, settings, need)
    if problems or settings is None:
        ordered = sorted(dict.fromkeys(problems), key=lambda problem: problem.origin)
        raise SettingsError([str(problem) for problem in ordered])
    return Loaded(settings=settings, origins=values.origins, notes=tuple(values.notes), file=file)


def _file_layer(flags: Flags, around: Surroundings) -> tuple[Path | None, Layer]:
    """Read the file that is named, or else the one in the working directory if there is one."""
    named = flags.config or (Path(text) if (text := around.environ.get(CONFIG_NAME)) else None)
    if named is None and not (around.directory / FILE_NAME).exists():
        return None, Layer()
    path = around.directory / (named or FILE_NAME)
    return path, read_file(path, shown=str(named or FILE_NAME))


def _place_clusters(values: Merged, around: Surroundings) -> None:
    """Find the Kubernetes backends: those written, the one that the original's names are about, or the pod's own."""
    given = values.kubernetes
    found = Origin(rank=0, source="found: this is a pod with a service account")
    if "backends" not in values.values:
        place = given.get("master") or given.get("in_cluster")
        if place or around.in_cluster:
            values.values["backends"] = [{"kind": "kubernetes"}]
            values.origins["backends",] = place[1] if place else found
    clusters = list(_clusters(values))
    if given and len(clusters) == 1:
        _apply_original(values, *clusters[0])
    elif given:
        count = f"{len(clusters)} Kubernetes backends are" if clusters else "no Kubernetes backend is"
        values.notes += [f"{origin} has no effect: {count} configured" for _, origin in given.values()]
    for index, backend in clusters:
        if around.in_cluster and not backend.keys() & {"in_cluster", *checks.OTHER_WAYS_IN}:
            backend["in_cluster"] = True
            values.origins["backends", index, "in_cluster"] = found


def _clusters(values: Merged) -> Iterator[tuple[int, dict[str, object]]]:
    backends = values.values.get("backends")
    for index, backend in enumerate(backends if isinstance(backends, list) else []):
        if isinstance(backend, dict) and backend.get("kind") == "kubernetes":
            yield index, backend


def _apply_original(values: Merged, index: int, backend: dict[str, object]) -> None:
    """Give the one Kubernetes backend what the original's names say; INCLUSTER wins over the rest, as it did there."""
    given = values.kubernetes
    for key, (value, origin) in given.items():
        backend[key] = value
        values.origins["backends", index, key] = origin
    if "in_cluster" not in given or str(backend["in_cluster"]).lower() not in checks.TRUE:
        return
    for key in ("master", "ca_file", "cert_file", "key_file"):
        if key in given:
            del backend[key]
            values.notes.append(
                f"{given[key][1]} has no effect: {given['in_cluster'][1]} says to use the pod's account"
            )


def _missing(values: Merged, settings: Settings | None, need: Need) -> Iterator[Problem]:
    """Yield what the command cannot do without and does not have, and token files without a token."""
    if Need.BACKENDS in need and not values.values.get("backends"):
        yield Problem(origin=values.origin(("backends",)), path=("backends",), text=NO_BACKEND)
    if settings is None:
        return
    path = settings.database.sqlite_path
    if Need.DATABASE in need and path is not None and not path.absolute().parent.is_dir():
        text = f"there is no directory {path.absolute().parent}; make it, or name another place"
        yield Problem(origin=values.origin(("database",)), path=("database",), text=text)
    for key, file in (("tokens_file", settings.tokens_file), ("api_tokens_file", settings.api_tokens_file)):
        if file is not None and (fault := TokenFile(file).fault()):
            yield Problem(origin=values.origin((key,)), path=(key,), text=fault)


NO_BACKEND = (
    "there is none, and this is no pod in a cluster, so there is nothing to change; write for files "
    "backends: [{kind: manifests, path: deploy/}], for a cluster backends: [{kind: kubernetes, context: NAME}]"
)
"""What to say when nobody said what to change."""
