"""The changes of one call, from draft to disk: each file is edited in memory, written once, and can be taken back."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import structlog

from argoos.backends.manifests import documents, files
from argoos.backends.manifests.edit import edit
from argoos.backends.manifests.folder import Folder
from argoos.backends.manifests.journal import content_hash
from argoos.errors import Conflict, PermanentError, TemporaryError
from argoos.ports import Applied, Attempt, Change

log = structlog.get_logger(__name__)


def file_of(uid: str) -> str:
    """Return the path of the file that a workload's uid names."""
    return uid.rpartition("#")[0]


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """A file that is to change, and the positions of the changes that want it."""

    path: str
    before: bytes
    after: bytes
    positions: frozenset[int]


class Batch:
    """What becomes of the changes of one call. The methods that touch files block.

    Args:
        folder: where the files are.
        changes: what is asked for; `attempts` answers each, in order.
    """

    def __init__(self, folder: Folder, changes: Sequence[Change]) -> None:
        self._folder = folder
        self._changes = tuple(changes)
        self.attempts: list[Attempt] = [Applied()] * len(changes)
        self.drafts: tuple[Draft, ...] = ()

    @property
    def paths(self) -> list[str]:
        """The files that are to change."""
        return [draft.path for draft in self.drafts]

    @property
    def hashes(self) -> Mapping[str, str]:
        """What these files are to hold, by path."""
        return {draft.path: content_hash(draft.after) for draft in self.drafts}

    @property
    def written(self) -> list[Change]:
        """The changes behind the drafts."""
        positions = {position for draft in self.drafts for position in draft.positions}
        return [self._changes[position] for position in sorted(positions)]

    @property
    def applied(self) -> list[Change]:
        """The changes that were written, or were there already."""
        pairs = zip(self._changes, self.attempts, strict=True)
        return [change for change, attempt in pairs if isinstance(attempt, Applied)]

    def draft(self) -> None:
        """Read each file once and edit it in memory."""
        by_file: dict[str, list[int]] = {}
        for position, change in enumerate(self._changes):
            by_file.setdefault(file_of(change.workload.ref.uid), []).append(position)
        for path, positions in by_file.items():
            try:
                self._draft(path, positions)
            except (Conflict, TemporaryError, PermanentError) as exc:
                self._settle(positions, exc)

    def _draft(self, path: str, positions: Sequence[int]) -> None:
        before = self._folder.bytes(path)
        manifest = documents.read(before, path, self._folder.backend)
        edited = edit(manifest, [self._changes[position] for position in positions])
        for position, attempt in zip(positions, edited.attempts, strict=True):
            self.attempts[position] = attempt
        if edited.data is not None and edited.data != before:
            wanted = frozenset(positions[index] for index in edited.written)
            self.drafts += (Draft(path=path, before=before, after=edited.data, positions=wanted),)

    def write(self) -> None:
        """Replace the files; those that cannot be replaced are no drafts any more."""
        written: list[Draft] = []
        for draft in self.drafts:
            try:
                files.replace(self._folder.locate(draft.path), expected=draft.before, data=draft.after)
            except (Conflict, TemporaryError, PermanentError) as exc:
                self._settle(draft.positions, exc)
            else:
                written.append(draft)
        self.drafts = tuple(written)

    def undo(self, error: TemporaryError | PermanentError) -> None:
        """Give the files back what they held, since `error` kept the change from being committed."""
        for draft in self.drafts:
            self._settle(draft.positions, error)
            try:
                files.replace(self._folder.locate(draft.path), expected=draft.after, data=draft.before)
            except (Conflict, TemporaryError, PermanentError) as exc:
                log.warning("a change that was not committed could not be taken back", file=draft.path, cause=str(exc))
        self.drafts = ()

    def refuse(self, refused: Mapping[str, Attempt]) -> None:
        """Drop the drafts of these files, for these reasons."""
        for draft in self.drafts:
            if draft.path in refused:
                self._settle(draft.positions, refused[draft.path])
        self.drafts = tuple(draft for draft in self.drafts if draft.path not in refused)

    def fail(self, attempt: Attempt) -> None:
        """Say of all that seemed applied that this became of it."""
        self._settle([position for position, each in enumerate(self.attempts) if isinstance(each, Applied)], attempt)

    def _settle(self, positions: Sequence[int] | frozenset[int], attempt: Attempt) -> None:
        for position in positions:
            self.attempts[position] = attempt
