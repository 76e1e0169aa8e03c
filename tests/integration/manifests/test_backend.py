"""The backend as a whole, over plain files."""

import asyncio
from pathlib import Path

import pytest
import structlog

from argoos.backends.manifests.backend import ManifestsBackend
from argoos.backends.manifests.options import ManifestsOptions
from argoos.core.image import RegistryNames, Repository
from argoos.errors import BackendUnavailable, Conflict, PermanentError
from argoos.ports import Applied, Notice, NoticeKind
from tests.contracts.backends.manifests_harness import running
from tests.integration.manifests.sample import DEPLOYMENT, NEW, WEB, change, changes, deployment, until

STACK = f"""\
# the shop
services:
  web:
    image: "{WEB}:1.0"   # moved by argoos
    deploy:
      labels:
        - argoos.io/policy=minor
"""


def _backend(folder: Path) -> ManifestsBackend:
    return ManifestsBackend(
        name="files", options=ManifestsOptions(path=folder, rescan_seconds=0.05), names=RegistryNames()
    )


async def test_two_files_may_hold_the_same_name(tmp_path: Path) -> None:
    """Two environments with equal names are two workloads; a change of one leaves the other alone."""
    for name in ("test", "production"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "web.yaml").write_text(DEPLOYMENT)
    (tmp_path / "shop.yml").write_text(STACK)
    async with running(_backend(tmp_path)) as backend:
        production, shop, test = await backend.find(Repository.parse(WEB))
        assert str(production.ref) == str(test.ref)
        assert await backend.apply(changes([test, shop])) == [Applied(), Applied()]
    assert (tmp_path / "test" / "web.yaml").read_text() == DEPLOYMENT.replace(f"{WEB}:1.0", NEW)
    assert (tmp_path / "production" / "web.yaml").read_text() == DEPLOYMENT
    assert (tmp_path / "shop.yml").read_text() == STACK.replace(f"{WEB}:1.0", NEW)


async def test_an_edit_counts_at_once(tmp_path: Path) -> None:
    """What a person has just written holds for the very next push, however recent the last look at the folder is."""
    path = tmp_path / "web.yaml"
    path.write_text(DEPLOYMENT)
    options = ManifestsOptions(path=tmp_path, rescan_seconds=60)
    async with running(ManifestsBackend(name="files", options=options, names=RegistryNames())) as backend:
        for policy in ("patch", "never", "major"):
            path.write_text(deployment(policy=policy))
            (workload,) = await backend.find()
            assert workload.rules["argoos.io/policy"] == policy


async def test_a_repeated_push_of_a_bare_tag_writes_nothing(tmp_path: Path) -> None:
    """With `pin: tag` the file names the tag and is done: a re-push of that tag is applied and changes no byte."""
    path = tmp_path / "web.yaml"
    path.write_text(deployment(image=f"{WEB}:latest"))
    before = path.stat()
    async with running(_backend(tmp_path)) as backend:
        (workload,) = await backend.find()
        again = change(workload, f"{WEB}:latest")
        assert again.updates[0].record_digest
        assert await backend.apply([again]) == [Applied()]
    assert path.stat() == before


async def test_status_names_what_cannot_be_read(tmp_path: Path) -> None:
    """Broken files are named in the status and logged once each; the backend is synced all the same."""
    for name in "abcd":
        (tmp_path / f"{name}.yaml").write_text("a: [1\nb: c\n")
    (tmp_path / "web.yaml").write_text(DEPLOYMENT)
    with structlog.testing.capture_logs() as logs:
        async with running(_backend(tmp_path)) as backend:
            await asyncio.sleep(0.3)
            status = backend.status()
            assert len(await backend.find()) == 1
    assert status.synced
    assert status.detail.startswith("files left alone: 4: a.yaml:2:2: ")
    assert status.detail.endswith("; and 1 more")
    warned = [entry for entry in logs if entry["log_level"] == "warning"]
    assert [entry["file"] for entry in warned] == ["a.yaml", "b.yaml", "c.yaml", "d.yaml"]
    assert warned[0]["cause"].startswith("a.yaml:2:2: while parsing a flow sequence")


async def test_a_folder_that_comes_later(tmp_path: Path) -> None:
    """Without its folder the backend is not synced and says so; it recovers alone, and notices a loss again."""
    folder = tmp_path / "deploy"
    async with running(_backend(folder), synced=False) as backend:
        with pytest.raises(BackendUnavailable, match="not looked through yet"):
            await _backend(folder).find()
        await until(lambda: "No such file" in backend.status().detail)
        with pytest.raises(BackendUnavailable, match="No such file"):
            await backend.find()
        assert not backend.status().synced
        assert "deploy cannot be read" in backend.status().detail
        folder.mkdir()
        (folder / "web.yaml").write_text(DEPLOYMENT)
        await until(lambda: backend.status().synced)
        assert len(await backend.find()) == 1
        folder.rename(tmp_path / "elsewhere")
        await until(lambda: not backend.status().synced)


async def test_a_plan_sees_the_files_as_they_are(tmp_path: Path) -> None:
    """What is asked for is at most a second old, however rarely the folder is looked through."""
    options = ManifestsOptions(path=tmp_path, rescan_seconds=3600)
    async with running(ManifestsBackend(name="files", options=options, names=RegistryNames())) as backend:
        assert await backend.find() == []
        (tmp_path / "web.yaml").write_text(DEPLOYMENT)
        await asyncio.sleep(1.1)
        (workload,) = await backend.find()
        assert await backend.apply([change(workload)]) == [Applied()]
        (workload,) = await backend.find(Repository.parse(WEB))
        assert str(workload.containers[0].image) == NEW
        assert workload.last_push == "7"


async def test_a_file_that_broke_meanwhile(tmp_path: Path) -> None:
    """A change of a file that cannot be read any more fails with the place of the mistake; others go on."""
    for name in ("bad", "good"):
        (tmp_path / f"{name}.yaml").write_text(deployment(name))
    async with running(_backend(tmp_path)) as backend:
        bad, good = await backend.find()
        (tmp_path / "bad.yaml").write_text("a: [1\nb: c\n")
        failed, applied = await backend.apply(changes([bad, good]))
        assert isinstance(failed, PermanentError)
        assert str(failed).startswith("bad.yaml:2:2: ")
        assert applied == Applied()
        with pytest.raises(PermanentError, match=r"bad\.yaml:2:2"):
            await backend.reread(bad.ref)
        (tmp_path / "bad.yaml").unlink()
        assert await backend.reread(bad.ref) is None
        assert [type(attempt) for attempt in await backend.apply([change(bad)])] == [Conflict]


async def test_changes_of_one_file_are_one_write(tmp_path: Path) -> None:
    """Several workloads in one file are moved together, each by its own document."""
    path = tmp_path / "all.yaml"
    path.write_text("---\n".join(deployment(name) for name in ("a", "b", "c")))
    async with running(_backend(tmp_path)) as backend:
        a, _, c = await backend.find()
        assert await backend.apply(changes([c, a])) == [Applied(), Applied()]
    images = (NEW, f"{WEB}:1.0", NEW)
    assert path.read_text() == "---\n".join(map(deployment, "abc", images))


async def test_the_loop_goes_on_during_a_long_scan(tmp_path: Path) -> None:
    """Reading a large folder holds up nothing else: the event loop keeps turning."""
    for number in range(300):
        (tmp_path / f"{number}.yaml").write_text(deployment(f"w{number}") * 3)
    turns = 0

    async def turn() -> None:
        nonlocal turns
        while True:
            turns += 1
            await asyncio.sleep(0.001)

    async with asyncio.TaskGroup() as tasks:
        turning = tasks.create_task(turn())
        async with running(_backend(tmp_path)):
            turning.cancel()
    assert turns > 10


async def test_a_notice_is_logged(tmp_path: Path) -> None:
    """A file has no owner to be told, so the log is."""
    (tmp_path / "web.yaml").write_text(DEPLOYMENT)
    async with running(_backend(tmp_path)) as backend:
        (workload,) = await backend.find()
        with structlog.testing.capture_logs() as logs:
            await backend.report(Notice(workload=workload.ref, kind=NoticeKind.INVALID_POLICY, text="so and so"))
    assert logs[0]["workload"] == "Deployment shop/web"
    assert logs[0]["text"] == "so and so"
