"""What a kill between writing a file and committing it leaves behind, and what becomes of it."""

import signal
import subprocess
import sys

from argoos.ports import Applied
from tests.contracts.backends.manifests_harness import running
from tests.integration.manifests.repository import Repository, backend_of
from tests.integration.manifests.sample import DEPLOYMENT, MOVED, NEW, WEB, change, changes

KILLED = """
import asyncio, os, signal, sys
from argoos.backends.manifests.worktree import WorkTree
from tests.contracts.backends.manifests_harness import running
from tests.integration.manifests.repository import Repository, backend_of
from tests.integration.manifests.sample import changes
from pathlib import Path

async def die(*arguments):
    os.kill(os.getpid(), signal.SIGKILL)

async def main():
    repository = Repository(folder=Path(sys.argv[1]), remote=Path(sys.argv[1]))
    async with running(backend_of(repository)) as backend:
        workloads = await backend.find()
        WorkTree.commit = die
        await backend.apply(changes(workloads))

asyncio.run(main())
"""


def _kill_between_write_and_commit(repository: Repository) -> None:
    process = subprocess.run([sys.executable, "-c", KILLED, str(repository.folder)], check=False, capture_output=True)
    assert process.returncode == -signal.SIGKILL, process.stderr.decode()
    assert repository.manifest().read_text() == MOVED
    assert repository.git("status", "--porcelain") == " M deploy/web.yaml"


async def test_a_kill_between_write_and_commit(repository: Repository) -> None:
    """What was written and not committed is committed by the next start, with the message it was to have."""
    _kill_between_write_and_commit(repository)
    async with running(backend_of(repository)) as backend:
        assert repository.git("status", "--porcelain") == ""
        assert repository.git("log", "-1", "--format=%an: %s") == "Argoos Daemon: Update shop/web to 1.1"
        (workload,) = await backend.find()
        assert (str(workload.containers[0].image), workload.last_push) == (NEW, "7")
        head = repository.git("rev-parse", "HEAD")
        assert await backend.apply([change(workload)]) == [Applied()]
        assert repository.git("rev-parse", "HEAD") == head


async def test_a_kill_and_an_edit_by_a_person(repository: Repository) -> None:
    """What a person has changed after a kill is his: it is not committed in our name."""
    _kill_between_write_and_commit(repository)
    repository.manifest().write_text(f"# mine\n{MOVED}")
    head = repository.git("rev-parse", "HEAD")
    async with running(backend_of(repository)) as backend:
        assert len(await backend.find()) == 1
    assert repository.git("rev-parse", "HEAD") == head
    assert repository.git("status", "--porcelain") == " M deploy/web.yaml"


async def test_a_kill_and_a_hook_that_refuses(repository: Repository) -> None:
    """When what a kill left may not be committed, it is taken back, and stands in nobody's way."""
    _kill_between_write_and_commit(repository)
    repository.hook("pre-commit", "exit 1")
    async with running(backend_of(repository)) as backend:
        assert [str(each.containers[0].image) for each in await backend.find()] == [f"{WEB}:1.0"]
    assert repository.git("status", "--porcelain") == ""
    assert repository.manifest().read_text() == DEPLOYMENT


async def test_a_journal_that_makes_no_sense(repository: Repository) -> None:
    """A damaged journal is started anew."""
    (repository.folder / ".git" / "argoos.json").write_text('{"message": 1, "hashes": []')
    async with running(backend_of(repository)) as backend:
        assert await backend.apply(changes(await backend.find())) == [Applied()]
        assert (await backend.find())[0].last_push == "7"
