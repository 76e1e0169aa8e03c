"""Versions: what of a tag can be compared, and what must be equal before it may be.

A version is an optional ``v``, two or three numbers, and an optional suffix behind a dash. The suffix, split at dots
and dashes, is read from the left: a *stage* with its counter (``rc.1``: a pre-release), a *channel* with its counter
(``nightly.20260101``: a line of builds of its own); what remains is the *variant* (``alpine3.19``), compared as text.
The order follows semantic versioning (https://semver.org/#spec-item-11) for numbers and stages.
"""

import re
from dataclasses import dataclass
from enum import IntEnum
from functools import lru_cache


class Stage(IntEnum):
    """How mature a release is, the least mature first."""

    ALPHA = 0
    BETA = 1
    PRE = 2
    RC = 3
    FINAL = 4


STAGE_WORDS = {
    "alpha": Stage.ALPHA,
    "a": Stage.ALPHA,
    "beta": Stage.BETA,
    "b": Stage.BETA,
    "pre": Stage.PRE,
    "preview": Stage.PRE,
    "m": Stage.PRE,
    "milestone": Stage.PRE,
    "rc": Stage.RC,
    "c": Stage.RC,
}
"""Every spelling of a stage, in lower case."""

CHANNELS = frozenset({"dev", "snapshot", "nightly", "canary", "next", "edge"})
"""The words that name a line of builds of its own."""

TAG_LIMIT = 128
"""How many characters a tag may have; text beyond it may hold numbers that Python does not read."""

_VERSION = re.compile(r"v?(\d+)\.(\d+)(?:\.(\d+))?(?:-(.+))?", re.ASCII)
_WORD = re.compile(r"([A-Za-z]+)(\d*)", re.ASCII)


@dataclass(frozen=True, slots=True, kw_only=True)
class Version:
    """A tag parsed as a version.

    `release` is major, minor, patch. `stage_count` and `build` are the counters of stage and channel, 0 when there is
    none. Two versions can be compared when `channel` and `variant` are equal; then `precedence` orders them.
    """

    release: tuple[int, int, int]
    stage: Stage = Stage.FINAL
    stage_count: int = 0
    channel: str = ""
    build: int = 0
    variant: str = ""

    @property
    def precedence(self) -> tuple[int, ...]:
        """The sort key among versions of one channel and variant."""
        return (*self.release, self.stage, self.stage_count, self.build)

    @property
    def line(self) -> tuple[str, str]:
        """Channel and variant: what must be equal for two versions to be comparable."""
        return (self.channel, self.variant)


@lru_cache(maxsize=1024)
def parse_version(tag: str) -> Version | None:
    """Parse a tag; None when it is no version (a word, one number, four parts), or too long for a tag."""
    match = _VERSION.fullmatch(tag)
    if match is None or len(tag) > TAG_LIMIT:
        return None
    major, minor, patch, suffix = match.groups()
    release = (int(major), int(minor), int(patch or 0))
    stage, stage_count, channel, build, variant = _read_suffix(suffix or "")
    return Version(release=release, stage=stage, stage_count=stage_count, channel=channel, build=build, variant=variant)


def _read_suffix(suffix: str) -> tuple[Stage, int, str, int, str]:
    """Return stage, its counter, channel, its counter and the variant that a suffix holds."""
    stage, stage_count, channel, build = Stage.FINAL, 0, "", 0
    rest = suffix
    while rest:
        token, after = _first_token(rest)
        word = _WORD.fullmatch(token)
        name = word[1].lower() if word else ""
        if name in STAGE_WORDS and stage is Stage.FINAL and not channel:
            stage = STAGE_WORDS[name]
            stage_count, rest = _counter(word[2] if word else "", after)
        elif name in CHANNELS and not channel:
            channel = name
            build, rest = _counter(word[2] if word else "", after)
        else:
            break
    return stage, stage_count, channel, build, rest


def _first_token(text: str) -> tuple[str, str]:
    """Split at the first dot or dash; the separator is dropped."""
    parts = re.split(r"[.-]", text, maxsplit=1)
    return parts[0], parts[1] if len(parts) > 1 else ""


def _counter(attached: str, after: str) -> tuple[int, str]:
    """Return the counter (attached, as in ``rc1``, or the next token, as in ``rc.1``) and what follows it."""
    if attached:
        return int(attached), after
    token, rest = _first_token(after)
    if token.isascii() and token.isdigit():
        return int(token), rest
    return 0, after
