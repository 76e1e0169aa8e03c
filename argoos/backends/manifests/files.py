"""Reading a file and replacing it whole: a reader sees the old bytes or the new ones, never a half. Blocking.

The operating system's errors are translated here.
"""

import contextlib
import errno
import os
import stat
from pathlib import Path

from argoos.errors import Conflict, Forbidden, PermanentError, TemporaryError

SIZE_LIMIT = 16 * 1024 * 1024
"""Bytes of the largest file that is read; a manifest of this size is a mistake, and reading it takes seconds."""

_DENIED = frozenset({errno.EACCES, errno.EPERM})  # not EROFS: a volume that is mounted read-only may be mounted anew
_GONE = frozenset({errno.ENOENT, errno.ENOTDIR, errno.ELOOP, errno.EISDIR})
_UNSUITED = frozenset({errno.EBUSY, errno.EXDEV, errno.EINVAL, errno.ENAMETOOLONG})


def read(path: Path) -> bytes:
    """Return the bytes of a regular file that is no symbolic link.

    Raises:
        Conflict: it is not there any more.
        Forbidden, PermanentError, TemporaryError: it cannot be read.
    """
    try:
        return _read(path)
    except OSError as exc:
        raise _translated(exc, f"{path} cannot be read") from exc


def _read(path: Path) -> bytes:
    descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    with os.fdopen(descriptor, "rb") as file:
        status = os.fstat(descriptor)
        if not stat.S_ISREG(status.st_mode):
            raise PermanentError(f"{path} is no regular file")
        if status.st_size > SIZE_LIMIT:
            raise PermanentError(f"{path} is larger than {SIZE_LIMIT // 1024 // 1024} MiB; keep it out of the folder")
        return file.read()


def replace(path: Path, *, expected: bytes, data: bytes) -> None:
    """Replace the content of a file in one step, keeping its mode and its owner.

    Raises:
        Conflict: it no longer holds `expected`.
        Forbidden, PermanentError, TemporaryError: it cannot be written; it is as it was.
    """
    temporary = path.with_name(f".{path.name}.argoos.tmp")  # one name: what a kill left behind is overwritten
    try:
        status = path.lstat()
        _write(temporary, data, status)
        if _read(path) != expected:
            raise Conflict(f"{path} was changed by somebody else while it was edited")
        temporary.replace(path)
        sync_folder(path.parent)
    except OSError as exc:
        raise _translated(exc, f"{path} cannot be written") from exc
    finally:
        with contextlib.suppress(OSError):
            temporary.unlink()


def _write(temporary: Path, data: bytes, status: os.stat_result) -> None:
    with contextlib.suppress(FileNotFoundError):
        temporary.unlink()
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        own = os.fstat(descriptor)
        if (own.st_uid, own.st_gid) != (status.st_uid, status.st_gid):
            os.fchown(descriptor, status.st_uid, status.st_gid)
        os.fchmod(descriptor, stat.S_IMODE(status.st_mode))
        file.write(data)
        file.flush()
        os.fsync(descriptor)


def sync_folder(folder: Path) -> None:
    """Make the folder's entries durable: a rename is on disk only after this."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _translated(error: OSError, what: str) -> Conflict | Forbidden | PermanentError | TemporaryError:
    cause = error.strerror or str(error)
    if error.errno in _GONE:
        return Conflict(f"{what}: {cause}")
    if error.errno in _DENIED:
        return Forbidden(f"{what}: {cause}; Argoos (uid {os.geteuid()}) must own the file and may write its folder")
    if error.errno in _UNSUITED:
        return PermanentError(
            f"{what}: {cause}; a file that is a mount of its own cannot be replaced, mount its folder"
        )
    return TemporaryError(f"{what}: {cause}")
