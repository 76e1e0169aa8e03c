"""`argoos settings`: what holds, where it comes from, and all that is wrong with it."""

import json
from pathlib import Path

import pytest

from argoos.cli import main


@pytest.fixture(autouse=True)
def _directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Work in an empty directory, with no variable that means something to Argoos."""
    monkeypatch.chdir(tmp_path)
    for name in ("TOKEN", "LISTEN", "VERBOSE", "CA_FILE", "CERT_FILE", "KEY_FILE", "ARGOOS_CONFIG"):
        monkeypatch.delenv(name, raising=False)


def test_the_table(capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every setting with its source, aligned, secrets as stars."""
    (tmp_path / "argoos.yaml").write_text("listen: :3000\nbackends:\n- {kind: manifests, path: .}\n")
    monkeypatch.setenv("TOKEN", "s3cret")
    assert main(["settings", "--set", "parallel=2"]) == 0
    lines = [line.split("  ") for line in capsys.readouterr().out.splitlines()]
    found = {line[0]: [cell.strip() for cell in line[1:] if cell.strip()] for line in lines}
    assert found["KEY"] == ["VALUE", "SOURCE"]
    assert found["listen"] == [":3000", "argoos.yaml:1"]
    assert found["tokens"] == ["[***]", "environment TOKEN"]
    assert found["backends[0].path"] == [str(tmp_path), "argoos.yaml:3"]
    assert found["parallel"] == ["2", "flag --set parallel"]
    assert found["verbose"] == ["false", "default"]


def test_the_json(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    """With --json one array, secrets as stars."""
    monkeypatch.setenv("ARGOOS_API_TOKENS", "[s3cret, other]")
    assert main(["settings", "--json"]) == 0
    rows = json.loads(capsys.readouterr().out)
    assert {"key": "api_tokens", "value": ["***", "***"], "source": "environment ARGOOS_API_TOKENS"} in rows
    assert {"key": "settle_seconds", "value": 30.0, "source": "default"} in rows


def test_what_has_no_effect_is_said(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    """A variable of the original that nothing takes is named on standard error."""
    monkeypatch.setenv("CA_FILE", "away.pem")
    assert main(["settings"]) == 0
    assert capsys.readouterr().err == "argoos: environment CA_FILE has no effect: no Kubernetes backend is configured\n"


@pytest.mark.parametrize("command", ["settings", "serve", "plan a:1"])
def test_every_problem_is_printed(capsys: pytest.CaptureFixture[str], tmp_path: Path, command: str) -> None:
    """A configuration that cannot be used ends every command with exit code 2, and with all that is wrong."""
    (tmp_path / "argoos.yaml").write_text("listen: nowhere\nparallel: 0\nbackends: [{kind: nomad}]\n")
    assert main(command.split()) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert err == (
        "argoos: argoos.yaml:1: listen: 'nowhere' is no address; write host:port, :port or [IPv6]:port\n"
        "argoos: argoos.yaml:2: parallel: must be at least 1\n"
        "argoos: argoos.yaml:3: backends[0]: kind 'nomad' is not known; write kind: kubernetes or kind: manifests\n"
    )


def test_serve_without_a_backend(capsys: pytest.CaptureFixture[str]) -> None:
    """With nothing to change, the daemon does not start, and says what could be written."""
    assert main(["serve"]) == 2
    assert "write for files backends: [{kind: manifests, path: deploy/}]" in capsys.readouterr().err
