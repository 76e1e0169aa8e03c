"""Which workloads a folder holds: looks through the tree, reads what is new or changed, keeps the rest. Blocking."""

import errno
import os
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import structlog

from argoos.backends.manifests import documents, files
from argoos.core.workload import Workload
from argoos.errors import BackendUnavailable, Conflict, PermanentError, TemporaryError

SUFFIXES = (".yaml", ".yml")

_TICK_NANOSECONDS = 100_000_000
"""A file changed this shortly before it was read may change again without a new time stamp."""

_SKEW_NANOSECONDS = 10_000_000_000
"""How far a file server's clock may be ahead of ours; a stamp further in the future is no recent change."""

_GO_TEMPLATE = b"{{"

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Stamp:
    """What changes when a file does. `certain`: a change after it was read cannot have gone unnoticed."""

    modified: int
    changed: int
    size: int
    inode: int
    certain: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """What was found in a file when its stamp was this; `problem` says why it cannot be read, or is ""."""

    stamp: Stamp
    workloads: tuple[Workload, ...] = ()
    problem: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Scan:
    """All that a folder holds: labelled workloads, and the files that could not be read, each with its cause."""

    workloads: tuple[Workload, ...]
    problems: tuple[str, ...]


class Folder:
    """The tree below `root`: all ``*.yaml`` and ``*.yml`` files but hidden ones.

    Symbolic links below `root` are not followed: what is in the tree is found where it is, and what is outside is not
    ours. `root` itself may be a link.

    Args:
        root: where to look.
        backend: the configured name of the backend, for the references.
    """

    def __init__(self, root: Path, backend: str) -> None:
        self.root = root
        self.backend = backend
        self._entries: dict[str, Entry] = {}
        self._scan: Scan | None = None

    def scan(self) -> Scan:
        """Look through the tree; return the very same value as before when nothing has changed.

        Raises:
            BackendUnavailable: the folder itself is missing or cannot be read.
        """
        before = self._entries
        now = time.time_ns()
        entries = {path: self._entry(path, status, now) for path, status in sorted(self._walk())}
        if (
            self._scan is None
            or len(entries) != len(before)
            or any(entry is not before.get(path) for path, entry in entries.items())
        ):
            self._scan = Scan(
                workloads=tuple(workload for entry in entries.values() for workload in entry.workloads),
                problems=tuple(entry.problem for entry in entries.values() if entry.problem),
            )
        self._entries = entries
        return self._scan

    def read(self, path: str) -> documents.Manifest:
        """Read one file now, whatever is kept of it.

        Raises:
            Conflict: it is not there, or no file of this folder.
            PermanentError, TemporaryError: it cannot be read.
        """
        return documents.read(self.bytes(path), path, self.backend)

    def bytes(self, path: str) -> bytes:
        """Return the bytes of one file; raises as `read` does."""
        return files.read(self.locate(path))

    def locate(self, path: str) -> Path:
        """Return the place of a file that a workload's uid names.

        Raises:
            Conflict: it is not a path inside this folder.
        """
        parts = Path(path).parts
        if not parts or Path(path).is_absolute() or ".." in parts:
            raise Conflict(f"{path!r} is no file of {self.root}")
        return self.root / path

    def _walk(self) -> Iterator[tuple[str, os.stat_result | OSError]]:
        """Yield each file's path below the root with its status, and each folder that cannot be read."""
        stack = [""]
        while stack:
            folder = stack.pop()
            try:
                with os.scandir(self.root / folder) as children:
                    visible = [child for child in children if not child.name.startswith(".")]
            except OSError as exc:
                if not folder:
                    message = f"the folder {self.root} cannot be read: {exc.strerror}"
                    raise BackendUnavailable(message) from exc
                yield folder, exc
                continue
            for child in visible:
                path = f"{folder}/{child.name}" if folder else child.name
                if not path.isprintable():  # among others, bytes that are no UTF-8
                    yield repr(path)[1:-1], OSError(errno.EILSEQ, "the name holds what cannot be printed; rename it")
                    continue
                try:
                    if child.is_dir(follow_symlinks=False):
                        stack.append(path)
                    elif child.name.lower().endswith(SUFFIXES) and child.is_file(follow_symlinks=False):
                        yield path, child.stat(follow_symlinks=False)
                except FileNotFoundError:
                    continue  # gone since the folder was listed
                except OSError as exc:
                    yield path, exc

    def _entry(self, path: str, status: os.stat_result | OSError, now: int) -> Entry:
        before = self._entries.get(path)
        if isinstance(status, OSError):
            problem = f"{path}: {status.strerror}"
            return before if before and before.problem == problem else self._troubled(path, _NO_STAMP, problem)
        stamp = _stamp(status, now)
        if before and before.stamp == stamp and before.stamp.certain:
            return before
        return self._read(path, stamp)

    def _read(self, path: str, stamp: Stamp) -> Entry:
        """Read a file that is new or has changed. Whatever is wrong with it, the others are read all the same."""
        data = b""
        try:
            data = self.bytes(path)
            manifest = documents.read(data, path, self.backend)
        except (TemporaryError, Conflict) as exc:
            return self._troubled(path, _NO_STAMP, str(exc))
        except PermanentError as exc:
            if _GO_TEMPLATE in data and documents.MARKER not in data:
                log.debug("a template is no manifest", file=path, cause=str(exc))
                return Entry(stamp=stamp)
            return self._troubled(path, stamp, str(exc))
        return Entry(stamp=stamp, workloads=tuple(found.workload for found in manifest.found))

    def _troubled(self, path: str, stamp: Stamp, problem: str) -> Entry:
        before = self._entries.get(path)
        if before is None or before.problem != problem:
            log.warning("a file cannot be read and is left alone", backend=self.backend, file=path, cause=problem)
        return Entry(stamp=stamp, problem=problem)


_NO_STAMP = Stamp(modified=0, changed=0, size=0, inode=0, certain=False)


def _stamp(status: os.stat_result, now: int) -> Stamp:
    newest = max(status.st_mtime_ns, status.st_ctime_ns)
    return Stamp(
        modified=status.st_mtime_ns,
        changed=status.st_ctime_ns,
        size=status.st_size,
        inode=status.st_ino,
        certain=not now - _TICK_NANOSECONDS <= newest <= now + _SKEW_NANOSECONDS,
    )
