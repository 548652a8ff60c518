"""Reads YAML text as plain values, and knows the line of each value.

What PyYAML accepts and nobody means is refused: a key that occurs twice, a value that contains itself, an alias that
multiplies a text. A number such as `3.10` stays a number here; the model asks for quotes.

Why not ruamel.yaml, measured 2026-11-26 with its round-trip loader, which knows lines: it reads the example in 14 ms
instead of 7 and takes 4 ms longer to import, at each start of a function. It reads the key `3.10` as 3.1, keeps values
of unknown tags, and like PyYAML bounds neither depth nor aliases, so a pass over all values would remain.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import yaml

from shared.errors import InputError

KeyPath = tuple[str | int, ...]
"""Keys and indexes from the root of the file."""

MAX_BYTES = 1 << 20
MAX_DEPTH = 32
MAX_VALUES = 100_000
"""With those that aliases repeat."""
_CONSTRUCTOR_ERRORS = (ValueError, OverflowError, KeyError, TypeError, AttributeError)
"""What PyYAML raises for a value that does not fit its type, such as the date 2026-99-99 or `!!bool x`."""


@dataclass(frozen=True, slots=True)
class YamlDocument:
    """A file's value, and the line (from 1) of every value in it by its path; `()` is the file itself."""

    value: object
    lines: Mapping[KeyPath, int]

    def line(self, path: KeyPath) -> int:
        """Returns the line of the value at `path`, or of the nearest value around it that exists."""
        while path and path not in self.lines:
            path = path[:-1]
        return self.lines.get(path, 1)


def parse_yaml(text: str, name: str) -> YamlDocument:
    """`name` is the file's name for messages. Raises InputError with file and line."""
    if len(text) > MAX_BYTES:
        raise InputError(f"{name} is larger than {MAX_BYTES} bytes; this is not a configuration.")
    try:
        loader = _Loader(text)
        root = loader.get_single_node()
        return YamlDocument(None, {(): 1}) if root is None else _Reader(loader).read(root)
    except yaml.YAMLError as error:
        raise InputError(_describe_yaml_error(error, name)) from None
    except _RefusedNodeError as refused:
        raise InputError(f"{name}, line {refused.line}: {refused.sentence}") from None


class _RefusedNodeError(Exception):
    """YAML that is no configuration. `sentence` goes on after file and line."""

    def __init__(self, mark: yaml.Mark, sentence: str) -> None:
        super().__init__(sentence)
        self.line = int(mark.line) + 1
        self.sentence = sentence


class _Loader(yaml.SafeLoader):
    """Refuses deep nesting before it exhausts the stack."""

    _depth = 0

    def compose_node(self, parent: yaml.Node | None, index: int) -> yaml.Node | None:
        """As its base class does, one level deeper."""
        event = self.peek_event()  # type: ignore[no-untyped-call]  # types-pyyaml leaves it out
        _check_depth(self._depth, event.start_mark)
        self._depth += 1
        node = super().compose_node(parent, index)
        self._depth -= 1
        return node


def _check_depth(depth: int, mark: yaml.Mark) -> None:
    if depth > MAX_DEPTH:
        raise _RefusedNodeError(mark, f"more than {MAX_DEPTH} levels; write it flatter.")


class _Reader:
    def __init__(self, loader: _Loader) -> None:
        self._loader = loader
        self._lines: dict[KeyPath, int] = {}

    def read(self, root: yaml.Node) -> YamlDocument:
        return YamlDocument(self._read_value(root, ()), self._lines)

    def _read_value(self, node: yaml.Node, path: KeyPath) -> object:
        _check_depth(len(path), node.start_mark)  # an anchor inside itself ends here, too
        if len(self._lines) >= MAX_VALUES:
            raise _RefusedNodeError(node.start_mark, f"more than {MAX_VALUES} values; this is not a configuration.")
        self._lines[path] = _line(node)
        if isinstance(node, yaml.MappingNode):
            return self._read_mapping(node, path)
        if isinstance(node, yaml.SequenceNode):
            return [self._read_value(child, (*path, index)) for index, child in enumerate(node.value)]
        return self._read_scalar(node)

    def _read_mapping(self, node: yaml.MappingNode, path: KeyPath) -> dict[str, object]:
        mapping: dict[str, object] = {}
        for key_node, value_node in node.value:
            key = key_node.value if isinstance(key_node, yaml.ScalarNode) else None
            if key is None:
                raise _RefusedNodeError(key_node.start_mark, "a key must be a word.")
            if key in mapping:
                raise _RefusedNodeError(key_node.start_mark, f"the key {key!r} is repeated; remove one of them.")
            mapping[key] = self._read_value(value_node, (*path, key))
            self._lines[(*path, key)] = _line(key_node)
        return mapping

    def _read_scalar(self, node: yaml.Node) -> object:
        try:
            return self._loader.construct_object(node, deep=True)
        except _CONSTRUCTOR_ERRORS:
            raise _RefusedNodeError(node.start_mark, "this value does not fit its type; put text in quotes.") from None


def _line(node: yaml.Node) -> int:
    return int(node.start_mark.line) + 1


def _describe_yaml_error(error: yaml.YAMLError, name: str) -> str:
    mark = getattr(error, "problem_mark", None)
    problem = getattr(error, "problem", None) or getattr(error, "reason", None) or "it cannot be read"
    position = f"{name}, line {mark.line + 1}" if mark is not None else name
    return f"{position}: this is not YAML: {problem}."
