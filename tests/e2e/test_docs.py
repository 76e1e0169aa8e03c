"""The documentation, followed to the letter: its commands run, and what they print is what the page shows."""

import os
import sys
from pathlib import Path

import pytest

from tests.docs.pages import page
from tests.docs.transcript import follow
from tests.servers.binaries import Binaries
from tests.servers.process import free_port

pytestmark = pytest.mark.e2e


def programs(binaries: Binaries, version: str = "2.8.2") -> str:
    """Return the PATH of a reader who has followed the page so far: Argoos, a registry, skopeo."""
    places = (Path(sys.executable).parent, binaries.registry(version).parent, binaries.skopeo().parent)
    return os.pathsep.join([*map(str, places), "/usr/bin", "/bin"])


def test_part_one_of_the_tutorial(binaries: Binaries, tmp_path: Path) -> None:
    """A reader who pastes the commands sees what the page shows, up to the removal of the folder."""
    ports = {5001: free_port(), 3000: free_port()}
    follow(page("docs/tutorial.md"), tmp_path, path=programs(binaries), ports=ports)
    assert not list(tmp_path.glob("argoos-*")), "cleaned up"
