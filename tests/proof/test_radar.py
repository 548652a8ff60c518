"""`provenfix radar` on real repositories: what is merged, not deployed, and ends a failure of what serves."""

import json
from pathlib import Path

import pytest

from functions.cli.radar import RadarFormat, radar
from shared.proof.undeployed_fixes import MAX_FIXES
from shared.text.phrases import short_sha
from tests.support.history_builder import HistoryBuilder, running_python

DOCKERFILE = "FROM python:3.11-slim\nWORKDIR /srv\nCOPY . .\nCMD uvicorn lock.main:app\n"
MAIN = "from lock.gates import open_gate\n\napp = open_gate\n"
GATES = "def open_gate(name):\n    return name\n"
MISSPELT = "def open_gate(name):\n    return nmae\n"
BROKEN = "def open_gate(name:\n    return name\n"
FILES: dict[str, str | bytes | None] = {"Dockerfile": DOCKERFILE, "lock/__init__.py": "", "lock/main.py": MAIN}


@pytest.fixture
def history(tmp_path: Path) -> HistoryBuilder:
    return HistoryBuilder(tmp_path / "lock.git")


def ask(history: HistoryBuilder, capsys: pytest.CaptureFixture[str], deployed: str) -> dict[str, object]:
    """What it prints; the exit code must tell of it."""
    history.write_repository()
    code = radar(
        deployed=history.ids[deployed], repo=str(history.path), python=running_python(), output=RadarFormat.JSON
    )
    printed: dict[str, object] = json.loads(capsys.readouterr().out)
    assert code == int(bool(printed["fixes"]))
    return printed


def fixes(history: HistoryBuilder, printed: dict[str, object]) -> list[tuple[str, str | None, int]]:
    """Family and position of each failure, the name of the commit that ends it, and how many go out with it."""
    listed = printed["fixes"]
    assert isinstance(listed, list)
    return [
        (
            f"{fix['failure']['family']} {fix['failure']['path']}:{fix['failure']['line']}",
            history.name_of(fix["fix"]["commit"]) if fix["fix"] else None,
            fix["commits_shipped"],
        )
        for fix in listed
    ]


def test_merged_fixes_of_what_serves_are_named(history: HistoryBuilder, capsys: pytest.CaptureFixture[str]) -> None:
    history.commit("start", {**FILES, "lock/gates.py": MISSPELT, "lock/main.py": MAIN + "\n\nprint(misspelt)\n"})
    history.commit("other", {"README.md": "Lock.\n"})
    history.commit("name", {"lock/gates.py": GATES})
    history.commit("claim", {"README.md": "Fix the misspelt name.\n"})
    history.commit("print", {"lock/main.py": MAIN})
    history.commit("tip", {"README.md": "More.\n"})
    printed = ask(history, capsys, "start")
    assert fixes(history, printed) == [("name lock/gates.py:2", "name", 2), ("name lock/main.py:6", "print", 4)]
    assert (printed["commits_ahead"], printed["newly_broken"]) == (5, [])


def test_a_fix_that_came_by_a_merge_is_named_as_the_merge(
    history: HistoryBuilder, capsys: pytest.CaptureFixture[str]
) -> None:
    history.commit("start", {**FILES, "lock/gates.py": BROKEN})
    history.commit("main", {"README.md": "Lock.\n"})
    history.commit("topic", {"lock/gates.py": GATES}, "start")
    history.commit("merge", {"lock/gates.py": GATES}, "main", "topic")
    assert fixes(history, ask(history, capsys, "start")) == [("syntax lock/gates.py:1", "merge", 2)]


def test_what_the_branch_never_had_has_no_fix(history: HistoryBuilder, capsys: pytest.CaptureFixture[str]) -> None:
    history.commit("start", {**FILES, "lock/gates.py": GATES})
    history.commit("topic", {"lock/gates.py": MISSPELT}, "start")
    history.commit("main", {"README.md": "Lock.\n"}, "start")
    assert fixes(history, ask(history, capsys, "topic")) == [("name lock/gates.py:2", None, 1)]


def test_nothing_is_said_where_nothing_waits(history: HistoryBuilder, capsys: pytest.CaptureFixture[str]) -> None:
    history.commit("start", {**FILES, "lock/gates.py": GATES, "tools/report.py": BROKEN})
    history.commit("tools", {"tools/report.py": "print()\n"})
    assert fixes(history, ask(history, capsys, "start")) == []
    assert fixes(history, ask(history, capsys, "tools")) == []


def test_what_was_fixed_and_broken_again_does_not_wait(
    history: HistoryBuilder, capsys: pytest.CaptureFixture[str]
) -> None:
    history.commit("start", {**FILES, "lock/gates.py": MISSPELT})
    history.commit("fix", {"lock/gates.py": GATES})
    history.commit("again", {"lock/gates.py": MISSPELT})
    assert fixes(history, ask(history, capsys, "start")) == []


def test_a_head_that_breaks_something_else_is_told(history: HistoryBuilder, capsys: pytest.CaptureFixture[str]) -> None:
    history.commit("start", {**FILES, "lock/gates.py": MISSPELT})
    history.commit("fix", {"lock/gates.py": GATES})
    history.commit("rename", {"lock/gates.py": GATES.replace("open_gate", "lift_gate")})
    printed = ask(history, capsys, "start")
    assert fixes(history, printed) == [("name lock/gates.py:2", "fix", 1)]
    broken = printed["newly_broken"]
    assert isinstance(broken, list)
    assert [(alarm["family"], alarm["path"]) for alarm in broken] == [("import_name", "lock/main.py")]


def test_what_was_not_searched_is_counted(history: HistoryBuilder, capsys: pytest.CaptureFixture[str]) -> None:
    many = "".join(f"def count_{number}():\n    return nmae_{number}\n" for number in range(MAX_FIXES + 3))
    history.commit("start", {**FILES, "lock/gates.py": GATES + many})
    history.commit("fix", {"lock/gates.py": GATES})
    printed = ask(history, capsys, "start")
    assert (len(fixes(history, printed)), printed["further_failures"]) == (MAX_FIXES, 3)


def test_text_names_failure_fix_and_age(history: HistoryBuilder, capsys: pytest.CaptureFixture[str]) -> None:
    history.commit("start", {**FILES, "lock/gates.py": MISSPELT})
    history.commit("fix", {"lock/gates.py": GATES})
    history.write_repository()
    assert radar(deployed="main^", repo=str(history.path)) == 1
    alarm, reason, fixed, summary = capsys.readouterr().out.splitlines()
    assert alarm.startswith("lock/gates.py:2: NameError: ")
    assert reason.startswith("    ")
    assert f'{short_sha(history.ids["fix"])} "fix"' in fixed
    assert short_sha(history.ids["start"]) in summary
