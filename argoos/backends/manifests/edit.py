"""New images into the text of a file: decide for each change, splice the scalars, prove that nothing else moved. Pure.

Only the characters of an image are replaced, inside the quotes it stands in. The result is read again, and every node
of it must be what it was but for those images; else the file is left alone.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from yaml import MappingNode, Node, ScalarNode, SequenceNode

from argoos.backends.manifests.documents import STACK_SERVICE, Found, Manifest, Path, Slot
from argoos.backends.manifests.nodes import Source, compose, fields, place, string
from argoos.core.step import Update
from argoos.errors import Conflict, PermanentError
from argoos.ports import Applied, Attempt, Change

_PROPERTIES = re.compile(r"(?:(?:&[^\s,\[\]{}]+|!\S*)\s+)*")
_PATHS_LIMIT = 1000


@dataclass(frozen=True, slots=True, kw_only=True)
class Edited:
    """What a file is to hold (None: what it holds already), and what became of each change, in order.

    `written` are the positions of the changes behind the new bytes.
    """

    data: bytes | None
    attempts: tuple[Attempt, ...]
    written: frozenset[int] = frozenset()


@dataclass(frozen=True, slots=True, kw_only=True)
class _Wish:
    """One image is to become another, for the change at `position`."""

    position: int
    found: Found
    slot: Slot
    image: str


def edit(manifest: Manifest, changes: Sequence[Change]) -> Edited:
    """Make the changes to one file that can be made; one that cannot does not keep the others back."""
    attempts: list[Attempt] = [Applied()] * len(changes)
    wishes: list[_Wish] = []
    for position, change in enumerate(changes):
        try:
            wishes += _wishes(manifest, position, change)
        except Conflict as exc:
            attempts[position] = exc
    try:
        for position, refusal in _refused(manifest, wishes).items():
            attempts[position] = refusal
        wishes = [wish for wish in wishes if isinstance(attempts[wish.position], Applied)]
        data = _rewrite(manifest, wishes) if wishes else None
    except PermanentError as exc:
        for wish in wishes:
            attempts[wish.position] = exc
        return Edited(data=None, attempts=tuple(attempts))
    return Edited(data=data, attempts=tuple(attempts), written=frozenset(wish.position for wish in wishes))


def _wishes(manifest: Manifest, position: int, change: Change) -> list[_Wish]:
    """Return what is still to be written for a change.

    Raises:
        Conflict: the workload is not what the change was decided on.
    """
    ref = change.workload.ref
    found = next((each for each in manifest.found if each.workload.ref == ref), None)
    if found is None:
        raise Conflict(f"{ref} is no longer at {ref.uid}, or has lost its policy label")
    if found.workload.rules != change.workload.rules:
        raise Conflict(f"the labels of {ref} in {manifest.path} have changed")
    wanted = ((_slot(found, update), update) for update in change.updates)
    return [
        _Wish(position=position, found=found, slot=slot, image=str(update.image))
        for slot, update in wanted
        if slot.container.image != update.image
    ]


def _slot(found: Found, update: Update) -> Slot:
    """Return where the update's container stands, provided that its image is the old one or the new one."""
    meant = update.container
    for slot in found.slots:
        here = slot.container
        if (here.init, here.index, here.name) == (meant.init, meant.index, meant.name):
            if here.image in {meant.image, update.image}:
                return slot
            raise Conflict(f"{found.workload.ref} runs {here.image} in {here.name}, no longer {meant.image}")
    raise Conflict(f"{found.workload.ref} has no container {meant.name} in its place any more")


@dataclass(slots=True)
class _Uses:
    """Where the nodes of a document are used: for each node the collections that hold it, and under which key."""

    root: Node
    holders: dict[int, list[tuple[Node, str | int]]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        seen, stack = {id(self.root)}, [self.root]
        while stack:
            holder = stack.pop()
            for key, child in _children(holder):
                self.holders.setdefault(id(child), []).append((holder, key))
                if id(child) not in seen:
                    seen.add(id(child))
                    stack.append(child)

    def paths(self, node: Node) -> list[Path]:
        """Return every path that leads to `node`, merge keys and aliases followed."""
        found: list[Path] = []
        stack: list[tuple[Node, Path, frozenset[int]]] = [(node, (), frozenset())]
        while stack:
            here, path, below = stack.pop()
            if here is self.root:
                found.append(path)
            if id(here) in below:
                continue
            if len(found) + len(stack) > _PATHS_LIMIT:
                raise PermanentError(f"{place(node)}: this image is used at more than {_PATHS_LIMIT} places")
            for holder, key in self.holders.get(id(here), ()):
                stack.append((holder, (key, *path), below | {id(here)}))
        return found


def _children(node: Node) -> Iterable[tuple[str | int, Node]]:
    if isinstance(node, MappingNode):
        yield from fields(node).items()
        yield from ((f"the key {index}", key) for index, (key, _) in enumerate(node.value))
    elif isinstance(node, SequenceNode):
        yield from enumerate(node.value)


def _refused(manifest: Manifest, wishes: Sequence[_Wish]) -> dict[int, PermanentError]:
    """Return the changes that would move more than they mean to, because others share their image by an anchor.

    A change that is refused takes its wishes away, which can make another's anchor move too much: hence the loop.
    """
    refused: dict[int, PermanentError] = {}
    uses: dict[int, _Uses] = {}
    while True:
        meant = {(wish.found.document, wish.slot.path): wish.image for wish in wishes if wish.position not in refused}
        new = {}
        for wish in wishes:
            number = wish.found.document
            root = manifest.source.roots[number]
            if wish.position in refused or root is None:
                continue
            if number not in uses:
                uses[number] = _uses(manifest, root)
            other = _unmeant(wish, uses[number], meant)
            if other is not None:
                new[wish.position] = PermanentError(_shared(manifest, wish, other))
        if not new:
            return refused
        refused |= new


def _uses(manifest: Manifest, root: Node) -> _Uses:
    try:
        return _Uses(root)
    except PermanentError as exc:
        raise PermanentError(f"{manifest.path}:{exc}") from exc


def _unmeant(wish: _Wish, uses: _Uses, meant: Mapping[tuple[int, Path], str]) -> Path | None:
    """Return a place that the wish would move although nobody asked for it, or None.

    Extension fields (``x-…``) of a stack file are where people keep what is shared; they run nothing.
    """
    is_stack = wish.found.workload.ref.kind == STACK_SERVICE
    for path in uses.paths(wish.slot.node):
        if is_stack and path and str(path[0]).startswith("x-"):
            continue
        if meant.get((wish.found.document, path)) != wish.image:
            return path
    return None


def _shared(manifest: Manifest, wish: _Wish, other: Path) -> str:
    spot = ".".join(str(key) for key in other)
    return (
        f"{manifest.path}:{place(wish.slot.node)}: this image is also used at {spot}, by an anchor or a merge key, "
        f"which is not to move to {wish.image}; write an image of its own for {wish.slot.container.name} "
        f"of {wish.found.workload.ref}"
    )


def _rewrite(manifest: Manifest, wishes: Sequence[_Wish]) -> bytes:
    """Return the file with the wishes fulfilled.

    Raises:
        PermanentError: an image cannot be replaced without touching something else.
    """
    source = manifest.source
    images = {id(wish.slot.node): (wish.slot.node, wish.image) for wish in wishes}
    text = source.text
    try:
        spans = sorted((*_span(source, node), image) for node, image in images.values())
    except PermanentError as exc:
        raise PermanentError(f"{manifest.path}:{exc}") from exc
    for start, end, image in reversed(spans):
        text = text[:start] + image + text[end:]
    data = text.encode()
    if not _only_images_differ(source, data, {key: image for key, (_, image) in images.items()}):
        where = ", ".join(f"{manifest.path}:{place(node)}" for node, _ in images.values())
        raise PermanentError(f"{where}: the image cannot be replaced here without changing more; write it in quotes")
    return data


def _span(source: Source, node: ScalarNode) -> tuple[int, int]:
    """Return where the characters of a scalar start and end, without its anchor, its tag and its quotes."""
    start, end = source.offset + node.start_mark.index, source.offset + node.end_mark.index
    lead = _PROPERTIES.match(source.text, start, end)
    start = lead.end() if lead else start
    raw = source.text[start:end]
    if node.style in {"'", '"'} and len(raw) > 1 and raw[0] == raw[-1] == node.style:
        return start + 1, end - 1
    if raw.count(node.value) == 1:  # plain; or a block scalar, whose one line this is
        start += raw.index(node.value)
        return start, start + len(node.value)
    raise PermanentError(f"{place(node)}: the image is written in a way that cannot be edited; write it on one line")


def _only_images_differ(before: Source, data: bytes, images: Mapping[int, str]) -> bool:
    try:
        after = compose(data)
    except PermanentError:
        return False
    if len(before.roots) != len(after.roots):
        return False
    seen: dict[int, int] = {}
    stack: list[tuple[Node | None, Node | None]] = list(zip(before.roots, after.roots, strict=True))
    while stack:
        old, new = stack.pop()
        if old is None or new is None:
            if old is not new:
                return False
        elif id(old) in seen:
            if seen[id(old)] != id(new):
                return False
        else:
            seen[id(old)] = id(new)
            if not _alike(old, new, images.get(id(old))):
                return False
            stack.extend(zip(_parts(old), _parts(new), strict=True))
    return True


def _alike(old: Node, new: Node, image: str | None) -> bool:
    """Tell whether two nodes are the same, apart from what they hold; of an image that was moved, the new text is."""
    if old.tag != new.tag or type(old) is not type(new):
        return False
    if isinstance(old, ScalarNode):
        return bool(new.value == (old.value if image is None else image)) and (image is None or string(new) is not None)
    return len(_parts(old)) == len(_parts(new))


def _parts(node: Node) -> list[Node]:
    if isinstance(node, MappingNode):
        return [part for pair in node.value for part in pair]
    return list(node.value) if isinstance(node, SequenceNode) else []
