"""Logging: structlog, set up once by a command. Console on a terminal, one JSON object on each line otherwise.

What libraries log through the standard library takes the same way. Everything goes to standard error, since standard
output belongs to a command's answer.
"""

import logging
import re
import sys
from collections.abc import Mapping
from functools import lru_cache
from typing import Any, Literal, TextIO

import structlog
from structlog.typing import EventDict, Processor, WrappedLogger

LogFormat = Literal["auto", "console", "json"]

_SECRET_KEY = re.compile(r"(?:^|_|-)(?:tokens?|passwords?|secrets?|authorization|cookie)$", re.IGNORECASE)
_SECRET_TEXTS = {
    "@": re.compile(r"(?P<before>://[^/\s:@]*:)[^/\s@]+(?=@)"),  # the password in a URL
    "bearer": re.compile(r"(?i)(?P<before>\bbearer\s+)[^\s'\"]+"),
    "basic": re.compile(r"(?i)(?P<before>\bbasic\s+)[^\s'\"]+"),
    "x-argoos-token": re.compile(r"(?i)(?P<before>x-argoos-token['\"]?\s*[:=]\s*['\"]?)[^\s'\"]+"),
}
"""Secrets in texts, each by what the text must hold in lower case. Nearly no text does, and every push has its line:
three patterns over each of its texts would cost more than all the rest of it."""

_CHATTY = {
    "aiohttp.access": logging.ERROR,
    "alembic": logging.WARNING,
    "kubernetes": logging.ERROR,
    "asyncio": logging.WARNING,
}
"""Libraries that say more than an operator wants, and the level from which they are heard unless verbose."""


def configure(
    log_format: LogFormat = "auto", *, verbose: bool = False, quiet: bool = False, stream: TextIO | None = None
) -> None:
    """Set up logging for the process. May be called again; the last call holds.

    Args:
        log_format: ``auto`` means console when the stream is a terminal.
        verbose: log debug lines, ours and the libraries'.
        quiet: log warnings and errors alone: what a command that gives an answer has to say beside it.
        stream: where to write; standard error by default.
    """
    out = stream or sys.stderr
    is_console = log_format == "console" or (log_format == "auto" and out.isatty())
    before: list[Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.stdlib.PositionalArgumentsFormatter(),
        structlog.processors.TimeStamper(fmt="iso", utc=True, key="at"),
        structlog.processors.StackInfoRenderer(),
    ]
    structlog.configure(
        processors=[
            structlog.stdlib.filter_by_level,
            *before,
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=False,  # tests and the demo set up again
    )
    formatter = structlog.stdlib.ProcessorFormatter(
        foreign_pre_chain=before,
        processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, *_rendering(is_console, out)],
    )
    level = logging.DEBUG if verbose else logging.WARNING if quiet else logging.INFO
    _take_over(formatter, out, level)


def _take_over(formatter: logging.Formatter, out: TextIO, level: int) -> None:
    """Let the standard library's logging, and so every library's, write to `out` alone."""
    handler = logging.StreamHandler(out)
    handler.setFormatter(formatter)
    root = logging.getLogger()
    for old in list(root.handlers):
        root.removeHandler(old)
    root.addHandler(handler)
    root.setLevel(level)
    logging.captureWarnings(True)
    for name, least in _CHATTY.items():
        logging.getLogger(name).setLevel(logging.INFO if level == logging.DEBUG else least)


def _rendering(is_console: bool, out: TextIO) -> list[Processor]:
    renderer: Processor = structlog.processors.JSONRenderer(ensure_ascii=False)
    if is_console:
        renderer = structlog.dev.ConsoleRenderer(
            colors=out.isatty(), exception_formatter=structlog.dev.plain_traceback, timestamp_key="at"
        )
    return [structlog.processors.format_exc_info, hide_secrets, renderer]


def hide_secrets(_: WrappedLogger, __: str, event: EventDict) -> EventDict:
    """Replace what looks like a secret: values under telling keys, passwords in URLs, bearer tokens in texts.

    The second net: nothing should log a secret in the first place, but a library's message may quote a header.
    """
    return {key: "***" if _is_secret(key, value) else _hidden(value) for key, value in event.items()}


def _is_secret(key: str, value: object) -> bool:
    return bool(value) and isinstance(value, str | bytes) and _is_telling(key)


@lru_cache(maxsize=256)
def _is_telling(key: str) -> bool:
    return bool(_SECRET_KEY.search(key))


def _hidden(value: Any) -> Any:  # noqa: ANN401 - whatever was logged
    if isinstance(value, str):
        return _without_secrets(value)
    if isinstance(value, Mapping):
        return {key: "***" if _is_secret(str(key), inner) else _hidden(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_hidden(inner) for inner in value]
    return value


def _without_secrets(text: str) -> str:
    folded = text.lower()
    for telling, pattern in _SECRET_TEXTS.items():
        if telling in folded:
            text = pattern.sub(r"\g<before>***", text)
    return text
