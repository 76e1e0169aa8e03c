"""Who owns a database file: one daemon at a time, told by a lock that dies with its process."""

import fcntl
import os
from pathlib import Path

from argoos.errors import StoreUnavailable


class Ownership:
    """The lock on ``<file>.lock``. The lock file stays where it is: removing it would let two processes lock two files.

    Args:
        path: the database file.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._lock_path = path.with_name(path.name + ".lock")
        self._descriptor: int | None = None

    def take(self) -> None:
        """Take the lock, unless it is held already.

        Raises:
            StoreUnavailable: another process holds it.
            OSError: the lock file cannot be made.
        """
        if self._descriptor is not None:
            return
        descriptor = os.open(self._lock_path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            owner = os.pread(descriptor, 20, 0).decode(errors="replace").strip()
            os.close(descriptor)
            raise StoreUnavailable(
                f"database {self._path} belongs to another Argoos that runs"
                f"{f' (process {owner})' if owner else ''}: stop that one, or give this one another file"
            ) from error
        except OSError:
            os.close(descriptor)
            raise
        self._descriptor = descriptor
        self._sign(descriptor)

    def release(self) -> None:
        """Let another process take it."""
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None

    @staticmethod
    def _sign(descriptor: int) -> None:
        """Write down the process, for the message that another one gets; on a full disk it does without."""
        try:
            os.ftruncate(descriptor, 0)
            os.pwrite(descriptor, f"{os.getpid()}\n".encode(), 0)
        except OSError:
            return
