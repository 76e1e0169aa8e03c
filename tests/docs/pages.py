"""The pages of the documentation, and what stands in them: fenced blocks, inline code, links, headings.

A block's info string says what it is to the tests, beside its language:

* ``sh run`` is run, in the order of the page, by `tests.docs.transcript`; ``exit=1`` says how its last command ends.
* ``text output`` is what the block before it prints; ``…`` stands for anything, a line of it for any lines.
* ``yaml argoos.yaml`` is a settings file, whole or in part; ``yaml registry`` is a registry's configuration.
* ``json example NAME`` is an answer of the API.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

ROOT = Path(__file__).parents[2]

_FENCE = re.compile(r"^(?P<indent> *)```(?P<info>[^\n`]*)\n(?P<text>.*?)^(?P=indent)```$", re.MULTILINE | re.DOTALL)
_CODE = re.compile(r"(?<!`)`([^`\n]+)`(?!`)")
_LINK = re.compile(r"\]\(([^)\s]+)\)")
_HEADING = re.compile(r"^#+ (.+)$", re.MULTILINE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Block:
    """A fenced block: its page, its line there, its language, the words behind it, its text."""

    page: str
    line: int
    language: str
    words: tuple[str, ...]
    text: str

    def __str__(self) -> str:
        """Return where it stands."""
        return f"{self.page}:{self.line}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """A page: `name` is its path in the project."""

    name: str
    text: str

    @property
    def path(self) -> Path:
        """The file."""
        return ROOT / self.name

    @property
    def prose(self) -> str:
        """The page without its fenced blocks; the lines keep their numbers."""
        return _FENCE.sub(lambda found: "\n" * found[0].count("\n"), self.text)

    def blocks(self, language: str = "", word: str = "") -> list[Block]:
        """Return the fenced blocks, of one language and with one word if they are given."""
        found = [self._block(match) for match in _FENCE.finditer(self.text)]
        return [each for each in found if language in ("", each.language) and (not word or word in each.words)]

    def _block(self, match: "re.Match[str]") -> Block:
        language, *words = match["info"].split() or [""]
        indent = len(match["indent"])
        lines = [line[indent:] for line in match["text"].splitlines()]
        line = self.text.count("\n", 0, match.start()) + 1
        return Block(page=self.name, line=line, language=language, words=tuple(words), text="\n".join(lines) + "\n")

    def spans(self) -> list[str]:
        """Return every piece of inline code."""
        return _CODE.findall(self.prose)

    def links(self) -> list[str]:
        """Return the target of every link."""
        return _LINK.findall(self.prose)

    def anchors(self) -> set[str]:
        """Return the anchors of the headings, as GitHub makes them."""
        plain = (re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in _HEADING.findall(self.prose))
        return set(plain)


@cache
def pages() -> tuple[Page, ...]:
    """Return every page that a user or a contributor reads."""
    return tuple(
        Page(name=str(path.relative_to(ROOT)), text=path.read_text(encoding="utf-8")) for path in sorted(_files())
    )


def page(name: str) -> Page:
    """Return the page at a path of the project."""
    (found,) = (each for each in pages() if each.name == name)
    return found


def blocks(language: str = "", word: str = "") -> list[Block]:
    """Return the blocks of all pages, of one language and with one word if they are given."""
    return [block for each in pages() for block in each.blocks(language, word)]


def _files() -> Iterator[Path]:
    yield from ROOT.glob("*.md")
    yield from (ROOT / "docs").rglob("*.md")
    yield from (ROOT / "manifests").rglob("*.md")
