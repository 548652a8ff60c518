"""Every pattern of the product, found in its source: where it stands, how it is used, and what it is.

A call of `re` that is found neither as a name of its module nor here is an error: none can be forgotten.
"""

import ast
import importlib
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from shared.text.secret_rules import ALL_RULES

ROOT = Path(__file__).parents[3]
_ANCHORED = frozenset(("match", "fullmatch"))
_USES = ("match", "fullmatch", "search", "sub", "subn", "finditer", "findall", "split")
CHECKED_ELSEWHERE = {
    ("shared/proof/claims/place_claim.py", "_find_token"): "one name, escaped",
    (
        "shared/proof/claims/regressions/provided_names.py",
        "ProvidedNames",
    ): "an escaped name, bounded runs",
    ("shared/proof/claims/files/file_judge.py", "_Reading"): "one name, escaped",
    ("shared/adapters/google/image_name.py", "_read_rule"): "the name of an image as the platform has it, matched once",
    ("shared/detection/causes/cause.py", "make_rule"): "classes and messages of at most 300 characters",
    ("shared/text/redaction.py", "_compile"): "every rule is one of `_ALL_RULES`",
    ("shared/text/secret_pattern.py", "parse_secret_pattern"): "forms are built of items that cannot match in two ways",
    ("shared/text/secret_pattern.py", "_parse_item"): "a class is looked for in 128 characters",
    ("shared/config/field_types.py", "_matching"): "values of the configuration, each matched once",
    ("shared/adapters/github/workflow_pipeline.py", "WorkflowPipeline"): "`.*` once a line, from its beginning",
    ("shared/report/issue/causes.py", "_render_resources"): "single words",
    ("shared/proof/declared/development_python.py", "_match_lines"): "measured with `development_pythons`",
    (
        "shared/adapters/checkers/ty_checker.py",
        "",
    ): "one short message of the type checker, whose answer is bounded",
    ("shared/adapters/checkers/ty_checker.py", "_parse_call"): "one short message of the type checker",
    (
        "shared/proof/claims/attributes/attribute_judge.py",
        "_build_gone",
    ): "one name in one quoted line, which has 300 characters at most",
    ("shared/proof/claims/attributes/find_class.py", "_list_reached"): "one name, with runs that give nothing back",
    ("shared/proof/claims/calls/call_message.py", ""): "a message of 300 characters at most",
    ("shared/proof/claims/checking/value_judge.py", "_has_type"): "one type as the checker writes it",
    ("shared/proof/claims/scopes/name_judge.py", "_File"): "one name, word by word",
}


USED_BY_A_HELPER = (
    ("shared/adapters/github/webhook.py: _DELIVERY", "fullmatch"),
    ("shared/adapters/github/webhook.py: _REPOSITORY", "fullmatch"),
    ("shared/adapters/github/webhook.py: _LOGIN", "fullmatch"),
    ("shared/proof/loading/source_text.py: _DOUBLE_END", "match"),
    ("shared/proof/loading/source_text.py: _SINGLE_END", "match"),
    ("shared/proof/loading/source_text.py: _LONG_DOUBLE_END", "match"),
    ("shared/proof/loading/source_text.py: _LONG_SINGLE_END", "match"),
)


@dataclass(frozen=True, slots=True)
class FoundPattern:
    """One pattern. `anchored`: it is only ever tried at one place of a text."""

    where: str
    pattern: "re.Pattern[str] | re.Pattern[bytes]"
    anchored: bool


def all_patterns() -> list[FoundPattern]:
    """Raises AssertionError for a call of `re` whose pattern is not known."""
    patterns: list[FoundPattern] = []
    for path in sorted([*(ROOT / "shared").rglob("*.py"), *(ROOT / "functions").rglob("*.py")]):
        source = path.read_text("utf-8")
        if "re." in source:
            patterns += _patterns_of_file(path.relative_to(ROOT).as_posix(), source)
    rules = [
        FoundPattern(f"redaction rule {rule.kind}", re.compile(rule.pattern), anchored=False) for rule in ALL_RULES
    ]
    return [*patterns, *rules]


def _patterns_of_file(name: str, source: str) -> Iterator[FoundPattern]:
    tree = ast.parse(source)
    named = {id(node.value): node.targets[0] for node in tree.body if isinstance(node, ast.Assign)}
    for function, call in _calls(tree):
        assert isinstance(call.func, ast.Attribute)
        target = named.get(id(call))
        if call.func.attr == "compile" and isinstance(target, ast.Name):
            module = importlib.import_module(name.removesuffix(".py").replace("/", "."))
            uses = {use for other, use in USED_BY_A_HELPER if other == f"{name}: {target.id}"}
            uses |= set(re.findall(rf"\b{target.id}\.({'|'.join(_USES)})\(", source))
            yield FoundPattern(f"{name}: {target.id}", getattr(module, target.id), bool(uses) and uses <= _ANCHORED)
        elif isinstance(call.args[0], ast.Constant):
            flags = re.MULTILINE if any("re.M" in ast.unparse(word) for word in [*call.args[1:], *call.keywords]) else 0
            yield FoundPattern(f"{name}: {function}", _compiled(call.args[0].value, flags), call.func.attr in _ANCHORED)
        else:
            assert (name, function) in CHECKED_ELSEWHERE, f"{name}: {function} has a pattern that nobody measures"


def _compiled(literal: object, flags: int) -> "re.Pattern[str] | re.Pattern[bytes]":
    assert isinstance(literal, str | bytes)
    if isinstance(literal, bytes):
        return re.compile(literal, flags)
    return re.compile(literal, flags)


def _calls(tree: ast.Module) -> Iterator[tuple[str, ast.Call]]:
    """Calls of `re` that take a pattern, each with the function around it."""
    for top in tree.body:
        for node in ast.walk(top):
            if isinstance(node, ast.Call) and _is_re_function(node.func):
                yield getattr(top, "name", ""), node


def _is_re_function(function: ast.expr) -> bool:
    return ast.unparse(function) in {f"re.{name}" for name in ("compile", *_USES)}
