"""The settings file: YAML, read with the line of every value."""

from pathlib import Path
from typing import Any

import yaml

from argoos.settings.fields import Located
from argoos.settings.layer import KeyPath, Layer, Origin, Problem

FILE_NAME = "argoos.yaml"
"""The file that is read from the working directory when none is named."""

FILE_RANK = 0


def read_file(path: Path, *, shown: str) -> Layer:
    """Read a settings file; what is wrong with it is in the layer's problems. `shown` is its name in messages."""
    place = Origin(rank=FILE_RANK, source=shown)
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        return _broken(place, "there is no such file")
    except UnicodeDecodeError:
        return _broken(place, "is not UTF-8 text")
    except OSError as error:
        return _broken(place, f"cannot be read: {error.strerror}")
    reader = YamlReader(text, base=path.parent.absolute(), place=place)
    value = reader.read(())
    if not isinstance(value, dict):
        if value is not None:
            reader.problem((), 1, "must be a mapping of settings, such as listen: 0.0.0.0:3000")
        value = {}
    return Layer(values=value, origins=reader.origins, problems=tuple(reader.problems))


def _broken(place: Origin, text: str) -> Layer:
    return Layer(problems=(Problem(origin=place, path=(), text=text),))


class YamlReader:
    """Turns YAML text into plain values, and keeps where each stands.

    Texts become `Located`. Anchors, aliases and merge keys work. A key given twice is a problem.

    Args:
        text: the YAML.
        base: where relative paths in it start.
        place: the origin of the whole; for a file (`FILE_RANK`) each value gets its line.
    """

    def __init__(self, text: str, *, base: Path, place: Origin) -> None:
        self._text, self._base, self._place = text, base, place
        self.origins: dict[KeyPath, Origin] = {}
        self.problems: list[Problem] = []
        self._open: set[int] = set()

    def read(self, path: KeyPath) -> Any:  # noqa: ANN401 - whatever the text holds
        """Return the value of the text, which is to stand at `path`; None when it is empty or broken."""
        try:
            self._loader = yaml.SafeLoader(self._text)
            node = self._loader.get_single_node()
            return None if node is None else self._value(node, path)
        except yaml.MarkedYAMLError as error:
            mark = error.problem_mark or error.context_mark
            self.problem(path, mark.line + 1 if mark else 1, f"is not YAML: {_without_quotes(error.problem or '')}")
        except yaml.YAMLError:
            self.problem(path, 1, "is not YAML: it holds characters that no YAML may hold")
        return None

    def problem(self, path: KeyPath, line: int, text: str) -> None:
        """Note a problem at a line of the text."""
        self.problems.append(Problem(origin=self._at(line), path=path, text=text))

    def _at(self, line: int) -> Origin:
        in_file = self._place.rank == FILE_RANK
        return Origin(rank=self._place.rank, source=self._place.source, line=line) if in_file else self._place

    def _value(self, node: yaml.Node, path: KeyPath) -> Any:  # noqa: ANN401 - whatever the text holds
        self.origins.setdefault(path, self._at(node.start_mark.line + 1))
        if id(node) in self._open:
            self.problem(path, node.start_mark.line + 1, "contains itself")
            return None
        self._open.add(id(node))
        try:
            if isinstance(node, yaml.MappingNode):
                return self._mapping(node, path)
            if isinstance(node, yaml.SequenceNode):
                return [self._value(child, (*path, index)) for index, child in enumerate(node.value)]
            return self._scalar(node, path)
        finally:
            self._open.discard(id(node))

    def _mapping(self, node: yaml.MappingNode, path: KeyPath) -> dict[str, Any]:
        own = sum(key.tag != "tag:yaml.org,2002:merge" for key, _ in node.value)
        self._loader.flatten_mapping(node)  # resolves `<<`; what was merged in stands first, so our own keys win
        merged_in = len(node.value) - own
        found: dict[str, Any] = {}
        written: set[str] = set()
        for position, (key_node, child) in enumerate(node.value):
            key, line = key_node.value, key_node.start_mark.line + 1
            if not isinstance(key, str):
                self.problem(path, line, "has a key that is no text")
                continue
            if key in written:
                self.problem((*path, key), line, "is given twice")
            if position >= merged_in:
                written.add(key)
            self.origins[(*path, key)] = self._at(line)
            found[key] = self._value(child, (*path, key))
        return found

    def _scalar(self, node: yaml.Node, path: KeyPath) -> Any:  # noqa: ANN401 - whatever the text holds
        try:
            value = self._loader.construct_object(node)
        except (ValueError, yaml.YAMLError):
            self.problem(path, node.start_mark.line + 1, "has a value that YAML cannot read; put it in quotes")
            return None
        return Located(value, self._base) if isinstance(value, str) else value


def _without_quotes(text: str) -> str:
    """Return a parser's complaint without what it quotes of the text, which may be a secret."""
    parts = text.split("'")
    return "'".join(part if index % 2 == 0 or len(part) < 2 else "…" for index, part in enumerate(parts))
