"""Bad configurations: everything that is wrong is said at once, with its place, its key and what to write."""

import re
from collections.abc import Callable
from pathlib import Path

import pytest

from argoos.settings import Flags, Need


def test_all_problems_of_all_sources_come_at_once(problems: Callable[..., list[str]]) -> None:
    """A file, variables and flags that are all wrong are all reported, the file's lines in order first."""
    found = problems(
        "database: oracle://x\nsettle_seconds: 30s\nbackends: [{kind: nomad}]\nfoo: 1",
        flags=Flags(assignments=["parallel=0", "lissten=:1", "nothing"], values={"server_cert": "away.pem"}),
        ARGOOS_LEASE_SECONDS="long",
        ARGOOS_LISTN=":3000",
        LISTEN=":70000",
    )
    assert found == [
        "argoos.yaml:1: database: 'oracle://x' is no database; write sqlite:///relative.db or sqlite:////absolute.db",
        "argoos.yaml:2: settle_seconds: must be a number of seconds, without a unit",
        "argoos.yaml:3: backends[0]: kind 'nomad' is not known; write kind: kubernetes or kind: manifests",
        "argoos.yaml:4: foo: is no setting; known here: " + found[3].partition("here: ")[2],
        "environment ARGOOS_LEASE_SECONDS: lease_seconds: must be a number of seconds, without a unit",
        "environment ARGOOS_LISTN: is no setting; did you mean ARGOOS_LISTEN?",
        "environment LISTEN: listen: port 70000 is out of range; ports go from 0 to 65535",
        "flag --server-cert: server_cert: there is no file DIR/away.pem",
        "flag --server-cert: server_cert: needs server_key, which is not given",
        "flag --set lissten: 'lissten' is no setting; did you mean listen?",
        "flag --set nothing: 'nothing' is no setting; write --set KEY=VALUE",
        "flag --set parallel: parallel: must be at least 1",
    ]


def test_without_a_backend_the_choices_are_listed(problems: Callable[..., list[str]]) -> None:
    """Outside a cluster, a daemon without a backend says what could be written."""
    (found,) = problems(need=Need.BACKENDS)
    assert "backends: [{kind: manifests, path: deploy/}]" in found
    assert "backends: [{kind: kubernetes, context: NAME}]" in found


def test_a_database_whose_directory_is_missing(problems: Callable[..., list[str]]) -> None:
    """The directory of the database must be there, where the command needs it."""
    assert problems("database: sqlite:///away/a.db", need=Need.DATABASE) == [
        "argoos.yaml:1: database: there is no directory DIR/away; make it, or name another place"
    ]


def test_a_file_that_is_named_must_exist(problems: Callable[..., list[str]]) -> None:
    """A file named by flag or variable and not there is a problem, not a silent default."""
    assert problems(flags=Flags(config=Path("other.yaml"))) == ["other.yaml: there is no such file"]
    assert problems(ARGOOS_CONFIG="some.yaml") == ["some.yaml: there is no such file"]


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        ("", "DIR/tokens holds no token; write one on each line"),
        ("# nothing\n\n", "DIR/tokens holds no token; write one on each line"),
        ("good\nbad one\n", "DIR/tokens: line 2 is a token with spaces"),
        ("- 12345\n", "DIR/tokens: entry 1 is not a text; put it in quotes"),
        ("[s3cret", "DIR/tokens: starts like a YAML list and is none"),
        ("[]", "DIR/tokens holds no token; write one on each line"),
    ],
)
def test_a_token_file_without_usable_tokens(
    problems: Callable[..., list[str]], tmp_path: Path, content: str, expected: str
) -> None:
    """An empty or broken token file never means that no token is needed."""
    (tmp_path / "tokens").write_text(content)
    (found,) = problems("tokens_file: tokens")
    assert found.startswith(f"argoos.yaml:1: tokens_file: {expected}")


def test_no_message_quotes_a_secret(problems: Callable[..., list[str]], tmp_path: Path) -> None:
    """Whatever is wrong with a secret, no message repeats it."""
    (tmp_path / "tokens").write_text("s3cret with spaces")
    found = problems(
        "tokens: ['s3cret x', *s3cret]\napi_tokens: s3cret",
        ARGOOS_TOKENS="[s3cret",
        TOKEN="s3cret s3cret",
        ARGOOS_DATABASE="mysql://me:s3cret@db/x",
        ARGOOS_TOKENS_FILE=str(tmp_path / "tokens"),
    )
    found += problems("tokens_file: tokens\ntokens: s3cret\napi_tokens: {a: s3cret}")
    assert len(found) >= 6
    assert not re.search("s3cret", "\n".join(found))
