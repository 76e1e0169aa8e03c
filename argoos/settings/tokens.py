"""Tokens: those written in the settings, and those in a file that is read again when it changes."""

import os
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import yaml
from pydantic import SecretStr

from argoos.errors import SettingsError
from argoos.settings.fields import checked_token

if TYPE_CHECKING:
    import structlog

Stamp = tuple[int, int, int]
"""Inode, size and time of change: differs whenever a file was replaced or written."""


class TokenFile:
    """A file of tokens: one on each line (blank lines and ``#`` comments aside), or a YAML list."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def stamp(self) -> Stamp:
        """Return what tells this state of the file from the next. Follows links, as mounted Secrets are swapped by one.

        Raises:
            OSError: the file is away.
        """
        found = os.stat(self._path)  # noqa: PTH116 - on every delivery; Path.stat costs twice as much
        return found.st_ino, found.st_size, found.st_mtime_ns

    def read(self) -> tuple[str, ...]:
        """Return the tokens in the file.

        Raises:
            OSError: it cannot be read.
            ValueError: it is no list of tokens, or empty; the message quotes none of it.
        """
        text = self._path.read_text(encoding="utf-8")
        tokens = _yaml_list(text) if text.lstrip().startswith(("[", "- ")) else _lines(text)
        if not tokens:
            raise ValueError(f"{self._path} holds no token; write one on each line")
        return tuple(tokens)

    def fault(self) -> str:
        """Return what is wrong with the file, as half a sentence, or ""."""
        try:
            self.read()
        except OSError as error:
            return f"{self._path} cannot be read: {error.strerror}"
        except ValueError as error:
            return str(error) if str(self._path) in str(error) else f"{self._path}: {error}"
        return ""


def _lines(text: str) -> list[str]:
    found: list[str] = []
    for number, line in enumerate(text.splitlines(), start=1):
        token = line.strip()
        if token and not token.startswith("#"):
            found.append(_checked(token, f"line {number}"))
    return found


def _yaml_list(text: str) -> list[str]:
    try:
        value = yaml.safe_load(text)
    except yaml.YAMLError:
        raise ValueError("starts like a YAML list and is none") from None  # the parser would quote the token
    found: list[str] = []
    for position, token in enumerate(value, start=1):
        if not isinstance(token, str):
            raise ValueError(f"entry {position} is not a text; put it in quotes")  # noqa: TRY004 - a fault of the file
        found.append(_checked(token, f"entry {position}"))
    return found


def _checked(token: str, place: str) -> str:
    try:
        return checked_token(token)
    except ValueError as error:
        raise ValueError(f"{place} {error}") from None


class Tokens:
    """The tokens that hold now. Calling it costs one look at the file's date; a change counts from the next call on.

    While the file is away or empty (as it may be for a moment when it is replaced) the tokens read last still hold, so
    that a rotation never shuts a registry out and a lost file never opens the door. `failure` says then what is amiss.

    Args:
        written: the tokens in the settings.
        path: the file with more, or None.

    Raises:
        SettingsError: the file cannot be read or holds no token.
    """

    def __init__(self, written: Sequence[SecretStr], path: Path | None) -> None:
        self._written = tuple(token.get_secret_value() for token in written)
        self._file = TokenFile(path) if path else None
        self._stamp: Stamp | None = None
        self._read: tuple[str, ...] = ()
        self.failure = ""
        if self._file:
            if fault := self._file.fault():
                raise SettingsError([fault])
            self._refresh(self._file)

    def __call__(self) -> tuple[str, ...]:
        """Return the tokens, one of which must be shown; empty when none is needed."""
        if self._file:
            self._refresh(self._file)
        return (*self._written, *self._read)

    def __repr__(self) -> str:
        """Return how many there are, and none of them."""
        return f"Tokens({len(self._written) + len(self._read)})"

    def _refresh(self, file: TokenFile) -> None:
        try:
            stamp = file.stamp()
            if stamp == self._stamp:
                return
            is_first, self._read = self._stamp is None, file.read()
            self._stamp, self.failure = stamp, ""
            if not is_first:
                _log().info("the token file was read again", tokens_in_file=len(self._read))
        except OSError as error:
            self._complain(f"the token file cannot be read: {error.strerror}; the tokens read before still hold")
        except ValueError as error:
            self._complain(f"the token file cannot be used: {error}; the tokens read before still hold")

    def _complain(self, failure: str) -> None:
        if failure != self.failure:  # once, not with every delivery
            self.failure = failure
            _log().error(failure)


def _log() -> "structlog.stdlib.BoundLogger":
    import structlog  # 0.1 s that commands which only read the settings should not pay

    logger: structlog.stdlib.BoundLogger = structlog.get_logger(__name__)
    return logger
