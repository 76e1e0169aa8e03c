"""`ManifestsBackend`: a folder of manifests as a backend."""

import asyncio
from collections.abc import Sequence
from dataclasses import replace

import structlog

from argoos.backends.manifests.batch import Batch, file_of
from argoos.backends.manifests.committer import Committer
from argoos.backends.manifests.folder import Folder, Scan
from argoos.backends.manifests.options import ManifestsOptions
from argoos.core.image import RegistryNames, Repository
from argoos.core.workload import Workload, WorkloadRef
from argoos.errors import BackendUnavailable, Conflict
from argoos.ports import Attempt, BackendStatus, Change, Notice

_QUOTED_PROBLEMS = 3

log = structlog.get_logger(__name__)


class ManifestsBackend:
    """Edits the images in a folder of Kubernetes manifests and stack files, and commits them where that is wanted.

    With `GitOptions.push` the remote counts, too: while it cannot be reached, or has not got a commit of ours, the
    list is not current, and pushes wait.

    Args:
        name: the backend's configured name.
        options: where the files are.
        names: the alias table.
    """

    def __init__(self, *, name: str, options: ManifestsOptions, names: RegistryNames) -> None:
        self.name = name
        self._rescan_seconds = options.rescan_seconds
        self._names = names
        self._folder = Folder(options.path, name)
        self._committer = Committer(self._folder, options.git) if options.git else None
        self._writing = asyncio.Lock()
        self._scanning = asyncio.Lock()
        self._pushes: dict[str, str] = {}
        self._index: dict[Repository, tuple[Workload, ...]] = {}
        self._scan: Scan | None = None
        self._scanned = float("-inf")  # when the last look began, by the loop's clock
        self._trouble = f"the folder {options.path} was not looked through yet"
        self._running = False

    async def run(self) -> None:
        """Look through the tree every `rescan_seconds`, and follow the remote, until cancelled."""
        self._running = True
        try:
            while True:
                await self._tend()
                await self._look()
                await asyncio.sleep(self._rescan_seconds)
        finally:
            self._running = False

    def status(self) -> BackendStatus:
        """Tell whether the folder can be read and its git work tree used; the detail names files that do not parse."""
        trouble = self._obstacle()
        if trouble:
            return BackendStatus(synced=False, detail=trouble)
        problems = self._scan.problems if self._scan else ()
        if not problems:
            return BackendStatus(synced=True)
        more = f"; and {len(problems) - _QUOTED_PROBLEMS} more" if len(problems) > _QUOTED_PROBLEMS else ""
        quoted = "; ".join(problems[:_QUOTED_PROBLEMS])
        return BackendStatus(synced=True, detail=f"files left alone: {len(problems)}: {quoted}{more}")

    async def find(self, repository: Repository | None = None) -> Sequence[Workload]:
        """Return the labelled workloads that run an image of the repository, as the files are now.

        Raises:
            BackendUnavailable: the folder cannot be read, its git work tree cannot be used, or its remote is behind.
        """
        if self._running:
            await self._look()
        trouble = self._obstacle()
        if trouble or self._scan is None:
            raise BackendUnavailable(trouble)
        found = self._scan.workloads
        if repository is not None:
            found = self._index.get(self._names.canonical(repository), ())
        return [self._with_push(workload) for workload in found]

    async def reread(self, ref: WorkloadRef) -> Workload | None:
        """Read the workload's file now.

        Raises:
            TemporaryError, PermanentError: the file cannot be read.
        """
        try:
            manifest = await asyncio.to_thread(self._folder.read, file_of(ref.uid))
        except Conflict:
            return None
        found = (each.workload for each in manifest.found if each.workload.ref == ref)
        return next(map(self._with_push, found), None)

    async def apply(self, changes: Sequence[Change]) -> Sequence[Attempt]:
        """Write the changes: one replacement for each file, one commit for all of them.

        A change whose images are there already is applied as it stands; so is a re-push under ``argoos.io/pin: tag``,
        of which a file has nothing to tell.
        """
        batch = Batch(self._folder, changes)
        async with self._writing:
            if self._committer:
                await self._committer.carry_out(batch)
            else:
                await asyncio.to_thread(batch.draft)
                await asyncio.to_thread(batch.write)
                self._pushes |= {change.workload.ref.uid: change.push_id for change in batch.written}
        return batch.attempts

    async def report(self, notice: Notice) -> None:
        """Log the notice: a file has no owner that could be told."""
        log.info("notice", backend=self.name, workload=str(notice.workload), kind=notice.kind.value, text=notice.text)

    def _obstacle(self) -> str:
        return self._trouble or (self._committer.trouble if self._committer else "")

    async def _tend(self) -> None:
        if self._committer:
            async with self._writing:
                await self._committer.tend()

    async def _look(self) -> None:
        """Scan the tree, in a thread, unless somebody else has begun to after this was asked for."""
        asked = asyncio.get_running_loop().time()
        async with self._scanning:
            if self._scanned > asked:
                return
            begun = asyncio.get_running_loop().time()
            try:
                scan = await asyncio.to_thread(self._folder.scan)
            except BackendUnavailable as exc:
                if self._trouble != str(exc):
                    log.warning("the folder cannot be read", backend=self.name, cause=str(exc))
                self._trouble = str(exc)
                return
            if scan is not self._scan:
                self._scan, self._index = scan, self._indexed(scan)
            self._trouble = ""
            self._scanned = begun

    def _indexed(self, scan: Scan) -> dict[Repository, tuple[Workload, ...]]:
        index: dict[Repository, list[Workload]] = {}
        for workload in scan.workloads:
            for repository in {self._names.canonical(each) for each in workload.repositories()}:
                index.setdefault(repository, []).append(workload)
        return {repository: tuple(workloads) for repository, workloads in index.items()}

    def _with_push(self, workload: Workload) -> Workload:
        pushes = self._committer.pushes if self._committer else self._pushes
        push = pushes.get(workload.ref.uid, "")
        return replace(workload, last_push=push) if push else workload
