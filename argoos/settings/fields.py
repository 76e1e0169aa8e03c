"""The values that settings are made of: addresses, paths, URLs and secrets, each parsed at the door.

A parser raises ValueError with half a sentence that says what is wrong and what to write; the report puts the place and
the key in front of it. No text quotes a value that may be secret.
"""

import re
import stat
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any
from urllib.parse import urlsplit

from pydantic import AfterValidator, BeforeValidator, Field, PlainSerializer, SecretStr

_CREDENTIALS = re.compile(r"(?<=://)[^/@\s]*@")
_NAMESPACE_PATTERN = re.compile(r"[a-z0-9*?\[\]!.-]+")
_AUTHOR = re.compile(r"[^<>\n]*[^<>\s] <[^<>\s]+>")
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,62}")


class Located(str):
    """A text that remembers the directory which relative paths in it start from.

    A path in a file is relative to that file, one on the command line to the working directory. Pydantic hands the
    very object to the field's parser, so the directory travels with the text, and nobody need know which keys are
    paths.
    """

    __slots__ = ("base",)
    base: Path

    def __new__(cls, text: str, base: Path) -> "Located":
        """Make a text that starts from `base`."""
        located = super().__new__(cls, text)
        located.base = base
        return located


@dataclass(frozen=True, slots=True, kw_only=True)
class Address:
    """Where to listen. `host` is "" for every interface; port 0 lets the system choose."""

    host: str
    port: int

    @classmethod
    def parse(cls, text: str) -> "Address":
        """Parse ``host:port``, ``:port`` or ``[IPv6]:port``.

        Raises:
            ValueError: the text is none of these.
        """
        host, colon, port = text.strip().rpartition(":")
        bare = host[1:-1] if host.startswith("[") and host.endswith("]") else host
        if not colon or not (port.isascii() and port.isdigit()) or (bare == host and ":" in host):
            raise ValueError(f"{text!r} is no address; write host:port, :port or [IPv6]:port")
        if int(port) > 65535:
            raise ValueError(f"port {port} is out of range; ports go from 0 to 65535")
        if any(character.isspace() or character in "/@" for character in bare):
            raise ValueError(f"{host!r} is no host; write host:port without a scheme or path, such as 0.0.0.0:3000")
        return cls(host=bare, port=int(port))

    def __str__(self) -> str:
        """Return the address as it is written in the settings."""
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


@dataclass(frozen=True, slots=True)
class DatabaseUrl:
    """Where the history is kept. ``str()`` and ``repr()`` hide a password; `url` is for the store alone."""

    _url: str

    @property
    def url(self) -> str:
        """Return the URL with its password."""
        return self._url

    @property
    def sqlite_path(self) -> Path | None:
        """The file, when the database is SQLite."""
        return Path(self._url.removeprefix("sqlite:///")) if self._url.startswith("sqlite:") else None

    def __str__(self) -> str:
        """Return the URL with its password hidden."""
        return masked_url(self._url)

    def __repr__(self) -> str:
        """Return the URL with its password hidden."""
        return f"DatabaseUrl({str(self)!r})"


def masked_url(text: str) -> str:
    """Return `text` with the password of each URL in it replaced by stars."""
    return _CREDENTIALS.sub(_hide, text)


def _hide(match: "re.Match[str]") -> str:
    user, colon, _ = match[0].partition(":")
    return f"{user}:***@" if colon else match[0]


def _as_text(value: object, example: str) -> str:
    if not isinstance(value, str):
        raise ValueError(f"is not a text; write {example}")  # noqa: TRY004 - pydantic takes ValueError
    return value


def _address(value: object) -> object:
    if isinstance(value, Address):
        return value
    return Address.parse(_as_text(value, ":3000 (every interface) or 127.0.0.1:3000"))


def _base(value: str) -> Path:
    return value.base if isinstance(value, Located) else Path.cwd()


def _path(value: object) -> object:
    if isinstance(value, Path):
        return value
    text = _as_text(value, "a path in quotes")
    if not text.strip():
        raise ValueError("is empty; write a path")
    return _base(text) / Path(text).expanduser()


def _readable_file(path: Path) -> Path:
    try:
        mode = path.stat().st_mode
        if stat.S_ISDIR(mode):
            raise ValueError(f"{path} is a directory; name a file")
        with path.open("rb"):
            pass
    except FileNotFoundError as error:
        raise ValueError(f"there is no file {path}") from error
    except OSError as error:
        raise ValueError(f"{path} cannot be read: {error.strerror}") from error
    return path


def _directory(path: Path) -> Path:
    if not path.exists():
        raise ValueError(f"there is no directory {path}")
    if not path.is_dir():
        raise ValueError(f"{path} is no directory")
    return path


def _http_url(value: object) -> object:
    text = _as_text(value, "https://kubernetes.example.com:6443")
    parts = urlsplit(text)
    try:
        host, _ = parts.hostname, parts.port
    except ValueError as error:
        raise ValueError(f"{masked_url(text)!r} is no URL: {error}") from error
    if parts.scheme not in ("http", "https") or not host:
        raise ValueError(f"{masked_url(text)!r} is no URL; write https://host:port")
    if parts.username is not None or parts.query or parts.fragment:
        raise ValueError("may hold no user, query or fragment; write https://host:port")
    return text.rstrip("/")


def _database(value: object) -> object:
    if isinstance(value, DatabaseUrl):
        return value
    text = _as_text(value, "sqlite:///argoos.db")
    if not text.startswith("sqlite:///") or "?" in text:
        raise ValueError(f"{masked_url(text)!r} is no database; write sqlite:///relative.db or sqlite:////absolute.db")
    name = text.removeprefix("sqlite:///")
    if name in ("", ":memory:"):
        raise ValueError("a database in memory would lose accepted pushes; name a file: sqlite:///argoos.db")
    return DatabaseUrl(f"sqlite:///{_base(text) / Path(name).expanduser()}")


def _token(value: object) -> object:
    if isinstance(value, SecretStr):
        return value
    return SecretStr(checked_token(_as_text(value, "the token in quotes")))


def checked_token(text: str) -> str:
    """Return a token that a header can carry; the message never quotes it.

    Raises:
        ValueError: it is empty, or holds white space or characters that no header may hold.
    """
    if not text:
        raise ValueError("is an empty token; leave it out, or write one")
    if not text.isascii() or not text.isprintable() or " " in text:
        raise ValueError("is a token with spaces or characters outside printable ASCII, which no header carries")
    return text


def _matching(pattern: "re.Pattern[str]", meaning: str) -> AfterValidator:
    def check(text: str) -> str:
        if not pattern.fullmatch(text):
            raise ValueError(f"{text!r} is no {meaning}")
        return text

    return AfterValidator(check)


AnyAddress = Annotated[Address, BeforeValidator(_address), PlainSerializer(str)]
FilePath = Annotated[Path, BeforeValidator(_path), AfterValidator(_readable_file), PlainSerializer(str)]
DirectoryPath = Annotated[Path, BeforeValidator(_path), AfterValidator(_directory), PlainSerializer(str)]
HttpUrl = Annotated[str, BeforeValidator(_http_url)]
Database = Annotated[DatabaseUrl, BeforeValidator(_database), PlainSerializer(str)]
Token = Annotated[SecretStr, BeforeValidator(_token), PlainSerializer(lambda _: "***")]
NamespacePattern = Annotated[str, _matching(_NAMESPACE_PATTERN, "namespace pattern; write for example team-*")]
Author = Annotated[str, _matching(_AUTHOR, "author; write Name <mail@example.com>")]
BackendName = Annotated[str, _matching(_NAME, "name; use letters, digits, '.', '_' and '-'")]
PositiveInt = Annotated[int, Field(ge=1)]
Seconds = Annotated[float, Field(ge=0, allow_inf_nan=False)]
Raw = dict[str, Any]
"""What a source gave, before it is checked."""
