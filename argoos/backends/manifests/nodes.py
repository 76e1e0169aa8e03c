"""YAML as a graph of nodes that know where they stand in the text. Pure.

PyYAML's composer is used, not its constructor: a node keeps the place of its scalar, and an alias is the very node of
its anchor, so that one can tell what an edit would move. The loader is libyaml's, twelve times faster than the one in
Python. Its errors become `PermanentError`, whose text starts with ``line:column:``, both counted from 1.
"""

import codecs
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass

import yaml
from yaml import MappingNode, Node, ScalarNode, SequenceNode
from yaml.reader import Reader, ReaderError

from argoos.errors import PermanentError

_Loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_BOM = "\ufeff"
_STRING = "tag:yaml.org,2002:str"
_MERGE = "tag:yaml.org,2002:merge"
_NULL = "tag:yaml.org,2002:null"

DEPTH_LIMIT = 200
"""How deep collections may be nested. libyaml's composer recurses in C, without a limit of its own before a crash."""

_DEEP_LINE = re.compile(rf"^(?: {{{DEPTH_LIMIT}}}|[ ]*(?:[-?:][ \t]+){{{DEPTH_LIMIT // 10}}})", re.MULTILINE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """A file as text and as nodes. `roots` are its documents, None for an empty one.

    Marks of nodes count from behind the byte order mark: add `offset` to find them in `text`.
    """

    text: str
    offset: int
    roots: tuple[Node | None, ...]


def compose(data: bytes) -> Source:
    """Read the bytes of a file.

    Raises:
        PermanentError: not UTF-8, not YAML, or nested too deep.
    """
    text = _decode(data)
    offset = len(_BOM) if text.startswith(_BOM) else 0
    body = text[offset:]
    with _translated(body):
        if _may_be_deep(body):
            _walk(body)
        return Source(text=text, offset=offset, roots=tuple(_documents(body)))


def check(data: bytes) -> Source:
    """Read the bytes of a file whose nodes nobody needs: several times faster, and without their memory.

    Raises:
        PermanentError: as `compose` does.
    """
    text = _decode(data)
    offset = len(_BOM) if text.startswith(_BOM) else 0
    with _translated(text[offset:]):
        _walk(text[offset:])
    return Source(text=text, offset=offset, roots=())


@contextmanager
def _translated(body: str) -> Iterator[None]:
    try:
        yield
    except yaml.MarkedYAMLError as exc:
        raise PermanentError(_place(exc) + _cause(exc)) from exc
    except ReaderError as exc:
        raise PermanentError(_unprintable(body)) from exc
    except yaml.YAMLError as exc:
        raise PermanentError(f"1:1: {exc}") from exc


def _documents(body: str) -> Iterator[Node | None]:
    # compose_all() drops no empty document: libyaml gives it as a plain, empty null.
    for root in yaml.compose_all(body, Loader=_Loader):
        empty = isinstance(root, ScalarNode) and root.tag == _NULL
        yield None if empty else root


def _decode(data: bytes) -> str:
    if data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        raise PermanentError("1:1: this is UTF-16; save the file as UTF-8")
    try:
        return data.decode()
    except UnicodeDecodeError as exc:
        before = data[: exc.start].decode()
        line, column = _line_and_column(before)
        byte = data[exc.start]
        raise PermanentError(f"{line}:{column}: byte 0x{byte:02x} is not UTF-8; save the file as UTF-8") from exc


def _may_be_deep(body: str) -> bool:
    """Tell whether collections might be nested beyond `DEPTH_LIMIT`; cheap for what plainly is not."""
    return body.count("[") + body.count("{") > DEPTH_LIMIT or bool(_DEEP_LINE.search(body))


def _walk(body: str) -> None:
    """Parse without composing, and refuse what is nested beyond `DEPTH_LIMIT`."""
    depth = 0
    for event in yaml.parse(body, Loader=_Loader):
        if isinstance(event, yaml.CollectionStartEvent):
            depth += 1
        elif isinstance(event, yaml.CollectionEndEvent):
            depth -= 1
        if depth > DEPTH_LIMIT:
            mark = event.start_mark
            spot = f"{mark.line + 1}:{mark.column + 1}" if mark else "1:1"
            raise PermanentError(f"{spot}: nested deeper than {DEPTH_LIMIT} levels")


def _place(error: yaml.MarkedYAMLError) -> str:
    mark = error.problem_mark or error.context_mark
    return f"{mark.line + 1}:{mark.column + 1}: " if mark else "1:1: "


def _cause(error: yaml.MarkedYAMLError) -> str:
    return ", ".join(part for part in (error.context, error.problem) if part)


def _unprintable(body: str) -> str:
    found = Reader.NON_PRINTABLE.search(body)
    if found is None:
        return "1:1: a character that YAML does not allow"
    line, column = _line_and_column(body[: found.start()])
    return f"{line}:{column}: character U+{ord(found[0]):04X}, which YAML does not allow"


def _line_and_column(before: str) -> tuple[int, int]:
    return before.count("\n") + 1, len(before) - (before.rfind("\n") + 1) + 1


def place(node: Node) -> str:
    """Return where a node starts, as ``line:column``, counted from 1."""
    return f"{node.start_mark.line + 1}:{node.start_mark.column + 1}"


def fields(node: Node | None) -> dict[str, Node]:
    """Return a mapping's values by key as a reader of the file sees them, its merge keys (``<<``) followed.

    Anything but a mapping has none. A mapping's own keys win over merged ones, an earlier merge over a later one.

    Raises:
        PermanentError: a key is written twice, so that readers disagree about what it means.
    """
    return _merged(node, frozenset()) if isinstance(node, MappingNode) else {}


def _merged(node: MappingNode, within: frozenset[int]) -> dict[str, Node]:
    own: dict[str, Node] = {}
    merges: list[Node] = []
    for key, value in node.value:
        if not isinstance(key, ScalarNode):
            continue
        if key.tag == _MERGE:
            merges.append(value)
        elif key.value in own:
            raise PermanentError(f"{place(key)}: the key {key.value!r} is written twice in one mapping; keep one")
        else:
            own[key.value] = value
    if not merges or id(node) in within:
        return own
    merged: dict[str, Node] = {}
    for merge in merges:
        for source in merge.value if isinstance(merge, SequenceNode) else [merge]:
            if isinstance(source, MappingNode):
                merged = _merged(source, within | {id(node)}) | merged
    return merged | own


def at(node: Node | None, *keys: str) -> Node | None:
    """Return what stands below `node` at the path of `keys`, or None."""
    for key in keys:
        node = fields(node).get(key)
    return node


def items(node: Node | None) -> list[Node]:
    """Return the items of a sequence; anything else has none."""
    return list(node.value) if isinstance(node, SequenceNode) else []


def scalar(node: Node | None) -> str:
    """Return the text of a scalar as it is written, whatever its type; "" for null and for anything else."""
    return node.value if isinstance(node, ScalarNode) and node.tag != _NULL else ""


def string(node: Node | None) -> ScalarNode | None:
    """Return the node if it is a scalar that YAML reads as a string."""
    return node if isinstance(node, ScalarNode) and node.tag == _STRING else None


def texts(node: Node | None) -> Mapping[str, str]:
    """Return a mapping's values as texts: labels and annotations, which people write as booleans and numbers too."""
    return {key: scalar(value) for key, value in fields(node).items()}
