"""The folder `manifests`, read as values."""

from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).parents[2]
MANIFESTS = ROOT / "manifests"
Object = dict[str, Any]


@cache
def documents(path: Path) -> tuple[Any, ...]:
    """Return the YAML documents of a file; nobody changes them."""
    return tuple(yaml.safe_load_all(path.read_text()))


def read(path: str) -> Any:
    """Return the one YAML document of a file below `manifests`."""
    (document,) = documents(MANIFESTS / path)
    return document


def kustomizations() -> dict[Path, Object]:
    """Return every kustomization, by its folder."""
    return {path.parent: documents(path)[0] for path in sorted(MANIFESTS.rglob("kustomization.yaml"))}


def applied(folder: Path = MANIFESTS) -> Iterator[Object]:
    """Yield every object that the kustomization of `folder` takes from files, the folders that it names included."""
    (kustomization,) = documents(folder / "kustomization.yaml")
    for name in (*kustomization.get("resources", ()), *kustomization.get("components", ())):
        path = folder / name
        if path.is_dir():
            yield from applied(path)
        else:
            yield from documents(path)


def one(kind: str, name: str) -> Object:
    """Return the one object of this kind and name that `kubectl apply -k manifests/` makes."""
    (found,) = (raw for raw in applied() if raw["kind"] == kind and raw["metadata"]["name"] == name)
    return found


def pod_of(name: str) -> Object:
    """Return the pod template's spec of a Deployment."""
    spec: Object = one("Deployment", name)["spec"]["template"]["spec"]
    return spec


def container_of(name: str) -> Object:
    """Return the only container of a Deployment."""
    (found,) = pod_of(name)["containers"]
    container: Object = found
    return container


def token_env() -> dict[str, str]:
    """Return what the Secret is made of."""
    lines = (MANIFESTS / "base" / "token.env").read_text().splitlines()
    pairs = (line.partition("=") for line in lines if line and not line.startswith("#"))
    return {key: value for key, _, value in pairs}


def megabytes(quantity: str) -> float:
    """Return a memory quantity that is written in Mi or Gi in units of 10^6 bytes."""
    number, unit = int(quantity[:-2]), quantity[-2:]
    return number * {"Mi": 2**20, "Gi": 2**30}[unit] / 1e6
