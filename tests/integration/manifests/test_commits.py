"""Files under git, on real repositories: what is committed, whose changes are left alone, and what stops a commit."""

import contextlib
from pathlib import Path

import pytest

from argoos.backends.manifests.backend import ManifestsBackend
from argoos.backends.manifests.documents import read
from argoos.backends.manifests.options import GitOptions, ManifestsOptions
from argoos.core.image import RegistryNames
from argoos.errors import BackendUnavailable, PermanentError, SettingsError, TemporaryError
from argoos.ports import Applied
from tests.contracts.backends.manifests_harness import running
from tests.integration.manifests.repository import AUTHOR, Repository, backend_of
from tests.integration.manifests.sample import DEPLOYMENT, MOVED, NEW, WEB, change, changes, deployment, until


async def test_a_commit_names_push_and_actor(repository: Repository) -> None:
    """Author and committer are the configured ones; the message says what moved, from, to, and who pushed it."""
    async with running(backend_of(repository)) as backend:
        (workload,) = await backend.find()
        assert await backend.apply([change(workload, push_id="42", actor="robin\nArgoos-Push: 1")]) == [Applied()]
        assert (await backend.find())[0].last_push == "42"
    assert repository.git("log", "-1", "--format=%an <%ae>%n%cn <%ce>") == f"{AUTHOR}\n{AUTHOR}"
    assert repository.git("log", "-1", "--format=%B").rstrip() == (
        f"Update shop/web to 1.1\n\nshop/web web: {WEB}:1.0 -> {NEW}\n\n"
        "Pushed-by: robin Argoos-Push: 1\nArgoos-Push: 42"
    )
    assert repository.git("show", "--format=", "--name-only") == "deploy/web.yaml"
    assert repository.git("status", "--porcelain") == ""
    assert repository.git("log", "-1", "--format=%(trailers:key=Argoos-Push,valueonly)").strip() == "42"


async def test_all_changes_of_a_call_are_one_commit(repository: Repository) -> None:
    """Three images in two files: one commit, whose subject counts them."""
    repository.manifest("all").write_text("---\n".join(deployment(name) for name in ("a", "b")))
    repository.commit("Write all")
    before = repository.git("rev-parse", "HEAD")
    async with running(backend_of(repository)) as backend:
        assert await backend.apply(changes(await backend.find())) == [Applied()] * 3
    assert repository.git("rev-list", "--count", f"{before}..HEAD") == "1"
    message = repository.git("log", "-1", "--format=%B").splitlines()
    assert message[0] == "Update 3 images of 3 workloads to 1.1"
    assert [line.partition(":")[0] for line in message[2:5]] == ["shop/a a", "shop/b b", "shop/web web"]
    assert message.count("Argoos-Push: 7") == 1


async def test_several_containers_are_counted(repository: Repository) -> None:
    """One workload with two containers: the subject says how many images of it moved."""
    repository.manifest().write_text(f"{DEPLOYMENT}        - name: two\n          image: {WEB}:1.0\n")
    repository.commit("Add a container")
    async with running(backend_of(repository)) as backend:
        assert await backend.apply(changes(await backend.find())) == [Applied()]
    assert repository.git("log", "-1", "--format=%s") == "Update 2 images of shop/web to 1.1"


async def test_what_a_person_has_staged_stays_staged(repository: Repository) -> None:
    """Only our own path is committed: staged, unstaged and new files of a person are as they were."""
    other = repository.folder / "README"
    other.write_text("staged\n")
    repository.git("add", "README")
    other.write_text("staged\nand more\n")
    (repository.folder / "deploy" / "new.txt").write_text("new\n")
    before = repository.git("status", "--porcelain"), repository.git("diff"), repository.git("diff", "--cached")
    async with running(backend_of(repository)) as backend:
        assert await backend.apply(changes(await backend.find())) == [Applied()]
    after = repository.git("status", "--porcelain"), repository.git("diff"), repository.git("diff", "--cached")
    assert after == before
    assert repository.git("show", "--format=", "--name-only") == "deploy/web.yaml"


BLOCKED = {
    "changed": ("web", f"# unfinished\n{DEPLOYMENT}", TemporaryError, "has changes that somebody has not committed"),
    "new": ("new", deployment("new"), TemporaryError, "is not committed yet; `git add` and commit it"),
    "ignored": ("ignored", deployment("ignored"), PermanentError, "is ignored by git"),
}


@pytest.mark.parametrize("case", BLOCKED)
async def test_a_file_with_changes_of_a_person_waits(repository: Repository, case: str) -> None:
    """A file that somebody is at work on is not committed under him; other files are."""
    name, text, kind, message = BLOCKED[case]
    (repository.folder / ".gitignore").write_text("ignored.yaml\n")
    repository.manifest("other").write_text(deployment("other"))
    repository.commit("Ignore")
    repository.manifest(name).write_text(text)
    async with running(backend_of(repository)) as backend:
        found = [each for each in await backend.find() if each.ref.name in {name, "other"}]
        attempts = dict(zip((each.ref.name for each in found), await backend.apply(changes(found)), strict=True))
    assert attempts["other"] == Applied()
    assert type(attempts[name]) is kind
    assert message in str(attempts[name])
    assert repository.manifest(name).read_text() == text


async def test_a_hook_that_refuses(repository: Repository) -> None:
    """What a person's hook refuses is not committed, the file is as it was, and the hook's words are passed on."""
    repository.hook("pre-commit", 'echo "no changes on Fridays" >&2; exit 1')
    head = repository.git("rev-parse", "HEAD")
    async with running(backend_of(repository)) as backend:
        (attempt,) = await backend.apply(changes(await backend.find()))
        assert isinstance(attempt, PermanentError)
        assert "no changes on Fridays" in str(attempt)
        (workload,) = await backend.find()
        assert str(workload.containers[0].image) == f"{WEB}:1.0"
    assert repository.git("rev-parse", "HEAD") == head
    assert repository.git("status", "--porcelain") == ""


async def test_a_hook_that_hangs(repository: Repository) -> None:
    """A git command that takes too long is stopped, and leaves neither a lock nor a process."""
    repository.hook("pre-commit", "sleep 4711")
    options = ManifestsOptions(path=repository.folder / "deploy", git=GitOptions(timeout_seconds=2))
    async with running(ManifestsBackend(name="files", options=options, names=RegistryNames())) as backend:
        (attempt,) = await backend.apply(changes(await backend.find()))
    assert isinstance(attempt, TemporaryError)
    assert "git commit took more than 2 s" in str(attempt)
    assert repository.git("status", "--porcelain") == ""
    assert not (repository.folder / ".git" / "index.lock").exists()
    assert not _runs(b"sleep\x004711")


def _runs(command: bytes) -> bool:
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        with contextlib.suppress(OSError):
            if command in path.read_bytes():
                return True
    return False


async def test_another_git_command_holds_the_index(repository: Repository) -> None:
    """While somebody else's git command holds the index the change waits; the file is as it was."""
    lock = repository.folder / ".git" / "index.lock"
    async with running(backend_of(repository)) as backend:
        wanted = changes(await backend.find())
        lock.touch()
        (attempt,) = await backend.apply(wanted)
        assert isinstance(attempt, TemporaryError)
        assert "index.lock" in str(attempt)
        assert repository.manifest().read_text() == DEPLOYMENT
        lock.unlink()
        assert await backend.apply(wanted) == [Applied()]


async def test_an_unfinished_merge_waits(repository: Repository) -> None:
    """In the middle of a person's merge nothing is committed; afterwards it is."""
    repository.git("switch", "--quiet", "--create", "other", "HEAD~1")
    (repository.folder / "README").write_text("theirs\n")
    repository.commit("Theirs")
    repository.git("switch", "--quiet", "main")
    repository.git("merge", "--quiet", "--no-commit", "--no-ff", "other")
    async with running(backend_of(repository)) as backend:
        (attempt,) = await backend.apply(changes(await backend.find()))
        assert isinstance(attempt, TemporaryError), attempt
        assert "merge" in str(attempt)
        assert repository.manifest().read_text() == DEPLOYMENT
        repository.git("commit", "--quiet", "--no-edit")
        assert await backend.apply(changes(await backend.find())) == [Applied()]


UNUSABLE = {
    "no repository": ("", "is in no git work tree"),
    "no commit": ("init --quiet .", "has no commit yet; commit the files first"),
    "detached": ("checkout --quiet --detach", "is on no branch (detached HEAD)"),
    "another branch": ("switch --quiet --create other", "is on branch other, the settings say main"),
    "no remote": ("remote remove origin", "has no remote 'origin'; add it with `git remote add origin URL`"),
}


@pytest.mark.parametrize("case", UNUSABLE)
async def test_a_tree_that_cannot_be_used(repository: Repository, tmp_path: Path, case: str) -> None:
    """Nothing is written where it could not be committed; the status says what to do, and all recovers alone."""
    command, message = UNUSABLE[case]
    if case in {"no repository", "no commit"}:
        repository = Repository(folder=tmp_path / "elsewhere", remote=repository.remote)
        (repository.folder / "deploy").mkdir(parents=True)
        repository.manifest().write_text(DEPLOYMENT)
    if command:
        repository.git(*command.split())
    async with running(backend_of(repository, push=True, branch="main"), synced=False) as backend:
        await until(lambda: message in backend.status().detail)
        assert not backend.status().synced
        with pytest.raises(BackendUnavailable, match="deploy"):
            await backend.find()
        (found,) = read(DEPLOYMENT.encode(), "web.yaml", "files").found
        workload = await backend.reread(found.workload.ref)
        assert workload is not None
        (attempt,) = await backend.apply([change(workload)])
        assert isinstance(attempt, PermanentError)
        assert message in str(attempt)
        assert repository.manifest().read_text() == DEPLOYMENT
        if case == "detached":
            repository.git("switch", "--quiet", "main")
            await until(lambda: backend.status().synced)


def test_an_author_has_a_mail_address() -> None:
    """An author that git would not take is refused at once."""
    with pytest.raises(SettingsError, match="not of the form Name <mail>"):
        GitOptions(author="Argoos")


async def test_variables_of_a_hook_lead_nowhere(repository: Repository, monkeypatch: pytest.MonkeyPatch) -> None:
    """Started from within another repository's hook, git still works on the configured folder."""
    monkeypatch.setenv("GIT_DIR", "/nowhere")
    monkeypatch.setenv("GIT_INDEX_FILE", "/nowhere/index")
    backend = backend_of(repository)
    monkeypatch.undo()
    async with running(backend):
        assert await backend.apply(changes(await backend.find())) == [Applied()]
    assert repository.git("log", "-1", "--format=%s") == "Update shop/web to 1.1"


async def test_a_line_ending_that_git_converts(repository: Repository) -> None:
    """With `core.autocrlf` the file has Windows line breaks here and none in git; both stay so."""
    repository.git("config", "core.autocrlf", "true")
    repository.manifest().unlink()
    repository.git("checkout", "--", "deploy/web.yaml")
    assert b"\r\n" in repository.manifest().read_bytes()
    async with running(backend_of(repository)) as backend:
        assert await backend.apply(changes(await backend.find())) == [Applied()]
    assert repository.manifest().read_bytes() == MOVED.replace("\n", "\r\n").encode()
    assert repository.git("show", "HEAD:deploy/web.yaml") + "\n" == MOVED
    assert repository.git("diff", "--stat", "HEAD~1", "HEAD").endswith("1 insertion(+), 1 deletion(-)")
