"""The Dockerfile and what it may copy."""

import fnmatch
import http.server
import json
import os
import re
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from argoos import __version__
from tests.install.tree import ROOT, container_of, pod_of

TEXT = re.sub(r"\\\n\s*", "", (ROOT / "Dockerfile").read_text())
LINES = [line.split(None, 1) for line in TEXT.splitlines() if line and not line.startswith("#")]
STAGES = [index for index, (word, _) in enumerate(LINES) if word == "FROM"]
FINAL = LINES[STAGES[-1] :]


def said(word: str) -> list[str]:
    """Return what follows an instruction in the final stage, each time it is given."""
    return [rest for instruction, rest in FINAL if instruction == word]


def environment() -> dict[str, str]:
    """Return the variables that the final stage sets."""
    return dict(re.findall(r"(\w+)=(\S+)", " ".join(said("ENV"))))


def test_it_runs_as_the_user_of_the_pod() -> None:
    """A number and no name, or Kubernetes could not tell that it is not root; and the number owns the data."""
    security = pod_of("argoos")["securityContext"]
    assert said("USER") == [f"{security['runAsUser']}:{security['runAsGroup']}"]
    assert f"install -d -o {security['runAsUser']} -g {security['runAsGroup']} /var/lib/argoos" in said("RUN")
    assert said("VOLUME") == said("WORKDIR") == ["/var/lib/argoos"]


def test_it_runs_the_daemon() -> None:
    """The entry point is the program, so that `docker run argoos plan …` works, and the pod's arguments, too."""
    assert json.loads(said("ENTRYPOINT")[0]) == ["argoos"]
    assert json.loads(said("CMD")[0]) == container_of("argoos")["args"] == ["serve"]
    assert said("STOPSIGNAL") == ["SIGTERM"]
    assert said("EXPOSE") == [str(container_of("argoos")["ports"][0]["containerPort"])]
    assert f'org.opencontainers.image.version="{__version__}"' in said("LABEL")[0]


def test_no_setting_is_fixed() -> None:
    """A variable ARGOOS_… in the image would overrule the settings file that somebody mounts."""
    assert not [name for name in environment() if name.startswith("ARGOOS_")]


def test_the_final_stage_installs_nothing() -> None:
    """What is needed to install stays behind; only the environment is copied."""
    assert said("COPY") == ["--from=build /opt/argoos /opt/argoos"]
    assert not re.search(r"\b(pip|apt|apt-get|apk)\b", " ".join(said("RUN")))
    assert [rest for word, rest in LINES if word == "FROM"] == ["${BASE} AS build", "${BASE}"]


def test_only_locked_wheels_are_installed() -> None:
    """Every package but our own comes as a wheel whose hash is in a lock file."""
    commands = " && ".join(rest for word, rest in LINES if word == "RUN").split("&&")
    installs = [command for command in commands if " install " in command and "pip" in command]
    assert len(installs) == 3
    for command in installs:
        assert "--require-hashes --only-binary :all:" in command or "--no-deps --no-index" in command


def test_the_context_is_what_is_copied() -> None:
    """.dockerignore lets in each file that the Dockerfile copies, and no other."""
    rules = [line for line in (ROOT / ".dockerignore").read_text().splitlines() if not line.startswith("#")]
    admitted = {rule[1:] for rule in rules if rule.startswith("!")}
    assert rules[0] == "*"
    copies = [rest.split()[:-1] for word, rest in LINES if word == "COPY" and not rest.startswith("--from")]
    wanted = {source for sources in copies for source in sources}
    assert {source.rstrip("*") for source in wanted} == admitted
    for source in wanted - {"wheels*"}:
        assert (ROOT / source).exists(), source
    assert any(fnmatch.fnmatch("wheels", source) for source in wanted)


@contextmanager
def _answering(status: int) -> Iterator[str]:
    class Answer(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(status if self.path == "/healtz" else 404)
            self.end_headers()

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class calls it so
            """Keep the test's output clean."""

    with http.server.HTTPServer(("127.0.0.1", 0), Answer) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


@pytest.mark.parametrize(("status", "healthy"), [(200, True), (503, False)])
def test_the_health_check_tells(status: int, healthy: bool) -> None:
    """The check succeeds when the daemon is well, and only then; a proxy in the environment is not asked."""
    command = json.loads(said("HEALTHCHECK")[0].partition("CMD ")[2])
    assert command[0] == "python"
    default = environment()["HEALTH_URL"]
    assert default == f"http://127.0.0.1:{said('EXPOSE')[0]}/healtz"
    with _answering(status) as url:
        variables = {
            **os.environ,
            "HEALTH_URL": default.replace(default.removesuffix("/healtz"), url),
            "http_proxy": "http://127.0.0.1:9",
            "no_proxy": "",
        }
        done = subprocess.run([sys.executable, *command[1:]], env=variables, capture_output=True, check=False)
    assert (done.returncode == 0) is healthy, done.stderr.decode()
