"""Which calls of a file a complaint can mean: by the name of what is called, and by the names it has in the file."""

import ast
import re
from collections.abc import Iterator

from shared.proof.claims.calls.call_message import CallComplaint, ComplaintKind
from shared.proof.claims.calls.code_values import SourceFile
from shared.proof.claims.source.module_code import list_nodes
from shared.proof.claims.source.python_source import read_dotted_name

_CONSTRUCTORS = frozenset(("__init__", "__new__"))
_CALLED = re.compile(r"(?<!\w)([^\W\d]\w{0,200}+)\s{0,20}+\(")


class CandidateCalls:
    """The calls of one file that may call what a message names."""

    def __init__(self, file: SourceFile, complaint: CallComplaint, source_text: str) -> None:
        self._file = file
        self._names = _list_callee_names(complaint)
        logged = set(_CALLED.findall(source_text))
        self.is_named_in_log = bool(logged & self._names)
        """Whether the logged line calls it by its own name."""
        self._own_names = frozenset(self._names)
        self._names |= _list_aliases(file.tree, self._names)
        self._is_any_class = complaint.callee in _CONSTRUCTORS
        if not self.is_named_in_log:
            self._names |= logged

    def are_all_named(self, calls: list[ast.Call]) -> bool:
        """Whether calls name what the message names itself: what has another name may pass arguments of its own."""
        return bool(calls or self.is_named_in_log) and all(_read_called_name(call) in self._own_names for call in calls)

    def list_calls(self) -> Iterator[ast.Call]:
        """In the order of the file."""
        calls = [node for node in list_nodes(self._file.tree) if isinstance(node, ast.Call)]
        for call in sorted(calls, key=lambda node: (node.lineno, node.col_offset)):
            name = _read_called_name(call)
            if name in self._names or (self._is_any_class and name[:1].isupper()):
                yield call


def _list_callee_names(complaint: CallComplaint) -> set[str]:
    """By which names a call reaches it: a class by its own, and `super().__init__`."""
    parts = complaint.callee.split(".")
    if complaint.kind is ComplaintKind.NO_ARGUMENTS or parts[-1] not in _CONSTRUCTORS:
        return {parts[-1]}
    return {*parts[-2:], "cls"}


def _list_aliases(tree: ast.Module, names: set[str]) -> set[str]:
    """Names that are bound to one of these, and to partial functions of them."""
    aliases: set[str] = set()
    for node in list_nodes(tree):
        if isinstance(node, ast.ImportFrom):
            aliases |= {alias.asname for alias in node.names if alias.asname and alias.name in names}
        if isinstance(node, ast.Assign | ast.AnnAssign) and node.value is not None:
            targets = node.targets if isinstance(node, ast.Assign) else [node.target]
            if any(_read_last_name(part) in names for part in _list_sources(node.value)):
                aliases |= {name for target in targets if (name := _read_last_name(target))}
        if isinstance(node, ast.ClassDef) and any(_read_last_name(base) in names for base in node.bases):
            aliases.add(node.name)
    return aliases


def _list_sources(value: ast.expr) -> list[ast.expr]:
    if isinstance(value, ast.Call) and read_dotted_name(value.func).endswith("partial"):
        return value.args[:1]
    return [value]


def _read_last_name(node: ast.expr) -> str:
    if isinstance(node, ast.Subscript):
        return _read_last_name(node.value)
    return node.id if isinstance(node, ast.Name) else node.attr if isinstance(node, ast.Attribute) else ""


def _read_called_name(call: ast.Call) -> str:
    return _read_last_name(call.func)
