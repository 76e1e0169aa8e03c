"""JSON Patch (RFC 6902) as a Kubernetes API server applies it: `test`, `add` and `replace`, all or nothing.

A `test` for null also passes where the last key of the path does not exist, as seen on kube-apiserver 1.36.
"""

import copy
from typing import Any


class PatchRefused(Exception):
    """An operation failed; nothing is changed."""


def apply_patch(document: dict[str, Any], operations: list[dict[str, Any]]) -> dict[str, Any]:
    """Return a changed copy of the document."""
    changed = copy.deepcopy(document)
    for operation in operations:
        *way, last = [part.replace("~1", "/").replace("~0", "~") for part in operation["path"].split("/")[1:]]
        parent: Any = changed
        for part in way:
            parent = _child(parent, part)
        _apply(parent, last, operation)
    return changed


def _apply(parent: Any, key: str, operation: dict[str, Any]) -> None:
    match operation["op"]:
        case "test":
            found = _child(parent, key) if isinstance(parent, list) else parent.get(key)
            if found != operation["value"]:
                raise PatchRefused(f"{operation['path']} is {found!r}")
        case "replace":
            _child(parent, key)
            parent[int(key) if isinstance(parent, list) else key] = operation["value"]
        case "add" if isinstance(parent, dict):
            parent[key] = operation["value"]
        case unknown:
            raise PatchRefused(f"operation {unknown!r}")


def _child(parent: Any, key: str) -> Any:
    try:
        return parent[int(key)] if isinstance(parent, list) else parent[key]
    except (KeyError, IndexError, ValueError, TypeError) as exc:
        raise PatchRefused(f"there is no {key!r}") from exc
