"""`argoos demo`, run as a newcomer runs it: a process, the real daemon, real notifications."""

import os
import signal
import subprocess
import sys
from pathlib import Path

from argoos.demo import sample

ARGOOS = [sys.executable, "-m", "argoos"]
FIXTURES = Path(__file__).parents[1] / "fixtures/events"
UPDATED = {
    "StackService shop/cart cart 1.4.0 1.4.2 minor",
    "Deployment shop/web web 1.4.1 1.4.3 patch",
    "Deployment shop/web-audit candidate 1.4.0 1.4.3 patch",
    "StatefulSet shop/api-next migrate 1.9.3 2.0.0 major",
    "StatefulSet shop/api-next api 1.9.3 2.0.0 major",
    "CronJob shop/blog-build build latest latest digest",
}
REASONS = {
    "Deployment shop/web-canary": "not-newer",
    "Deployment shop/web-alpine": "variant-differs",
    "Deployment shop/web-release": "tag-filtered",
    "Deployment shop/web-audit": "never",
    "Deployment shop/web-typo": "invalid-policy",
    "Deployment shop/api": "beyond-policy",
    "Deployment team-backend/api": "prerelease",
}
REMOVED = {
    "          image: registry.example.com/shop/api:1.9.3",
    "              image: registry.example.com/shop/blog:latest",
    "    image: registry.example.com/shop/cart:1.4.0    # the cart",
    "          image: registry.example.com/shop/web:1.4.1   # moved by Argoos",
    '        - {name: candidate, image: "registry.example.com/shop/web:1.4.0"}',
}


def environment() -> dict[str, str]:
    """Return an environment in which other variables of Argoos would do harm, were they heeded."""
    return {**os.environ, "LISTEN": "nowhere", "ARGOOS_PARALLEL": "none", "TOKEN": "other"}


def test_the_demo_tells_what_it_did(tmp_path: Path) -> None:
    """What was updated, every reason why not, and the very lines of the files that changed; nothing else changed."""
    place = tmp_path / "demo"
    done = subprocess.run(
        [*ARGOOS, "demo", "--directory", str(place)],
        capture_output=True,
        text=True,
        env=environment(),
        check=False,
        timeout=90,
    )
    assert (done.returncode, done.stderr) == (0, "")
    sections = done.stdout.split("== ")
    rows = [" ".join(line.split()) for line in sections[2].splitlines()]
    assert set(rows) >= UPDATED
    for workload, reason in REASONS.items():
        assert any(line.startswith(f"{workload} ") and f" {reason} " in line for line in sections[3].splitlines())
    removed = {line[1:] for line in sections[4].splitlines() if line.startswith("-") and not line.startswith("---")}
    assert removed == REMOVED
    packaged = Path(sample.__file__).parent / "sample"
    changed = "\n".join(sample.diff(sample.texts(packaged), sample.texts(place)))
    assert changed in done.stdout


def test_the_demo_refuses_a_directory_that_is_in_use(tmp_path: Path) -> None:
    """Nothing is written into a directory that holds something."""
    (tmp_path / "mine").write_text("x")
    done = subprocess.run(
        [*ARGOOS, "demo", "--directory", str(tmp_path)], capture_output=True, text=True, check=False, timeout=60
    )
    assert done.returncode == 2
    assert done.stderr == f"argoos: --directory {tmp_path} is not empty; name a new one\n"
    assert list(tmp_path.iterdir()) == [tmp_path / "mine"]


def test_what_the_demo_says_to_try_works(tmp_path: Path) -> None:
    """With --keep the daemon stays; each line that it says to try works as it stands; Ctrl-C ends all of it."""
    with subprocess.Popen(
        [*ARGOOS, "demo", "--keep", "--directory", str(tmp_path / "demo")],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=environment(),
    ) as demo:
        assert demo.stdout
        lines: list[str] = []
        for line in demo.stdout:
            lines.append(line)
            if line.startswith("Files: "):
                break
        tries = [
            line.strip()
            for line in lines
            if line.startswith("  ") and ("argoos" in line or "curl" in line or "cd " in line)
        ]
        tries = tries[tries.index(f"cd {tmp_path / 'demo'}") :]
        assert len(tries) == 6
        script = "\n".join(["set -eu", f'argoos() {{ {" ".join(ARGOOS)} "$@"; }}', *tries])
        tried = subprocess.run(["bash", "-c", script], capture_output=True, text=True, check=False, timeout=90)
        demo.send_signal(signal.SIGINT)
        assert demo.wait(timeout=30) == 0
    assert tried.returncode == 0, tried.stderr
    assert "Deployment shop/web " in tried.stdout
    assert "accepted: registry.example.com/shop/web:1.4.4@sha256:" in tried.stdout
    assert "argoos_" in tried.stdout
    assert '"workload":"web-canary"' in tried.stdout


def test_the_deliveries_are_the_recorded_ones() -> None:
    """What the demo sends is what the registries sent, byte for byte."""
    folder = Path(sample.__file__).parent / "deliveries"
    files = sorted(path.relative_to(folder) for path in folder.rglob("*.json"))
    assert len(files) == len(list(sample.deliveries())) == 11
    for name in files:
        assert (folder / name).read_bytes() == (FIXTURES / name).read_bytes()
