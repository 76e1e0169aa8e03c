"""The commands that need workloads or a daemon, against the real one."""

import io
import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import chdir, redirect_stderr, redirect_stdout
from dataclasses import dataclass
from pathlib import Path

import pytest

from argoos.cli import main
from argoos.demo import sample
from argoos.demo.process import free_port

DIGEST = f"sha256:{'5' * 64}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Done:
    """What a command line gave."""

    returncode: int
    stdout: str
    stderr: str


def argoos(*arguments: str, cwd: Path) -> Done:
    """Run a command line in a directory, in this process: starting Python each time would take a minute.

    In a thread of its own, since a command runs an event loop, and the main thread's belongs to the test framework.
    """
    out, err = io.StringIO(), io.StringIO()
    with chdir(cwd), redirect_stdout(out), redirect_stderr(err), ThreadPoolExecutor(max_workers=1) as thread:
        code = thread.submit(main, arguments).result()
    return Done(returncode=code, stdout=out.getvalue(), stderr=err.getvalue())


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The demo's sample, with the real daemon serving it."""
    directory = tmp_path_factory.mktemp("served")
    config = sample.lay_out(directory, port=free_port())
    with (directory / "argoos.log").open("wb") as log:
        command = [sys.executable, "-m", "argoos", "serve", "--config", str(config)]
        with subprocess.Popen(command, stdout=log, stderr=log) as daemon:
            try:
                _wait_until_ready(directory)
                yield directory
            finally:
                daemon.terminate()
                assert daemon.wait(timeout=15) == 0


def _wait_until_ready(directory: Path) -> None:
    for _ in range(600):
        if argoos("pushes", "--url", _url(directory), cwd=directory).returncode == 0:
            return
        time.sleep(0.05)
    pytest.fail((directory / "argoos.log").read_text())


def _url(directory: Path) -> str:
    listen = (directory / "argoos.yaml").read_text().partition("listen: ")[2].split()[0]
    return f"http://{listen}"


PLAN = """\
WORKLOAD                   CONTAINER  CURRENT  CANDIDATE  ACTION  REASON         DETAIL
Deployment shop/api        api        1.9.3    1.9.4      update  -
Deployment shop/api        api        1.9.3    2.1.0      skip    beyond-policy  another major version than 1.9.3, and the policy is minor
StatefulSet shop/api-next  migrate    1.9.3    1.9.4      skip    superseded     2.1.0 is taken instead
StatefulSet shop/api-next  migrate    1.9.3    2.1.0      update  -
StatefulSet shop/api-next  api        1.9.3    1.9.4      skip    superseded     2.1.0 is taken instead
StatefulSet shop/api-next  api        1.9.3    2.1.0      update  -
"""  # noqa: E501 - as it is printed


def test_a_plan(tmp_path: Path) -> None:
    """Images of one repository are candidates together, by any of the registry's names; no daemon is needed."""
    sample.lay_out(tmp_path, port=1)
    done = argoos("plan", "registry.example.com/shop/api:1.9.4", "127.0.0.1:5002/shop/api:2.1.0", cwd=tmp_path)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == PLAN
    assert not (tmp_path / "argoos.db").exists()


def test_a_plan_as_json(tmp_path: Path) -> None:
    """One object for each step, with just these keys, and exit code 3 where something is pending."""
    sample.lay_out(tmp_path, port=1)
    image = f"registry.example.com/shop/cart:1.5.0@{DIGEST}"
    done = argoos("plan", "--json", "--exit-code", image, cwd=tmp_path)
    assert (done.returncode, done.stderr) == (3, "")
    assert json.loads(done.stdout) == [
        {
            "backend": "manifests",
            "kind": "StackService",
            "namespace": "shop",
            "workload": "cart",
            "container": "cart",
            "policy": "minor",
            "current": "1.4.0",
            "candidate": "1.5.0",
            "image": image,
            "action": "update",
            "reason": None,
            "detail": "",
        }
    ]


def test_a_plan_is_not_mixed_with_the_log(tmp_path: Path) -> None:
    """What a backend has to say goes to standard error; standard output is one JSON document."""
    sample.lay_out(tmp_path, port=1)
    (tmp_path / "deploy" / "broken.yaml").write_text("a: [\n")
    done = argoos("plan", "--json", "registry.example.com/shop/cart:1.5.0", cwd=tmp_path)
    assert len(json.loads(done.stdout)) == 1
    assert "broken.yaml" in done.stderr


def test_a_plan_for_what_nothing_runs(tmp_path: Path) -> None:
    """The nearest repository is named on standard error; nothing is pending."""
    sample.lay_out(tmp_path, port=1)
    done = argoos("plan", "--exit-code", "--json", "registry.example.com/shop/wab:1.5.0", cwd=tmp_path)
    assert (done.returncode, json.loads(done.stdout)) == (0, [])
    assert done.stderr == (
        "argoos: no labelled workload runs registry.example.com/shop/wab; "
        "the nearest that one runs is registry.example.com/shop/web\n"
    )


@pytest.mark.parametrize("images", [["a:b:c"], ["team/Case:1"], [f"app@{DIGEST}"]])
def test_a_plan_for_no_image(tmp_path: Path, images: Sequence[str]) -> None:
    """What is no image with a tag is a mistake on the command line."""
    sample.lay_out(tmp_path, port=1)
    done = argoos("plan", *images, cwd=tmp_path)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith("argoos: image ")


def test_a_push_and_its_history(place: Path) -> None:
    """A push is accepted, carried out, and found in the history by database and by URL alike."""
    image = f"localhost:5000/shop/cart:1.4.9@{DIGEST}"
    pushed = argoos("push", image, "--actor", "me", "--set", "registries=[]", cwd=place)
    assert (pushed.returncode, pushed.stderr) == (0, "")
    assert pushed.stdout == f"accepted: localhost:5000/shop/cart:1.4.9@{DIGEST}\n"
    argoos("push", f"registry.example.com/shop/cart:1.4.8@{DIGEST}", "--actor", "me", cwd=place)
    for _ in range(200):
        time.sleep(0.05)
        rows = json.loads(argoos("pushes", "--json", "--tag", "1.4.8", cwd=place).stdout)
        if rows and rows[0]["state"] == "done":
            break
    (row,) = rows
    assert (row["actor"], row["outcome"], row["steps"][0]["result"]) == ("me", "updated", "applied")
    assert f"registry.example.com/shop/cart:1.4.8@{DIGEST}" in (place / "deploy/stack.yaml").read_text()
    by_url = argoos("pushes", "--url", _url(place), "--json", "--tag", "1.4.8", cwd=place)
    assert json.loads(by_url.stdout) == [row]
    one = argoos("pushes", str(row["id"]), "--json", cwd=place)
    assert json.loads(one.stdout) == row
    text = argoos("pushes", str(row["id"]), "--url", _url(place), cwd=place).stdout
    assert "StackService shop/cart  cart       1.4.0    1.4.8      applied" in text
    table = argoos("pushes", "--repository", "127.0.0.1:5001/shop/cart", cwd=place).stdout
    assert table.splitlines()[0].split() == ["ID", "RECEIVED", "IMAGE", "BY", "OUTCOME", "STEPS"]
    assert table.splitlines()[1].endswith("registry.example.com/shop/cart:1.4.8  me  updated  1 applied")


def test_a_push_without_a_digest(place: Path) -> None:
    """A digest is made up of the name, which is said; the same name gives the same digest."""
    first, second = (argoos("push", "registry.example.com/none/of:1", cwd=place) for _ in range(2))
    assert first.returncode == 0
    assert (
        first.stderr
        == "argoos: no digest is given, so one is made up of the name; a registry would have sent a real one\n"
    )
    assert first.stdout == second.stdout


@pytest.mark.parametrize("command", [["push", f"a/b:1@{DIGEST}"], ["pushes", "--url", "URL"]])
def test_a_wrong_token(place: Path, command: list[str]) -> None:
    """A wrong token is refused, and said to be wrong."""
    filled = [_url(place) if argument == "URL" else argument for argument in command]
    done = argoos(*filled, "--token", "wrong", cwd=place)
    assert (done.returncode, done.stdout) == (1, "")
    assert "does not accept the token" in done.stderr
    assert "wrong" not in done.stderr


@pytest.mark.parametrize(
    ("command", "code", "words"),
    [
        (["pushes", "999999"], 1, "there is no push 999999"),
        (["pushes", "999999", "--url", "URL"], 1, "there is no push '999999'"),
        (
            ["push", f"a/b:1@{DIGEST}", "--url", "http://127.0.0.1:1"],
            1,
            "no daemon can be reached at http://127.0.0.1:1",
        ),
        (["push", f"a/b:1@{DIGEST}", "--url", "127.0.0.1:1"], 1, "is no address; write http://host:port"),
        (["push", f"a/b@{DIGEST}"], 2, "has no tag"),
    ],
)
def test_what_cannot_be_answered(place: Path, command: list[str], code: int, words: str) -> None:
    """Each failure says what happened, and to what."""
    done = argoos(*[_url(place) if argument == "URL" else argument for argument in command], cwd=place)
    assert (done.returncode, done.stdout) == (code, "")
    assert words in done.stderr


def test_a_history_that_does_not_exist(tmp_path: Path) -> None:
    """Without a database there is a sentence, and no database is made."""
    done = argoos("pushes", cwd=tmp_path)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == (
        f"argoos: there is no history at {Path('argoos.db')} yet; name the daemon's database, or ask it with --url\n"
    )
    assert os.listdir(tmp_path) == []  # noqa: PTH208 - names are all that is asked for


def test_an_address_in_use(place: Path, tmp_path: Path) -> None:
    """A second daemon on the same address ends with a sentence."""
    listen = _url(place).removeprefix("http://")
    command = [sys.executable, "-m", "argoos", "serve", "--listen", listen, "--manifests", "."]
    done = subprocess.run(command, capture_output=True, text=True, cwd=tmp_path, check=False, timeout=60)
    assert done.returncode == 1
    assert f"argoos: cannot listen on {listen}: another process listens there" in done.stderr
    assert "Traceback" not in done.stderr
