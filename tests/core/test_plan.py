"""One push, one container: each policy and each reason, as tables."""

import pytest

from argoos.core.policy import Policy
from argoos.core.reason import Reason
from tests.core.builders import answers, container, detail, digest, planned, push, workload

VERSIONS = [
    # runs, pushed, under patch, minor, major
    ("1.4.2", "1.4.3", "update", "update", "update"),
    ("1.4.2", "v1.4.3", "update", "update", "update"),
    ("v1.4", "1.4.1", "update", "update", "update"),
    ("1.4.9", "1.4.10", "update", "update", "update"),
    ("1.4.2", "1.5.0", "beyond-policy", "update", "update"),
    ("1.4.2", "1.5", "beyond-policy", "update", "update"),
    ("1.4.2", "2.0.0", "beyond-policy", "beyond-policy", "update"),
    ("1.4.2", "2.4.3", "beyond-policy", "beyond-policy", "update"),
    ("2025.12", "2026.1", "beyond-policy", "beyond-policy", "update"),
    ("1.4.2", "1.4.1", "not-newer", "not-newer", "not-newer"),
    ("1.4.2", "1.3.9", "not-newer", "not-newer", "not-newer"),
    ("2.0.0", "1.9.9", "not-newer", "not-newer", "not-newer"),
    ("1.20", "1.20.0", "not-newer", "not-newer", "not-newer"),
    ("1.20.0", "v1.20", "not-newer", "not-newer", "not-newer"),
    ("1.20", "1.9", "not-newer", "not-newer", "not-newer"),
    ("1.4.2", "latest", "not-a-version", "not-a-version", "not-a-version"),
    ("1.4.2", "20260101", "not-a-version", "not-a-version", "not-a-version"),
    ("1.4.2", "1.4.2.1", "not-a-version", "not-a-version", "not-a-version"),
    ("latest", "1.4.2", "current-not-a-version", "current-not-a-version", "current-not-a-version"),
    ("latest", "main", "current-not-a-version", "current-not-a-version", "current-not-a-version"),
    ("1.4.2", "1.4.3-alpine", "variant-differs", "variant-differs", "variant-differs"),
    ("1.4.2-alpine", "1.4.3", "variant-differs", "variant-differs", "variant-differs"),
    ("1.4.2-alpine3.19", "1.4.3-alpine3.20", "variant-differs", "variant-differs", "variant-differs"),
    ("1.4.2-alpine", "1.4.3-alpine", "update", "update", "update"),
    ("1.4.2-debian-12-r1", "1.4.3-debian-12-r1", "update", "update", "update"),
    ("1.4.2", "1.4.3-dev.7", "variant-differs", "variant-differs", "variant-differs"),
    ("1.4.2-dev.7", "1.4.2", "variant-differs", "variant-differs", "variant-differs"),
    ("1.4.2-dev.7", "1.4.2-dev.8", "update", "update", "update"),
    ("1.4.2-dev.7", "1.5.0-dev.1", "beyond-policy", "update", "update"),
    ("1.4.2-dev.7", "1.4.2-nightly.8", "variant-differs", "variant-differs", "variant-differs"),
    ("1.4.2-nightly.20260101", "1.4.2-nightly.20260102", "update", "update", "update"),
    ("1.4.2", "1.4.3-rc1", "prerelease", "prerelease", "prerelease"),
    ("1.4.2", "1.5.0-alpha", "beyond-policy", "prerelease", "prerelease"),
    ("1.4.2", "1.4.2-rc1", "not-newer", "not-newer", "not-newer"),
    ("1.4.2-rc1", "1.4.2", "update", "update", "update"),
    ("1.4.2-rc1", "1.4.2-rc2", "update", "update", "update"),
    ("1.4.2-rc1", "1.4.2-rc.1", "not-newer", "not-newer", "not-newer"),
    ("1.4.2-rc1", "1.4.3-beta1", "prerelease", "prerelease", "prerelease"),
    ("1.4.2-beta1", "1.4.2-rc1", "update", "update", "update"),
    ("1.4.2-beta1", "1.4.2-m1", "update", "update", "update"),
    ("1.4.2-beta9", "1.4.3-beta1", "update", "update", "update"),
    ("1.4.2-beta1", "1.4.3-alpha1", "prerelease", "prerelease", "prerelease"),
    ("1.4.2-rc1-alpine", "1.4.2-alpine", "update", "update", "update"),
    ("1.4.2-rc1-alpine", "1.4.2", "variant-differs", "variant-differs", "variant-differs"),
]


@pytest.mark.parametrize(("runs", "pushed", "patch", "minor", "major"), VERSIONS)
def test_the_policies_that_compare_versions(runs: str, pushed: str, patch: str, minor: str, major: str) -> None:
    """Each takes what is newer, as near as it asks, of the same variant and channel, and mature enough."""
    found = [
        answers([push(pushed, number=2)], workload(f":{runs}@{digest(1)}", policy=policy))
        for policy in ("patch", "minor", "major")
    ]
    taken = f":{pushed}@{digest(2)}"
    assert found == [[taken if word == "update" else word] for word in (patch, minor, major)]


TAGS = [
    # runs, pushed, digest of the push, under all, digest, minor, never
    (f":latest@{digest(1)}", "latest", 2, "update", "update", "current-not-a-version", "never"),
    (f":latest@{digest(1)}", "latest", 1, "already-running", "already-running", "already-running", "never"),
    (f":latest@{digest(1)}", "latest", 0, "already-running", "already-running", "already-running", "never"),
    (":latest", "latest", 2, "update", "update", "current-not-a-version", "never"),
    (":latest", "latest", 0, "already-running", "already-running", "already-running", "never"),
    ("registry.example.com/team/app", "latest", 2, "update", "update", "current-not-a-version", "never"),
    (f":latest@{digest(1)}", "main", 2, "update", "beyond-policy", "current-not-a-version", "never"),
    (f":latest@{digest(1)}", "main", 0, "update", "beyond-policy", "current-not-a-version", "never"),
    (f":latest@{digest(1)}", "main", 1, "update", "beyond-policy", "current-not-a-version", "never"),
    (f":1.4.2@{digest(1)}", "1.4.2", 2, "update", "update", "not-newer", "never"),
    (f":1.4.2@{digest(1)}", "1.4.2", 1, "already-running", "already-running", "already-running", "never"),
    (":1.4.2", "1.4.2", 2, "update", "update", "not-newer", "never"),
    (f":1.4.2@{digest(1)}", "1.3.0", 2, "update", "beyond-policy", "not-newer", "never"),
    (f":1.4.2@{digest(1)}", "latest", 2, "update", "beyond-policy", "not-a-version", "never"),
    (f"@{digest(1)}", "1.4.2", 2, "update", "beyond-policy", "current-not-a-version", "never"),
    (f"@{digest(1)}", "1.4.2", 0, "update", "beyond-policy", "current-not-a-version", "never"),
    (f"@{digest(1)}", "1.4.2", 1, "already-running", "already-running", "already-running", "never"),
]


@pytest.mark.parametrize(("runs", "pushed", "number", "all_", "digest_", "minor", "never"), TAGS)
def test_the_policies_that_compare_tags(
    runs: str, pushed: str, number: int, all_: str, digest_: str, minor: str, never: str
) -> None:
    """All takes any other image, digest only the tag that runs with another digest, never takes nothing."""
    words = {"all": all_, "digest": digest_, "minor": minor, "never": never}
    found = {name: answers([push(pushed, number=number)], workload(runs, policy=name)) for name in words}
    taken = f":{pushed}" + (f"@{digest(number)}" if number else "")
    assert found == {name: [taken if word == "update" else word] for name, word in words.items()}


PRERELEASES = [
    # runs, pushed, argoos.io/prerelease, under minor
    ("1.4.2", "1.5.0-alpha1", "true", "update"),
    ("1.4.2", "1.5.0-alpha1", "alpha", "update"),
    ("1.4.2", "1.5.0-alpha1", "beta", "prerelease"),
    ("1.4.2", "1.5.0-beta1", "beta", "update"),
    ("1.4.2", "1.5.0-m1", "beta", "update"),
    ("1.4.2", "1.5.0-m1", "rc", "prerelease"),
    ("1.4.2", "1.5.0-rc1", "rc", "update"),
    ("1.4.2", "1.5.0-rc1", "false", "prerelease"),
    ("1.4.2-alpha1", "1.5.0-alpha1", "rc", "update"),
    ("1.4.2-beta1", "1.5.0-alpha1", "rc", "prerelease"),
    ("1.4.2-rc1", "1.5.0-alpha1", "true", "update"),
    ("1.4.2", "1.4.2-rc1", "true", "not-newer"),
    ("1.4.2", "2.0.0-rc1", "true", "beyond-policy"),
    ("1.4.2", "1.5.0-dev.1", "true", "variant-differs"),
]


@pytest.mark.parametrize(("runs", "pushed", "value", "expected"), PRERELEASES)
def test_prerelease_admits_stages(runs: str, pushed: str, value: str, expected: str) -> None:
    """The label lowers the bar and never raises it; nothing else of the policy changes."""
    found = answers([push(pushed)], workload(f":{runs}", policy="minor", prerelease=value))
    assert found == [f":{pushed}@{digest(1)}" if expected == "update" else expected]


FILTERED = [
    # policy, argoos.io/tags, runs, pushed, expected
    ("all", "glob:release-*", "release-1", "release-2", "update"),
    ("all", "glob:release-*", "release-1", "main", "tag-filtered"),
    ("all", "glob:release-*", "main", "release-1", "update"),
    ("all", "glob:release-*", "main", "main", "tag-filtered"),
    ("digest", "glob:release-*", "main", "main", "tag-filtered"),
    ("major", "range:<2", "1.4.2", "1.5.0", "update"),
    ("major", "range:<2", "1.4.2", "2.0.0", "tag-filtered"),
    ("minor", "range:<2", "2.0.0", "2.1.0", "tag-filtered"),
    ("all", "range:>=1", "latest", "main", "tag-filtered"),
    ("minor", "regexp:^r-(?P<version>.*)$", "r-1.4", "r-1.5", "update"),
    ("minor", "regexp:^r-(?P<version>.*)$", "1.4", "r-1.5", "update"),
    ("minor", "regexp:^r-(?P<version>.*)$", "r-1.4", "1.5", "tag-filtered"),
    ("minor", "regexp:^r-(?P<version>.*)$", "r-1.4", "r-2.0", "beyond-policy"),
    ("minor", "regexp:^r-(?P<version>.*)$", "r-1.4", "r-1.3", "not-newer"),
    ("minor", "regexp:^r-(?P<version>.*)$", "r-1.4", "r-main", "not-a-version"),
    ("minor", "regexp:^r-(?P<version>.*)$", "main", "r-1.4", "current-not-a-version"),
    ("minor", r"regexp:^(?P<version>[\d.]+)-b\d+$", "1.4.0-b7", "1.4.0-b8", "not-newer"),
    ("minor", r"regexp:^(?P<version>[\d.]+)-\w+$", "1.4.0-x", "1.4.1-y", "update"),
    ("all", r"regexp:^main-(?P<order>\d+)$", "main-9", "main-10", "update"),
    ("all", r"regexp:^main-(?P<order>\d+)$", "main-10", "main-9", "not-newer"),
    ("all", r"regexp:^main-(?P<order>\d+)$", "main-010", "main-10", "update"),
    ("all", r"regexp:^main-(?P<order>\d+)$", "main-10", "main-10", "update"),
    ("all", r"regexp:^main-(?P<order>\d+)$", "latest", "main-1", "update"),
    ("all", r"regexp:^main-(?P<order>\d+)$", "main-10", "main-x", "tag-filtered"),
    ("all", r"regexp:^main-(?P<order>\w+)$", "main-10", "main-9", "not-newer"),
    ("all", r"regexp:^main-(?P<order>\w+)$", "main-10a", "main-9a", "update"),
    ("all", r"regexp:^main(-(?P<order>\d+))?$", "main", "main-1", "update"),
    ("all", r"regexp:^main(-(?P<order>\d+))?$", "main-1", "main", "not-newer"),
    ("digest", r"regexp:^main-(?P<order>\d+)$", "main-9", "main-10", "beyond-policy"),
    ("minor", r"regexp:^(?P<version>.*)-(?P<order>\d+)$", "1.4-9", "1.5-1", "update"),
]


@pytest.mark.parametrize(("policy", "tags", "runs", "pushed", "expected"), FILTERED)
def test_a_filter_narrows_every_policy(policy: str, tags: str, runs: str, pushed: str, expected: str) -> None:
    """What it does not admit is no candidate; its groups say what is compared and, under all, what is later."""
    running = container(f":{runs}@{digest(1)}")
    found = answers([push(pushed, number=2)], workload(running, policy=policy, tags=tags))
    assert found == [f":{pushed}@{digest(2)}" if expected == "update" else expected]


DETAILS = [
    # policy, runs, pushed, digest of the push, the words
    ("minor", f":1.4.2@{digest(1)}", "1.4.2", 1, ""),
    ("minor", ":1.4.2", "1.4.2", 0, "the push of 1.4.2 names no digest, so it cannot be told from what runs"),
    ("minor", ":1.4.2", "1.4.1", 1, "older than 1.4.2, which runs"),
    ("minor", ":1.4.2", "1.4.2", 1, "same version as 1.4.2, which runs"),
    ("minor", ":1.20", "1.20.0", 1, "same version as 1.20, which runs"),
    ("minor", f":1.20@{digest(1)}", "1.20.0", 0, "same version as 1.20, which runs"),
    ("minor", f":1.20@{digest(1)}", "1.20.0", 1, "same version as 1.20, which runs"),
    ("minor", f":1.4.2@{digest(1)}", "1.4.2", 2, "same version, another digest than 1.4.2, which runs"),
    ("minor", ":1.4.2", "2.0.0", 1, "another major version than 1.4.2, and the policy is minor"),
    ("patch", ":1.4.2", "1.5.0", 1, "another minor version than 1.4.2, and the policy is patch"),
    ("patch", ":1.4.2", "2.0.0", 1, "another major version than 1.4.2, and the policy is patch"),
    ("minor", ":1.4.2", "main", 1, "main is no version, and the policy minor compares versions"),
    ("major", ":latest", "1.0", 1, "latest runs, which is no version; only the policies all and digest move it"),
    ("major", f"@{digest(1)}", "1.0", 2,
     "a digest without a tag runs, which has no version; only the policy all moves it"),
    ("minor", ":1.4.2", "1.5.0-alpine", 1, "has the variant alpine; 1.4.2, which runs, has no variant"),
    ("minor", ":1.4-alpine", "1.5", 1, "has no variant; 1.4-alpine, which runs, has the variant alpine"),
    ("minor", ":1.4", "1.5-dev.1-slim", 1, "has the channel dev; 1.4, which runs, has no channel"),
    ("minor", ":1.4", "1.5-rc1", 1,
     "rc is a pre-release; this container takes final versions only (argoos.io/prerelease changes that)"),
    ("minor", ":1.4-beta1", "1.5-alpha", 1,
     "alpha is a pre-release; this container takes beta and later (argoos.io/prerelease changes that)"),
    ("digest", ":latest", "main", 1, "the policy digest takes only latest"),
    ("digest", f"@{digest(1)}", "main", 2, "only a digest runs, without a tag that the policy digest could follow"),
    ("all", f":latest@{digest(1)}", "latest", 2, "the same tag with another digest"),
    ("digest", ":latest", "latest", 2, "which digest ran is not known"),
    ("all", ":latest", "main", 2, ""),
    ("never", ":1.4.2", "1.4.3", 1, ""),
    ("minr", ":1.4.2", "1.4.3", 1, "argoos.io/policy: 'minr' is none of patch, minor, major, all, digest, never"),
]  # fmt: skip


@pytest.mark.parametrize(("policy", "runs", "pushed", "number", "words"), DETAILS)
def test_the_detail_says_it_for_this_very_case(policy: str, runs: str, pushed: str, number: int, words: str) -> None:
    """An operator reads why, with the tags of the case, and where he can do something about it what."""
    assert detail([push(pushed, number=number)], workload(runs, policy=policy)) == words


def test_the_detail_of_filters() -> None:
    """What the filter refuses and what it orders is said with the tags of the case."""
    one = workload(":main-9", policy="all", tags=r"regexp:^main-(?P<order>\d+)$")
    assert detail([push("latest")], one) == "argoos.io/tags does not admit latest"
    assert detail([push("main-8")], one) == "argoos.io/tags orders it before main-9, which runs"


LABEL_MISTAKES = [
    ({"policy": "minr"}, "argoos.io/policy: 'minr' is none of"),
    ({"policy": "minor", "policy_app": "on"}, "argoos.io/policy.app: 'on' is none of"),
    ({"policy": "minor", "tags": "v*"}, "argoos.io/tags: 'v*' is no tag filter"),
    ({"policy": "never", "pin": "both"}, "argoos.io/pin: 'both' is none of digest, tag"),
    ({"policy": "minor", "prerelease": "1"}, "argoos.io/prerelease: '1' is none of"),
    ({}, "argoos.io/policy is missing"),
    ({"policy_app": "all"}, "argoos.io/policy is missing"),
]


@pytest.mark.parametrize(("rules", "words"), LABEL_MISTAKES)
def test_a_mistake_in_a_label_is_never_a_silent_nothing(rules: dict[str, str], words: str) -> None:
    """Every push of the repository is refused with the text of the mistake, the running image's own included."""
    pushes = [push("1.4.3", number=2), push("1.4.2", number=1, seconds=1)]
    steps = planned(pushes, workload(f":1.4.2@{digest(1)}", **rules))
    assert answers(pushes, workload(f":1.4.2@{digest(1)}", **rules)) == ["invalid-policy", "invalid-policy"]
    assert all(step.detail.startswith(words) for step in steps)


def test_the_tables_miss_no_reason_and_no_policy() -> None:
    """Every word for "why not" stands in a table of this file, but for the two that have tables of their own."""
    said = {str(word) for row in (*VERSIONS, *TAGS, *PRERELEASES, *FILTERED) for word in row[2:]}
    assert {str(reason) for reason in Reason} - said == {"invalid-policy", "superseded"}
    assert {row[0] for row in DETAILS} == {*map(str, Policy), "minr"}
