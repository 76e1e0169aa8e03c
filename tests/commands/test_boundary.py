"""The error boundary: every error becomes a sentence on standard error and an exit code, never a traceback."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from argoos.cli import explained, main
from argoos.errors import (
    ArgoosError,
    BackendUnavailable,
    BadToken,
    Conflict,
    Forbidden,
    InvalidReference,
    InvalidRule,
    NotFound,
    SettingsError,
    StoreUnavailable,
)

CODES: list[tuple[BaseException, int]] = [
    (SettingsError(["a", "b"]), 2),
    (InvalidReference("a"), 2),
    (InvalidRule("a"), 2),
    (NotFound("a"), 1),
    (BadToken("a"), 1),
    (StoreUnavailable("a"), 1),
    (BackendUnavailable("a"), 1),
    (Conflict("a"), 1),
    (Forbidden("a"), 1),
    (ArgoosError("a"), 1),
    (PermissionError(13, "Permission denied", "a"), 1),
    (ZeroDivisionError("a"), 1),
    (ExceptionGroup("", [Forbidden("a"), ExceptionGroup("", [SettingsError(["b"])])]), 2),
]


@pytest.mark.parametrize(("error", "code"), CODES, ids=[type(row[0]).__name__ for row in CODES])
def test_each_error_has_its_exit_code(capsys: pytest.CaptureFixture[str], error: BaseException, code: int) -> None:
    """The class of an error decides the exit code; what is said is one sentence for each error or problem."""
    assert explained(error, verbose=False) == code
    err = capsys.readouterr().err
    assert err
    assert all(line.startswith("argoos: ") for line in err.splitlines())
    assert "Traceback" not in err


def test_every_problem_and_every_error_of_a_group_is_said(capsys: pytest.CaptureFixture[str]) -> None:
    """Nothing of a group is lost, however deep it is."""
    explained(ExceptionGroup("", [Forbidden("a"), ExceptionGroup("", [SettingsError(["b", "c"])])]), verbose=False)
    assert capsys.readouterr().err == "argoos: a\nargoos: b\nargoos: c\n"


def test_a_defect_is_called_one(capsys: pytest.CaptureFixture[str]) -> None:
    """What is no error of ours is a defect; verbose adds the traceback."""
    explained(KeyError("x"), verbose=False)
    short = capsys.readouterr().err
    assert short.startswith("argoos: this is a defect of Argoos: KeyError: 'x'; ")
    explained(KeyError("x"), verbose=True)
    assert "argoos: this is a defect of Argoos: KeyError: 'x'\n" in capsys.readouterr().err


def test_verbose_prints_the_traceback(capsys: pytest.CaptureFixture[str]) -> None:
    """With --verbose the traceback precedes the sentence."""
    assert main(["--verbose", "policy", "a b", "c", "--policy", "all"]) == 2
    err = capsys.readouterr().err
    assert "Traceback (most recent call last)" in err
    assert err.splitlines()[-1].startswith("argoos: 'a b' is no tag")


@pytest.mark.parametrize("line", ["polcy", "--nonsense", "plan", "pushes x", "serve extra"])
def test_usage(capsys: pytest.CaptureFixture[str], line: str) -> None:
    """A wrong command line is exit code 2, explained on standard error alone."""
    assert main(line.split()) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith("argoos: ")
    assert "--help explains it" in err


def test_version(capsys: pytest.CaptureFixture[str]) -> None:
    """The version is asked for with two dashes, or as of old with one."""
    assert main(["--version"]) == 0
    assert main(["-version"]) == 0
    first, second = capsys.readouterr().out.splitlines()
    assert first == second
    assert first.startswith("argoos ")


def test_help_names_every_command(capsys: pytest.CaptureFixture[str]) -> None:
    """Help goes to standard output and is no error."""
    assert main(["--help"]) == 0
    out = capsys.readouterr().out
    for command in ("serve", "plan", "policy", "push", "pushes", "settings", "demo"):
        assert f"  {command} " in out


def test_importing_the_command_line_is_light() -> None:
    """Completion and --help must answer at once, so nothing heavy is imported for them."""
    heavy = ["aiohttp", "alembic", "kubernetes", "prometheus_client", "rich", "sqlalchemy", "structlog", "yaml"]
    code = f"import sys, argoos.cli; print([name for name in {heavy} if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60)
    assert done.stdout == "[]\n"


def test_a_closed_pipe_is_no_error(tmp_path: Path) -> None:
    """A reader that has enough, such as head, ends the command without a word."""
    reading, writing = os.pipe()
    os.close(reading)
    with os.fdopen(writing, "wb") as stdout:
        done = subprocess.run(
            [sys.executable, "-m", "argoos", "settings", "--json"],
            stdout=stdout,
            stderr=subprocess.PIPE,
            cwd=tmp_path,
            check=False,
            timeout=60,
        )
    assert done.stderr == b""
    assert done.returncode == 1


def test_names_that_the_terminal_cannot_show(tmp_path: Path) -> None:
    """An encoding that lacks a character is no error."""
    (tmp_path / "argoos.yaml").write_text(
        "registries: [{name: a.example}]\nbackends: [{kind: kubernetes, context: pröd}]"
    )
    done = subprocess.run(
        [sys.executable, "-m", "argoos", "settings"],
        capture_output=True,
        cwd=tmp_path,
        env={**os.environ, "PYTHONIOENCODING": "ascii", "PYTHONUTF8": "0"},
        check=True,
        timeout=60,
    )
    assert b"pr\\xf6d" in done.stdout
