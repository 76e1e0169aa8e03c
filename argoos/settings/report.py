"""Pydantic's findings in our words: the key, what is wrong with it, what to write. Never a value that may be secret."""

from collections.abc import Callable, Mapping
from typing import Any

from pydantic import ValidationError

from argoos.settings.environment import nearest
from argoos.settings.layer import KeyPath, Merged, Problem
from argoos.settings.schema import (
    GitSettings,
    KubernetesSettings,
    ManifestsSettings,
    NamespaceSettings,
    RegistrySettings,
    Section,
    Settings,
)

KINDS: Mapping[str, type[Section]] = {"kubernetes": KubernetesSettings, "manifests": ManifestsSettings}
"""The kinds of backends."""

SECTIONS: Mapping[tuple[str, ...], type[Section]] = {
    (): Settings,
    ("backends", "kubernetes"): KubernetesSettings,
    ("backends", "kubernetes", "namespaces"): NamespaceSettings,
    ("backends", "manifests"): ManifestsSettings,
    ("backends", "manifests", "git"): GitSettings,
    ("registries",): RegistrySettings,
}
"""Where each section stands; a backend's kind is part of the way."""

Words = Callable[[KeyPath, Mapping[str, Any]], str]


def problems(error: ValidationError, values: Merged) -> list[Problem]:
    """Return one problem for each of pydantic's findings."""
    return [_problem(found["loc"], found["type"], found.get("ctx", {}), values) for found in error.errors()]


def _problem(location: KeyPath, kind: str, context: Mapping[str, Any], values: Merged) -> Problem:
    path = without_kind(location)
    words = WORDS.get(kind)
    text = words(location, context) if words else f"is not right ({kind.replace('_', ' ')})"
    return Problem(origin=values.origin(path), path=path, text=text)


def without_kind(location: KeyPath) -> KeyPath:
    """Return pydantic's location without the kind that it puts behind a backend's position."""
    is_tagged = len(location) > 2 and location[0] == "backends" and location[2] in KINDS
    return (*location[:2], *location[3:]) if is_tagged else location


def _unknown(location: KeyPath, _: Mapping[str, Any]) -> str:
    place = tuple(part for part in location[:-1] if isinstance(part, str))
    section = SECTIONS.get(place)
    known = list(section.model_fields) if section else []
    hint = nearest(str(location[-1]), known)
    return f"is no setting{hint}" if hint else f"is no setting; known here: {', '.join(known)}"


def _bad_kind(_: KeyPath, context: Mapping[str, Any]) -> str:
    return f"kind {context.get('tag')!r} is not known; write {_kinds()}"


def _kinds() -> str:
    return " or ".join(f"kind: {kind}" for kind in KINDS)


def _number(what: str) -> Words:
    def words(location: KeyPath, _: Mapping[str, Any]) -> str:
        unit = str(location[-1]).rpartition("_")[2]
        return f"must be {what} of {unit}, without a unit" if unit in UNITS else f"must be {what}"

    return words


UNITS = frozenset({"seconds", "hours", "days", "bytes"})


def _says(text: str) -> Words:
    return lambda _, context: text.format(**context)


WORDS: Mapping[str, Words] = {
    "value_error": lambda _, context: str(context["error"]),
    "extra_forbidden": _unknown,
    "missing": _says("must be given"),
    "union_tag_invalid": _bad_kind,
    "union_tag_not_found": lambda *_: f"has no kind; write {_kinds()}",
    "model_type": _says("must be a mapping of keys to values"),
    "model_attributes_type": _says("must be a mapping of keys to values"),
    "dict_type": _says("must be a mapping of keys to values"),
    "list_type": _says("must be a list: [one, another]"),
    "bool_type": _says("must be true or false"),
    "bool_parsing": _says("must be true or false"),
    "int_type": _number("a whole number"),
    "int_parsing": _number("a whole number"),
    "int_from_float": _number("a whole number"),
    "float_type": _number("a number"),
    "float_parsing": _number("a number"),
    "finite_number": _number("a finite number"),
    "greater_than_equal": _says("must be at least {ge:g}"),
    "greater_than": _says("must be more than {gt:g}"),
    "less_than_equal": _says("must be at most {le:g}"),
    "literal_error": _says("must be {expected}"),
    "string_type": _says("must be a text; put it in quotes"),
    "string_too_short": _says("is empty"),
}
"""Our words for each kind of finding that the schema can bring forth."""
