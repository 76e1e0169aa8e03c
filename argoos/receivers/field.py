"""Fields of a notification: raw JSON narrowed to values that can be stored and shown. Every receiver reads by these."""

import re
from datetime import UTC, datetime, timedelta
from functools import lru_cache

from argoos.core.image import Repository
from argoos.errors import InvalidReference

# Wider than the grammar of image references: the alias table may give any Host header a proper name.
_HOST = re.compile(r"[\w.:\[\]-]{1,255}", re.ASCII)
_URL_HOST = re.compile(r"[a-z][a-z0-9+.-]*://(?:[^/?#]*@)?([^/?#]+)", re.IGNORECASE)
# Long enough for every honest text; short enough for an index entry of any database.
TEXT_LIMIT = 300
# A sender's clock may be wrong by minutes; a day and more is no time of a push, nor is the zero time of Go (year 1).
_CLOCK_SLACK = timedelta(days=1)
_EARLIEST_YEAR = 1970


def read_text(value: object) -> str:
    """Return a text fit to be stored and shown: no control characters, no lone surrogates, at most `TEXT_LIMIT` long.

    What is no text is absent: "".
    """
    if not isinstance(value, str):
        return ""
    if len(value) <= TEXT_LIMIT and value.isprintable():
        return value
    return "".join(char if char.isprintable() else "\ufffd" for char in value[:TEXT_LIMIT])


def read_media_type(value: object) -> str:
    """Return a media type without parameters, in lower case."""
    return _plain_media_type(read_text(value))


@lru_cache(maxsize=256)
def _plain_media_type(text: str) -> str:
    return text.partition(";")[0].strip().lower()


def read_media_types(references: list[object]) -> tuple[str, ...]:
    """Return the media types that descriptors name; the order is theirs."""
    types = (read_media_type(each.get("mediaType")) for each in references if isinstance(each, dict))
    return tuple(media_type for media_type in types if media_type)


def host_of_header(value: str) -> str:
    """Return the host of the registry-name header, which people also write as a URL."""
    text = read_text(value).strip()
    return host_of_url(text) or text.rstrip("/")


def host_of_url(url: str) -> str:
    """Return the ``host[:port]`` of a URL, or ""."""
    match = _URL_HOST.match(url)
    return match[1] if match else ""


@lru_cache(maxsize=4096)
def join_repository(host: str, path: str) -> Repository:
    """Join host and path.

    Raises:
        InvalidReference: either means nothing.
    """
    if not _HOST.fullmatch(host):
        raise InvalidReference(
            f"the registry's host {host!r} is no host name; the header X-Argoos-Registry-Name can name it"
        )
    return Repository.of(host, path)


def read_time(timestamp: str, received_at: datetime) -> datetime:
    """Return the sender's time in UTC (RFC 3339, nanoseconds cut to microseconds), or `received_at` if it gave none."""
    try:
        parsed = datetime.fromisoformat(timestamp)
        if parsed.tzinfo is None or parsed.year < _EARLIEST_YEAR:
            return received_at
        sent_at = parsed if parsed.tzinfo is UTC else parsed.astimezone(UTC)
    except (ValueError, OverflowError):
        return received_at
    return sent_at if sent_at <= received_at + _CLOCK_SLACK else received_at
