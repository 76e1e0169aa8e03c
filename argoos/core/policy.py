"""The rules on a workload's labels, read for one container: how far it may move, and to which tags."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import TypeVar

from argoos.core.tags import AnyTag, TagFilter, parse_filter
from argoos.core.version import Stage
from argoos.core.word import Word
from argoos.core.workload import LABEL_PREFIX, POLICY_LABEL
from argoos.errors import InvalidRule


class Policy(Word):
    """How far a container may move. Each has its `meaning`, which the reference prints."""

    PATCH = "patch", "A newer version with the same major and minor number."
    MINOR = "minor", "A newer version with the same major number."
    MAJOR = "major", "Any newer version."
    ALL = "all", "Any tag, version or not, and a re-push of the same tag; the latest push wins."
    DIGEST = "digest", "Only the very tag that runs, when its digest changed."
    NEVER = "never", "Nothing."

    @property
    def compares_versions(self) -> bool:
        """Whether this policy needs versions: patch, minor and major do."""
        return self in (Policy.PATCH, Policy.MINOR, Policy.MAJOR)


class Pin(StrEnum):
    """What is written into the workload: the tag with the digest of the push, or the tag alone."""

    DIGEST = "digest"
    TAG = "tag"


PRERELEASE_VALUES = {
    "true": Stage.ALPHA,
    "alpha": Stage.ALPHA,
    "beta": Stage.BETA,
    "rc": Stage.RC,
    "false": Stage.FINAL,
}
"""The values of ``argoos.io/prerelease`` and the least mature stage that each admits."""


KEYS = tuple(f"{LABEL_PREFIX}{key}" for key in ("policy", "tags", "prerelease", "pin", "last-push", "digests"))
"""Every key that a workload may have; the last two are Argoos's own. Any other is taken for a misspelt one: a filter
that nobody reads would let through what it was to stop."""

_FOR_ONE = (f"{LABEL_PREFIX}policy.", f"{LABEL_PREFIX}tags.")
_POLICIES = {str(policy): policy for policy in Policy}
_PINS = {str(pin): pin for pin in Pin}
_Choice = TypeVar("_Choice")


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """What one container's labels say. `least_stage` is the least mature stage taken whatever runs."""

    policy: Policy
    tags: TagFilter = AnyTag()  # noqa: RUF009 - immutable, and without fields
    least_stage: Stage = Stage.FINAL
    pin: Pin = Pin.DIGEST


def read_policy(rules: Mapping[str, str], container: str) -> str:
    """Return the policy's text for a container as it is written, valid or not; "" when there is none."""
    return rules.get(_key(rules, "policy", container), "")


def read_rule(rules: Mapping[str, str], container: str, names: Collection[str]) -> Rule:
    """Read the rule for one container from all the ``argoos.io/*`` labels and annotations of its workload.

    Args:
        rules: the labels and annotations.
        container: which container.
        names: all containers of the workload. A rule for one that is not among them is a mistake for all of them:
            somebody meant to hold back, or to let go, a container that is here under another name.

    Raises:
        InvalidRule: a value means nothing; the text names the key, the value and the choices.
    """
    if POLICY_LABEL not in rules:
        raise InvalidRule(f"{POLICY_LABEL} is missing; without it no container of the workload is moved")
    for key in rules:
        if key.startswith(_FOR_ONE):
            if key.split(".", 2)[2] not in names:
                raise InvalidRule(f"{key} names no container of this workload; it has {', '.join(sorted(names))}")
        elif key not in KEYS:
            raise InvalidRule(f"{key} is no key that Argoos knows; the keys are {', '.join(KEYS[:4])}")
    policy = _choice(rules, _key(rules, "policy", container), _POLICIES)
    tags_key = _key(rules, "tags", container)
    try:
        tags: TagFilter = parse_filter(rules[tags_key]) if tags_key in rules else AnyTag()
    except InvalidRule as error:
        raise InvalidRule(f"{tags_key}: {error}") from error
    prerelease, pin = f"{LABEL_PREFIX}prerelease", f"{LABEL_PREFIX}pin"
    return Rule(
        policy=policy,
        tags=tags,
        least_stage=_choice(rules, prerelease, PRERELEASE_VALUES) if prerelease in rules else Stage.FINAL,
        pin=_choice(rules, pin, _PINS) if pin in rules else Pin.DIGEST,
    )


def _key(rules: Mapping[str, str], name: str, container: str) -> str:
    """Return the key that holds for the container: its own if it is there, else the workload's."""
    own = f"{LABEL_PREFIX}{name}.{container}"
    return own if own in rules else f"{LABEL_PREFIX}{name}"


def _choice(rules: Mapping[str, str], key: str, choices: Mapping[str, _Choice]) -> _Choice:
    value = rules.get(key, "")
    if value not in choices:
        raise InvalidRule(f"{key}: {value!r} is none of {', '.join(choices)}")
    return choices[value]
