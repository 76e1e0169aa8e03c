"""Which tags are candidates at all: the filters that ``argoos.io/tags`` holds.

Three kinds, one class each, in an explicit table: ``range:``, ``glob:`` and ``regexp:``. Expressions are written by
whoever may label a workload, so the regular ones are RE2's (https://github.com/google/re2/wiki/Syntax), which take
linear time whatever the expression.
"""

import operator
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Protocol

import re2

from argoos.core.version import Stage, Version, parse_version
from argoos.errors import InvalidRule


@dataclass(frozen=True, slots=True, kw_only=True)
class TagMatch:
    """What a filter sees in a tag it admits: the text that is the version, and the text that orders it (or None)."""

    version: str
    order: str | None = None


class TagFilter(Protocol):
    """Says of a tag whether it is a candidate."""

    def match(self, tag: str) -> TagMatch | None:
        """Return what the filter sees in the tag, or None when it does not admit it."""
        ...


@dataclass(frozen=True, slots=True)
class AnyTag:
    """Admits every tag: what holds without ``argoos.io/tags``."""

    def match(self, tag: str) -> TagMatch | None:
        """Admit the tag; its version is the whole of it."""
        return TagMatch(version=tag)


_COMPARISONS: Mapping[str, Callable[[tuple[int, ...], tuple[int, ...]], bool]] = {
    ">=": operator.ge,
    "<=": operator.le,
    ">": operator.gt,
    "<": operator.lt,
    "=": operator.eq,
}
_BOUND = re.compile(r"(>=|<=|>|<|=)\s*([^\s<>=]\S*)")


@dataclass(frozen=True, slots=True)
class RangeFilter:
    """``range:>=1.4 <2``: versions within all bounds; ``||`` separates alternatives.

    A bound without a stage compares the numbers alone, so ``<2`` does not admit ``2.0.0-rc1``. Whether a pre-release
    is taken is not asked here.
    """

    alternatives: tuple[tuple[tuple[str, Version], ...], ...]

    @classmethod
    def parse(cls, expression: str) -> "RangeFilter":
        """Parse what stands behind ``range:``."""
        return cls(tuple(cls._bounds(part) for part in expression.split("||")))

    @staticmethod
    def _bounds(text: str) -> tuple[tuple[str, Version], ...]:
        bounds: list[tuple[str, Version]] = []
        for sign, number in _BOUND.findall(text):
            version = parse_version(number if "." in number else f"{number}.0")
            if version is None or version.variant or version.channel:
                raise ValueError(f"{number!r} is no bound; write a version such as 1.4, and a space between bounds")
            bounds.append((sign, version))
        rest = _BOUND.sub("", text).strip()
        if rest or not bounds:
            raise ValueError(f"{(rest or text).strip()!r} is no bound; write for example >=1.4 <2")
        return tuple(bounds)

    def match(self, tag: str) -> TagMatch | None:
        """Admit a version that keeps all bounds of one alternative."""
        version = parse_version(tag)
        if version is None or not any(self._within(version, bounds) for bounds in self.alternatives):
            return None
        return TagMatch(version=tag)

    @staticmethod
    def _within(version: Version, bounds: tuple[tuple[str, Version], ...]) -> bool:
        for sign, bound in bounds:
            whole = bound.stage is not Stage.FINAL
            left, right = (version.precedence, bound.precedence) if whole else (version.release, bound.release)
            if not _COMPARISONS[sign](left, right):
                return False
        return True


_GLOB_PART = re.compile(r"\[[!^]?\]?(?:\[:\w+:\]|[^\]])*\]|.", re.ASCII | re.DOTALL)


def _glob_part(part: str) -> str:
    """Translate one part of a glob; not fnmatch's way, whose look-aheads and atomic groups RE2 does not know."""
    if part == "*":
        return ".*"
    if part == "?":
        return "."
    if part == "[":
        raise ValueError("a '[' is not closed")
    if part.startswith("["):
        inside = part[1:].replace("\\", "\\\\")
        return "[^" + inside[1:] if inside[0] in "!^" else "[" + inside
    return re.escape(part)


@dataclass(frozen=True, slots=True)
class GlobFilter:
    """``glob:release-*``: the whole tag, with ``*``, ``?`` and ``[…]`` as a shell reads them."""

    pattern: re2._Regexp

    @classmethod
    def parse(cls, expression: str) -> "GlobFilter":
        """Parse what stands behind ``glob:``."""
        if not expression:
            raise ValueError("the pattern is empty; write for example glob:release-*")
        return cls(_compile("".join(_glob_part(part) for part in _GLOB_PART.findall(expression))))

    def match(self, tag: str) -> TagMatch | None:
        """Admit a tag that the pattern covers whole."""
        return TagMatch(version=tag) if self.pattern.fullmatch(tag) else None


@dataclass(frozen=True, slots=True)
class RegexpFilter:
    r"""``regexp:^main-(?P<order>\d+)$``: found anywhere in the tag unless anchored.

    A named group ``version`` is what the policy compares; ``order`` orders candidates under the policy all.
    """

    pattern: re2._Regexp

    @classmethod
    def parse(cls, expression: str) -> "RegexpFilter":
        """Parse what stands behind ``regexp:``."""
        if not expression:
            raise ValueError("the expression is empty")
        pattern = _compile(expression)
        unknown = set(pattern.groupindex) - {"version", "order"}
        if unknown:
            raise ValueError(f"the group {min(unknown)!r} means nothing; named groups are version and order")
        return cls(pattern)

    def match(self, tag: str) -> TagMatch | None:
        """Admit a tag in which the expression is found."""
        found = self.pattern.search(tag)
        if not found:
            return None
        groups = found.groupdict()
        return TagMatch(version=groups.get("version") or tag, order=groups.get("order"))


def _compile(expression: str) -> re2._Regexp:
    options = re2.Options()
    options.log_errors = False
    try:
        return re2.compile(expression, options=options)
    except re2.error as error:
        text = error.args[0] if error.args else error
        raise ValueError(text.decode(errors="replace") if isinstance(text, bytes) else str(text)) from error


_KINDS: Mapping[str, Callable[[str], TagFilter]] = {
    "range": RangeFilter.parse,
    "glob": GlobFilter.parse,
    "regexp": RegexpFilter.parse,
}


@lru_cache(maxsize=1024)
def parse_filter(text: str) -> TagFilter:
    """Parse the value of ``argoos.io/tags``.

    Raises:
        InvalidRule: the kind is unknown or the expression is bad; the text says what is wrong with it.
    """
    kind, colon, expression = text.strip().partition(":")
    parse = _KINDS.get(kind)
    if parse is None or not colon:
        raise InvalidRule(
            f"{text!r} is no tag filter; write range:>=1.4 <2, glob:release-* or regexp:^v(?P<version>.+)$"
        )
    try:
        return parse(expression.strip())
    except ValueError as error:
        raise InvalidRule(f"{text!r}: {error}") from error
