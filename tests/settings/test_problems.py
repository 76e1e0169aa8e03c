"""Bad configurations: everything that is wrong is said at once, with its place, its key and what to write."""

import re
from collections.abc import Callable
from pathlib import Path

import pytest

from argoos.settings import Flags, Need

NO_HEADER = "is a token with spaces or characters outside printable ASCII, which no header carries"

TABLE: list[tuple[str, str, list[str]]] = [
    ("unknown key", "tokns: [abc]", ["argoos.yaml:1: tokns: is no setting; did you mean tokens?"]),
    (
        "unknown key in a section, with nothing like it",
        "registries: [{name: a.example, password: x}]",
        ["argoos.yaml:1: registries[0].password: is no setting; known here: name, aliases"],
    ),
    (
        "unknown key in a backend",
        "backends:\n- kind: kubernetes\n  contxt: a",
        ["argoos.yaml:3: backends[0].contxt: is no setting; did you mean context?"],
    ),
    (
        "unknown kind",
        "backends: [{kind: nomad}]",
        ["argoos.yaml:1: backends[0]: kind 'nomad' is not known; write kind: kubernetes or kind: manifests"],
    ),
    (
        "no kind",
        "backends: [{path: x}]",
        ["argoos.yaml:1: backends[0]: has no kind; write kind: kubernetes or kind: manifests"],
    ),
    (
        "backend that is no mapping",
        "backends: [kubernetes]",
        ["argoos.yaml:1: backends[0]: has no kind; write kind: kubernetes or kind: manifests"],
    ),
    (
        "backends that are no list",
        "backends: {kind: kubernetes}",
        ["argoos.yaml:1: backends: must be a list: [one, another]"],
    ),
    (
        "kind that is no text",
        "backends: [{kind: [x]}]",
        ["argoos.yaml:1: backends[0]: kind \"['x']\" is not known; write kind: kubernetes or kind: manifests"],
    ),
    ("missing key", "backends: [{kind: manifests}]", ["argoos.yaml:1: backends[0].path: must be given"]),
    (
        "missing directory",
        "backends: [{kind: manifests, path: away}]",
        ["argoos.yaml:1: backends[0].path: there is no directory DIR/away"],
    ),
    ("missing file", "tokens_file: away", ["argoos.yaml:1: tokens_file: there is no file DIR/away"]),
    ("directory for a file", "tokens_file: .", ["argoos.yaml:1: tokens_file: DIR is a directory; name a file"]),
    ("empty path", "tokens_file: ''", ["argoos.yaml:1: tokens_file: is empty; write a path"]),
    (
        "address without a port",
        "listen: localhost",
        ["argoos.yaml:1: listen: 'localhost' is no address; write host:port, :port or [IPv6]:port"],
    ),
    (
        "address that is a URL",
        "listen: http://localhost:3000",
        ["argoos.yaml:1: listen: 'http://localhost:3000' is no address; write host:port, :port or [IPv6]:port"],
    ),
    (
        "bare IPv6 address",
        "listen: '::1:3000'",
        ["argoos.yaml:1: listen: '::1:3000' is no address; write host:port, :port or [IPv6]:port"],
    ),
    (
        "port out of range",
        "listen: ':70000'",
        ["argoos.yaml:1: listen: port 70000 is out of range; ports go from 0 to 65535"],
    ),
    (
        "a number for an address",
        "listen: 3000",
        ["argoos.yaml:1: listen: is not a text; write :3000 (every interface) or 127.0.0.1:3000"],
    ),
    (
        "metrics on the same address",
        "listen: :3000\nmetrics_listen: :3000",
        ["argoos.yaml:2: metrics_listen: is the same address as listen; leave it out to serve the metrics there"],
    ),
    (
        "bad URL",
        "backends: [{kind: kubernetes, master: 'kube:6443'}]",
        ["argoos.yaml:1: backends[0].master: 'kube:6443' is no URL; write https://host:port"],
    ),
    (
        "URL with a port that is none",
        "backends: [{kind: kubernetes, master: 'https://kube:x'}]",
        [
            (
                "argoos.yaml:1: backends[0].master: 'https://kube:x' is no URL: "
                "Port could not be cast to integer value as 'x'"
            )
        ],
    ),
    (
        "URL with credentials",
        "backends: [{kind: kubernetes, master: 'https://me:pw@kube'}]",
        ["argoos.yaml:1: backends[0].master: may hold no user, query or fragment; write https://host:port"],
    ),
    (
        "unknown database",
        "database: mysql://root:hunter2@db/x",
        [
            (
                "argoos.yaml:1: database: 'mysql://root:***@db/x' is no database; "
                "write sqlite:///relative.db or sqlite:////absolute.db"
            )
        ],
    ),
    (
        "database in memory",
        "database: 'sqlite:///:memory:'",
        ["argoos.yaml:1: database: a database in memory would lose accepted pushes; name a file: sqlite:///argoos.db"],
    ),
    (
        "certificate without key",
        "server_cert: cert.pem",
        ["argoos.yaml:1: server_cert: needs server_key, which is not given"],
    ),
    (
        "key without certificate",
        "server_key: cert.pem",
        ["argoos.yaml:1: server_key: needs server_cert, which is not given"],
    ),
    (
        "client certificate without key",
        "backends: [{kind: kubernetes, master: 'https://k', cert_file: cert.pem}]",
        ["argoos.yaml:1: backends[0].cert_file: needs key_file, which is not given"],
    ),
    (
        "two ways into a cluster",
        "backends: [{kind: kubernetes, in_cluster: yes, kubeconfig: cert.pem, context: prod}]",
        [
            f"argoos.yaml:1: backends[0].{key}: contradicts in_cluster, which says to use the pod's account; "
            "give one of them"
            for key in ("kubeconfig", "context")
        ],
    ),
    (
        "namespace allowed and denied",
        "backends:\n- kind: kubernetes\n  namespaces:\n    allow: [shop, team-a]\n    deny: ['team-*']",
        [
            (
                "argoos.yaml:4: backends[0].namespaces.allow[1]: 'team-a' is allowed and denied (by 'team-*'); "
                "what is denied is never changed"
            )
        ],
    ),
    (
        "every namespace denied",
        "backends:\n- kind: kubernetes\n  namespaces: {deny: ['*']}",
        [
            (
                "argoos.yaml:3: backends[0].namespaces.deny: '*' is allowed and denied (by '*'); "
                "what is denied is never changed"
            )
        ],
    ),
    (
        "namespace that is none",
        "backends: [{kind: kubernetes, namespaces: {allow: [Team]}}]",
        ["argoos.yaml:1: backends[0].namespaces.allow[0]: 'Team' is no namespace pattern; write for example team-*"],
    ),
    (
        "two backends of one name",
        "backends:\n- kind: kubernetes\n- kind: kubernetes",
        ["argoos.yaml:3: backends[1].name: is 'kubernetes', as of backends[0]; give each backend a name of its own"],
    ),
    (
        "alias of two registries",
        "registries:\n- {name: a.example, aliases: ['C:5000']}\n- {name: b.example, aliases: ['c:5000']}",
        [
            (
                "argoos.yaml:3: registries[1].aliases[0]: 'c:5000' belongs to registries[0] (a.example) already; "
                "a host is one registry"
            )
        ],
    ),
    (
        "alias that is a URL",
        "registries: [{name: a.example, aliases: ['https://b']}]",
        [
            (
                "argoos.yaml:1: registries[0].aliases[0]: 'https://b' is no host; "
                "write it without a scheme or path, such as registry.example.com:5000"
            )
        ],
    ),
    (
        "author without mail",
        "backends: [{kind: manifests, path: ., git: {author: me}}]",
        ["argoos.yaml:1: backends[0].git.author: 'me' is no author; write Name <mail@example.com>"],
    ),
    ("unit", "settle_seconds: 30s", ["argoos.yaml:1: settle_seconds: must be a number of seconds, without a unit"]),
    (
        "infinity",
        "settle_seconds: .inf",
        ["argoos.yaml:1: settle_seconds: must be a finite number of seconds, without a unit"],
    ),
    ("fraction", "parallel: 1.5", ["argoos.yaml:1: parallel: must be a whole number"]),
    ("too small", "max_body_bytes: 10", ["argoos.yaml:1: max_body_bytes: must be at least 1024"]),
    ("too large", "shutdown_seconds: 11", ["argoos.yaml:1: shutdown_seconds: must be at most 10"]),
    ("zero", "retention_days: 0", ["argoos.yaml:1: retention_days: must be more than 0"]),
    ("neither true nor false", "verbose: perhaps", ["argoos.yaml:1: verbose: must be true or false"]),
    ("unknown choice", "log_format: xml", ["argoos.yaml:1: log_format: must be 'auto', 'console' or 'json'"]),
    (
        "a number for a text",
        "backends: [{kind: kubernetes, context: 5}]",
        ["argoos.yaml:1: backends[0].context: must be a text; put it in quotes"],
    ),
    ("number for a token", "tokens: [12345]", ["argoos.yaml:1: tokens[0]: is not a text; write the token in quotes"]),
    ("empty token", "tokens: ['']", ["argoos.yaml:1: tokens[0]: is an empty token; leave it out, or write one"]),
    (
        "token that no header carries",
        "tokens: ['a b', 'é']",
        [f"argoos.yaml:1: tokens[{index}]: {NO_HEADER}" for index in (0, 1)],
    ),
    ("key given twice", "listen: :1\nparallel: 2\nlisten: :3", ["argoos.yaml:3: listen: is given twice"]),
    ("no mapping", "- listen", ["argoos.yaml:1: must be a mapping of settings, such as listen: 0.0.0.0:3000"]),
    ("key that is no text", "? [a]\n: b", ["argoos.yaml:1: has a key that is no text"]),
    ("no YAML", "listen: [", ["argoos.yaml:1: is not YAML: expected the node content, but found '…'"]),
    ("unknown alias is not quoted", "tokens: [*s3cret]", ["argoos.yaml:1: is not YAML: found undefined alias '…'"]),
    (
        "list that holds itself",
        "registries: &a\n- *a",
        [
            "argoos.yaml:1: registries[0]: contains itself",
            "argoos.yaml:1: registries[0]: must be a mapping of keys to values",
        ],
    ),
    ("control characters", "listen: \x07", ["argoos.yaml:1: is not YAML: it holds characters that no YAML may hold"]),
]


@pytest.mark.parametrize(("text", "expected"), [row[1:] for row in TABLE], ids=[row[0] for row in TABLE])
def test_each_mistake_is_explained(
    problems: Callable[..., list[str]], tmp_path: Path, text: str, expected: list[str]
) -> None:
    """Each mistake gives exactly its own sentence."""
    (tmp_path / "cert.pem").write_text("x")
    assert problems(text) == expected


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
