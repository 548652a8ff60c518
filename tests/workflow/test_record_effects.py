"""Closes and failed starts in the stream: one incident for each exception behind them, and what the platform adds."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from shared.detection.incident import Incident
from shared.proof.model.ports import Compilers, History
from shared.proof.model.recommendation import ActionKind, Reason
from shared.proof.proof_context import ProofRequest
from shared.report.report import Report
from shared.workflow.investigate_incident import investigate_incident
from shared.workflow.record import record_log_entry
from tests.support.commit_graph import commit_id
from tests.support.drivers import MINUTE, open_incident, read_documents, read_incident, read_state, run_tick
from tests.support.harness import OLD_REVISION, Harness

NEW = "tide-00008-new"
CLOSED = "WebSocket /ws closed: code=1011"
HEADER = "Traceback (most recent call last):\n"
RAISED = f"{HEADER}  File \"/app/berth.py\", line 5, in moor\n    lamps[name]\nKeyError: 'red'"
OTHER = RAISED.replace("berth.py", "crane.py").replace("KeyError: 'red'", "ValueError: no tide")
STARTED = (
    f'{HEADER}  File "/app/main.py", line 3, in <module>\n    url = os.environ["HARBOUR_URL"]\n'
    "  File \"<frozen os>\", line 685, in __getitem__\nKeyError: 'HARBOUR_URL'"
)
SENTENCE = "Container called exit(1)."


@pytest.fixture
def harness() -> Harness:
    harness = Harness()
    harness.prover.kind, harness.prover.reason = ActionKind.NONE, Reason.CLOSE_1011_UNPROVEN
    return harness


def record(harness: Harness, *texts: str, revision: str = OLD_REVISION) -> Sequence[str]:
    """The incidents to which the entries lead, one after the other, each seconds after the last."""
    incidents = []
    for text in texts:
        harness.clock.advance(timedelta(seconds=1))
        outcome = record_log_entry(harness.start_process(), harness.log_entry(text, revision=revision))
        incidents.append(outcome.incident)
    return incidents


def test_closes_with_causes_of_their_own_are_incidents_of_their_own(harness: Harness) -> None:
    _, first, _, second = record(harness, RAISED, CLOSED, OTHER, CLOSED)
    harness.clock.advance(MINUTE)
    _, again = record(harness, RAISED, CLOSED)
    assert first
    assert second
    assert (first != second, again) == (True, first)


def test_the_investigation_finds_the_exception_that_opened_the_incident(harness: Harness) -> None:
    _, first, _, second = record(harness, RAISED, CLOSED, OTHER, CLOSED)
    run_tick(harness, 3 * MINUTE)
    seen = []

    def prove(incident: Incident, history: History, compilers: Compilers, request: ProofRequest) -> Report:
        seen.append((incident.raised.exception.error_class if incident.raised else "", request.environment))
        return harness.prover.prover().prove_and_report(incident, history, compilers, request)

    for incident in (second, first):
        context = harness.start_process()
        investigate_incident(replace(context, prover=replace(context.prover, prove_and_report=prove)), incident)
    assert seen == [("ValueError", None), ("KeyError", None)]


def test_the_traceback_and_the_sentence_of_a_failed_start_are_one_incident(harness: Harness) -> None:
    first, second = record(harness, STARTED, SENTENCE, revision=NEW)
    assert (first, read_state(harness, first)) == (second, "waiting")
    stored = read_incident(harness, first)
    assert (stored["kind"], stored["error_class"], stored["path"]) == ("failed_start", "KeyError", "main.py")


def test_a_sentence_whose_traceback_came_line_by_line_is_its_incident(harness: Harness) -> None:
    for line in STARTED.split("\n"):
        harness.log_entry(line, revision=NEW)
    [incident] = record(harness, SENTENCE, revision=NEW)
    stored = read_incident(harness, incident)
    assert (stored["error_class"], stored["path"]) == ("KeyError", "main.py")


def test_a_syntax_error_explains_the_platform_s_sentence(harness: Harness) -> None:
    incident = open_incident(harness)
    assert record(harness, SENTENCE) == [incident]


def test_a_failed_start_is_investigated_after_a_while(harness: Harness) -> None:
    [incident] = record(harness, SENTENCE, revision=NEW)
    run_tick(harness, 3 * MINUTE)
    assert read_state(harness, incident) == "opened"
    investigate_incident(harness.start_process(), incident)
    report: Any = read_documents(harness, "reports")[incident]["report"]
    assert report["incident"]["signal"] == "failed_start"
    assert report["cause"]["class"] == "unknown"


def _compared(harness: Harness, old: tuple[str, ...] | None, new: tuple[str, ...] | None) -> list[tuple[str, ...]]:
    """The variables that the proof learns to be missing in the revision that does not start."""
    service = harness.services["shore.tide"]
    harness.clock.advance(MINUTE)
    harness.cloud.deploy_manually(service, NEW, None)
    revisions = harness.cloud.services["shore.tide"].revisions
    revisions[OLD_REVISION] = replace(revisions[OLD_REVISION], variables=old)
    revisions[NEW] = replace(revisions[NEW], variables=new)
    harness.cloud.services["shore.tide"].traffic = {OLD_REVISION: 100}
    incident, _ = record(harness, STARTED, SENTENCE, revision=NEW)
    run_tick(harness, 3 * MINUTE)
    seen: list[tuple[str, ...]] = []

    def prove(found: Incident, history: History, compilers: Compilers, request: ProofRequest) -> Report:
        seen.extend([request.environment.removed] if request.environment else [])
        return harness.prover.prover().prove_and_report(found, history, compilers, request)

    context = harness.start_process()
    investigate_incident(replace(context, prover=replace(context.prover, prove_and_report=prove)), incident)
    return seen


def test_the_names_of_the_variables_are_compared_with_those_of_the_serving_revision(harness: Harness) -> None:
    assert _compared(harness, ("HARBOUR_URL", "TIDE"), ("TIDE", "LAMP")) == [("HARBOUR_URL",)]


@pytest.mark.parametrize(("old", "new"), [(None, ("TIDE",)), (("TIDE",), None)])
def test_what_the_platform_does_not_tell_is_not_compared(
    harness: Harness, old: tuple[str, ...] | None, new: tuple[str, ...] | None
) -> None:
    assert _compared(harness, old, new) == []


def test_the_commit_of_the_revision_that_serves_without_the_failure_is_the_last_good_one(harness: Harness) -> None:
    harness.clock.advance(MINUTE)
    harness.cloud.deploy_manually(harness.services["shore.tide"], NEW, None)
    harness.cloud.services["shore.tide"].traffic = {OLD_REVISION: 100}
    [incident] = record(harness, STARTED, revision=NEW)
    run_tick(harness, 3 * MINUTE)
    seen: list[str | None] = []

    def prove(found: Incident, history: History, compilers: Compilers, request: ProofRequest) -> Report:
        seen.append(request.last_good)
        return harness.prover.prover().prove_and_report(found, history, compilers, request)

    context = harness.start_process()
    investigate_incident(replace(context, prover=replace(context.prover, prove_and_report=prove)), incident)
    assert seen == [commit_id("attempt")]
