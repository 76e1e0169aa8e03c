"""What can be set, as data: the reference in the docs is generated from it."""

from collections.abc import Iterator
from dataclasses import dataclass
from types import NoneType, UnionType
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints

from pydantic.fields import FieldInfo

from argoos.settings import fields
from argoos.settings.environment import ORIGINAL_KUBERNETES, ORIGINAL_TOP, PREFIX
from argoos.settings.report import SECTIONS
from argoos.settings.schema import Section, Settings


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One setting. `section` is "" for the top of the file, else such as ``backends (kind: kubernetes)``.

    `variables` are the environment variables that set it, the original's last. `default` is as written in the file.
    """

    section: str
    key: str
    takes: str
    default: str
    meaning: str
    variables: tuple[str, ...]


def entries() -> list[Entry]:
    """Return every setting, section by section, in the order in which they are declared."""
    return [entry for place, section in SECTIONS.items() for entry in _section_entries(place, section)]


def section_titles() -> dict[str, str]:
    """Return each section's title with the sentence that says what it is."""
    return {_title(place): " ".join((section.__doc__ or "").split()) for place, section in SECTIONS.items()}


def _section_entries(place: tuple[str, ...], section: type[Section]) -> Iterator[Entry]:
    hints = get_type_hints(section, include_extras=True)
    for key, info in section.model_fields.items():
        yield Entry(
            section=_title(place),
            key=key,
            takes=_takes(hints[key]),
            default=_default(info),
            meaning=" ".join((info.description or "").split()),
            variables=_variables(place, key),
        )


def _title(place: tuple[str, ...]) -> str:
    if place[:1] == ("backends",):
        return " ".join([".".join(["backends[]", *place[2:]]), f"(kind: {place[1]})"])
    return ".".join(f"{part}[]" for part in place)


def _variables(place: tuple[str, ...], key: str) -> tuple[str, ...]:
    if not place:
        return (PREFIX + key.upper(), *(name for name, field in ORIGINAL_TOP.items() if field == key))
    if place == ("backends", "kubernetes"):
        return tuple(name for name, field in ORIGINAL_KUBERNETES.items() if field == key)
    return ()


def _default(info: FieldInfo) -> str:
    if info.is_required():
        return "(must be given)"
    value = info.get_default()
    if value is None or value == []:
        return "none"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, float):
        return f"{value:.10g}"
    return "see there" if isinstance(value, Section) else str(value)


NAMES: tuple[tuple[Any, str], ...] = (
    (fields.AnyAddress, "address"),
    (fields.FilePath, "path of a file"),
    (fields.DirectoryPath, "path of a directory"),
    (fields.HttpUrl, "URL"),
    (fields.Database, "database URL"),
    (fields.Token, "secret"),
    (fields.NamespacePattern, "pattern"),
    (fields.Author, "Name <mail>"),
    (bool, "true or false"),
    (str, "text"),
    (int, "whole number"),
    (float, "number"),
)
"""What each type is called."""


def _takes(hint: Any) -> str:  # noqa: ANN401 - a type annotation
    for known, name in NAMES:
        if hint == known:
            return name
    if get_origin(hint) in (Union, UnionType):
        return " or ".join(_takes(part) for part in get_args(hint) if part is not NoneType)
    if get_origin(hint) is list:
        return f"list of {_takes(get_args(hint)[0])}"
    if get_origin(hint) is Literal:
        return " or ".join(f"`{choice}`" for choice in get_args(hint))
    if isinstance(hint, type) and issubclass(hint, Section):
        return "section"
    return _takes(get_args(hint)[0])  # Annotated: a number with bounds, a union with its discriminator


def required_sections() -> frozenset[type[Section]]:
    """Return every section that the schema reaches, for the test that none is missing in the table."""
    found: set[type[Section]] = {Settings}
    waiting: list[Any] = list(get_type_hints(Settings, include_extras=True).values())
    while waiting:
        hint = waiting.pop()
        if isinstance(hint, type) and issubclass(hint, Section):
            found.add(hint)
            waiting += get_type_hints(hint, include_extras=True).values()
        waiting += get_args(hint)
    return frozenset(found)
