"""What is printed: plain tables that never change by themselves, and nothing that steers a terminal."""

import sys

import pytest

from argoos.commands.terminal import plain_lines, print_json, print_table, printable, say


def test_a_plain_table(capsys: pytest.CaptureFixture[str]) -> None:
    """Columns are two spaces apart, headers in capitals, and nothing is cut."""
    long = "x" * 300
    print_table(("name", "detail"), [("web", "first"), ("a longer name", long), ("", "")])
    assert capsys.readouterr().out == f"NAME           DETAIL\nweb            first\na longer name  {long}\n\n"


def test_an_empty_table() -> None:
    """Without rows there are the headers."""
    assert plain_lines(("a", "b"), []) == ["A  B"]


def test_a_table_on_a_terminal(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    """On a terminal rich prints it, and square brackets are no markup there."""
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True)
    monkeypatch.setenv("COLUMNS", "80")
    print_table(("name",), [("[red]web[/red]",)])
    assert "[red]web[/red]" in capsys.readouterr().out


def test_nothing_steers_the_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    """Control characters in names that came from outside are replaced."""
    assert printable("a\x1b[31mb\r\n") == "a�[31mb��"
    say("one\ntwo\x07")
    assert capsys.readouterr().err == "argoos: one\nargoos: two�\n"


def test_json_is_one_document(capsys: pytest.CaptureFixture[str]) -> None:
    """What --json prints ends with one line break."""
    print_json({"a": [1]})
    assert capsys.readouterr().out == '{\n  "a": [\n    1\n  ]\n}\n'
