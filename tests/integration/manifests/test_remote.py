"""Pushing to a real bare repository: colleagues who are faster, changes that conflict, a remote that is away."""

import asyncio
from pathlib import Path

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from argoos.backends.manifests.documents import read
from argoos.errors import BackendUnavailable, Conflict, Forbidden, PermanentError, TemporaryError
from argoos.ports import Applied
from tests.contracts.backends.manifests_harness import running
from tests.integration.manifests.repository import Repository, backend_of, run_git
from tests.integration.manifests.sample import DEPLOYMENT, MOVED, NEW, WEB, change, changes, deployment, until

SECOND = f"{WEB}:1.2"


@pytest.fixture
def colleague(repository: Repository, tmp_path: Path) -> Repository:
    """Return a colleague's clone of the same remote."""
    return repository.clone(tmp_path / "colleague")


def _pushed(repository: Repository, name: str = "web") -> str:
    """Return what the remote holds of a manifest."""
    return run_git(repository.remote, "show", f"main:deploy/{name}.yaml") + "\n"


def _push(colleague: Repository, name: str, text: str) -> None:
    colleague.git("pull", "--quiet", "--rebase")
    colleague.manifest(name).write_text(text)
    colleague.commit(f"Write {name}")
    colleague.git("push", "--quiet")


async def test_a_change_reaches_the_remote(repository: Repository) -> None:
    """What is applied is at the remote, in the branch that is checked out."""
    async with running(backend_of(repository, push=True)) as backend:
        assert await backend.apply(changes(await backend.find())) == [Applied()]
    assert _pushed(repository) == MOVED
    assert repository.git("rev-parse", "origin/main") == repository.git("rev-parse", "HEAD")


async def test_a_branch_that_the_remote_does_not_have(repository: Repository) -> None:
    """A branch that was never pushed is made at the remote."""
    repository.git("switch", "--quiet", "--create", "staging")
    async with running(backend_of(repository, push=True, branch="staging")) as backend:
        assert await backend.apply(changes(await backend.find())) == [Applied()]
    assert run_git(repository.remote, "show", "staging:deploy/web.yaml") + "\n" == MOVED


async def test_what_others_push_is_followed(repository: Repository, colleague: Repository) -> None:
    """A colleague's push is fetched by and by, and in any case before a change is made."""
    async with running(backend_of(repository, push=True, pull_seconds=0.2)) as backend:
        _push(colleague, "other", deployment("other"))
        await until(lambda: repository.manifest("other").exists())
    async with running(backend_of(repository, push=True)) as backend:
        (_, workload) = await backend.find()
        await asyncio.sleep(2.1)  # until the last fetch is no longer good enough for a change
        _push(colleague, "web", f"# moved\n{DEPLOYMENT}")
        assert await backend.apply([change(workload)]) == [Applied()]
    assert _pushed(repository) == f"# moved\n{MOVED}"


async def test_a_colleague_was_faster(repository: Repository, colleague: Repository) -> None:
    """A push that comes too late is rebased and repeated; both changes are there, in a straight line."""
    async with running(backend_of(repository, push=True)) as backend:
        wanted = changes(await backend.find())
        _push(colleague, "other", deployment("other"))
        assert await backend.apply(wanted) == [Applied()]
    assert _pushed(repository) == MOVED
    assert _pushed(repository, "other") == deployment("other")
    assert run_git(repository.remote, "log", "--format=%s", "-2", "main") == "Update shop/web to 1.1\nWrite other"
    assert repository.git("status", "--porcelain") == ""
    assert repository.git("worktree", "list").count("\n") == 0
    assert repository.manifest("other").exists()


async def test_a_rebase_leaves_a_persons_work_alone(repository: Repository, colleague: Repository) -> None:
    """Staged, unstaged and new files are the same before and after our commit was rebased."""
    readme = repository.folder / "README"
    readme.write_text("staged\n")
    repository.git("add", "README")
    readme.write_text("staged\nand more\n")
    (repository.folder / "new.txt").write_text("new\n")
    before = repository.git("status", "--porcelain"), repository.git("diff"), repository.git("diff", "--cached")
    async with running(backend_of(repository, push=True)) as backend:
        wanted = changes(await backend.find())
        _push(colleague, "other", deployment("other"))
        assert await backend.apply(wanted) == [Applied()]
    after = repository.git("status", "--porcelain"), repository.git("diff"), repository.git("diff", "--cached")
    assert after == before
    assert _pushed(repository) == MOVED


async def test_the_same_line_was_changed(repository: Repository, colleague: Repository) -> None:
    """When a colleague has moved the same image, his change stands, and ours is decided on again: nothing is lost."""
    async with running(backend_of(repository, push=True)) as backend:
        (workload,) = await backend.find()
        _push(colleague, "web", DEPLOYMENT.replace(f"{WEB}:1.0", SECOND))
        (attempt,) = await backend.apply([change(workload)])
        assert isinstance(attempt, Conflict)
        current = await backend.reread(workload.ref)
        assert current is not None
        assert str(current.containers[0].image) == SECOND
        assert _pushed(repository) == repository.manifest().read_text()
        assert repository.git("status", "--porcelain", "--branch") == "## main...origin/main"
        assert await backend.apply([change(current, f"{WEB}:1.3")]) == [Applied()]
    assert _pushed(repository) == DEPLOYMENT.replace("1.0", "1.3")


async def test_the_same_change_was_made(repository: Repository, colleague: Repository) -> None:
    """A colleague who made just the same change leaves us nothing to do."""
    async with running(backend_of(repository, push=True)) as backend:
        wanted = changes(await backend.find())
        _push(colleague, "web", MOVED)
        assert await backend.apply(wanted) == [Applied()]
    assert repository.git("log", "-1", "--format=%an: %s", "origin/main") == "Robin: Write web"
    assert repository.git("status", "--porcelain", "--branch") == "## main...origin/main"


async def test_many_who_push_at_once(repository: Repository, tmp_path: Path) -> None:
    """Three Argoos, each with its own clone, and a change each at the same time: all of them arrive."""
    names = ("a", "b", "c")
    for name in names:
        repository.manifest(name).write_text(deployment(name))
    repository.commit("Write three")
    repository.git("push", "--quiet")
    clones = [repository.clone(tmp_path / name) for name in names]

    async def move(name: str, clone: Repository) -> None:
        async with running(backend_of(clone, push=True)) as backend:
            (workload,) = [each for each in await backend.find() if each.ref.name == name]
            assert await backend.apply([change(workload)]) == [Applied()]

    await asyncio.gather(*(move(name, clone) for name, clone in zip(names, clones, strict=True)))
    assert [_pushed(repository, name) for name in names] == [deployment(name, NEW) for name in names]


async def test_a_remote_that_is_away(repository: Repository, tmp_path: Path) -> None:
    """Without the remote nothing is committed under a wrong base: pushes wait, and go on alone when it is back."""
    async with running(backend_of(repository, push=True, pull_seconds=0.2)) as backend:
        wanted = changes(await backend.find())
        repository.remote.rename(tmp_path / "away.git")
        await until(lambda: not backend.status().synced)
        assert "main could not be fetched from origin" in backend.status().detail
        (attempt,) = await backend.apply(wanted)
        assert isinstance(attempt, TemporaryError)
        with pytest.raises(BackendUnavailable, match="could not be fetched"):
            await backend.find()
        assert repository.manifest().read_text() == DEPLOYMENT
        (tmp_path / "away.git").rename(repository.remote)
        await until(lambda: backend.status().synced)
        assert await backend.apply(changes(await backend.find())) == [Applied()]
    assert _pushed(repository) == MOVED


async def test_a_remote_that_goes_away_before_the_push(repository: Repository, tmp_path: Path) -> None:
    """What was committed and not pushed stays, is pushed as soon as the remote is back, and is then applied."""
    async with running(backend_of(repository, push=True, pull_seconds=0.5)) as backend:
        wanted = changes(await backend.find())
        repository.hook("post-commit", f"mv {repository.remote} {tmp_path}/away.git")
        (attempt,) = await backend.apply(wanted)
        assert isinstance(attempt, TemporaryError)
        assert "was not pushed to origin" in str(attempt)
        assert repository.git("log", "-1", "--format=%s") == "Update shop/web to 1.1"
        with pytest.raises(BackendUnavailable):
            await backend.find()
        (tmp_path / "away.git").rename(repository.remote)
        await until(lambda: backend.status().synced)
        assert _pushed(repository) == MOVED
        (workload,) = await backend.find()
        assert workload.last_push == "7"
        assert await backend.apply([change(workload)]) == [Applied()]
    assert run_git(repository.remote, "rev-list", "--count", "main") == "3"


async def test_an_unpushed_commit_survives_a_restart(repository: Repository, tmp_path: Path) -> None:
    """A commit of ours that was not pushed before a stop is pushed by the next start, rebased where need be."""
    other = repository.clone(tmp_path / "other")
    async with running(backend_of(repository)) as backend:  # commits and does not push
        assert await backend.apply(changes(await backend.find())) == [Applied()]
    _push(other, "other", deployment("other"))
    async with running(backend_of(repository, push=True)):
        assert _pushed(repository) == MOVED
    assert run_git(repository.remote, "log", "--format=%s", "-1", "main") == "Update shop/web to 1.1"


async def test_an_unpushed_commit_that_conflicts_is_given_up(repository: Repository, colleague: Repository) -> None:
    """When others have moved on, our old commit is dropped; its push waits still and is decided on again."""
    async with running(backend_of(repository)) as backend:
        assert await backend.apply(changes(await backend.find())) == [Applied()]
    _push(colleague, "web", DEPLOYMENT.replace(f"{WEB}:1.0", SECOND))
    async with running(backend_of(repository, push=True)) as backend:
        (workload,) = await backend.find()
        assert str(workload.containers[0].image) == SECOND
    assert repository.git("status", "--porcelain", "--branch") == "## main...origin/main"


async def test_a_persons_commit_that_conflicts_is_his(repository: Repository, colleague: Repository) -> None:
    """A person's own unpushed commit is never dropped: the status says that he has to rebase it."""
    repository.manifest().write_text(DEPLOYMENT.replace("1.0", "1.7"))
    repository.commit("Mine")
    mine = repository.git("rev-parse", "--short", "HEAD")
    _push(colleague, "web", DEPLOYMENT.replace("1.0", "1.2"))
    async with running(backend_of(repository, push=True), synced=False) as backend:
        await until(lambda: f"the commits {mine} on main, which are not Argoos's" in backend.status().detail)
        assert "by hand" in backend.status().detail
        assert not backend.status().synced
    assert repository.git("rev-parse", "--short", "HEAD") == mine
    assert repository.git("status", "--porcelain") == ""


async def test_uncommitted_work_in_the_way_of_a_pull(repository: Repository, colleague: Repository) -> None:
    """A file that a person is at work on and that a colleague has changed holds the pull up, and is not touched."""
    readme = repository.folder / "README"
    (colleague.folder / "README").write_text("theirs\n")
    colleague.commit("Theirs")
    colleague.git("push", "--quiet")
    readme.write_text("mine\n")
    async with running(backend_of(repository, push=True), synced=False) as backend:
        await until(lambda: "has uncommitted changes in files that others changed" in backend.status().detail)
        assert readme.read_text() == "mine\n"
        repository.git("checkout", "README")
        await until(lambda: backend.status().synced)
        assert readme.read_text() == "theirs\n"


async def test_a_remote_that_refuses(repository: Repository) -> None:
    """What a hook of the remote refuses is taken back here, and its words are passed on; the next change is free."""
    repository.remote_hook("pre-receive", 'echo "main is frozen" >&2; exit 1')
    async with running(backend_of(repository, push=True)) as backend:
        (attempt,) = await backend.apply(changes(await backend.find()))
        assert isinstance(attempt, PermanentError)
        assert "main is frozen" in str(attempt)
        assert repository.manifest().read_text() == DEPLOYMENT
        assert repository.git("status", "--porcelain", "--branch") == "## main...origin/main"
        repository.remote_hook("pre-receive", "exit 0")
        assert await backend.apply(changes(await backend.find())) == [Applied()]
    assert _pushed(repository) == MOVED


async def test_a_remote_that_wants_a_password(repository: Repository) -> None:
    """Nobody is asked for a password; the refusal is told, without the one that stands in the remote's address."""

    async def refuse(request: web.Request) -> web.Response:
        return web.Response(status=401, headers={"WWW-Authenticate": 'Basic realm="git"'})

    app = web.Application()
    app.router.add_route("*", "/{path:.*}", refuse)
    async with TestServer(app, host="127.0.0.1") as server:
        repository.git("config", "credential.helper", "")
        for credentials in ("robin:hunter2@", ""):
            url = f"http://{credentials}{server.host}:{server.port}/deploy.git"
            repository.git("remote", "set-url", "origin", url)
            async with running(backend_of(repository, push=True), synced=False) as backend:
                await until(lambda: "could not be fetched from origin" in backend.status().detail)
                detail = backend.status().detail
                (found,) = read(DEPLOYMENT.encode(), "web.yaml", "files").found
                (attempt,) = await backend.apply([change(found.workload)])
                assert isinstance(attempt, Forbidden)
                assert "hunter2" not in str(attempt)
            assert "hunter2" not in detail
            assert "Authentication failed" in detail or "could not read Username" in detail
