"""Tokens from a file, and their rotation without a restart."""

import os
from pathlib import Path

import pytest
import structlog
from pydantic import SecretStr

from argoos.errors import SettingsError
from argoos.settings import Tokens


@pytest.mark.parametrize("content", ["one\n# old\n\n  two  \n", '["one", "two"]', "- one\n- two\n"])
def test_the_forms_of_a_token_file(tmp_path: Path, content: str) -> None:
    """One on each line, or a YAML list; beside those in the settings."""
    file = tmp_path / "tokens"
    file.write_text(content)
    assert Tokens([SecretStr("zero")], file)() == ("zero", "one", "two")


def test_a_change_counts_at_once(tmp_path: Path) -> None:
    """A file that is written anew, or swapped as a mounted Secret is, counts from the next call on."""
    (tmp_path / "a").write_text("one")
    (tmp_path / "b").write_text("two")
    link = tmp_path / "link"
    link.symlink_to("a")
    tokens = Tokens([], link)
    assert tokens() == ("one",)
    (tmp_path / "a").write_text("three")
    assert tokens() == ("three",)
    new = tmp_path / "new"
    new.symlink_to("b")
    new.replace(link)
    assert tokens() == ("two",)
    assert tokens.failure == ""


@pytest.mark.parametrize("break_it", ["empty", "remove"])
def test_a_lost_file_opens_nothing(tmp_path: Path, break_it: str) -> None:
    """When the file is lost or emptied, the tokens read last still hold, and the failure is told."""
    file = tmp_path / "tokens"
    file.write_text("one")
    tokens = Tokens([], file)
    if break_it == "empty":
        file.write_text("")
    else:
        file.unlink()
    with structlog.testing.capture_logs() as logged:
        assert tokens() == ("one",)
        assert tokens() == ("one",)
    assert "the tokens read before still hold" in tokens.failure
    assert [line["event"] for line in logged] == [tokens.failure]
    file.write_text("other")
    os.utime(file)
    assert tokens() == ("other",)
    assert tokens.failure == ""


def test_a_file_without_tokens_is_refused_at_the_start(tmp_path: Path) -> None:
    """There is nothing to fall back on at the start, so a bad file is an error."""
    file = tmp_path / "tokens"
    file.write_text("\n")
    with pytest.raises(SettingsError, match="holds no token"):
        Tokens([], file)


def test_tokens_are_never_printed(tmp_path: Path) -> None:
    """The repr tells how many tokens there are."""
    assert repr(Tokens([SecretStr("s3cret")], None)) == "Tokens(1)"
