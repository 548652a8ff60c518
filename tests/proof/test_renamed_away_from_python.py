"""A file under a name by which Python does not load it is gone; one that is no Python was never broken by a commit."""

import pytest

from shared.adapters.compilers.best_compilers import LocalCompilers
from shared.proof.model.finding import Finding
from shared.proof.model.recommendation import ActionKind, Reason
from shared.proof.proof_context import ProofRequest
from tests.support.history_builder import (
    HistoryBuilder,
    broken_source,
    make_incident,
    make_sighting,
    prove_incident,
    running_python,
    valid_source,
)

SCRIPT = "#!/bin/sh\nset -e\nexec gunicorn app:app\n"


def proven(
    story: HistoryBuilder, compilers: LocalCompilers, path: str, line: int, deployed: str | None = None
) -> Finding:
    request = ProofRequest(deployed=story.ids[deployed] if deployed else None, fallback_python=running_python())
    return prove_incident(story.path, make_incident(f"/srv/{path}", make_sighting(line)), compilers, request)


@pytest.mark.parametrize("name", ["svc.py.disabled", "svc.txt", "attic/svc.py.bak", "svc"])
def test_a_file_that_was_renamed_to_no_python_is_gone(
    story: HistoryBuilder, compilers: LocalCompilers, name: str
) -> None:
    story.commit("start", {"svc.py": valid_source(), "keep.py": "kept = 1\n"})
    story.commit("break", {"svc.py": broken_source(5)})
    story.commit("disable", {"svc.py": None, name: broken_source(5)})
    story.write_repository()
    proof = proven(story, compilers, "svc.py", 5)
    assert proof.fix is not None
    assert (proof.fix.commit.subject, proof.fix.is_deletion, proof.fix.path) == ("disable", True, "")
    assert (proof.recommendation.kind, proof.attempts) == (ActionKind.REDEPLOY, ())


@pytest.mark.parametrize(("old", "new"), [("svc.py", "core/main.py"), ("svc.py", "svc.pyw"), ("bin/run", "tools/run")])
def test_a_file_that_python_still_loads_is_followed(
    story: HistoryBuilder, compilers: LocalCompilers, old: str, new: str
) -> None:
    story.commit("start", {old: valid_source()})
    story.commit("break", {old: broken_source(5)})
    story.commit("move", {old: None, new: broken_source(5)})
    story.commit("mend", {new: valid_source(1)})
    story.write_repository()
    proof = proven(story, compilers, old, 5, "break")
    assert proof.fix is not None
    assert (proof.fix.commit.subject, proof.fix.is_deletion, proof.fix.path) == ("mend", False, new)


def test_a_file_that_was_no_python_before_came_with_its_new_name(
    story: HistoryBuilder, compilers: LocalCompilers
) -> None:
    story.commit("start", {"svc.py.disabled": broken_source(5)})
    story.commit("enable", {"svc.py.disabled": None, "svc.py": broken_source(5)})
    story.write_repository()
    proof = proven(story, compilers, "svc.py", 5)
    assert proof.introduced is not None
    assert (proof.introduced.commit.subject, proof.introduced.was_added_broken) == ("enable", True)


@pytest.mark.parametrize("given", ["later", None])
@pytest.mark.parametrize(
    ("name", "script"),
    [("entrypoint.sh", SCRIPT), ("entrypoint", SCRIPT), ("run.sh", "set -e\nexec gunicorn app:app\n")],
)
def test_a_shell_script_that_python_was_started_with_is_a_wrong_command(
    story: HistoryBuilder, compilers: LocalCompilers, name: str, script: str, given: str | None
) -> None:
    story.commit("start", {name: script, "app.py": valid_source()})
    story.commit("later", {name: script + "# the end\n"})
    story.write_repository()
    proof = proven(story, compilers, name, failing_line(script), given)
    assert (proof.recommendation.kind, proof.recommendation.reason) == (ActionKind.NONE, Reason.FILE_IS_NOT_PYTHON)
    assert (proof.broken, proof.introduced, proof.fix, proof.rollback) == (None, None, None, None)
    assert not proof.deployed.corroborated


def failing_line(script: str) -> int:
    with pytest.raises(SyntaxError) as raised:
        compile(script, "script", "exec", dont_inherit=True)
    assert raised.value.lineno is not None
    return raised.value.lineno


@pytest.mark.parametrize("source", ["#!/usr/bin/env python3\n{}", "{}"])
def test_a_script_without_a_suffix_that_is_python_gets_its_proof(
    story: HistoryBuilder, compilers: LocalCompilers, source: str
) -> None:
    story.commit("start", {"bin/serve": source.format(valid_source())})
    story.commit("break", {"bin/serve": source.format(broken_source(9))})
    story.commit("mend", {"bin/serve": source.format(valid_source(1))})
    story.write_repository()
    proof = proven(story, compilers, "bin/serve", 9 + source.count("\n"))
    assert (proof.introduced and proof.introduced.commit.subject) == "break"
    assert proof.recommendation.kind is ActionKind.REDEPLOY
