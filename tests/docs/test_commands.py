"""Every command line that a page shows is one that `argoos` takes."""

import re

import pytest
import typer
from typer.main import get_command

from argoos.cli import app
from argoos.commands import original
from tests.docs.commands import in_blocks, in_prose
from tests.docs.pages import pages

GENERATED = "docs/reference/commands.md"
PLACEHOLDER = re.compile(r"^(?:ID|N)$|…")
WRITTEN_OUT = [call for each in pages() if each.name != GENERATED for call in in_blocks(each)]
MENTIONED = [call for each in pages() for call in in_prose(each)]


def test_there_are_commands() -> None:
    """The pages are full of them; an empty list would mean that they are not found."""
    assert len(WRITTEN_OUT) > 30
    assert len(MENTIONED) > 30
    shown = {arguments[0] for _, arguments in WRITTEN_OUT}
    assert shown >= {"serve", "plan", "policy", "push", "pushes", "settings"}


@pytest.mark.parametrize(("place", "arguments"), WRITTEN_OUT, ids=[place for place, _ in WRITTEN_OUT])
def test_a_command_to_paste_is_taken(place: str, arguments: list[str]) -> None:
    """A command in a block is parsed whole: its name, its flags, their values, its arguments."""
    given = original.translated(arguments)
    assert given, f"{place}: a command is missing"
    if given[0] in ("--version", "--help"):
        return
    command = get_command(app).get_command(typer.Context(get_command(app)), given[0])  # type: ignore[attr-defined]  # a group
    assert command is not None, f"{place}: there is no command {given[0]}"
    values = [_value(word) for word in given[1:]]
    command.make_context(given[0], values)


@pytest.mark.parametrize(("place", "arguments"), MENTIONED, ids=[place for place, _ in MENTIONED])
def test_a_command_that_is_mentioned_exists(place: str, arguments: list[str]) -> None:
    """In running text arguments may be left out, but the command and the flags exist."""
    given = [word for word in original.translated(arguments) if not PLACEHOLDER.search(word)]
    group = get_command(app)
    if not given or given[0].startswith("-"):
        known = {option for parameter in group.params for option in parameter.opts}
        assert set(given) <= known, place
        return
    command = group.get_command(typer.Context(group), given[0])  # type: ignore[attr-defined]  # a group
    assert command is not None, f"{place}: there is no command {given[0]}"
    flags = {option for parameter in command.params for option in (*parameter.opts, *parameter.secondary_opts)}
    used = {word.partition("=")[0] for word in given[1:] if word.startswith("-")}
    assert used <= flags, f"{place}: {used - flags}"


def _value(word: str) -> str:
    """Return a value for a placeholder or a variable of the shell."""
    return "1" if PLACEHOLDER.search(word) else word
