"""Replacing a file: whole or not at all, and only what was read before."""

import os
import stat
from pathlib import Path

import pytest

from argoos.backends.manifests import files
from argoos.errors import Conflict, PermanentError, TemporaryError


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """Return a file that holds `old`."""
    path = tmp_path / "web.yaml"
    path.write_bytes(b"old")
    return path


def test_replaces_the_content(file: Path) -> None:
    """The new content is there, and nothing else is left in the folder."""
    files.replace(file, expected=b"old", data=b"new")
    assert {path.name: path.read_bytes() for path in file.parent.iterdir()} == {"web.yaml": b"new"}


def test_keeps_mode_and_owner(file: Path) -> None:
    """The file stays the person's: his mode, and where we may set it, his user and group."""
    file.chmod(0o4640)
    if os.geteuid() == 0:
        os.chown(file, 1234, 4321)
        file.chmod(0o4640)
    before = file.stat()
    files.replace(file, expected=b"old", data=b"new")
    after = file.stat()
    assert (after.st_uid, after.st_gid) == (before.st_uid, before.st_gid)
    assert stat.S_IMODE(after.st_mode) == 0o4640
    assert after.st_ino != before.st_ino


def test_a_reader_keeps_what_it_opened(file: Path) -> None:
    """Whoever reads while the file is replaced reads the old content to its end."""
    with file.open("rb") as reader:
        files.replace(file, expected=b"old", data=b"new")
        assert reader.read() == b"old"


def test_a_change_by_somebody_else_is_a_conflict(file: Path) -> None:
    """Content that is not what the edit was made from stays, whatever its time stamp says."""
    before = file.stat()
    file.write_bytes(b"odd")
    os.utime(file, ns=(before.st_atime_ns, before.st_mtime_ns))
    with pytest.raises(Conflict, match="was changed by somebody else"):
        files.replace(file, expected=b"old", data=b"new")
    assert {path.name: path.read_bytes() for path in file.parent.iterdir()} == {"web.yaml": b"odd"}


def test_what_a_kill_left_behind_is_no_obstacle(file: Path) -> None:
    """A temporary file of an earlier process is overwritten and goes away."""
    file.with_name(".web.yaml.argoos.tmp").write_bytes(b"half")
    files.replace(file, expected=b"old", data=b"new")
    assert {path.name: path.read_bytes() for path in file.parent.iterdir()} == {"web.yaml": b"new"}


def test_a_file_that_is_gone_is_a_conflict(file: Path) -> None:
    """Reading or replacing a file that was deleted asks for a new decision."""
    file.unlink()
    with pytest.raises(Conflict, match="No such file"):
        files.read(file)
    with pytest.raises(Conflict, match="No such file"):
        files.replace(file, expected=b"old", data=b"new")


def test_a_link_is_not_followed(file: Path) -> None:
    """A file that has become a symbolic link is neither read nor replaced: it may lead out of the folder."""
    link = file.with_name("link.yaml")
    link.symlink_to(file)
    with pytest.raises(Conflict):
        files.read(link)
    with pytest.raises(Conflict):
        files.replace(link, expected=b"old", data=b"new")
    assert file.read_bytes() == b"old"
    assert link.is_symlink()


def test_a_pipe_does_not_hang(tmp_path: Path) -> None:
    """Something that is no regular file is refused at once."""
    os.mkfifo(tmp_path / "pipe.yaml")
    with pytest.raises(PermanentError, match="no regular file"):
        files.read(tmp_path / "pipe.yaml")


def test_a_file_that_is_far_too_large(tmp_path: Path) -> None:
    """A file beyond the limit is refused without being read."""
    with (tmp_path / "huge.yaml").open("wb") as file:
        file.truncate(files.SIZE_LIMIT + 1)
    with pytest.raises(PermanentError, match="larger than 16 MiB"):
        files.read(tmp_path / "huge.yaml")


def test_a_full_disk_is_temporary(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """When the new content cannot be made durable, the old stays and trying again may help."""

    def full(descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(TemporaryError, match=r"web\.yaml cannot be written: No space left on device"):
        files.replace(file, expected=b"old", data=b"new")
    assert {path.name: path.read_bytes() for path in file.parent.iterdir()} == {"web.yaml": b"old"}
