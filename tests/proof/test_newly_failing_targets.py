"""A target that fixes the incident and newly fails elsewhere is refused, in every family; what failed before is not."""

from collections.abc import Mapping
from pathlib import Path

import pytest

from shared.adapters.compilers.best_compilers import LocalCompilers
from shared.proof.model.finding import Finding
from shared.proof.proof_context import ProofRequest
from tests.support.history_builder import (
    HistoryBuilder,
    make_incident,
    make_sighting,
    prove_incident,
    running_python,
)
from tests.support.planted_breaks import KINDS, list_start_files

GATES: Mapping[str, set[str]] = {
    "a syntax error": {"newly_broken"},
    "a renamed module": {"missing_module", "newly_failing"},
    "an ignored module": {"missing_module", "newly_failing"},
}
BROKEN = "harbor/use_1.py"
OTHER = 2
"""The part of the service that breaks later."""


def build(path: Path, kind: str, *, is_broken_before: bool) -> HistoryBuilder:
    history, files = HistoryBuilder(path), dict(list_start_files())
    change = KINDS[kind].change(files, OTHER)
    history.commit("start", {**files, **(change if is_broken_before else {})})
    lines = files[BROKEN].splitlines(keepends=True)
    history.commit("break", {BROKEN: "".join([*lines[:3], "oops = = 1\n", *lines[4:]])})
    history.commit("fix", {BROKEN: files[BROKEN]})
    history.commit("later", {"README.md": "Harbor.\n"})
    history.commit("newest", {"README.md": "The harbor.\n"} if is_broken_before else change)
    history.write_repository()
    return history


def prove(history: HistoryBuilder, compilers: LocalCompilers) -> Finding:
    request = ProofRequest(deployed=history.ids["break"], fallback_python=running_python(), python=running_python())
    return prove_incident(history.path, make_incident(f"/srv/{BROKEN}", make_sighting(4)), compilers, request)


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.replace(" ", "_"))
def test_the_newest_commit_that_fails_nowhere_new_is_proposed(
    tmp_path: Path, compilers: LocalCompilers, kind: str
) -> None:
    proof = prove(build(tmp_path / "harbor.git", kind, is_broken_before=False), compilers)
    assert proof.target is not None
    assert proof.target.commit.subject == "later"
    [refused] = proof.refused_commits
    assert refused.gate in GATES.get(kind, {"newly_failing"})
    assert any(path in refused.detail for path in (f"_{OTHER}.py", "harbor/main.py", "Dockerfile"))


@pytest.mark.parametrize(
    "kind", ["a renamed function", "an undefined name", "a missing argument", "a file that is gone"]
)
def test_what_fails_as_deployed_refuses_nothing(tmp_path: Path, compilers: LocalCompilers, kind: str) -> None:
    proof = prove(build(tmp_path / "harbor.git", kind, is_broken_before=True), compilers)
    assert proof.target is not None
    assert proof.target.commit.subject == "newest"
    assert proof.refused_commits == ()


CLASS = "class Berth:\n    size = 1\n\n\n"
MAY_WORK = {
    "an attribute of what an annotation alone names": CLASS
    + "def describe(berth: Berth) -> int:\n    return berth.tonnage\n",
    "a failure that its handler only reports": CLASS
    + "def close() -> None:\n    berth = Berth()\n    try:\n        berth.tonnage()\n    except Exception as error:\n"
    "        print(f'not closed: {error}')\n",
}


def prove_fix_with(path: Path, compilers: LocalCompilers, source: str) -> Finding:
    """The finding where the fix adds a file that the service loads."""
    history, files, other = HistoryBuilder(path), dict(list_start_files()), f"harbor/use_{OTHER}.py"
    history.commit("start", files)
    lines = files[BROKEN].splitlines(keepends=True)
    history.commit("break", {BROKEN: "".join([*lines[:3], "oops = = 1\n", *lines[4:]])})
    history.commit(
        "fix", {BROKEN: files[BROKEN], other: f"from harbor import berths\n{files[other]}", "harbor/berths.py": source}
    )
    history.write_repository()
    return prove(history, compilers)


@pytest.mark.parametrize("source", MAY_WORK.values(), ids=MAY_WORK)
def test_what_may_work_at_run_time_refuses_nothing(tmp_path: Path, compilers: LocalCompilers, source: str) -> None:
    proof = prove_fix_with(tmp_path / "harbor.git", compilers, source)
    assert proof.target is not None
    assert proof.refused_commits == ()


def test_an_attribute_of_what_is_made_there_refuses(tmp_path: Path, compilers: LocalCompilers) -> None:
    source = f"{CLASS}def describe() -> int:\n    berth = Berth()\n    return berth.tonnage\n"
    proof = prove_fix_with(tmp_path / "harbor.git", compilers, source)
    assert proof.target is None
    assert [refused.gate for refused in proof.refused_commits] == ["newly_failing"]
