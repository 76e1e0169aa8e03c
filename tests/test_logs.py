"""Logging: one way for us and the libraries, in both forms, without secrets."""

import io
import json
import logging
from collections.abc import Iterator

import pytest
import structlog

from argoos import logs


@pytest.fixture(autouse=True)
def _clean_logging() -> Iterator[None]:
    """Leave logging as the other tests expect it."""
    handlers, level = list(logging.getLogger().handlers), logging.getLogger().level
    yield
    logging.getLogger().handlers[:] = handlers
    logging.getLogger().setLevel(level)
    logging.captureWarnings(False)
    structlog.reset_defaults()


def test_ours_and_theirs_are_json_lines() -> None:
    """Our lines and those of libraries come out as one JSON object each."""
    out = io.StringIO()
    logs.configure("auto", stream=out)
    structlog.get_logger("argoos.worker").info("push", repository="shop/web", updated=2)
    logging.getLogger("aiohttp.server").warning("odd %s", "request")
    ours, theirs = map(json.loads, out.getvalue().splitlines())
    assert (ours["event"], ours["repository"], ours["updated"], ours["level"]) == ("push", "shop/web", 2, "info")
    assert (theirs["event"], theirs["logger"], theirs["level"]) == ("odd request", "aiohttp.server", "warning")
    assert ours["at"].endswith("Z")


def test_an_error_is_one_line_with_its_traceback() -> None:
    """A traceback is a field of the line, not lines of its own."""
    out = io.StringIO()
    logs.configure("json", stream=out)
    structlog.get_logger().error("failed", exc_info=ValueError("no good"))
    (line,) = out.getvalue().splitlines()
    assert "ValueError: no good" in json.loads(line)["exception"]


@pytest.mark.parametrize("form", ["json", "console"])
def test_secrets_never_come_out(form: logs.LogFormat) -> None:
    """Telling keys, passwords in URLs and bearer tokens are stars, however deep they are."""
    out = io.StringIO()
    logs.configure(form, stream=out)
    log = structlog.get_logger()
    log.info("a", token="s3cret", api_password="s3cret", headers={"X-Argoos-Token": "s3cret", "Host": "kept-1"})
    log.info("b", url="postgresql://me:s3cret@kept-2/x", urls=["https://u:s3cret@h"])
    logging.getLogger("x").warning("sent Authorization: Bearer s3cret to kept-3")
    log.error("c", exc_info=ValueError("X-Argoos-Token: s3cret"))
    log.info("d", url="http://127.0.0.1:3000", image="localhost:5000/shop/web:1.4.3@sha256:kept-4")
    text = out.getvalue()
    assert "http://127.0.0.1:3000" in text
    assert "localhost:5000/shop/web:1.4.3@sha256:kept-4" in text
    assert "s3cret" not in text
    assert all(word in text for word in ("kept-1", "kept-2", "kept-3"))


def test_debug_lines_need_verbose() -> None:
    """Debug lines come out with verbose alone."""
    out = io.StringIO()
    logs.configure("json", stream=out)
    structlog.get_logger("argoos").debug("inside")
    assert out.getvalue() == ""
    logs.configure("json", verbose=True, stream=out)
    structlog.get_logger("argoos").debug("inside")
    assert json.loads(out.getvalue())["event"] == "inside"
