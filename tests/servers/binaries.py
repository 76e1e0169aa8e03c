"""Where the programs of the real servers are: built, unpacked or installed, each looked for once.

A test machine without them skips the tests that need them; a machine that has `CI` set fails instead, because
a skipped test there would be taken for a passed one.
"""

import os
import shutil
import subprocess
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import NoReturn

import pytest

TESTS = Path(__file__).parent.parent
BUILD = TESTS / "e2e" / "controlplane" / "build.sh"
UNPACK = TESTS / "servers" / "unpack.sh"

Missing = Callable[[str], NoReturn]


def skip_unless_ci(why: str) -> NoReturn:
    """Skip the test for want of a program, or fail it where `CI` is set."""
    if os.environ.get("CI"):
        pytest.fail(f"{why}\n(a skip would pass unseen here, since CI is set)", pytrace=False)
    pytest.skip(why)


class Binaries:
    """Finds programs; what it cannot find it hands to `missing`, with the remedy."""

    def __init__(self, missing: Missing = skip_unless_ci) -> None:
        self._missing = missing

    def control_plane(self) -> Path:
        """Return the directory of etcd, kube-apiserver and their companions; builds what is not there yet.

        The first build takes minutes.
        """
        return self._directory(BUILD)

    def registry(self, version: str) -> Path:
        """Return the distribution registry of `version`: 2.8.2 is Debian's, 3.1.2 is built."""
        match version:
            case "3.1.2":
                return self._directory(BUILD) / "registry"
            case "2.8.2":
                return self._file(self._directory(UNPACK) / "docker-registry")
            case _:
                raise ValueError(f"there is no registry {version} to test with; take 2.8.2 or 3.1.2")

    def etcd_old(self) -> Path:
        """Return Debian's etcd 3.4, which lacks what a watch list needs."""
        return self._file(self._directory(UNPACK) / "etcd")

    def skopeo(self) -> Path:
        """Return the image copier."""
        found = shutil.which("skopeo")
        if found is None:
            self._missing("skopeo is not installed; on Debian: apt-get install skopeo")
        return Path(found)

    def _directory(self, script: Path) -> Path:
        outcome = _run_once(script)
        if isinstance(outcome, str):
            self._missing(outcome)
        return outcome

    def _file(self, path: Path) -> Path:
        if not path.exists():
            self._missing(f"{path.name} is not in {path.parent}; run {UNPACK} and read what it says")
        return path


@cache
def _run_once(script: Path) -> Path | str:
    """Run a script that prints the directory of its programs; return that, or why there is none."""
    done = subprocess.run([str(script)], capture_output=True, text=True, check=False)
    if done.returncode != 0:
        return f"{script.name} failed, so the test's servers are missing:\n{done.stderr.strip()[-3000:]}"
    return Path(done.stdout.strip().splitlines()[-1])
