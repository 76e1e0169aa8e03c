"""What must hold between settings. Works on raw values, so that it finds its faults beside those of single values."""

from collections.abc import Callable, Iterator, Mapping
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

from argoos.core.image import normal_host
from argoos.settings.fields import Located, Raw
from argoos.settings.layer import KeyPath

Fault = tuple[KeyPath, str]
"""The key that is at fault, and the half sentence that says why."""

TRUE = frozenset({"true", "yes", "on", "1", "y", "t"})
"""The texts that mean yes in an environment variable, in lower case, as pydantic reads them."""

OTHER_WAYS_IN = ("kubeconfig", "context", "master")
"""What names a cluster other than the one that Argoos runs in."""


def faults(values: Raw) -> Iterator[Fault]:
    """Yield everything that is wrong between the values; odd types are left to the schema."""
    for check in CHECKS:
        yield from check(values)


def _server_pair(values: Raw) -> Iterator[Fault]:
    yield from _pair(values, (), "server_cert", "server_key")


def _same_address(values: Raw) -> Iterator[Fault]:
    metrics = values.get("metrics_listen")
    if metrics is not None and metrics == values.get("listen") and not str(metrics).endswith(":0"):
        yield ("metrics_listen",), "is the same address as listen; leave it out to serve the metrics there"


def _backend_names(values: Raw) -> Iterator[Fault]:
    seen: dict[str, int] = {}
    for index, backend in _sections(values, "backends"):
        name = backend.get("name", backend.get("kind"))
        if not isinstance(name, str):
            continue
        if name in seen:
            yield (
                ("backends", index, "name"),
                f"is {name!r}, as of backends[{seen[name]}]; give each backend a name of its own",
            )
        seen.setdefault(name, index)


def _folders(values: Raw) -> Iterator[Fault]:
    """Two backends over the same files would both write them."""
    seen: dict[int, Path] = {}
    for index, backend in _sections(values, "backends"):
        path = backend.get("path")
        if backend.get("kind") != "manifests" or not isinstance(path, str):
            continue
        base = path.base if isinstance(path, Located) else Path.cwd()
        folder = (base / path).resolve()
        for other, theirs in seen.items():
            if folder.is_relative_to(theirs) or theirs.is_relative_to(folder):
                yield ("backends", index, "path"), f"has files in common with backends[{other}]; each needs its own"
        seen[index] = folder


def _kubernetes(values: Raw) -> Iterator[Fault]:
    for index, backend in _sections(values, "backends"):
        if backend.get("kind") != "kubernetes":
            continue
        path = ("backends", index)
        yield from _pair(backend, path, "cert_file", "key_file")
        yield from _namespaces(backend.get("namespaces"), (*path, "namespaces"))
        yield from _one_way_in(backend, path)


def _one_way_in(backend: Mapping[str, Any], path: KeyPath) -> Iterator[Fault]:
    if str(backend.get("in_cluster", "")).lower() not in TRUE:
        return
    for key in OTHER_WAYS_IN:
        if key in backend:
            yield (*path, key), "contradicts in_cluster, which says to use the pod's account; give one of them"


def _namespaces(section: object, path: KeyPath) -> Iterator[Fault]:
    if not isinstance(section, Mapping):
        return
    allow, deny = _texts(section.get("allow", ["*"])), _texts(section.get("deny", []))
    for index, pattern in enumerate(allow):
        covering = next((other for other in deny if other == pattern or fnmatchcase(pattern, other)), None)
        if covering is not None:
            where = (*path, "allow", index) if "allow" in section else (*path, "deny")
            yield where, f"{pattern!r} is allowed and denied (by {covering!r}); what is denied is never changed"


def _aliases(values: Raw) -> Iterator[Fault]:
    owner: dict[str, tuple[int, str]] = {}
    for index, registry in _sections(values, "registries"):
        name = registry.get("name")
        places: list[tuple[KeyPath, str]] = [((("registries", index, "name")), name)] if isinstance(name, str) else []
        places += [
            (("registries", index, "aliases", position), alias)
            for position, alias in enumerate(_texts(registry.get("aliases", [])))
        ]
        for path, host in places:
            if "/" in host or host != host.strip() or not host:
                yield path, f"{host!r} is no host; write it without a scheme or path, such as registry.example.com:5000"
                continue
            first = owner.setdefault(normal_host(host), (index, str(name)))
            if first[0] != index:
                yield path, f"{host!r} belongs to registries[{first[0]}] ({first[1]}) already; a host is one registry"


def _pair(section: Mapping[str, Any], path: KeyPath, one: str, other: str) -> Iterator[Fault]:
    for given, absent in ((one, other), (other, one)):
        if given in section and absent not in section:
            yield (*path, given), f"needs {absent}, which is not given"


def _sections(values: Raw, key: str) -> Iterator[tuple[int, Mapping[str, Any]]]:
    found = values.get(key)
    for index, section in enumerate(found if isinstance(found, list) else []):
        if isinstance(section, Mapping):
            yield index, section


def _texts(value: object) -> list[str]:
    return [text for text in value if isinstance(text, str)] if isinstance(value, list) else []


CHECKS: tuple[Callable[[Raw], Iterator[Fault]], ...] = (
    _server_pair,
    _same_address,
    _backend_names,
    _folders,
    _kubernetes,
    _aliases,
)
"""Every check between settings."""
