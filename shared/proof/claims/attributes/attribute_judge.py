"""Judges `module 'm' has no attribute 'a'` and `'C' object has no attribute 'a'`.

It looks for the places of the claim's file that ask for the attribute, for the module or the class that they ask, and
for what binds the attribute there. What it cannot know is unknown: a base that is not of the repository, `__getattr__`,
`setattr`, a decorator, a metaclass.
"""

import ast
import re
from collections.abc import Sequence

from shared.proof.claims.attributes.attribute_uses import AttributeUse, find_uses, is_frame
from shared.proof.claims.attributes.class_attributes import Answer, Presence, find_attribute
from shared.proof.claims.attributes.class_hierarchy import read_hierarchy
from shared.proof.claims.attributes.expression_meaning import MeaningFinder, ModuleMeaning
from shared.proof.claims.attributes.find_class import FoundClass, find_class, is_surely_asked, may_be_asked
from shared.proof.claims.attributes.module_attributes import find_module_attribute
from shared.proof.claims.attributes.source_file import SourceFile
from shared.proof.claims.claim import Claim, ClaimFamily, ClaimState, ClaimVerdict, FoundModule, ModuleKind
from shared.proof.claims.ports import ServiceModules
from shared.proof.claims.source.python_source import describe_unparsed
from shared.proof.claims.source.standard_names import StandardName, StandardNames

CHECKED_BY = "attribute-rules"
_PATCHING = re.compile(r"(?:^|[._])(?:monkey\w*|patch\w*|shims?|compat|hooks?|plugins?|extensions?)(?:$|[._])")
_MAX_PATCHING = 10


class AttributeJudge:
    """Implements `shared.proof.claims.ports.ClaimJudge`. Without `standard_names` Python's own library is unknown."""

    def __init__(self, standard_names: StandardNames | None = None) -> None:
        self._standard_names = standard_names

    def judge(self, claim: Claim, modules: ServiceModules) -> ClaimVerdict:
        """The verdict at the commit of `modules`."""
        finder = MeaningFinder(modules, claim.path)
        try:
            source = finder.get_source(claim.path)
            if source is None:
                return _build_unknown(describe_unparsed(claim.path))
            if claim.family is ClaimFamily.MODULE_ATTRIBUTE:
                return _judge_module(claim, finder, source, self._standard_names)
            return _judge_class(claim, finder, source)
        except (RecursionError, ValueError) as error:
            return _build_unknown(f"{claim.path} is too deep to be followed ({type(error).__name__})")


def _judge_module(
    claim: Claim, finder: MeaningFinder, source: SourceFile, standard_names: StandardNames | None
) -> ClaimVerdict:
    uses = find_uses(source, claim.name, finder.modules.python)
    claimed = finder.modules.find_module(claim.path, claim.module) if claim.module != "__main__" else None
    asking, unclear = [], []
    for use in uses:
        meaning = finder.find_meaning(source, use.value)
        if isinstance(meaning, ModuleMeaning) and _is_claimed(meaning, claimed, claim.module):
            asking.append(use)
        elif meaning is None and not _is_own_object(use):
            unclear.append(use)
    if not asking:
        return (
            _build_unknown(f"what {claim.path} asks for {claim.name} is not known")
            if unclear
            else _build_gone(claim, source)
        )
    assert claimed is not None
    users = [_cut_before(source, asking), *_list_patching(finder, source)]
    answer = find_module_attribute(finder, claimed, claim.module, claim.name, users)
    if claimed.kind is ModuleKind.OUTSIDE and standard_names is not None:
        asked = StandardName(claim.module, claim.name, is_attribute=True)
        fails, reason = standard_names.judge(asked, finder.modules) or (None, "")
        presence = Presence.ABSENT if fails else Presence.PRESENT
        answer = answer if fails is None else Answer(presence, reason)
    return _conclude(answer, asking)


def _is_claimed(meaning: ModuleMeaning, claimed: FoundModule | None, name: str) -> bool:
    if claimed is None or meaning.location.kind is not claimed.kind:
        return False
    return meaning.location.path == claimed.path if claimed.path else meaning.name == name


def _is_own_object(use: AttributeUse) -> bool:
    """`self.a` asks no module."""
    return isinstance(use.value, ast.Name) and use.value.id in {"self", "cls"} and use.function != "<module>"


def _cut_before(source: SourceFile, uses: Sequence[AttributeUse]) -> SourceFile:
    """What has run of the file where it asks: all of it for a function, what comes before for its own top level."""
    first = min((use.lines[0] for use in uses if use.function == "<module>"), default=None)
    if first is None:
        return source
    body = [statement for statement in source.tree.body if (statement.end_lineno or statement.lineno) < first]
    return SourceFile(source.path, ast.Module(body, []))


def _judge_class(claim: Claim, finder: MeaningFinder, source: SourceFile) -> ClaimVerdict:
    uses = find_uses(source, claim.name, finder.modules.python)
    if not uses:
        return _build_gone(claim, source)
    in_function = [use for use in uses if is_frame(use.function, claim.function)]
    lookup = find_class(finder, source, claim.owner, in_function or uses)
    if lookup.start is None:
        return _judge_without_class(claim, finder, source, uses, lookup)
    hierarchy = read_hierarchy(finder, lookup.start)
    asking = [use for use in uses if may_be_asked(finder, source, hierarchy, use)]
    if not asking:
        return _build_gone(claim, source)
    sources = [source, *_list_patching(finder, source)]
    on_type = claim.message.startswith("type object")
    answer = find_attribute(hierarchy, claim.name, sources, on_type=on_type)
    if answer.presence is not Presence.ABSENT:
        return _conclude(answer, asking)
    failing = [use for use in asking if use in in_function or is_surely_asked(finder, source, hierarchy, use)]
    if not failing:
        return _build_unknown(f"whether what {claim.path} asks for {claim.name} is a {claim.owner} is not known")
    return _conclude(answer, failing)


def _judge_without_class(
    claim: Claim, finder: MeaningFinder, source: SourceFile, uses: Sequence[AttributeUse], lookup: FoundClass
) -> ClaimVerdict:
    """Modules alone are asked: no object of the class is."""
    if all(isinstance(finder.find_meaning(source, use.value), ModuleMeaning) for use in uses):
        return _build_gone(claim, source)
    return _build_unknown(lookup.reason)


def _list_patching(finder: MeaningFinder, source: SourceFile) -> list[SourceFile]:
    """The imported modules that are named as such that change others."""
    paths: dict[str, None] = {}
    for node in source.nodes:
        if isinstance(node, ast.Import):
            imports = [(alias.name, 0) for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            module = node.module or ""
            imports = [(f"{module}.{alias.name}".lstrip("."), node.level) for alias in node.names]
            imports += [(module, node.level)] if module else []
        else:
            continue
        for dotted, level in imports:
            if _PATCHING.search(dotted):
                paths[finder.modules.find_module(source.path, dotted, level).path] = None
    sources = (finder.get_source(path) for path in list(paths)[:_MAX_PATCHING] if path.endswith(".py"))
    return [parsed for parsed in sources if parsed is not None]


def _conclude(answer: Answer, asking: Sequence[AttributeUse]) -> ClaimVerdict:
    if answer.presence is Presence.PRESENT:
        return ClaimVerdict(ClaimState.HOLDS, answer.reason, checked_by=CHECKED_BY)
    if answer.presence is Presence.UNKNOWN:
        return _build_unknown(answer.reason)
    failing = [use for use in asking if not use.is_expected and not use.is_indirect]
    if not failing:
        return _build_unknown("the code is written for the attribute's absence")
    lines = tuple(sorted({line for use in failing for line in use.lines}))
    return ClaimVerdict(ClaimState.FAILS, answer.reason, lines, CHECKED_BY)


def _build_gone(claim: Claim, source: SourceFile) -> ClaimVerdict:
    """Nothing asks any more, if what failed was a plain read of the attribute: `getattr(x, name)` is not seen."""
    asked = claim.module or claim.owner
    spelled = claim.name[claim.name.index("__") :] if re.match(r"_\w+?__\w", claim.name) else claim.name
    if not re.search(rf"\.\s*{re.escape(spelled)}\b", claim.source_text):
        return _build_unknown(f"the logged line does not show how {asked} is asked for {claim.name}")
    if _reads_dynamically(source):
        return _build_unknown(f"{claim.path} asks for attributes by names that it does not spell")
    if re.search(rf"\.\s*{re.escape(spelled)}\s*(?::[^=]*)?=(?!=)", claim.source_text) and _stores(source, spelled):
        return _build_unknown(f"whether {claim.name} can be set is not known")
    return ClaimVerdict(
        ClaimState.HOLDS, f"{claim.path} does not ask {asked} for {claim.name} any more", checked_by=CHECKED_BY
    )


def _reads_dynamically(source: SourceFile) -> bool:
    """Whether the file asks for attributes whose names it does not spell."""
    for node in source.nodes:
        match node:
            case ast.Call(func=ast.Name(id="getattr"), args=[_, name, *_]) if not isinstance(name, ast.Constant):
                return True
    return False


def _stores(source: SourceFile, name: str) -> bool:
    return any(isinstance(node, ast.Attribute) and node.attr == name for node in source.nodes)


def _build_unknown(reason: str) -> ClaimVerdict:
    return ClaimVerdict(ClaimState.UNKNOWN, reason, checked_by=CHECKED_BY)
