"""YAML text comes in; plain values go out, and for each of them the line on which it stands.

What PyYAML lets pass and nobody means is refused: a key that stands twice, a value that contains itself. A number such
as `3.10` stays a number here; whoever reads it says that it needs quotes.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import yaml

from shared.errors import InputError

KeyPath = tuple[str | int, ...]
"""Keys and indexes from the root of the file."""

MAX_BYTES = 1 << 20
MAX_DEPTH = 32


@dataclass(frozen=True, slots=True)
class YamlDocument:
    """The value of a file, and the line (from 1) of every value in it by its path; `()` is the file itself."""

    value: object
    lines: Mapping[KeyPath, int]

    def line(self, path: KeyPath) -> int:
        """The line of the value at `path`, or of the nearest thing around it that is there."""
        while path and path not in self.lines:
            path = path[:-1]
        return self.lines.get(path, 1)


def parse_yaml(text: str, name: str) -> YamlDocument:
    """`name` is what the file is called in messages. Raises Unreadable with file and line."""
    if len(text) > MAX_BYTES:
        raise InputError(f"{name} is larger than {MAX_BYTES} bytes; this is not a configuration.")
    try:
        loader = yaml.SafeLoader(text)
        root = loader.get_single_node()
        return YamlDocument(None, {(): 1}) if root is None else _Reader(loader, name).read(root)
    except yaml.YAMLError as error:
        raise InputError(_describe_yaml_error(error, name)) from None


class _Reader:
    def __init__(self, loader: yaml.SafeLoader, name: str) -> None:
        self._loader = loader
        self._name = name
        self._lines: dict[KeyPath, int] = {}

    def read(self, root: yaml.Node) -> YamlDocument:
        return YamlDocument(self._value(root, ()), self._lines)

    def _value(self, node: yaml.Node, path: KeyPath) -> object:
        if len(path) > MAX_DEPTH:  # an anchor inside itself ends here, too
            raise InputError(f"{self._name}, line {_line(node)}: more than {MAX_DEPTH} levels; write it flatter.")
        self._lines[path] = _line(node)
        if isinstance(node, yaml.MappingNode):
            return self._mapping(node, path)
        if isinstance(node, yaml.SequenceNode):
            return [self._value(child, (*path, index)) for index, child in enumerate(node.value)]
        return self._loader.construct_object(node, deep=True)

    def _mapping(self, node: yaml.MappingNode, path: KeyPath) -> dict[str, object]:
        found: dict[str, object] = {}
        for key_node, value_node in node.value:
            key = key_node.value if isinstance(key_node, yaml.ScalarNode) else None
            if key is None:
                raise InputError(f"{self._name}, line {_line(key_node)}: a key must be a word.")
            if key in found:
                raise InputError(
                    f"{self._name}, line {_line(key_node)}: {key!r} stands here twice; remove one of them."
                )
            found[key] = self._value(value_node, (*path, key))
            self._lines[(*path, key)] = _line(key_node)
        return found


def _line(node: yaml.Node) -> int:
    return int(node.start_mark.line) + 1


def _describe_yaml_error(error: yaml.YAMLError, name: str) -> str:
    mark = getattr(error, "problem_mark", None)
    problem = getattr(error, "problem", None) or getattr(error, "reason", None) or "it cannot be read"
    place = f"{name}, line {mark.line + 1}" if mark is not None else name
    return f"{place}: this is not YAML: {problem}."
