"""Files under git: the work tree is brought up to date, the batch is written, committed, and pushed."""

import asyncio
from collections.abc import Mapping
from pathlib import Path

import structlog

from argoos.backends.manifests import journal
from argoos.backends.manifests.batch import Batch
from argoos.backends.manifests.folder import Folder
from argoos.backends.manifests.git import Git
from argoos.backends.manifests.journal import Page, Pending
from argoos.backends.manifests.message import message
from argoos.backends.manifests.options import GitOptions
from argoos.backends.manifests.remote import Remote
from argoos.backends.manifests.worktree import WorkTree
from argoos.errors import Conflict, PermanentError, TemporaryError

_FRESH_SECONDS = 2.0
"""So soon after a fetch none is made before a change: should others have pushed, ours is rejected and rebased."""

_RETRY_SECONDS = 1.0
"""How soon after a failure the work tree and its remote are tried again; doubled up to the pull interval."""

log = structlog.get_logger(__name__)


class Committer:
    """Keeps a folder's changes in git. One caller at a time.

    Args:
        folder: the folder of manifests.
        options: author, remote, how often to pull.
    """

    def __init__(self, folder: Folder, options: GitOptions) -> None:
        self._folder = folder
        self._options = options
        git = Git(folder.root, options)
        self._tree = WorkTree(folder.root, git, options)
        self._remote = Remote(self._tree, git, options)
        self._page = Page()
        self._journal = Path()
        self._due = 0.0  # by the loop's clock, as is `_fetched`
        self._fetched = float("-inf")
        self._failures = 0
        self.trouble = "git was not looked at yet"

    @property
    def pushes(self) -> Mapping[str, str]:
        """Which push moved each workload last, by its uid."""
        return self._page.pushes

    async def tend(self) -> None:
        """Between changes: follow the remote, push what is not pushed, and see whether what failed works again."""
        if asyncio.get_running_loop().time() < self._due:
            return
        try:
            await self._prepare()
        except (TemporaryError, PermanentError) as exc:
            log.warning("git cannot be used now", folder=str(self._folder.root), cause=str(exc))

    async def carry_out(self, batch: Batch) -> None:
        """Draft, write, commit and push the batch; `batch.attempts` tells what became of it."""
        fresh = self._fetched + _FRESH_SECONDS > asyncio.get_running_loop().time()
        if self.trouble or self._remote.unpushed or not fresh:
            try:
                await self._prepare()
            except (TemporaryError, PermanentError) as exc:
                batch.fail(exc)
                return
        await asyncio.to_thread(batch.draft)
        batch.refuse(await self._tree.blocked(batch.paths))
        await self._announce(batch)
        if batch.drafts:
            await self._write(batch)
        if self._options.push and batch.applied and (batch.drafts or self._remote.unpushed):
            await self._push(batch)

    async def _prepare(self) -> None:
        """Make the work tree ready for a change; `trouble` says afterwards why it is not, or is "".

        Raises:
            PermanentError, TemporaryError: it is not.
        """
        try:
            await self._tree.check()
            await self._recover()
            if self._options.push:
                await self._follow()
        except (TemporaryError, PermanentError) as exc:
            self._failed(exc)
            raise
        self._failures = 0
        self.trouble = ""
        self._fetched = asyncio.get_running_loop().time()
        self._due = self._fetched + self._options.pull_seconds if self._options.push else float("inf")

    def _failed(self, error: TemporaryError | PermanentError) -> None:
        wait = min(_RETRY_SECONDS * 2**self._failures, self._options.pull_seconds)
        self._failures = min(self._failures + 1, 16)
        self._due = asyncio.get_running_loop().time() + wait
        self.trouble = str(error)

    async def _follow(self) -> None:
        try:
            await self._remote.catch_up()
            if self._remote.unpushed:
                await self._push_earlier()
        except Conflict as exc:
            log.warning("earlier commits of ours were given up; their pushes are decided on again", cause=str(exc))

    async def _push_earlier(self) -> None:
        """Push what was committed before; a refusal that made us drop it is no obstacle to what comes now."""
        try:
            await self._remote.push()
        except PermanentError as exc:
            if self._remote.unpushed:
                raise
            log.warning("earlier commits of ours were refused; their pushes are decided on again", cause=str(exc))

    async def _announce(self, batch: Batch) -> None:
        """Note in the journal what is about to be written and committed; without that note nothing is written."""
        if not batch.drafts:
            return
        pushes = {**self._page.pushes, **{change.workload.ref.uid: change.push_id for change in batch.written}}
        pending = Pending(message=message(batch.written), hashes=batch.hashes)
        try:
            await self._note(Page(pending=pending, pushes=pushes))
        except TemporaryError as exc:
            batch.refuse(dict.fromkeys(batch.paths, exc))

    async def _write(self, batch: Batch) -> None:
        """Write and commit the drafts; what is not committed is taken back, so that the files say what is in git."""
        try:
            await asyncio.to_thread(batch.write)
            if batch.drafts:
                await self._tree.commit(batch.paths, message(batch.written))
        except (TemporaryError, PermanentError) as exc:
            await asyncio.to_thread(batch.undo, exc)
        try:
            await self._note(Page(pushes=self._page.pushes))
        except (TemporaryError, PermanentError) as exc:
            log.warning("the journal was not cleared", cause=str(exc))  # harmless: nothing it names is uncommitted

    async def _push(self, batch: Batch) -> None:
        try:
            await self._remote.push()
        except Conflict as exc:
            batch.fail(exc)
        except (TemporaryError, PermanentError) as exc:
            batch.fail(exc)
            if self._remote.unpushed:
                self._failed(exc)
        else:
            self._fetched = asyncio.get_running_loop().time()

    async def _recover(self) -> None:
        """Finish what a kill between write and commit left: commit just what we had written, if it is still that."""
        self._journal = self._folder.root / await self._tree.file("argoos.json")
        self._page = await asyncio.to_thread(journal.load, self._journal)
        pending = self._page.pending
        if not pending.hashes:
            return
        ours = await asyncio.to_thread(self._still_ours, pending)
        loose = list(await self._tree.blocked(ours))
        if loose:
            log.warning("committing what was written before a stop", files=loose)
            try:
                await self._tree.commit(loose, pending.message)
            except PermanentError as exc:
                log.warning("it cannot be committed and is taken back", files=loose, cause=str(exc))
                await self._tree.restore(loose)
        await self._note(Page(pushes=self._page.pushes))

    def _still_ours(self, pending: Pending) -> list[str]:
        return [path for path, expected in pending.hashes.items() if self._hash(path) == expected]

    def _hash(self, path: str) -> str:
        try:
            return journal.content_hash(self._folder.bytes(path))
        except (Conflict, TemporaryError, PermanentError):
            return ""

    async def _note(self, page: Page) -> None:
        await asyncio.to_thread(journal.save, self._journal, page)
        self._page = page
