"""A class of the repository with all its bases, in the order in which Python looks attributes up.

What is outside of the repository, or changes classes in ways that a source does not say, is an obstacle: with it the
absence of an attribute is never known, and with some not even its presence.

Of a dataclass it says what the fields do: which its `__init__` sets, and which leave the class.
"""

import ast
import builtins
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from shared.proof.claims.attributes.expression_meaning import ClassMeaning, MeaningFinder
from shared.proof.claims.attributes.source_file import ImportedName, SourceFile

_MAX_CLASSES = 40
_DATACLASS = ("dataclasses", "dataclass")
_PLAIN_DECORATORS = frozenset((
    ("functools", "total_ordering"), ("typing", "final"), ("typing", "runtime_checkable"), ("enum", "unique"),
))  # fmt: skip
_BARE_BASES = frozenset((("abc", "ABC"), ("typing", "Generic"), ("typing", "Protocol")))
_ENUM_BASES = frozenset(("Enum", "IntEnum", "StrEnum", "Flag", "IntFlag"))
_PLAIN_METACLASSES = frozenset((("abc", "ABCMeta"), ("", "type")))


@dataclass(frozen=True, slots=True)
class ResolvedClass:
    """A class of the repository. `kind`: "" for a plain one, "dataclass", "named_tuple" or "enum"."""

    source: SourceFile
    node: ast.ClassDef
    kind: str = ""
    decorator: ast.expr | None = None
    """The one that makes it a dataclass."""


@dataclass(frozen=True, slots=True)
class Hierarchy:
    """`classes` come in the order of the lookup, the class itself first; `built_ins` are the bases from there."""

    classes: Sequence[ResolvedClass]
    built_ins: frozenset[str]
    outside: str = ""
    """The base that is not of the repository; "" where all are."""
    pydantic: bool = False
    """Whether that base is pydantic's `BaseModel`."""
    obstacle: str = ""
    """Why not even a name that the class binds is sure to be there."""

    @property
    def is_enum(self) -> bool:
        return any(resolved.kind == "enum" for resolved in self.classes)

    def contains(self, node: ast.ClassDef) -> bool:
        return any(resolved.node is node for resolved in self.classes)

    def list_built_in_names(self) -> frozenset[str]:
        """What the built-in bases have, as the Python that runs this knows them."""
        return frozenset(name for base in self.built_ins for name in dir(getattr(builtins, base)))


class _Unresolved(Exception):
    """The text says why, without a full stop."""


def read_hierarchy(finder: MeaningFinder, start: ClassMeaning) -> Hierarchy:
    """All that is known of a class."""
    reader = _HierarchyReader(finder)
    try:
        classes = reader.linearize(start.path, start.node, ())
    except _Unresolved as unresolved:
        source = finder.get_source(start.path)
        only = (ResolvedClass(source, start.node),) if source else ()
        return Hierarchy(only, frozenset(), outside=str(unresolved), obstacle=str(unresolved))
    return Hierarchy(tuple(classes), frozenset(reader.built_ins), reader.outside, reader.pydantic, reader.obstacle)


class _HierarchyReader:
    def __init__(self, finder: MeaningFinder) -> None:
        self._finder = finder
        self.built_ins = {"object"}
        self.outside = ""
        self.obstacle = ""
        self.pydantic = False
        self._count = 0

    def linearize(self, path: str, node: ast.ClassDef, below: tuple[ast.ClassDef, ...]) -> list[ResolvedClass]:
        """The order of the lookup (C3), less what is not of the repository."""
        source = self._finder.get_source(path)
        self._count += 1
        if source is None or node in below or self._count > _MAX_CLASSES:
            raise _Unresolved(f"the bases of {node.name} cannot be followed")
        resolved, parents = self._resolve_class(source, node), []
        for base in node.bases:
            meaning = self._read_base(source, base)
            if meaning is not None:
                parents.append(self.linearize(meaning.path, meaning.node, (*below, node)))
        heads = [parent[0] for parent in parents]
        return [resolved, *_merge([*parents, heads], node.name)]

    def _resolve_class(self, source: SourceFile, node: ast.ClassDef) -> ResolvedClass:
        kind, dataclass_decorator = "", None
        for keyword in node.keywords:
            value = self._name_outside(source, keyword.value) if keyword.arg == "metaclass" else None
            if value not in _PLAIN_METACLASSES:
                self._block(f"{node.name} is made with {keyword.arg or '**'}={ast.unparse(keyword.value)[:60]}")
        for decorator in node.decorator_list:
            called = decorator.func if isinstance(decorator, ast.Call) else decorator
            name = self._name_outside(source, called)
            if name == _DATACLASS:
                kind, dataclass_decorator = "dataclass", decorator
            elif name not in _PLAIN_DECORATORS:
                self._block(f"{node.name} is decorated with {ast.unparse(called)[:60]}")
        kind = self._find_kind(source, node) or kind
        return ResolvedClass(source, node, kind, dataclass_decorator)

    def _find_kind(self, source: SourceFile, node: ast.ClassDef) -> str:
        for base in node.bases:
            name = self._name_outside(source, base)
            if name == ("typing", "NamedTuple"):
                return "named_tuple"
            if name and name[0] == "enum" and name[1] in _ENUM_BASES:
                return "enum"
        return ""

    def _read_base(self, source: SourceFile, base: ast.expr) -> ClassMeaning | None:
        """A base of the repository; any other one is noted."""
        bare = base.value if isinstance(base, ast.Subscript) else base
        meaning = self._finder.find_meaning(source, bare)
        if isinstance(meaning, ClassMeaning) and not meaning.is_instance:
            return meaning
        self._note_outside(self._name_outside(source, bare), ast.unparse(base)[:60])
        return None

    def _note_outside(self, name: tuple[str, str] | None, text: str) -> None:
        match name:
            case ("", built_in):
                self.built_ins.add(built_in)
            case ("typing", "NamedTuple"):
                self.built_ins.add("tuple")
            case ("enum", member) if member in _ENUM_BASES:
                self.built_ins |= {"IntEnum": {"int"}, "IntFlag": {"int"}, "StrEnum": {"str"}}.get(member, set())
            case _ if name in _BARE_BASES:
                return
            case _:
                self.pydantic |= bool(name and name[0].partition(".")[0] == "pydantic" and name[1] == "BaseModel")
                self.outside = self.outside or f"its base {text} is not of the repository"

    def _name_outside(self, source: SourceFile, node: ast.expr) -> tuple[str, str] | None:
        """Module and name of what is imported from outside; ("", name) for a built-in."""
        match node:
            case ast.Name(id=name):
                bindings = source.resolve_name(name, node)
                if not bindings:
                    return ("", name) if isinstance(getattr(builtins, name, None), type) else None
                first = bindings[0]
                if len(bindings) == 1 and isinstance(first, ImportedName) and first.name and not first.level:
                    return self._check_outside(source, first.module, first.name)
            case ast.Attribute(value=ast.Name(id=name) as value, attr=attribute):
                bindings = source.resolve_name(name, value)
                only = bindings[0] if len(bindings) == 1 else None
                if isinstance(only, ImportedName) and not only.name and not only.level:
                    return self._check_outside(source, only.module, attribute)
        return None

    def _check_outside(self, source: SourceFile, module: str, name: str) -> tuple[str, str] | None:
        """The standard library's modules have their names, unless the repository shadows one."""
        location = self._finder.modules.find_module(source.path, module)
        return (module, name) if not location.path else None

    def _block(self, obstacle: str) -> None:
        self.obstacle = self.obstacle or obstacle


def _merge(sequences: Sequence[list[ResolvedClass]], name: str) -> Iterator[ResolvedClass]:
    remaining = [list(sequence) for sequence in sequences if sequence]
    while remaining:
        tails = {id(resolved.node) for sequence in remaining for resolved in sequence[1:]}
        head = next((sequence[0] for sequence in remaining if id(sequence[0].node) not in tails), None)
        if head is None:
            raise _Unresolved(f"the bases of {name} have no order")
        yield head
        remaining = [
            rest for sequence in remaining if (rest := [other for other in sequence if other.node is not head.node])
        ]


_PSEUDO = ("ClassVar", "InitVar", "KW_ONLY", "PrivateAttr")


def is_pseudo_field(annotation: ast.expr) -> bool:
    """Whether an annotation makes no field, in whatever way it is spelled."""
    text = ast.unparse(annotation)
    return any(word in text for word in _PSEUDO)


def sets_field(resolved: ResolvedClass, attribute: str) -> bool | None:
    """Whether the generated `__init__` sets the field; None where this class declares no such field."""
    declared = _find_declaration(resolved, attribute)
    if declared is None:
        return None
    if is_pseudo_field(declared.annotation):
        return False
    if not isinstance(declared.value, ast.Call):
        return True
    function = ast.unparse(declared.value.func).rpartition(".")[2]
    return function == "field" and not any(keyword.arg in {"init", None} for keyword in declared.value.keywords)


def may_leave_class(resolved: ResolvedClass, attribute: str) -> bool:
    """Whether the class attribute of a field may be taken away: `field(…)` without a default, or with slots."""
    declared = _find_declaration(resolved, attribute)
    if declared is None:
        return False
    return (
        declared.value is None or isinstance(declared.value, ast.Call) or has_option(resolved, "slots", default=False)
    )


def generates_init(resolved: ResolvedClass) -> bool | None:
    """Whether the decorator writes the `__init__`; None where its arguments do not say."""
    if resolved.kind != "dataclass":
        return False
    if isinstance(resolved.decorator, ast.Call) and any(keyword.arg is None for keyword in resolved.decorator.keywords):
        return None
    return has_option(resolved, "init", default=True)


def has_option(resolved: ResolvedClass, option: str, *, default: bool) -> bool:
    """A keyword of the decorator; what is no constant counts as true."""
    if isinstance(resolved.decorator, ast.Call):
        for keyword in resolved.decorator.keywords:
            if keyword.arg == option:
                return not isinstance(keyword.value, ast.Constant) or bool(keyword.value.value)
    return default


def is_field_set(hierarchy: Hierarchy, first: int, attribute: str) -> bool:
    """Whether the `__init__` that is generated for a class of the order sets an attribute."""
    own = sets_field(hierarchy.classes[first], attribute)
    if own is not None or any(len(resolved.node.bases) > 1 for resolved in hierarchy.classes[first:]):
        return bool(own)  # with several bases, what follows in the order need not be a base of this class
    for resolved in hierarchy.classes[first + 1 :]:
        is_set = sets_field(resolved, attribute) if resolved.kind == "dataclass" else None
        if is_set is not None:
            return is_set
    return False


def _find_declaration(resolved: ResolvedClass, attribute: str) -> ast.AnnAssign | None:
    declared = [
        part
        for part in resolved.node.body
        if isinstance(part, ast.AnnAssign) and isinstance(part.target, ast.Name) and part.target.id == attribute
    ]
    return declared[-1] if declared else None
