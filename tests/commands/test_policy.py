"""`argoos policy` answers and explains without any backend."""

import json

import pytest

from argoos.cli import main

YES = [
    ("1.4.2 1.5.0 --policy minor", "yes: 1.5.0 replaces 1.4.2 under minor\n"),
    ("1.4.2 1.4.3 -p patch", "yes: 1.4.3 replaces 1.4.2 under patch\n"),
    ("1.4.2 2.0.0-rc1 -p major --prerelease rc", "yes: 2.0.0-rc1 replaces 1.4.2 under major\n"),
    ("main-1 main-2 -p all --tags regexp:^main-(?P<order>\\d+)$", "yes: main-2 replaces main-1 under all\n"),
    (
        "latest latest -p digest",
        "yes: latest replaces latest under digest\nthe same tag with another digest\n",
    ),
]

NO = [
    ("1.4.2 1.5.0 -p patch", "beyond-policy"),
    ("1.4.2 1.4.1 -p patch", "not-newer"),
    ("1.20 1.20.0 -p major", "not-newer"),
    ("1.4.2 1.4.3-alpine -p patch", "variant-differs"),
    ("1.4.2 2.0.0-rc1 -p major", "prerelease"),
    ("1.4.2 main -p major", "not-a-version"),
    ("main 1.4.2 -p major", "current-not-a-version"),
    ("1.4.2 1.4.3 -p never", "never"),
    ("1.4.2 1.4.3 -p patch --tags glob:release-*", "tag-filtered"),
]


@pytest.mark.parametrize(("line", "expected"), YES)
def test_what_is_taken(capsys: pytest.CaptureFixture[str], line: str, expected: str) -> None:
    """A candidate that is taken is answered with yes."""
    assert main(["policy", *line.split()]) == 0
    assert capsys.readouterr().out == expected


@pytest.mark.parametrize(("line", "reason"), NO)
def test_what_is_not_taken(capsys: pytest.CaptureFixture[str], line: str, reason: str) -> None:
    """A candidate that is not taken is answered with no, the reason's word, and a sentence."""
    assert main(["policy", *line.split()]) == 0
    first, second = capsys.readouterr().out.splitlines()
    assert first.startswith("no: ")
    assert first.endswith(f"({reason})")
    assert len(second) > 10


def test_the_answer_as_json(capsys: pytest.CaptureFixture[str]) -> None:
    """With --json the answer is one document."""
    assert main(["policy", "1.4.2", "1.5.0", "--policy", "patch", "--json"]) == 0
    assert json.loads(capsys.readouterr().out) == {
        "policy": "patch",
        "current": "1.4.2",
        "candidate": "1.5.0",
        "action": "skip",
        "reason": "beyond-policy",
        "detail": "another minor version than 1.4.2, and the policy is patch",
    }


@pytest.mark.parametrize(("candidate", "code"), [("1.4.3", 3), ("1.5.0", 0)])
def test_the_exit_code_tells_what_is_pending(candidate: str, code: int) -> None:
    """With --exit-code, 3 says that the candidate would be taken."""
    assert main(["policy", "1.4.2", candidate, "--policy", "patch", "--exit-code"]) == code


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("1.4.2 1.5.0 -p mayor", "argoos.io/policy: 'mayor' is none of patch, minor, major"),
        ("1.4.2 1.5.0 -p minor --tags range:x", "argoos.io/tags"),
        ("1.4.2 1.5.0 -p minor --prerelease perhaps", "argoos.io/prerelease: 'perhaps' is none of"),
        ("shop/web:1.4.2 1.5.0 -p minor", "'shop/web:1.4.2' is no tag"),
        ("1.4.2 1.5.0", "Missing option '--policy'"),
    ],
)
def test_mistakes(capsys: pytest.CaptureFixture[str], line: str, words: str) -> None:
    """A mistake on the command line is explained on standard error, with exit code 2."""
    assert main(["policy", *line.split()]) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith("argoos: ")
    assert words in err
