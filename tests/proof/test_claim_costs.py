"""What the search for a target reads: a commit that changes no input of a question is not asked it again."""

from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from shared.detection.logged_exception import Frame
from shared.proof.claims.regressions import new_failures
from shared.proof.claims.regressions.repeated_failure import RepeatedFailure
from shared.proof.gating import loaded_files
from shared.proof.model import ignore_rules
from tests.support.history_builder import HistoryBuilder
from tests.support.renamed_function import MAIN, START, prove_renamed

PARTS, LATER = 20, 60


def build(path: Path) -> HistoryBuilder:
    """A fix, a commit that newly fails elsewhere, and many that edit other files of the service."""
    parts = {f"quay/part_{number}.py": f"size = {number}\n" for number in range(PARTS)}
    main = "".join(f"from quay import part_{number}\n" for number in range(PARTS))
    history = HistoryBuilder(path)
    history.commit("start", {**START, **parts, "quay/berths.py": main, ".dockerignore": "*.md\n**/notes/\n"})
    history.commit("rename", {"quay/tides.py": "def current(): pass\n"})
    history.commit("fix", {"main.py": MAIN.replace("flow", "current")})
    history.commit("moved", {"quay/berths.py": f"{main}from .tides import ebb\n"})
    for number in range(LATER):
        history.commit(f"later {number}", {f"quay/part_{number % PARTS}.py": f"size = {100 + number}\n"})
    history.write_repository()
    return history


def count_calls(monkeypatch: pytest.MonkeyPatch, counts: Counter[str], owner: Any, name: str) -> None:
    original: Callable[..., Any] = getattr(owner, name)

    def counted(*arguments: Any, **options: Any) -> Any:
        counts[name] += 1
        return original(*arguments, **options)

    monkeypatch.setattr(owner, name, counted)


def test_edits_that_change_no_import_are_read_and_nothing_else_of_their_commits_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    counts: Counter[str] = Counter()
    count_calls(monkeypatch, counts, loaded_files, "parse_imports")
    count_calls(monkeypatch, counts, loaded_files, "find_import_closure")
    count_calls(monkeypatch, counts, new_failures, "find_touched_names")
    count_calls(monkeypatch, counts, RepeatedFailure, "_judge")
    ignore_rules.parse_docker_ignore.cache_clear()
    history = build(tmp_path / "repo")
    finding = prove_renamed(history)
    assert finding.target is not None
    assert history.name_of(finding.target.commit.id) == "fix"
    assert counts["find_import_closure"] <= 4, "the deployed commit, also in search of patches, the newest, the fix"
    assert counts["parse_imports"] <= 2 * (PARTS + 5), "of each version that a run of the gates loads"
    assert counts["find_touched_names"] <= PARTS + 3
    assert counts["_judge"] <= 3, "once for the inputs of the failure, and where it is no more"
    assert ignore_rules.parse_docker_ignore.cache_info().misses == 1


def test_a_virtual_environment_in_the_repository_is_not_taken_for_the_installed_packages(tmp_path: Path) -> None:
    packages = "venv/lib/python3.11/site-packages"
    history = HistoryBuilder(tmp_path / "repo")
    history.commit(
        "start", {**START, f"{packages}/buoy/__init__.py": "from . import bell\n", f"{packages}/buoy/bell.py": ""}
    )
    history.commit("rename", {"quay/tides.py": "def current(): pass\n"})
    history.commit("fix", {"main.py": MAIN.replace("flow", "current")})
    history.write_repository()
    finding = prove_renamed(
        history, Frame("/usr/local/lib/python3.11/site-packages/buoy/__init__.py", 1, "<module>", "from . import bell")
    )
    assert finding.target is not None
    assert finding.loaded_summary is not None
    assert finding.loaded_summary.file_count == len(("main.py", "quay/__init__.py", "quay/berths.py", "quay/tides.py"))
