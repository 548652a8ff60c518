"""A judge's rules and a checker's report, held against each other; what the checker is given; where probes stand."""

import ast

import pytest

from shared.proof.claims.attributes.expression_meaning import Meaning, MeaningFinder
from shared.proof.claims.attributes.source_file import SourceFile
from shared.proof.claims.checking.checked_files import collect_files, insert_probes
from shared.proof.claims.checking.two_witnesses import TwoWitnesses
from shared.proof.claims.claim import Claim, ClaimFamily, ClaimState, ClaimVerdict
from shared.proof.claims.ports import ServiceModules
from shared.proof.model.checker_report import CheckerDiagnostic, CheckerRule
from tests.support.listed_modules import ListedModules
from tests.support.type_checker import FakeTypeChecker

FAILS, HOLDS, UNKNOWN = ClaimState.FAILS, ClaimState.HOLDS, ClaimState.UNKNOWN
SOURCE = "from app import conf\nconf.limit\n"


class FixedJudge:
    """Implements `ClaimJudge` with one verdict."""

    def __init__(self, state: ClaimState) -> None:
        self._state = state

    def judge(self, claim: Claim, modules: ServiceModules) -> ClaimVerdict:
        del claim, modules
        return ClaimVerdict(self._state, "as fixed", (2,) if self._state is FAILS else (), "rules")


def make_claim(family: ClaimFamily) -> Claim:
    names = {ClaimFamily.MODULE_ATTRIBUTE: "app.conf", ClaimFamily.IMPORT_NAME: "app.conf"}
    owner = {ClaimFamily.CLASS_ATTRIBUTE: "Cart", ClaimFamily.CALL: "Cart.__init__"}.get(family, "")
    return Claim(family, "main.py", 2, "AttributeError", "", "", "conf.limit", names.get(family, ""), "limit", owner)


def report(rule: CheckerRule, subject: str, name: str = "limit", column: int = 1) -> CheckerDiagnostic:
    return CheckerDiagnostic("main.py", 2, column, rule, "as reported", name, subject)


MODULE, CLASS, NAME = ClaimFamily.MODULE_ATTRIBUTE, ClaimFamily.CLASS_ATTRIBUTE, ClaimFamily.NAME
REVEALED_MODULE = report(CheckerRule.REVEALED, "<module 'app.conf'>", "", len("reveal_type(") + 1)
REVEALED_CLASS = report(CheckerRule.REVEALED, "Cart", "", len("reveal_type(") + 1)
REVEALED_NOTHING = report(CheckerRule.REVEALED, "Unknown", "", len("reveal_type(") + 1)


@pytest.mark.parametrize(
    ("family", "state", "diagnostics", "expected"),
    [
        (MODULE, FAILS, [report(CheckerRule.ATTRIBUTE, "app.conf")], FAILS),
        (MODULE, FAILS, [], FAILS),
        (MODULE, FAILS, [REVEALED_NOTHING], FAILS),
        (MODULE, FAILS, [REVEALED_MODULE], UNKNOWN),
        (MODULE, HOLDS, [], HOLDS),
        (MODULE, HOLDS, [report(CheckerRule.ATTRIBUTE, "app.conf")], UNKNOWN),
        (MODULE, HOLDS, [report(CheckerRule.ATTRIBUTE, "app.other")], HOLDS),
        (MODULE, HOLDS, [report(CheckerRule.ATTRIBUTE, "app.conf", "other")], HOLDS),
        (MODULE, HOLDS, [report(CheckerRule.MODULE, "", "requests")], HOLDS),
        (MODULE, UNKNOWN, [report(CheckerRule.ATTRIBUTE, "app.conf")], UNKNOWN),
        (CLASS, FAILS, [report(CheckerRule.ATTRIBUTE, "Cart")], FAILS),
        (CLASS, FAILS, [REVEALED_CLASS], UNKNOWN),
        (CLASS, FAILS, [REVEALED_NOTHING], FAILS),
        (CLASS, HOLDS, [report(CheckerRule.ATTRIBUTE, "Cart")], UNKNOWN),
        (CLASS, HOLDS, [report(CheckerRule.UNION_ATTRIBUTE, "type[Cart]")], UNKNOWN),
        (CLASS, HOLDS, [report(CheckerRule.ATTRIBUTE, "Other")], HOLDS),
        (NAME, FAILS, [report(CheckerRule.NAME, "")], FAILS),
        (NAME, FAILS, [], UNKNOWN),
        (NAME, HOLDS, [], HOLDS),
        (NAME, HOLDS, [report(CheckerRule.NAME, "")], UNKNOWN),
        (ClaimFamily.IMPORT_NAME, HOLDS, [report(CheckerRule.MODULE_MEMBER, "app.conf")], UNKNOWN),
        (ClaimFamily.IMPORT_NAME, HOLDS, [report(CheckerRule.MODULE_MEMBER, "app.other")], HOLDS),
        (ClaimFamily.CALL, HOLDS, [report(CheckerRule.CALL, "Cart.__init__")], UNKNOWN),
        (ClaimFamily.CALL, HOLDS, [report(CheckerRule.CALL, "Other.__init__")], HOLDS),
        (ClaimFamily.CALL, FAILS, [], FAILS),
    ],
)
def test_where_the_witnesses_differ_nothing_is_known(
    family: ClaimFamily, state: ClaimState, diagnostics: list[CheckerDiagnostic], expected: ClaimState
) -> None:
    modules = ListedModules({"main.py": SOURCE, "app/__init__.py": "", "app/conf.py": ""})
    verdict = TwoWitnesses(FixedJudge(state), FakeTypeChecker(diagnostics)).judge(make_claim(family), modules)
    assert verdict.state is expected
    assert verdict.checked_by == ("rules" if state is UNKNOWN else "rules, fake-1.0")
    assert bool(verdict.lines) is (expected is FAILS)


@pytest.mark.parametrize("state", ClaimState)
def test_without_an_answer_the_verdict_stays(state: ClaimState) -> None:
    checker = FakeTypeChecker(is_installed=False)
    modules = ListedModules({"main.py": SOURCE, "app/__init__.py": "", "app/conf.py": ""})
    verdict = TwoWitnesses(FixedJudge(state), checker).judge(make_claim(MODULE), modules)
    assert (verdict.state, verdict.checked_by) == (state, "rules")


def test_what_the_checker_read_is_an_input_only_where_it_counts() -> None:
    files = {"main.py": SOURCE, "app/__init__.py": "", "app/conf.py": ""}
    modules = ListedModules(files)
    modules.tree.read("main.py")
    TwoWitnesses(FixedJudge(FAILS), FakeTypeChecker()).judge(make_claim(MODULE), modules)
    assert modules.tree.recorded_paths == {"main.py"}
    TwoWitnesses(FixedJudge(FAILS), FakeTypeChecker([REVEALED_MODULE])).judge(make_claim(MODULE), modules)
    assert set(files) <= modules.tree.recorded_paths


@pytest.mark.parametrize("family", [ClaimFamily.MODULE, ClaimFamily.FILE, ClaimFamily.CIRCULAR_IMPORT])
def test_of_other_families_the_checker_is_not_asked(family: ClaimFamily) -> None:
    checker = FakeTypeChecker()
    judge = TwoWitnesses(FixedJudge(FAILS), checker)
    assert judge.judge(make_claim(family), ListedModules({"main.py": SOURCE})).state is FAILS
    assert checker.asked == []


def test_the_checker_gets_what_imports_find_and_the_folders_from_which_they_do() -> None:
    files = {
        "main.py": "import requests\nfrom app import conf, gone\nfrom app.deep.far import x\n",
        "app/__init__.py": "",
        "app/conf.py": "from . import other\n",
        "app/other.py": "from .last import x\n",
        "app/last.py": "",
        "app/deep/far.py": "x = 1\n",
        "app/unused.py": "",
        "pyproject.toml": "",
    }
    collected = collect_files(MeaningFinder(ListedModules(files), "main.py"), "main.py")
    assert set(collected.contents) == {"main.py", "app/__init__.py", "app/conf.py", "app/deep/far.py", "app/other.py"}
    assert collected.roots == ("",)


@pytest.mark.parametrize(
    "text",
    [
        "a.b.c",
        "a.b().c()",
        "é = (a.b)['ü'].c",
        "f(x.y, *z).w\n(a\n .b\n .c).d",
        "if (n := f()) and n.x:\n    n.x.y",
        "(a or b).c",
    ],
)
def test_a_probe_changes_neither_lines_nor_meaning_and_is_named_where_it_stands(text: str) -> None:
    tree = ast.parse(text)
    values = [node.value for node in ast.walk(tree) if isinstance(node, ast.Attribute | ast.Subscript)]
    values += [node.func for node in ast.walk(tree) if isinstance(node, ast.Call)]
    probed = insert_probes(text.encode(), values)
    lines = probed.content.decode().split("\n")
    assert len(lines) == len(text.split("\n"))
    arguments = {
        (call.args[0].lineno, len(lines[call.lineno - 1].encode()[: call.args[0].col_offset].decode()) + 1)
        for call in ast.walk(ast.parse(probed.content))
        if isinstance(call, ast.Call) and isinstance(call.func, ast.Name) and call.func.id == "reveal_type"
    }
    assert set(probed.positions.values()) == arguments
    without = ast.unparse(_Unprobed().visit(ast.parse(probed.content)))
    assert without == ast.unparse(tree)


class _Unprobed(ast.NodeTransformer):
    def visit_Call(self, node: ast.Call) -> ast.AST:  # as `ast` names it
        self.generic_visit(node)
        is_probe = isinstance(node.func, ast.Name) and node.func.id == "reveal_type"
        return node.args[0] if is_probe else node


class CountingFinder(MeaningFinder):
    """Counts what it is asked."""

    asked = 0

    def find_meaning(self, source: SourceFile, node: ast.expr, depth: int = 0) -> Meaning:
        self.asked += 1
        return super().find_meaning(source, node, depth)


def test_a_name_that_is_made_of_itself_many_times_is_followed_once() -> None:
    lines = [f"    rows = rows.step_{number}()" for number in range(12)]
    files = {"main.py": "\n".join(["def moor(rows):", *lines, "    rows.last()"])}
    finder = CountingFinder(ListedModules(files), "main.py")
    source = finder.get_source("main.py")
    assert source is not None
    receivers = [node.value for node in source.nodes if isinstance(node, ast.Attribute)]
    assert all(finder.find_meaning(source, receiver) is None for receiver in receivers)
    assert finder.asked <= 10 * len(receivers)
