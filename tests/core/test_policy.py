"""The rules on a workload's labels, read for one container."""

import pytest

from argoos.core.policy import Pin, Policy, Rule, read_policy, read_rule
from argoos.core.tags import AnyTag, parse_filter
from argoos.core.version import Stage
from argoos.errors import InvalidRule
from tests.core.builders import labels

NAMES = ("app", "migrate")
RULES = [
    # labels, the rule for the container "app"
    ({"policy": "minor"}, Rule(policy=Policy.MINOR)),
    ({"policy": "never", "policy_app": "major"}, Rule(policy=Policy.MAJOR)),
    ({"policy": "major", "policy_app": "never"}, Rule(policy=Policy.NEVER)),
    ({"policy": "major", "policy_migrate": "never"}, Rule(policy=Policy.MAJOR)),
    ({"policy": "nonsense", "policy_app": "patch"}, Rule(policy=Policy.PATCH)),
    ({"policy": "patch", "policy_migrate": "nonsense"}, Rule(policy=Policy.PATCH)),
    ({"policy": "all", "tags": "glob:a"}, Rule(policy=Policy.ALL, tags=parse_filter("glob:a"))),
    ({"policy": "all", "tags": "glob:a", "tags_app": "glob:b"}, Rule(policy=Policy.ALL, tags=parse_filter("glob:b"))),
    ({"policy": "all", "tags": "bad", "tags_app": "glob:b"}, Rule(policy=Policy.ALL, tags=parse_filter("glob:b"))),
    ({"policy": "all", "tags_migrate": "bad"}, Rule(policy=Policy.ALL)),
    ({"policy": "minor", "prerelease": "true"}, Rule(policy=Policy.MINOR, least_stage=Stage.ALPHA)),
    ({"policy": "minor", "prerelease": "alpha"}, Rule(policy=Policy.MINOR, least_stage=Stage.ALPHA)),
    ({"policy": "minor", "prerelease": "beta"}, Rule(policy=Policy.MINOR, least_stage=Stage.BETA)),
    ({"policy": "minor", "prerelease": "rc"}, Rule(policy=Policy.MINOR, least_stage=Stage.RC)),
    ({"policy": "minor", "prerelease": "false"}, Rule(policy=Policy.MINOR)),
    ({"policy": "minor", "pin": "tag"}, Rule(policy=Policy.MINOR, pin=Pin.TAG)),
    ({"policy": "minor", "pin": "digest"}, Rule(policy=Policy.MINOR, pin=Pin.DIGEST)),
    ({"policy": "minor", "last-push": "17"}, Rule(policy=Policy.MINOR)),
]


@pytest.mark.parametrize(("rules", "rule"), RULES)
def test_what_the_labels_say_of_a_container(rules: dict[str, str], rule: Rule) -> None:
    """A container's own label stands before the workload's; labels of other containers mean nothing to it."""
    assert read_rule(labels(**rules), "app", NAMES) == rule


@pytest.mark.parametrize("policy", list(Policy))
def test_every_policy_can_be_asked_for(policy: Policy) -> None:
    """Each policy is read from its own word and says what it means."""
    assert read_rule({"argoos.io/policy": policy.value}, "app", NAMES).policy is policy
    assert policy.meaning.endswith(".")


def test_the_policies_are_those_of_the_reference() -> None:
    """The six words, and which of them compare versions."""
    assert [str(policy) for policy in Policy] == ["patch", "minor", "major", "all", "digest", "never"]
    assert [str(policy) for policy in Policy if policy.compares_versions] == ["patch", "minor", "major"]


CHOICES = "patch, minor, major, all, digest, never"

MISTAKES = [
    ({"policy": ""}, f"argoos.io/policy: '' is none of {CHOICES}"),
    ({"policy": "minr"}, f"argoos.io/policy: 'minr' is none of {CHOICES}"),
    ({"policy": "Minor"}, f"argoos.io/policy: 'Minor' is none of {CHOICES}"),
    ({"policy": " minor"}, f"argoos.io/policy: ' minor' is none of {CHOICES}"),
    ({"policy": "minor", "policy_app": "x"}, f"argoos.io/policy.app: 'x' is none of {CHOICES}"),
    ({"policy": "minor", "prerelease": "yes"}, "argoos.io/prerelease: 'yes' is none of true, alpha, beta, rc, false"),
    ({"policy": "minor", "pin": "none"}, "argoos.io/pin: 'none' is none of digest, tag"),
    ({"policy": "all", "tags": "v*"}, "argoos.io/tags: 'v*' is no tag filter; write range:>=1.4 <2"),
    ({"policy": "all", "tags": "regexp:("}, "argoos.io/tags: 'regexp:(': missing ): ("),
    ({"policy": "all", "tags": "glob:x", "tags_app": "glob:"}, "argoos.io/tags.app: 'glob:': the pattern is empty"),
    ({}, "argoos.io/policy is missing; without it no container of the workload is moved"),
    ({"policy_app": "minor"}, "argoos.io/policy is missing"),
    (
        {"policy": "minor", "policy_migrat": "never"},
        "argoos.io/policy.migrat names no container of this workload; it has app, migrate",
    ),
    ({"policy": "minor", "tag": "glob:x"}, "argoos.io/tag is no key that Argoos knows; the keys are argoos.io/policy"),
    ({"policy": "minor", "tags_ap": "glob:x"}, "argoos.io/tags.ap names no container of this workload"),
]


@pytest.mark.parametrize(("rules", "message"), MISTAKES)
def test_a_mistake_is_spelled_out(rules: dict[str, str], message: str) -> None:
    """The message names the key as it is written on the workload, the value, and the choices."""
    with pytest.raises(InvalidRule) as caught:
        read_rule(labels(**rules), "app", NAMES)
    assert str(caught.value).startswith(message)


@pytest.mark.parametrize(
    ("rules", "text"),
    [
        ({"policy": "minor"}, "minor"),
        ({"policy": "minor", "policy_app": "never"}, "never"),
        ({"policy": "minor", "policy_migrate": "never"}, "minor"),
        ({"policy": "minr"}, "minr"),
        ({}, ""),
    ],
)
def test_the_policy_is_shown_as_it_is_written(rules: dict[str, str], text: str) -> None:
    """What the history shows is the label's own text, valid or not."""
    assert read_policy(labels(**rules), "app") == text


def test_a_rule_without_filter_admits_every_tag() -> None:
    """Without ``argoos.io/tags`` all tags are candidates."""
    assert read_rule(labels(policy="all"), "app", NAMES).tags == AnyTag()
