"""The constructors that `dataclass` and `NamedTuple` generate, from the annotations in the bodies of the classes."""

import ast
from collections.abc import Iterator
from dataclasses import dataclass

from shared.proof.claims.calls.call_signature import Parameter, Signature
from shared.proof.claims.calls.class_search import Ancestry, ClassSearch
from shared.proof.claims.calls.code_values import ClassValue, UnknownValue
from shared.proof.claims.source.python_source import FunctionNode, read_dotted_name


@dataclass(frozen=True, slots=True)
class _Field:
    name: str
    has_default: bool
    is_keyword_only: bool
    is_in_constructor: bool = True


def build_dataclass_signature(ancestry: Ancestry, classes: ClassSearch) -> Signature | UnknownValue | None:
    """The generated `__init__` of a dataclass; None where it asks for none."""
    owner = ancestry.classes[0]
    if _read_option(classes.find_dataclass_call(owner), "init") is False:
        return None
    if ancestry.outside:
        return UnknownValue(f"{owner.node.name} has the base {ancestry.outside}, which may add fields")
    fields: dict[str, _Field] = {}
    for candidate in reversed(ancestry.classes):
        decorator = classes.find_dataclass_call(candidate)
        if decorator is None:
            continue
        own_fields = list(_read_fields(candidate.node, decorator))
        if None in own_fields:
            return UnknownValue(f"the fields of {candidate.node.name} are not decidable")
        fields |= {own.name: own for own in own_fields if own is not None}
    taken = [own for own in fields.values() if own.is_in_constructor]
    return Signature(
        f"{_get_qualname(owner)}.__init__",
        (Parameter("self"), *(Parameter(f.name, f.has_default) for f in taken if not f.is_keyword_only)),
        keyword_only=tuple(Parameter(f.name, f.has_default) for f in taken if f.is_keyword_only),
        bound=1,
    )


def build_named_tuple_signature(owner: ClassValue) -> Signature | None:
    """The generated `__new__` of a `class C(NamedTuple)`."""
    parameters = [Parameter("_cls")]
    for statement in owner.node.body:
        if isinstance(statement, ast.AnnAssign) and isinstance(statement.target, ast.Name):
            parameters.append(Parameter(statement.target.id, statement.value is not None))
        elif not _is_harmless(statement):
            return None
    return Signature(f"{owner.node.name}.__new__", tuple(parameters), bound=1)


def _get_qualname(owner: ClassValue) -> str:
    return owner.file.get_qualname(owner.node)


def _read_fields(node: ast.ClassDef, decorator: ast.expr) -> Iterator[_Field | None]:
    """The fields that one class adds; None for what is not decidable."""
    keyword_only = _read_option(decorator, "kw_only") is True
    annotated = {s.target.id for s in node.body if isinstance(s, ast.AnnAssign) and isinstance(s.target, ast.Name)}
    for statement in node.body:
        if isinstance(statement, ast.AnnAssign) and isinstance(statement.target, ast.Name):
            kind = _read_annotation(statement.annotation)
            if kind.endswith("KW_ONLY"):
                keyword_only = True
            elif not kind.endswith("ClassVar"):
                yield _read_field(statement.target.id, statement.value, keyword_only=keyword_only)
        elif isinstance(statement, ast.Assign):
            names = {target.id for target in statement.targets if isinstance(target, ast.Name)}
            yield from [None] if names & annotated or "__annotations__" in names else []
        elif not _is_harmless(statement):
            yield None


def _is_harmless(statement: ast.stmt) -> bool:
    """Whether a statement of a class body adds no field."""
    return isinstance(statement, FunctionNode | ast.ClassDef | ast.Pass | ast.Expr | ast.Assign)


def _read_annotation(annotation: ast.expr) -> str:
    node = annotation.value if isinstance(annotation, ast.Subscript) else annotation
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return node.value.partition("[")[0].strip()
    return read_dotted_name(node)


def _read_field(name: str, value: ast.expr | None, *, keyword_only: bool) -> _Field | None:
    if not isinstance(value, ast.Call) or read_dotted_name(value.func).rpartition(".")[2] != "field":
        return _Field(name, value is not None, keyword_only)
    options = {keyword.arg: keyword.value for keyword in value.keywords}
    if value.args or None in options:
        return None
    decided = {option: _read_constant(options.get(option)) for option in ("init", "kw_only")}
    if any(option in options and decided[option] is None for option in decided):
        return None
    has_default = "default" in options or "default_factory" in options
    is_keyword_only = decided["kw_only"] if decided["kw_only"] is not None else keyword_only
    return _Field(name, has_default, is_keyword_only, decided["init"] is not False)


def _read_option(decorator: ast.expr | None, option: str) -> bool | None:
    if not isinstance(decorator, ast.Call):
        return None
    return next((_read_constant(k.value) for k in decorator.keywords if k.arg == option), None)


def _read_constant(node: ast.expr | None) -> bool | None:
    return node.value if isinstance(node, ast.Constant) and isinstance(node.value, bool) else None
