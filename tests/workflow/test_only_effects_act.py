"""Nothing reaches the outside except through the ledger: said of the code, and of what a port allows."""

import ast
from collections.abc import Callable
from pathlib import Path

import pytest

from shared.deployment_records import DeploymentEntry
from shared.pushes import CheckConclusion, CheckRun
from tests.support.effect_methods import EFFECT_METHODS
from tests.support.harness import Harness
from tests.support.memory import UnclaimedEffectError

WORKFLOW = Path(__file__).parents[2] / "shared/workflow"
STEPS = sorted(WORKFLOW.rglob("*.py"))
EFFECT_FILES = ("effects.py", "check_effects.py", "rollout_effects.py")
REQUEST_METHODS = {("bus", "request")}
"""What every tick repeats."""
READ_METHODS = {
    ("deployment_records", "find_record"),
    ("deployment_records", "has_success"),
    ("deployment_records", "list_successes"),
    ("check_runs", "is_available"),
    ("check_runs", "find_run"),
    ("check_runs", "find_merge_base"),
    ("issues", "find"),
    ("issues", "has_comment"),
    ("issues", "state"),
    ("chat", "find"),
    ("chat", "list_group_members"),
    ("chat", "has_reply"),
    ("deployer", "find"),
    ("deployer", "state"),
    ("deployer", "check_image"),
}


def _named(tree: ast.AST) -> set[tuple[str, str]]:
    """Every `….port.method` of ports that can change something, however it is spelled: called, passed on, or kept."""
    ports = {port for port, _ in EFFECT_METHODS}
    return {
        (node.value.attr, node.attr)
        for node in ast.walk(tree)
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Attribute) and node.value.attr in ports
    }


@pytest.mark.parametrize("path", STEPS, ids=lambda path: path.name)
def test_no_step_but_effects_names_an_effect(path: Path) -> None:
    effects = EFFECT_METHODS if path.name in EFFECT_FILES else set()
    requests = REQUEST_METHODS if path.name == "requests.py" else set()
    allowed = READ_METHODS | effects | requests
    assert _named(ast.parse(path.read_text("utf-8"))) <= allowed


def test_all_steps_are_looked_at() -> None:
    assert {
        "record.py",
        "decide.py",
        "redeploy.py",
        "verify.py",
        "give_traffic.py",
        *EFFECT_FILES,
        "requests.py",
        "ledger.py",
    } <= {path.name for path in STEPS}


def test_every_effect_stands_in_what_is_handed_to_the_ledger() -> None:
    trees = [ast.parse(path.read_text("utf-8")) for path in STEPS if path.name in EFFECT_FILES]
    inside = {
        name
        for tree in trees
        for node in ast.walk(tree)
        if isinstance(node, ast.FunctionDef) and node.name == "do"
        for name in _named(node)
    }
    assert inside >= EFFECT_METHODS
    for function in (node for tree in trees for node in tree.body if isinstance(node, ast.FunctionDef)):
        wrapped = {name for node in ast.walk(function) for name in _named(node)} & EFFECT_METHODS
        calls = {
            node.func.id
            for node in ast.walk(function)
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name)
        }
        assert not wrapped or "run_once" in calls, f"{function.name} acts without the ledger"


@pytest.mark.parametrize("port", ["bus", "issues", "chat", "pager", "check_runs", "deployment_records", "deployer"])
def test_no_step_lets_a_port_out_of_its_sight(port: str) -> None:
    """A port that is only ever used as `context.port.method` cannot be used where the tests above do not look."""
    port_uses = 0
    for path in STEPS:
        tree = ast.parse(path.read_text("utf-8"))
        used = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Attribute)}
        for node in ast.walk(tree):
            if isinstance(node, ast.Attribute) and node.attr == port and ast.unparse(node.value) == "context":
                assert id(node) in used, f"{path.name}:{node.lineno} hands context.{port} on"
                port_uses += 1
    assert port_uses


def test_the_fakes_refuse_an_effect_outside_of_a_claim() -> None:
    setting = Harness()
    known = setting.services["shore.tide"]
    run = CheckRun("n", "x", "1" * 40, CheckConclusion.SUCCESS, "t", "s")
    attempts: list[Callable[[], object]] = [
        lambda: setting.bus.publish("tick", {}),
        lambda: setting.issues.open(known, "m", "t", "m"),
        lambda: setting.issues.comment(known, 1, "m", "m"),
        lambda: setting.issues.close(known, 1),
        lambda: setting.issues.reopen(known, 1),
        lambda: setting.issues.replace_content(known, 1, "t", "m"),
        lambda: setting.issues.update_status_section(known, 1, "m"),
        lambda: setting.issues.create_labels(known),
        lambda: setting.chat.reply(known, "C-TIDE/1795000000.000000", "m", ("a",)),
        lambda: setting.check_runs.create_run(known, run),
        lambda: setting.deployment_records.create_record(known, DeploymentEntry("m", "c", "d")),
        lambda: setting.deployment_records.set_success(known, "1", DeploymentEntry("m", "c", "d")),
        lambda: setting.cloud.start(known, "m", "c", "1"),
        lambda: setting.cloud.shift_traffic(known, "tide-00007-old", 100),
    ]
    for attempt in attempts:
        with pytest.raises(UnclaimedEffectError):
            attempt()
