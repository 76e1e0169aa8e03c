"""Looking through a folder: what counts, what is kept, and that one bad file hides no other."""

import os
import time
from pathlib import Path
from unittest.mock import patch

import pytest

from argoos.backends.manifests import documents
from argoos.backends.manifests.folder import Folder
from argoos.errors import BackendUnavailable, Conflict
from tests.integration.manifests.sample import deployment

BROKEN = "# argoos.io\na: [1, 2\nb: c\n"


def _names(folder: Folder) -> list[str]:
    return [workload.ref.name for workload in folder.scan().workloads]


def _write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)


def _settle(path: Path) -> None:
    """Give every file an older time stamp, as if nobody had touched it for a while; wait until that is past, too."""
    for file in path.rglob("*"):
        os.utime(file, (1_700_000_000, 1_700_000_000))
    time.sleep(0.15)


def test_which_files_count(tmp_path: Path) -> None:
    """All `*.yaml` and `*.yml` below the root, in the order of their paths; nothing hidden, nothing else."""
    counted = ["b.yml", "a/c.yaml", "a/deep/d.YAML"]
    others = [".hidden.yaml", ".git/e.yaml", "a/.x/f.yaml", "g.json", "yaml", "h.yaml.orig", ".b.yml.argoos.tmp"]
    for number, path in enumerate([*counted, *others]):
        _write(tmp_path / path, deployment(f"w{number}"))
    (tmp_path / "folder.yaml").mkdir()
    scan = Folder(tmp_path, "test").scan()
    assert [workload.ref.uid for workload in scan.workloads] == ["a/c.yaml#0", "a/deep/d.YAML#0", "b.yml#0"]
    assert scan.problems == ()


def test_links_are_not_followed(tmp_path: Path) -> None:
    """Neither a link out of the tree, nor a loop, nor a second name for a file in it; the root may be a link itself."""
    _write(tmp_path / "outside" / "o.yaml", deployment("outside"))
    root = tmp_path / "root"
    _write(root / "web.yaml", deployment("web"))
    (root / "out").symlink_to(tmp_path / "outside")
    (root / "out.yaml").symlink_to(tmp_path / "outside" / "o.yaml")
    (root / "loop").symlink_to(root)
    (root / "twin.yaml").symlink_to("web.yaml")
    (root / "nowhere.yaml").symlink_to("gone.yaml")
    (tmp_path / "link").symlink_to(root)
    assert _names(Folder(tmp_path / "link", "test")) == ["web"]


def test_one_bad_file_hides_no_other(tmp_path: Path) -> None:
    """Every file that cannot be read is named with its cause; all others are found."""
    _write(tmp_path / "a.yaml", BROKEN)
    _write(tmp_path / "b.yaml", deployment("web"))
    (tmp_path / "c.yaml").write_bytes(b"a: caf\xe9\n")
    os.mkfifo(tmp_path / "d.yaml")
    with (tmp_path / "e.yaml").open("wb") as file:
        file.truncate(32 * 1024 * 1024)
    _write(tmp_path / "f.yaml", "{{- if .Values.enabled }}\na: b\n{{ end }}\n")
    (tmp_path / os.fsdecode(b"g\xe9.yaml")).write_text(deployment("odd"))
    folder = Folder(tmp_path, "test")
    assert _names(folder) == ["web"]
    problems = folder.scan().problems
    assert [problem.partition(":")[0].rpartition("/")[2].partition(" ")[0] for problem in problems] == [
        "a.yaml",
        "c.yaml",
        "e.yaml",
        "g\\udce9.yaml",
    ]
    assert problems[0].startswith("a.yaml:3:2: ")
    _write(tmp_path / "a.yaml", deployment("mended"))
    assert _names(folder) == ["mended", "web"]
    assert len(folder.scan().problems) == 3


def test_what_has_not_changed_is_not_read_again(tmp_path: Path) -> None:
    """A second look costs no parsing, and gives the very same value; a third after one edit reads one file."""
    for number in range(20):
        _write(tmp_path / f"{number:02}.yaml", deployment(f"w{number}"))
    _write(tmp_path / "bad.yaml", BROKEN)
    _settle(tmp_path)
    folder = Folder(tmp_path, "test")
    first = folder.scan()
    with patch.object(documents, "read", wraps=documents.read) as read:
        assert folder.scan() is first
        assert read.call_count == 0
        _write(tmp_path / "07.yaml", deployment("renamed"))
        assert "renamed" in _names(folder)
        assert [call.args[1] for call in read.call_args_list] == ["07.yaml"]


def test_a_fresh_file_is_read_again(tmp_path: Path) -> None:
    """What was changed a moment before it was read may have changed again within the clock's tick: it is read twice."""
    path = tmp_path / "web.yaml"
    _write(path, deployment("web"))
    os.utime(path, (time.time() + 5, time.time() + 5))  # however slow this machine is, the stamp is fresh
    folder = Folder(tmp_path, "test")
    folder.scan()
    with patch.object(documents, "read", wraps=documents.read) as read:
        folder.scan()
        assert read.call_count == 1
        _settle(tmp_path)
        folder.scan()
        folder.scan()
        assert read.call_count == 2


def test_an_edit_in_the_same_tick_is_seen(tmp_path: Path) -> None:
    """Two edits of equal length within one tick of the clock leave the same stamp; the second counts all the same."""
    path = tmp_path / "web.yaml"
    _write(path, deployment("one"))
    status = path.stat()
    folder = Folder(tmp_path, "test")
    assert _names(folder) == ["one"]
    for name in ("two", "six"):
        with path.open("r+") as file:
            file.write(deployment(name))
        os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))
        assert _names(folder) == [name]


def test_what_is_deleted_is_gone(tmp_path: Path) -> None:
    """A deleted file's workloads are not found any more."""
    _write(tmp_path / "a" / "web.yaml", deployment("web"))
    folder = Folder(tmp_path, "test")
    assert _names(folder) == ["web"]
    (tmp_path / "a" / "web.yaml").unlink()
    assert _names(folder) == []


def test_a_missing_folder_is_no_empty_folder(tmp_path: Path) -> None:
    """While the root is away nothing is known; when it is back, all is."""
    root = tmp_path / "deploy"
    folder = Folder(root, "test")
    with pytest.raises(BackendUnavailable, match="deploy cannot be read: No such file"):
        folder.scan()
    _write(root / "web.yaml", deployment("web"))
    assert _names(folder) == ["web"]
    root.rename(tmp_path / "moved")
    root.write_text("a file")
    with pytest.raises(BackendUnavailable, match="Not a directory"):
        folder.scan()


@pytest.mark.parametrize("path", ["../outside.yaml", "/etc/passwd", "a/../../b.yaml", ""])
def test_no_path_leads_out(tmp_path: Path, path: str) -> None:
    """A reference that names a file outside the folder finds nothing there."""
    with pytest.raises(Conflict, match="is no file of"):
        Folder(tmp_path, "test").read(path)
