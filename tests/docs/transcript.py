"""Following a page literally: its commands run in one shell, and what they print is compared with what it shows."""

import os
import re
import signal
import subprocess
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from tests.docs.pages import Block, Page

PATIENCE = 3
"""Pauses last so many times longer than a page says: a test machine may be busy with something else."""

_MARK = "\x1e"
_SPACES = re.compile(r"[ \t]+")


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """A block to run, and the output that the page shows below it, or None."""

    block: Block
    shown: Block | None

    @property
    def exit_code(self) -> int:
        """The code with which its last command is to end."""
        codes = [int(word.removeprefix("exit=")) for word in self.block.words if word.startswith("exit=")]
        return codes[0] if codes else 0


def parts(page: Page) -> list[Part]:
    """Return what there is to run on a page, in order."""
    found = page.blocks()
    followers = [*found[1:], None][: len(found)]
    return [
        Part(block=block, shown=after if after is not None and "output" in after.words else None)
        for block, after in zip(found, followers, strict=True)
        if "run" in block.words
    ]


def follow(page: Page, directory: Path, *, path: str, ports: Mapping[int, int], seconds: float = 90) -> None:
    """Run the page's commands in `directory` and compare what they print.

    Args:
        page: the page.
        directory: where to start; a new home for what the commands keep, too.
        path: the PATH to find programs on.
        ports: the ports that the page names, and those that are to stand in for them.
        seconds: how long all of it may take.

    Raises:
        AssertionError: a command ended or printed otherwise than the page says.
    """
    todo = parts(page)
    script = f"sleep() {{ command sleep $(($1 * {PATIENCE})); }}\n" + "".join(
        f"{_on(ports, part.block.text)}\nprintf '{_MARK}%s{_MARK}' $?\n" for part in todo
    )
    environment = {"PATH": path, "HOME": str(directory), "LC_ALL": "C.UTF-8", "TZ": "UTC"}
    printed = _run(script, directory, environment, seconds)
    chunks = printed.split(_MARK)
    for number, part in enumerate(todo):
        output, code = ("".join(chunks[2 * number : 2 * number + 1]), "".join(chunks[2 * number + 1 : 2 * number + 2]))
        assert code == str(part.exit_code), f"{part.block} ended with {code or 'the shell'}, having printed:\n{output}"
        if part.shown is not None:
            shown = _on(ports, part.shown.text)
            assert matches(shown, output), f"{part.shown} shows\n{shown}\nbut printed was\n{output}"


def matches(shown: str, output: str) -> bool:
    """Tell whether an output is the one shown; ``…`` stands for anything, and blanks count as one."""
    pattern = ""
    for line in shown.strip().splitlines():
        if line.strip() == "…":
            pattern += r"(?:.*\n)*?"
        else:
            pattern += ".*".join(re.escape(_squeezed(piece)) for piece in line.strip().split("…")) + "\n"
    lines = "".join(f"{_squeezed(line).strip()}\n" for line in output.strip().splitlines())
    return re.fullmatch(pattern, lines) is not None


def _squeezed(text: str) -> str:
    return _SPACES.sub(" ", text)


def _on(ports: Mapping[int, int], text: str) -> str:
    for shown, real in ports.items():
        text = re.sub(rf"(?<=:){shown}\b", str(real), text)
    return text


def _run(script: str, directory: Path, environment: Mapping[str, str], seconds: float) -> str:
    """Run a script; whatever it started in the background ends with it."""
    process = subprocess.Popen(
        ["bash", "-c", script],
        cwd=directory,
        env=dict(environment),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )
    try:
        output, _ = process.communicate(timeout=seconds)
    except subprocess.TimeoutExpired as error:
        raise AssertionError(f"not done after {seconds:g} s: {error.output!r}") from error
    finally:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
    return output
