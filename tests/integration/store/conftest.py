"""A SQLite file, and ways to make its life hard."""

import os
import sqlite3
import subprocess
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from argoos.store import SqlStore, open_store


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Return where the database is to be."""
    return tmp_path / "argoos.db"


@pytest.fixture
def url(path: Path) -> str:
    """Return the URL of that file."""
    return f"sqlite:///{path}"


@pytest.fixture
async def store(url: str) -> AsyncIterator[SqlStore]:
    """Return a store over that file, which it opens when it is first used."""
    async with open_store(url) as opened:
        yield opened


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """Return the directory of a file system of two megabytes."""
    if os.geteuid() != 0:
        pytest.skip("only root may mount a file system")
    folder = tmp_path / "disk"
    folder.mkdir()
    mounting = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=2m", "tmpfs", str(folder)], check=False, capture_output=True, text=True
    )
    if mounting.returncode:
        pytest.skip(f"a file system cannot be mounted here: {mounting.stderr.strip()}")
    yield folder
    subprocess.run(["umount", str(folder)], check=True)


@pytest.fixture
def other(store: SqlStore, path: Path) -> Iterator[sqlite3.Connection]:
    """Return another program's connection to the file."""
    connection = sqlite3.connect(path, isolation_level=None, timeout=10)
    yield connection
    connection.close()
