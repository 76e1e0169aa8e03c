"""What an operator can say about the manifests backend."""

import re
from dataclasses import dataclass
from pathlib import Path

from argoos.errors import SettingsError

_AUTHOR = re.compile(r"(?P<name>[^<>\n]*[^<>\s])\s*<(?P<mail>[^<>\s]+)>")


@dataclass(frozen=True, slots=True, kw_only=True)
class GitOptions:
    """What to do with changed files in a git work tree.

    `author` (``Name <mail>``) is author and committer of the commits. With `push`, each commit goes to `branch` of
    `remote`, and what others pushed there is fetched every `pull_seconds` and before a change; `branch` is the one
    that is checked out, and None means just that. `timeout_seconds` is how long one git command may take.

    Raises:
        SettingsError: `author` is not of its form.
    """

    author: str = "Argoos <argoos@localhost>"
    push: bool = False
    remote: str = "origin"
    branch: str | None = None
    pull_seconds: float = 60
    timeout_seconds: float = 60

    def __post_init__(self) -> None:
        if not _AUTHOR.fullmatch(self.author):
            raise SettingsError([f"git author {self.author!r} is not of the form Name <mail>"])

    def identity(self) -> tuple[str, str]:
        """Return name and mail of the author."""
        match = _AUTHOR.fullmatch(self.author)
        return (match["name"], match["mail"]) if match else (self.author, "")


@dataclass(frozen=True, slots=True, kw_only=True)
class ManifestsOptions:
    """Where the files are, and how often to look at them.

    All ``*.yaml`` and ``*.yml`` files below `path` are read, but for hidden ones and symbolic links. Every
    `rescan_seconds` the tree is looked through for changes by others. Without `git`, files are changed and not
    committed.
    """

    path: Path
    git: GitOptions | None = None
    rescan_seconds: float = 5
