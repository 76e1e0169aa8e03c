"""The git work tree on this machine: whether it can be used, whose changes are in it, commits, moving its branch."""

import asyncio
import re
import shutil
from collections.abc import Sequence
from pathlib import Path

from argoos.backends.manifests.git import Answer, Git
from argoos.backends.manifests.options import GitOptions
from argoos.errors import Conflict, PermanentError, TemporaryError

_BUSY_TRIES = 4
_BUSY_SECONDS = 0.1
"""Another git command in the same tree (a person's editor, say) holds the index for a moment."""

_NOTHING = re.compile(r"nothing (?:added )?to commit|no changes added")


class WorkTree:
    """The work tree that `folder` is in. Only the paths one names are ever committed.

    Args:
        folder: the folder of manifests, somewhere in the tree; paths are relative to it.
        git: runs in that folder.
        options: which branch and remote are meant.
    """

    def __init__(self, folder: Path, git: Git, options: GitOptions) -> None:
        self._folder = folder
        self._git = git
        self._options = options
        self._prefix = ""
        self.branch = ""

    async def check(self) -> None:
        """Find out whether the tree can be committed to, and pushed if that is wanted.

        Raises:
            PermanentError, TemporaryError: it cannot; the text says what to do.
        """
        inside = await self._git.run("rev-parse", "--is-inside-work-tree", "--show-prefix")
        if not inside.ok and "not a git repository" not in inside.complaint:
            raise inside.error(f"git cannot be used in {self._folder}")
        if not inside.ok or not inside.output.startswith("true"):
            raise PermanentError(
                f"{self._folder} is in no git work tree; clone or `git init` one there, or leave git out of the "
                f"settings"
            )
        self._prefix = inside.output.partition("\n")[2].removesuffix("\n")
        head = await self._git.run("symbolic-ref", "--quiet", "--short", "HEAD")
        self.branch = head.output.strip()
        born = await self._git.run("rev-parse", "--verify", "--quiet", "HEAD^{commit}")
        if not born.ok:
            raise PermanentError(
                f"the branch {self.branch} of {self._folder} has no commit yet; commit the files first"
            )
        self._check_branch()
        if self._options.push and not (await self._git.run("remote", "get-url", self._options.remote)).ok:
            remote = self._options.remote
            raise PermanentError(f"{self._folder} has no remote {remote!r}; add it with `git remote add {remote} URL`")

    def _check_branch(self) -> None:
        wanted = self._options.branch
        if not self.branch and (wanted or self._options.push):
            raise PermanentError(f"{self._folder} is on no branch (detached HEAD); check one out: git switch BRANCH")
        if wanted and wanted != self.branch:
            raise PermanentError(
                f"{self._folder} is on branch {self.branch}, the settings say {wanted}: git switch {wanted}"
            )

    async def blocked(self, paths: Sequence[str]) -> dict[str, TemporaryError | PermanentError]:
        """Return those of the paths that may not be committed, with the reason.

        A file with changes that somebody has not committed yet would go into our commit with them: it has to wait.
        """
        if not paths:
            return {}
        options = ("--porcelain=v1", "-z", "--no-renames", "--ignored=matching", "--untracked-files=all")
        answer = await self._git.run("status", *options, "--", *paths)
        if answer.ok:
            states = {entry[3:]: entry[:2] for entry in answer.output.split("\0") if entry}
            named = {path: _state(self._prefix + path, states) for path in paths}
            return {path: _blocked(path, state) for path, state in named.items() if state}
        if len(paths) == 1:
            return {paths[0]: answer.error(f"{paths[0]} cannot be committed")}
        return {path: error for each in paths for path, error in (await self.blocked([each])).items()}

    async def commit(self, paths: Sequence[str], message: str) -> None:
        """Commit these paths and nothing else, whatever is staged; hooks run. No change is no error.

        Raises:
            PermanentError: a hook refused, or git cannot commit; what it said is in the text.
            TemporaryError: the tree is in use: another git command, an unfinished merge.
        """
        what = f"the change of {', '.join(paths)} was not committed"
        answer = Answer(code=0, output="", complaint="")
        for attempt in range(_BUSY_TRIES):
            await asyncio.sleep(_BUSY_SECONDS * attempt)
            arguments = ("--quiet", "--only", "--cleanup=whitespace", "--file=-", "--", *paths)
            answer = await self._git.run("commit", *arguments, text=message)
            if answer.ok or _NOTHING.search(answer.output):
                return
            if not isinstance(answer.error(what), TemporaryError):
                break
        raise answer.error(what)

    async def restore(self, paths: Sequence[str]) -> None:
        """Take the paths back to what the last commit holds.

        Raises:
            PermanentError, TemporaryError: git could not.
        """
        await self._git.ask(f"{', '.join(paths)} could not be taken back", ("checkout", "HEAD", "--", *paths))

    async def head(self) -> str:
        """Return the commit that is checked out."""
        return await self._git.ask("the last commit is not known", ("rev-parse", "HEAD"))

    async def move(self, commit: str) -> None:
        """Move the branch and its files to `commit`; staged and other changes in other files stay as they are.

        Raises:
            TemporaryError: somebody's uncommitted changes are in a file that would change.
        """
        before = await self.head()
        await self._git.run("update-index", "-q", "--refresh")  # read-tree looks at time stamps alone
        answer = await self._git.run("read-tree", "-m", "-u", "HEAD", commit)
        if not answer.ok:
            raise TemporaryError(
                f"{self._folder} has uncommitted changes in files that others changed in {self._options.remote}; "
                f"commit them or take them back: {answer.cause}"
            )
        arguments = ("update-ref", "-m", "argoos: follow the remote", "HEAD", commit, before)
        if not (await self._git.run(*arguments)).ok:
            raise Conflict(f"the branch {self.branch} was moved by somebody else")

    async def rebased(self, upstream: str) -> str | None:
        """Rebase the branch onto `upstream` and return the new tip, None on conflicting changes.

        It is done in a work tree of its own, so that neither a conflict nor our death leaves anything in the person's;
        `move` then goes there.

        Raises:
            PermanentError, TemporaryError: git could not.
        """
        place = self._folder / await self.file("argoos-rebase")
        await self._discard(place)
        try:
            head = await self.head()
            what = "a work tree to rebase in could not be made"
            await self._git.ask(what, ("worktree", "add", "--quiet", "--detach", str(place), head))
            answer = await self._git.run("rebase", "--quiet", upstream, folder=place)
            if answer.ok:
                return (await self._git.run("rev-parse", "HEAD", folder=place)).output.strip()
            if (await self._git.run("ls-files", "--unmerged", folder=place)).output:
                return None
            raise answer.error(f"the commits of {self.branch} could not be rebased")
        finally:
            await self._discard(place)

    async def _discard(self, place: Path) -> None:
        await asyncio.to_thread(shutil.rmtree, place, ignore_errors=True)
        await self._git.run("worktree", "prune")

    async def file(self, name: str) -> str:
        """Return where a file of ours lies within git's own folder."""
        return await self._git.ask("git's folder is not known", ("rev-parse", "--git-path", name))


def _state(path: str, states: dict[str, str]) -> str:
    """Return the state of a path, or of the folder that git names in its stead, or ""."""
    inside = (state for name, state in states.items() if name.endswith("/") and path.startswith(name))
    return states.get(path) or next(inside, "")


def _blocked(path: str, state: str) -> TemporaryError | PermanentError:
    match state:
        case "!!":
            return PermanentError(f"{path} is ignored by git, so that no commit can hold its change; see .gitignore")
        case "??":
            return TemporaryError(f"{path} is not committed yet; `git add` and commit it, then Argoos changes it")
        case _:
            return TemporaryError(f"{path} has changes that somebody has not committed; commit them or take them back")
