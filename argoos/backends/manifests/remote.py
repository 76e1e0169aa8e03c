"""The remote of a git work tree: follow what others push there, push what was committed here."""

import asyncio
import random

import structlog

from argoos.backends.manifests.git import Git
from argoos.backends.manifests.message import PUSH_TRAILER
from argoos.backends.manifests.options import GitOptions
from argoos.backends.manifests.worktree import WorkTree
from argoos.errors import Conflict, PermanentError, TemporaryError

_ROUNDS = 6
"""How often a push is tried again because somebody else was faster."""

_PAUSE_SECONDS = 0.2

log = structlog.get_logger(__name__)


class Remote:
    """Keeps the branch and its remote counterpart together.

    What is pushed is the branch: commits that a person made in the same work tree go along with ours.

    Args:
        tree: the work tree.
        git: runs in it.
        options: which remote.
    """

    def __init__(self, tree: WorkTree, git: Git, options: GitOptions) -> None:
        self._tree = tree
        self._git = git
        self._name = options.remote
        self.unpushed = False

    async def catch_up(self) -> None:
        """Fetch, and put our commits on top of what others pushed. Sets `unpushed`.

        Raises:
            Conflict: others changed what our commits change; ours were dropped, to be decided on again.
            TemporaryError: the remote cannot be reached, or somebody's uncommitted changes are in the way.
            PermanentError: the remote refuses us, or a person must resolve what conflicts.
        """
        upstream = await self._fetch()
        if upstream is None:
            self.unpushed = True
            return
        ahead, behind = await self._distance(upstream)
        self.unpushed = ahead > 0
        if ahead and behind:
            tip = await self._tree.rebased(upstream)
            if tip is None:
                await self._drop(upstream, "they conflict with what others pushed")
                raise Conflict(f"the same lines were changed in {self._name} by somebody else")
            await self._tree.move(tip)
            self.unpushed = tip != upstream
        elif behind:
            await self._tree.move(upstream)

    async def push(self) -> None:
        """Push the branch; when somebody else was faster, rebase and try again.

        Raises:
            Conflict: as `catch_up` does.
            TemporaryError: the remote cannot be reached; the commits stay, and are pushed later.
            PermanentError: the remote refuses them; ours were dropped, so that the files say what is there.
        """
        for attempt in range(_ROUNDS):
            await asyncio.sleep(_PAUSE_SECONDS * attempt * random.random())  # noqa: S311 - spreads tries, guards nothing
            branch = self._tree.branch
            answer = await self._git.run("push", "--quiet", self._name, f"refs/heads/{branch}:refs/heads/{branch}")
            if answer.ok:
                await self._git.run("update-ref", self._tracking, await self._tree.head())
                self.unpushed = False
                return
            self.unpushed = True
            if not answer.overtaken:
                error = answer.error(f"the branch {branch} was not pushed to {self._name}")
                await self._take_back(error)
                raise error
            await self.catch_up()
        raise TemporaryError(f"others kept pushing to {self._name} before us, {_ROUNDS} times in a row")

    @property
    def _tracking(self) -> str:
        return f"refs/remotes/{self._name}/{self._tree.branch}"

    async def _fetch(self) -> str | None:
        """Fetch the branch and return its commit, None when the remote has no such branch yet."""
        branch = self._tree.branch
        answer = await self._git.run(
            "fetch", "--quiet", "--no-tags", self._name, f"+refs/heads/{branch}:{self._tracking}"
        )
        if answer.ok:
            return await self._git.ask("the fetched commit is not known", ("rev-parse", self._tracking))
        if "couldn't find remote ref" in answer.complaint:
            return None
        raise answer.error(f"{branch} could not be fetched from {self._name}")

    async def _distance(self, upstream: str) -> tuple[int, int]:
        """Return how many commits we are ahead, and how many behind."""
        what = "the branches cannot be compared"
        counts = await self._git.ask(what, ("rev-list", "--left-right", "--count", f"HEAD...{upstream}"))
        ahead, behind = counts.split()
        return int(ahead), int(behind)

    async def _take_back(self, error: TemporaryError | PermanentError) -> None:
        """After a refusal for good, drop our commits where the remote has a branch to go back to."""
        known = await self._git.run("rev-parse", "--verify", "--quiet", self._tracking)
        if isinstance(error, PermanentError) and known.ok:
            await self._drop(known.output.strip(), str(error))

    async def _drop(self, upstream: str, cause: str) -> None:
        """Give up our unpushed commits and go to `upstream`.

        Raises:
            PermanentError: there are a person's commits among them, which are not ours to give up.
        """
        form = f"--format=%h%x00%(trailers:key={PUSH_TRAILER},valueonly,separator=%x20)"
        commits = await self._git.ask("the unpushed commits are not known", ("log", form, f"{upstream}..HEAD"))
        others = [line.partition("\0")[0] for line in commits.splitlines() if not line.partition("\0")[2].strip()]
        if others:
            raise PermanentError(
                f"the commits {', '.join(others)} on {self._tree.branch}, which are not Argoos's, cannot be "
                f"pushed: {cause}; rebase or take them back by hand"
            )
        log.warning("unpushed commits of ours were dropped", branch=self._tree.branch, cause=cause)
        await self._tree.move(upstream)
        self.unpushed = False
