"""Finds what a loaded file sets on a module or a class of another one: `conf.limit = 1`, `setattr(Berth, "moor", f)`.

Takes a claim, the service's modules at one commit and the paths of what is loaded. Whether the patch has run where the
attribute is asked for is not known, so that with one the absence of the attribute is not known either.
"""

import ast
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from shared.proof.claims.attributes.expression_meaning import ClassMeaning, MeaningFinder, ModuleMeaning
from shared.proof.claims.attributes.source_file import ImportedName, SourceFile
from shared.proof.claims.claim import Claim, ClaimFamily
from shared.proof.claims.ports import ServiceModules
from shared.proof.claims.source.python_source import read_dotted_name

_OF_MODULES = frozenset((ClaimFamily.MODULE_ATTRIBUTE, ClaimFamily.IMPORT_NAME, ClaimFamily.NAME, ClaimFamily.CALL))
PATCHED_FAMILIES = frozenset((*_OF_MODULES, ClaimFamily.CLASS_ATTRIBUTE))
"""Those whose failure a patch may end."""
_OWN_OBJECTS = frozenset(("self", "cls"))
_LOADED_AS_VALUE = re.compile(r"import_module|__import__|\bmodules\b")


@dataclass(frozen=True, slots=True)
class Patch:
    """Where a loaded file may set what is missing."""

    path: str
    line: int


def find_patch(claim: Claim, modules: ServiceModules, paths: Iterable[str]) -> Patch | None:
    """The first one in another file than the claim's; None for a claim of another family."""
    name = get_patched_name(claim)
    if not name or claim.family not in PATCHED_FAMILIES:
        return None
    search = _PatchSearch(claim, name, modules)
    for path in sorted(paths):
        if path != claim.path and (line := search.find_line(path)):
            return Patch(path, line)
    return None


def get_patched_name(claim: Claim) -> str:
    """The attribute that a patch would set: what is missing, or the function that is called."""
    return claim.owner.rpartition(".")[2] if claim.family is ClaimFamily.CALL else claim.name


class _PatchSearch:
    def __init__(self, claim: Claim, name: str, modules: ServiceModules) -> None:
        self._claim = claim
        self._name = name
        self._modules = modules
        self._finder = MeaningFinder(modules, claim.path)
        self._of_class = claim.family is ClaimFamily.CLASS_ATTRIBUTE
        self._words = (f".{name}".encode(), b"setattr")

    def find_line(self, path: str) -> int:
        """The line of a patch; 0 for none."""
        text = self._modules.tree.read(path) or b""
        if not any(word in text for word in self._words):
            return 0
        source = self._finder.get_source(path)
        stores = self._list_stores(source) if source is not None else ()
        return next((node.lineno for node, value, is_spelled in stores if self._may_be(source, value, is_spelled)), 0)

    def _list_stores(self, source: SourceFile) -> Iterator[tuple[ast.expr, ast.expr, bool]]:
        """Each node that may set the attribute, with the object, and whether it spells the attribute's name."""
        for node in source.changing_nodes:
            match node:
                case ast.Attribute(value=value, attr=name, ctx=ast.Store()) if name == self._name:
                    yield node, value, True
                case ast.Call(func=ast.Name(id="setattr"), args=[value, given, *_]):
                    is_spelled = isinstance(given, ast.Constant)
                    if not is_spelled or getattr(given, "value", None) == self._name:
                        yield node, value, is_spelled

    def _may_be(self, source: SourceFile | None, value: ast.expr, is_spelled: bool) -> bool:  # noqa: FBT001
        """Whether the object may be what is asked in vain. A name that is not spelled counts on what is imported."""
        if source is None or (isinstance(value, ast.Name) and value.id in _OWN_OBJECTS):
            return False
        meaning = self._finder.find_meaning(source, value)
        if isinstance(meaning, ModuleMeaning):
            return not self._of_class and self._is_claimed_module(meaning)
        if isinstance(meaning, ClassMeaning):
            is_class = not meaning.is_instance or meaning.node.name == self._claim.owner
            return is_class and (self._of_class or self._claim.family is ClaimFamily.CALL)
        if self._of_class or self._claim.family is ClaimFamily.CALL:
            return is_spelled or self._is_imported(source, value)
        return self._claim.family is not ClaimFamily.NAME and self._is_imported(source, value)

    def _is_claimed_module(self, meaning: ModuleMeaning) -> bool:
        claim = self._claim
        if claim.family is ClaimFamily.NAME:
            return meaning.name == "builtins" or meaning.location.path == claim.path
        if claim.family is ClaimFamily.CALL:
            return True
        claimed = self._modules.find_module(claim.path, claim.module) if claim.module else None
        if claimed is None or not claimed.path or not meaning.location.path:
            return True
        return meaning.location.path == claimed.path

    def _is_imported(self, source: SourceFile, value: ast.expr) -> bool:
        """Whether an expression may be a module: it looks one up, or begins with what may have been imported as one."""
        if _LOADED_AS_VALUE.search(ast.unparse(value)):
            return True
        root = read_dotted_name(value).partition(".")[0]
        bindings = source.resolve_name(root, value) if root else ()
        return any(self._brings_module(source, binding, is_followed=False) for binding in bindings)

    def _brings_module(self, source: SourceFile, binding: object, *, is_followed: bool) -> bool:
        match binding:
            case ImportedName() if binding.name and not is_followed:
                path = self._modules.find_module(source.path, binding.module, binding.level).path
                other = self._finder.get_source(path) if path.endswith(".py") else None
                given = other.list_bindings(other.tree).get(binding.name, ()) if other is not None else ()
                return other is not None and any(self._brings_module(other, inner, is_followed=True) for inner in given)
            case ImportedName():
                return is_followed
            case ast.Assign(value=value) | ast.AnnAssign(value=ast.expr() as value):
                return _LOADED_AS_VALUE.search(ast.unparse(value)) is not None
        return isinstance(binding, ast.Name)
