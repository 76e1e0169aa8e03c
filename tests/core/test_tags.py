"""Tag filters: which tags are candidates at all."""

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from argoos.core.tags import AnyTag, TagMatch, parse_filter
from argoos.errors import InvalidRule

ADMITTED = [
    # filter, tags that it admits, tags that it does not
    (
        "range:>=1.4 <2",
        "1.4 1.4.0 v1.4.1 1.10.0 1.99.99 1.5.0-alpine 1.4.0-rc1",
        "1.3.9 2.0 2.0.0-rc1 latest 42 1.2.3.4",
    ),
    ("range: >= 1.4   < 2", "1.4 1.9", "2.0"),
    ("range:<2 >=1.4", "1.4 1.9", "2.0 1.3"),
    ("range:>=1", "1.0 2.0", "0.9 1"),
    ("range:>=v1.4", "1.4", "1.3"),
    ("range:>1.4", "1.4.1", "1.4 1.4.0 1.4.0-rc1"),
    ("range:<=1.4", "1.4.0 1.4.0-rc1 0.1", "1.4.1"),
    ("range:=1.4", "1.4 1.4.0 v1.4.0", "1.4.1"),
    ("range:>=1.4.0-rc2", "1.4.0-rc2 1.4.0-rc.10 1.4.0", "1.4.0-rc1 1.4.0-beta9 1.3"),
    ("range:<1.4.0-rc2", "1.4.0-rc1 1.3.9", "1.4.0-rc2 1.4.0"),
    ("range:>=1.4 <1.5 || >=2.1", "1.4.9 2.1 3.0", "1.5 2.0"),
    ("range:<1||>2", "0.9 2.0.1", "1.0 1.5 2.0"),
    ("glob:release-*", "release- release-1 release-x-y", "release prerelease-1 Release-1"),
    ("glob:*", "a 1.4 _", ""),
    ("glob:*-foo-*", "1-foo-2 -foo- a-foo-foo-b", "foo 1-foo foo-1"),
    ("glob:*.*.*", "1.2.3 1.2.3.4", "1.2"),
    ("glob:v?.?", "v1.2", "v1.20 v1. 1.2"),
    ("glob:[ab]-[0-9]", "a-1 b-9", "c-1 a-x ab-1"),
    ("glob:[!ab]*", "c 1", "a b1"),
    ("glob:[^ab]*", "c 1", "a b1"),
    ("glob:[]-]x", "-x", "x ax"),
    ("glob:[[:digit:]]*", "1 1.4", "v1 d :"),
    ("glob:1.4", "1.4", "1x4 11.4"),
    ("glob:a+(b)|c", "", "ab aab c"),
    ("regexp:^main-", "main-1 main-", "xmain-1 Main-1"),
    ("regexp:main", "main xmainx", "mai"),
    ("regexp:^v[0-9]+$", "v1 v20", "v1.0 v"),
    ("regexp:(?i)^MAIN$", "main Main", "main-1"),
    ("regexp:^(dev|main)-\\d{2}$", "dev-01 main-99", "dev-1"),
    (" regexp: ^a$ ", "a", "b"),
    ("regexp:a:b", "", "a b"),
]


@pytest.mark.parametrize(("text", "yes", "no"), ADMITTED)
def test_a_filter_admits_some_tags_and_not_others(text: str, yes: str, no: str) -> None:
    """Ranges compare versions, globs cover the whole tag, expressions are found anywhere in it."""
    tags = parse_filter(text)
    assert [tag for tag in yes.split() if tags.match(tag) is None] == []
    assert [tag for tag in no.split() if tags.match(tag) is not None] == []


@pytest.mark.parametrize(
    ("text", "tag", "version", "order"),
    [
        ("range:>=1", "1.4", "1.4", None),
        ("glob:r-*", "r-1.4", "r-1.4", None),
        ("regexp:^r-.*$", "r-1.4", "r-1.4", None),
        ("regexp:^r-(?P<version>.*)$", "r-1.4", "1.4", None),
        ("regexp:^main-(?P<order>\\d+)$", "main-17", "main-17", "17"),
        ("regexp:^(?P<version>.*)-b(?P<order>\\d+)$", "1.4-b7", "1.4", "7"),
        ("regexp:^main(-(?P<order>\\d+))?$", "main", "main", None),
        ("regexp:^r-(?P<version>\\d\\.\\d)?$", "r-", "r-", None),
        ("regexp:^(r)-(?P<version>.*)$", "r-1.4", "1.4", None),
    ],
)
def test_a_named_group_is_the_version_or_the_order(text: str, tag: str, version: str, order: str | None) -> None:
    """Without the group ``version`` the whole tag is compared; a group that takes no part gives nothing."""
    assert parse_filter(text).match(tag) == TagMatch(version=version, order=order)


@given(tag=st.text(min_size=1, max_size=20))
def test_without_a_filter_every_tag_is_a_candidate(tag: str) -> None:
    """The absent filter admits all, and its version is the whole tag."""
    assert AnyTag().match(tag) == TagMatch(version=tag)


KINDS = "write range:>=1.4 <2, glob:release-* or regexp:^v(?P<version>.+)$"

BAD = [
    ("", KINDS),
    ("release-*", KINDS),
    (">=1.4", KINDS),
    ("semver:>=1.4", KINDS),
    ("Glob:x", KINDS),
    ("glob", KINDS),
    ("range:", "'' is no bound; write for example >=1.4 <2"),
    ("range:1.4", "'1.4' is no bound; write for example >=1.4 <2"),
    ("range:^1.4", "'^1.4' is no bound"),
    ("range:~1.4", "'~1.4' is no bound"),
    ("range:>=1.4 || ", "'' is no bound"),
    ("range:>=1.4 and <2", "'and' is no bound"),
    ("range:>=1.4, <2", "'1.4,' is no bound; write a version such as 1.4, and a space between bounds"),
    ("range:>=1.4<2", "'1.4<2' is no bound"),
    ("range:>=1.x", "'1.x' is no bound"),
    ("range:>=latest", "'latest' is no bound"),
    ("range:>=1.2.3.4", "'1.2.3.4' is no bound"),
    ("range:>=1.4-alpine", "'1.4-alpine' is no bound"),
    ("range:>=1.4-dev.1", "'1.4-dev.1' is no bound"),
    ("range:>=", "'>=' is no bound; write for example >=1.4 <2"),
    ("range:==1.4", "'=' is no bound"),
    ("range:!=1.4", "'!' is no bound"),
    ("range:>=1.4 <", "'<' is no bound"),
    (f"range:>={'9' * 5000}", "is no bound"),
    ("glob:", "the pattern is empty; write for example glob:release-*"),
    ("glob:[ab", "a '[' is not closed"),
    ("glob:[z-a]", "invalid character class range: z-a"),
    ("regexp:", "the expression is empty"),
    ("regexp:(", "missing ): ("),
    ("regexp:*", "no argument for repetition operator: *"),
    ("regexp:[z-a]", "invalid character class range: z-a"),
    ("regexp:a(?=b)", "invalid perl operator: (?="),
    (r"regexp:(a)\1", r"invalid escape sequence: \1"),
    ("regexp:a{2000}", "invalid repetition size: {2000}"),
    ("regexp:((a{100}){100}){100}", "a{100}"),
    ("regexp:^(?P<ordr>\\d+)$", "the group 'ordr' means nothing; named groups are version and order"),
]


@pytest.mark.parametrize(("text", "message"), BAD)
def test_a_bad_filter_is_refused_with_what_is_wrong_with_it(text: str, message: str) -> None:
    """The message quotes the whole value and names the mistake."""
    with pytest.raises(InvalidRule) as caught:
        parse_filter(text)
    assert str(caught.value).startswith(repr(text))
    assert message in str(caught.value)


@given(text=st.text(max_size=20) | st.builds("{}:{}".format, st.sampled_from(["glob", "regexp", "range"]), st.text()))
def test_any_text_is_a_filter_or_is_refused(text: str) -> None:
    """No text brings the parser down, and what it makes of it can be asked about any tag."""
    try:
        tags = parse_filter(text)
    except InvalidRule:
        return
    tags.match("1.4.2-alpine")


@given(pattern=st.text(alphabet="ab*?", min_size=1, max_size=8), tag=st.text(alphabet="ab", min_size=1, max_size=8))
def test_a_glob_means_what_a_shell_means(pattern: str, tag: str) -> None:
    """Stars and question marks agree with the plain definition of both."""

    def covers(pattern: str, tag: str) -> bool:
        if not pattern:
            return not tag
        if pattern[0] == "*":
            return covers(pattern[1:], tag) or (bool(tag) and covers(pattern, tag[1:]))
        return bool(tag) and pattern[0] in {"?", tag[0]} and covers(pattern[1:], tag[1:])

    assert (parse_filter(f"glob:{pattern}").match(tag) is not None) is covers(pattern, tag)


@pytest.mark.parametrize(
    "text",
    ["regexp:^(a+)+$", "regexp:^(a|a)*$", "regexp:(x+x+)+y", "regexp:^(.*a){12}$", "glob:" + "*a" * 30],
)
def test_no_expression_can_hang(text: str) -> None:
    """Expressions that take a backtracking matcher ages answer at once: whoever labels a workload cannot stop us."""
    tags = parse_filter(text)
    started = time.perf_counter()
    tags.match("a" * 127 + "!")
    tags.match("x" * 128)
    assert time.perf_counter() - started < 0.5
