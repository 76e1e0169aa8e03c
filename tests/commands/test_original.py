"""The original's command line still starts the daemon."""

import pytest

from argoos.commands.original import translated

TABLE = [
    ("-token T -listen :3000", "serve --token T --listen :3000"),
    ("--token T", "serve --token T"),
    ("-token=T=U", "serve --token=T=U"),
    ("-token -x -listen :1", "serve --token -x --listen :1"),
    ("-incluster=false -master http://k:8080", "serve --no-incluster --master http://k:8080"),
    ("-incluster=true -skip-ssl-verification", "serve --incluster --skip-ssl-verification"),
    ("-skip-ssl-verification=0 -verbose=T", "serve --no-skip-ssl-verification --verbose"),
    ("-verbose", "serve --verbose"),
    ("-ca-file a -cert-file b -key-file c", "serve --ca-file a --cert-file b --key-file c"),
    ("-server-cert a -server-key b", "serve --server-cert a --server-key b"),
    ("serve -token T", "serve --token T"),
    ("serve --config a.yaml -verbose", "serve --config a.yaml --verbose"),
    ("-incluster=perhaps", "serve --incluster=perhaps"),
    ("-version", "--version"),
    ("-help", "--help"),
    ("--verbose plan a", "--verbose plan a"),
    ("plan -c x a", "plan -c x a"),
    ("push a --token T", "push a --token T"),
    ("--help", "--help"),
    ("", ""),
]


@pytest.mark.parametrize(("given", "expected"), TABLE)
def test_the_original_form_becomes_ours(given: str, expected: str) -> None:
    """Single-dash flags without a command are serve's; all else stays as it is."""
    assert translated(given.split()) == expected.split()
