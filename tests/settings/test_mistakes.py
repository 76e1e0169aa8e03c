"""One mistake at a time: each has its own sentence, with its place, its key and what to write."""

from collections.abc import Callable
from pathlib import Path

import pytest

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
    (
        "overlapping folders",
        "backends:\n- {kind: manifests, path: .}\n- {kind: manifests, path: ./, name: two}",
        ["argoos.yaml:3: backends[1].path: has files in common with backends[0]; each needs its own"],
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
