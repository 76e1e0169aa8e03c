"""The command lines of `argoos` that stand in shell blocks and in inline code."""

import shlex
from collections.abc import Iterator

from tests.docs.pages import Page

ENDS = {"|", "||", "&&", ";", "&", ">", ">>", "2>&1", "<", "(", ")"}
SHELLS = {"sh", "console", "bash"}


def in_blocks(page: Page) -> Iterator[tuple[str, list[str]]]:
    """Yield the place and the arguments of each call of `argoos` in the shell blocks of a page."""
    for block in page.blocks():
        if block.language in SHELLS:
            for line in _logical_lines(block.text):
                for arguments in _calls(line):
                    yield f"{block}: {line}", arguments


def in_prose(page: Page) -> Iterator[tuple[str, list[str]]]:
    """Yield the place and the arguments of each `argoos …` in the inline code of a page."""
    for span in page.spans():
        for arguments in _calls(span):
            yield f"{page.name}: {span}", arguments


def _logical_lines(text: str) -> Iterator[str]:
    """Yield commands, continued lines joined, prompts and what is fed to them (here-documents) left out."""
    end = ""
    for line in text.replace("\\\n", " ").splitlines():
        if end:
            end = "" if line.strip() == end else end
        elif "<<'" in line:
            end = line.partition("<<'")[2].partition("'")[0]
        else:
            yield line.removeprefix("$ ").strip()


def _calls(line: str) -> Iterator[list[str]]:
    try:
        lexer = shlex.shlex(line, posix=True, punctuation_chars="|&;<>()")
        lexer.whitespace_split = True
        words = list(lexer)
    except ValueError:  # prose in code, with a single quote
        return
    can_start = True
    while words:
        word = words.pop(0)
        if can_start and word == "argoos":
            arguments: list[str] = []
            while words and words[0] not in ENDS:
                arguments.append(words.pop(0))
            yield arguments
        is_assignment = "=" in word and word.partition("=")[0].isidentifier()
        can_start = word in ENDS or word == "--" or (can_start and is_assignment)
