"""What an operator, or bad luck, does to files."""

import os
import subprocess
import time
from pathlib import Path


def read(path: Path) -> bytes:
    """Return what is in a file."""
    return path.read_bytes()


def write(path: Path, content: bytes) -> None:
    """Put something into a file."""
    path.write_bytes(content)


def fill(path: Path, *, leaving: int = 0) -> None:
    """Make a file as large as its file system has room for, but for so many bytes."""
    room = os.statvfs(path.parent)
    path.write_bytes(bytes(room.f_bavail * room.f_frsize - leaving))


def remove(path: Path) -> None:
    """Remove a file."""
    path.unlink()


def move(path: Path, to: Path) -> None:
    """Give a file another name, in place of what had it."""
    path.replace(to)


def tear(path: Path) -> bytes:
    """Overwrite half of each later page of a database with noise; return what is in the file then."""
    content = bytearray(path.read_bytes())
    for page in range(8, len(content) // 4096):
        content[page * 4096 : page * 4096 + 2048] = os.urandom(2048)
    path.write_bytes(content)
    return bytes(content)


def remount(folder: Path, mode: str) -> None:
    """Mount a file system anew, ``ro`` or ``rw``."""
    subprocess.run(["mount", "-o", f"remount,{mode}", str(folder)], check=True)


def await_file(path: Path) -> None:
    """Wait until a file is there."""
    deadline = time.monotonic() + 60
    while not path.exists():
        assert time.monotonic() < deadline, f"nobody makes {path}"
        time.sleep(0.001)
