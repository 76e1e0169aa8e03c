"""Versions: what is one, how it is read, and their order."""

from itertools import combinations, pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from argoos.core.version import CHANNELS, STAGE_WORDS, Stage, Version, parse_version

ORDERED = [
    ["0.0", "v0.0.0", "0.0.00"],
    ["0.0.1-alpha", "0.0.1-a", "0.0.1-alpha.0", "0.0.1-ALPHA"],
    ["0.0.1"],
    ["0.9.9"],
    ["1.0.0-alpha"],
    ["1.0.0-alpha1", "1.0.0-alpha.1", "1.0.0-alpha-1", "1.0.0-a1", "1.0.0-a.01"],
    ["1.0.0-alpha2"],
    ["1.0.0-alpha10", "1.0.0-alpha.010"],
    ["1.0.0-beta", "1.0.0-b"],
    ["1.0.0-beta2", "1.0.0-beta-2", "1.0-b2"],
    ["1.0.0-pre", "1.0.0-preview", "1.0.0-m", "1.0.0-milestone"],
    ["1.0.0-m1", "1.0.0-M1", "1.0.0-milestone.1", "1.0.0-pre1", "1.0.0-preview-1"],
    ["1.0.0-m2"],
    ["1.0.0-rc", "1.0.0-c", "1.0.0-RC"],
    ["1.0.0-rc.1", "v1.0.0-rc1", "1.0-rc-1", "1.0.0-c1", "1.0.0-RC1"],
    ["1.0.0-rc.2"],
    ["1.0.0-rc.10"],
    ["1.0.0", "1.0", "v1.0", "01.00.00"],
    ["1.0.1"],
    ["1.0.9"],
    ["1.0.10", "1.0.010"],
    ["1.2"],
    ["1.2.3"],
    ["1.10"],
    ["1.20", "1.20.0", "v1.20"],
    ["1.20.1"],
    ["2.0.0-rc1"],
    ["2.0"],
    ["9.0"],
    ["10.0"],
    ["2026.1.5", "2026.01.05"],
    ["2026.10"],
    ["99999999999999999999.0"],
]
"""Every comparison: what stands in one line is equal, and older than each line below."""

PLAIN = [tag for group in ORDERED for tag in group]


def version(tag: str) -> Version:
    """Return the version of a tag that has one."""
    found = parse_version(tag)
    assert found is not None, tag
    return found


def test_what_stands_in_one_line_is_equal() -> None:
    """Spelling does not matter: v, leading zeros, a missing third number, the separator before a counter."""
    for group in ORDERED:
        assert len({version(tag) for tag in group}) == 1, group


def test_each_line_is_older_than_every_line_below() -> None:
    """The order is that of semantic versioning, with stages in their order of maturity."""
    for lower, higher in combinations(ORDERED, 2):
        for left in lower:
            for right in higher:
                assert version(left).precedence < version(right).precedence, (left, right)


@pytest.mark.parametrize("line", ["alpine", "dev", "debian-12"])
def test_the_order_is_the_same_within_every_variant_and_channel(line: str) -> None:
    """A variant or a channel behind it changes nothing about the order of numbers and stages."""
    tags = [f"{group[0]}-{line}" for group in ORDERED]
    assert len({version(tag).line for tag in tags}) == 1
    assert all(version(lower).precedence < version(higher).precedence for lower, higher in pairwise(tags))


def test_builds_of_a_channel_are_ordered_by_their_counter() -> None:
    """Within one version, a channel counts as a number does, behind its stage."""
    tags = [
        "1.4.0-rc1-dev.1",
        "1.4.0-rc1-dev.2",
        "1.4.0-rc2-dev.1",
        "1.4.0-dev",
        "1.4.0-dev.2",
        "1.4.0-dev.10",
        "1.4.0-dev20260101",
        "1.4.1-dev-1",
    ]
    assert len({version(tag).line for tag in tags}) == 1
    assert all(version(lower).precedence < version(higher).precedence for lower, higher in pairwise(tags))


@pytest.mark.parametrize(
    "tag",
    [
        "", "latest", "main", "v", "42", "v42", "20260101", "1.2.3.4", "1.2.3.4-rc1", "1.", ".1", "1..2", "1.2.", "1.x",
        "1.2.x", "V1.2.3", "vv1.2", "v.1.2", "1.2.3-", "1.2-", "1.2.3_1", "1.2.3rc1", "1.2.3a", "release-1.2.3",
        "app-v1.2", "1-2", "1-alpine", "-1.2", "1.2 ", " 1.2", "1.2\n", "1.²", "1.\u0662", "1.2.3+build", "sha256-abc",
        "1." + "9" * 127,
    ],
)  # fmt: skip
def test_what_is_no_version(tag: str) -> None:
    """One number, four parts, words, and numbers with anything but a dash behind them are no versions."""
    assert parse_version(tag) is None


@pytest.mark.parametrize(
    ("tag", "stage", "stage_count", "channel", "build", "variant"),
    [
        ("1.4.0", Stage.FINAL, 0, "", 0, ""),
        ("1.4.0-alpine", Stage.FINAL, 0, "", 0, "alpine"),
        ("1.4.0-alpine3.19", Stage.FINAL, 0, "", 0, "alpine3.19"),
        ("1.4.0-debian-12-r1", Stage.FINAL, 0, "", 0, "debian-12-r1"),
        ("1.4.0-staging", Stage.FINAL, 0, "", 0, "staging"),
        ("1.4.0-Alpine", Stage.FINAL, 0, "", 0, "Alpine"),
        ("1.4.0-1", Stage.FINAL, 0, "", 0, "1"),
        ("1.4.0-rc1-alpine", Stage.RC, 1, "", 0, "alpine"),
        ("1.4.0-rc.1.alpine", Stage.RC, 1, "", 0, "alpine"),
        ("1.4.0-rc-alpine", Stage.RC, 0, "", 0, "alpine"),
        ("1.4.0-rc.1.2", Stage.RC, 1, "", 0, "2"),
        ("1.4.0-alpha.beta", Stage.ALPHA, 0, "", 0, "beta"),
        ("1.4.0-beta-2", Stage.BETA, 2, "", 0, ""),
        ("1.4.0-alpine-rc1", Stage.FINAL, 0, "", 0, "alpine-rc1"),
        ("1.4.0-dev.7", Stage.FINAL, 0, "dev", 7, ""),
        ("1.4.0-SNAPSHOT", Stage.FINAL, 0, "snapshot", 0, ""),
        ("1.4.0-nightly.20260101", Stage.FINAL, 0, "nightly", 20260101, ""),
        ("1.4.0-nightly20260101-slim", Stage.FINAL, 0, "nightly", 20260101, "slim"),
        ("1.4.0-rc1-dev.7-alpine", Stage.RC, 1, "dev", 7, "alpine"),
        ("1.4.0-dev.7-rc1", Stage.FINAL, 0, "dev", 7, "rc1"),
        ("1.4.0-dev-edge", Stage.FINAL, 0, "dev", 0, "edge"),
        ("1.4.0-a1b2c3d", Stage.FINAL, 0, "", 0, "a1b2c3d"),
        ("1.4.0-rcx", Stage.FINAL, 0, "", 0, "rcx"),
        ("1.4.0-develop", Stage.FINAL, 0, "", 0, "develop"),
        ("1.4.0--x", Stage.FINAL, 0, "", 0, "-x"),
    ],
)
def test_a_suffix_is_read_from_the_left(
    tag: str, stage: Stage, stage_count: int, channel: str, build: int, variant: str
) -> None:
    """First a stage, then a channel, each with its counter; all that remains is the variant."""
    expected = Version(
        release=(1, 4, 0), stage=stage, stage_count=stage_count, channel=channel, build=build, variant=variant
    )
    assert version(tag) == expected


def test_every_word_of_a_stage_and_of_a_channel_is_known() -> None:
    """The words are those of the reference, no more and no less."""
    stages = {"alpha", "a", "beta", "b", "pre", "preview", "m", "milestone", "rc", "c"}
    assert set(STAGE_WORDS) == stages
    assert {"dev", "snapshot", "nightly", "canary", "next", "edge"} == CHANNELS
    assert Stage.ALPHA < Stage.BETA < Stage.PRE < Stage.RC < Stage.FINAL


@given(text=st.text(max_size=30) | st.from_regex(r"v?[0-9]{1,3}\.[0-9]{1,3}[-.a-z0-9]{0,20}", fullmatch=True))
def test_any_text_is_a_version_or_none(text: str) -> None:
    """No text brings the parser down, and a version's numbers are those of the text."""
    found = parse_version(text)
    if found is not None:
        numbers = [int(part) for part in text.removeprefix("v").split("-", maxsplit=1)[0].split(".")]
        assert found.release == (*numbers, 0)[:3]
