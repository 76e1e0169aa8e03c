"""The settings that hold, one row for each value with the place it comes from; secrets are stars."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from argoos.settings.layer import KeyPath, spelled
from argoos.settings.load import Loaded


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One setting: its key, its value as plain data (secrets as ``***``), and where the value comes from."""

    key: str
    value: Any
    source: str


def rows(loaded: Loaded) -> list[Row]:
    """Return every setting in the order of the reference."""
    shown = loaded.settings.model_dump(mode="json")
    return [Row(key=spelled(path), value=value, source=str(loaded.origin(path))) for path, value in _leaves(shown, ())]


def _leaves(value: object, path: KeyPath) -> Iterator[tuple[KeyPath, object]]:
    """Yield single values; a list of texts counts as one, a list of sections does not."""
    if isinstance(value, Mapping):
        for key, inner in value.items():
            yield from _leaves(inner, (*path, key))
    elif isinstance(value, list) and value and isinstance(value[0], Mapping):
        for index, inner in enumerate(value):
            yield from _leaves(inner, (*path, index))
    else:
        yield path, value
