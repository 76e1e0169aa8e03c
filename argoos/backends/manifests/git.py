"""Running the `git` command: never asking anybody anything, and its failures told apart."""

import asyncio
import contextlib
import os
import re
import signal
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from argoos.backends.manifests.options import GitOptions
from argoos.errors import Forbidden, PermanentError, TemporaryError, excerpt

_LOCAL = frozenset({
    "GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE", "GIT_PREFIX", "GIT_COMMON_DIR", "GIT_NAMESPACE",
    "GIT_OBJECT_DIRECTORY", "GIT_ALTERNATE_OBJECT_DIRECTORIES", "SSH_ASKPASS",
})  # fmt: skip
"""Variables that would lead git to another repository, or to a window that asks for a password."""

_GRACE_SECONDS = 2.0

_CREDENTIALS = re.compile(r"(\w+://)[^/@\s]+@")
_DENIED = re.compile(
    r"Authentication failed|Permission denied|could not read (?:Username|Password)|Host key verification failed"
    r"|returned error: 40[13]|access denied|insufficient permission|dubious ownership",
    re.IGNORECASE,
)
_BUSY = re.compile(r"\.lock': File exists|cannot do a partial commit|another git process", re.IGNORECASE)
_REFUSED = re.compile(
    r"hook declined|\[remote rejected\]|protected branch|pre-receive|denyCurrentBranch", re.IGNORECASE
)
_OVERTAKEN = re.compile(
    r"non-fast-forward|fetch first|\[rejected\]|cannot lock ref|failed to update ref|incorrect old value", re.IGNORECASE
)
_UNREACHABLE = re.compile(
    r"Could not resolve|unable to access|Could not read from remote|unable to connect|early EOF|hung up"
    r"|Connection (?:refused|reset|timed)|does not appear to be a git repository|No space left|No route to host",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """How a git command ended."""

    code: int
    output: str
    complaint: str

    @property
    def ok(self) -> bool:
        """Whether it did what it was asked."""
        return self.code == 0

    @property
    def cause(self) -> str:
        """What git (or a hook) said, on one line, cut, without credentials."""
        said = self.complaint.strip() or self.output.strip() or f"it ended with code {self.code}"
        return excerpt(_CREDENTIALS.sub(r"\1***@", said))

    @property
    def overtaken(self) -> bool:
        """Whether a push was rejected because somebody else pushed first."""
        return not self.ok and bool(_OVERTAKEN.search(self.complaint + self.output))

    def error(self, what: str) -> TemporaryError | PermanentError:
        """Return the failure as one of our errors; `what` says what could not be done."""
        said = self.complaint + self.output
        message = f"{what}: {self.cause}"
        if _BUSY.search(said):
            return TemporaryError(message)
        if _DENIED.search(said):
            return Forbidden(message)
        if _UNREACHABLE.search(said) and not _REFUSED.search(said):
            return TemporaryError(message)
        return PermanentError(message)


class Git:
    """Runs git in one directory, as the author that the options name.

    The person's own configuration and hooks count. Commands run in a session of their own, without a terminal, so
    that neither git nor ssh can ask for anything.

    Args:
        folder: where to run it.
        options: the author, and how long a command may take.
    """

    def __init__(self, folder: Path, options: GitOptions) -> None:
        self._folder = folder
        self._timeout_seconds = options.timeout_seconds
        name, mail = options.identity()
        self._environment = {key: value for key, value in os.environ.items() if key not in _LOCAL} | {
            "GIT_AUTHOR_NAME": name,
            "GIT_AUTHOR_EMAIL": mail,
            "GIT_COMMITTER_NAME": name,
            "GIT_COMMITTER_EMAIL": mail,
            "GIT_TERMINAL_PROMPT": "0",
            "GIT_EDITOR": "true",
            "LC_ALL": "C.UTF-8",
            "LANGUAGE": "",
        }

    async def run(self, *arguments: str, text: str = "", folder: Path | None = None) -> Answer:
        """Run ``git <arguments>`` with `text` on its standard input, and return how it ended, well or not.

        Raises:
            PermanentError: there is no git.
            TemporaryError: it took too long and was stopped.
        """
        command = ("git", "--literal-pathspecs", "-c", "core.quotePath=false", *arguments)
        try:
            process = await asyncio.create_subprocess_exec(
                *command,
                cwd=folder or self._folder,
                env=self._environment,
                stdin=asyncio.subprocess.PIPE,
                stdout=asyncio.subprocess.PIPE,
                stderr=asyncio.subprocess.PIPE,
                start_new_session=True,
            )
        except OSError as exc:
            raise _not_started(exc, folder or self._folder) from exc
        try:
            async with asyncio.timeout(self._timeout_seconds):
                output, complaint = await process.communicate(text.encode())
        except TimeoutError as exc:
            raise TemporaryError(f"git {arguments[0]} took more than {self._timeout_seconds:g} s") from exc
        finally:
            await _stop(process)
        return Answer(
            code=process.returncode or 0,
            output=output.decode(errors="replace"),
            complaint=complaint.decode(errors="replace"),
        )

    async def ask(self, what: str, arguments: Sequence[str]) -> str:
        """Run a command that has to succeed and return what it printed; `what` says what it is for.

        Raises:
            PermanentError, TemporaryError: it did not succeed.
        """
        answer = await self.run(*arguments)
        if not answer.ok:
            raise answer.error(what)
        return answer.output.removesuffix("\n")


def _not_started(error: OSError, folder: Path) -> PermanentError | TemporaryError:
    if isinstance(error, FileNotFoundError) and error.filename == "git":
        return PermanentError("the command git is not installed; install it, or leave git out of the settings")
    return TemporaryError(f"git cannot be run in {folder}: {error.strerror}")


async def _stop(process: asyncio.subprocess.Process) -> None:
    """End a command that still runs, with all it started (it leads a process group of its own).

    It is asked first: git then removes its lock files, which would be in everybody's way.
    """
    if process.returncode is not None:
        return
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGTERM)
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(_GRACE_SECONDS):
                await process.wait()
        os.killpg(process.pid, signal.SIGKILL)
    await process.wait()
