"""Many revisions that log one failure: entries in, an incident that names each of them once and stays small out."""

from shared.proof.model.recommendation import ActionKind, Reason
from shared.workflow.investigate_incident import investigate_incident
from shared.workflow.record import record_log_entry
from tests.support.drivers import open_incident, read_documents, read_incident, read_state
from tests.support.harness import Harness
from tests.support.memory import MemoryStore

MOST = 12


def _logged_by(harness: Harness, number: int) -> tuple[str, str]:
    outcome = record_log_entry(harness.start_process(), harness.log_entry(revision=f"tide-{number:05}-more"))
    return outcome.name, outcome.incident


def test_only_twelve_failing_revisions_are_kept(harness: Harness) -> None:
    incident = open_incident(harness)
    for number in range(1, MOST):
        assert _logged_by(harness, 100 + number) == ("attached", incident)
    kept = read_incident(harness, incident)
    assert isinstance(harness.store, MemoryStore)
    writes = harness.store.writes["incidents", incident]
    assert _logged_by(harness, 200)[1] == incident
    assert read_incident(harness, incident) == kept
    assert harness.store.writes["incidents", incident] == writes
    assert isinstance(kept["revisions"], list)
    assert isinstance(kept["entries"], list)
    assert (len(kept["revisions"]), len(kept["entries"])) == (MOST, MOST)
    assert [entry["revision"] for entry in kept["entries"]] == kept["revisions"]
    assert kept["revisions"][-1] == f"tide-{100 + MOST - 1:05}-more"


def test_thirteenth_revision_opens_no_incident(harness: Harness) -> None:
    incident = open_incident(harness)
    for number in range(2 * MOST):
        _logged_by(harness, 100 + number)
    assert list(read_documents(harness, "incidents")) == [incident]


def test_a_revision_that_logs_again_is_kept_once(harness: Harness) -> None:
    incident = open_incident(harness)
    assert [_logged_by(harness, 101)[0] for _ in range(3)] == ["attached", "duplicate", "duplicate"]
    assert read_incident(harness, incident)["revisions"] == ["tide-00007-old", "tide-00101-more"]


def test_only_unproposed_incidents_take_in_more_revisions(harness: Harness) -> None:
    harness.prover.kind, harness.prover.reason = ActionKind.NONE, Reason.NO_FIX
    incident = open_incident(harness)
    investigate_incident(harness.start_process(), incident)
    assert read_state(harness, incident) == "unfixed"
    assert _logged_by(harness, 101) == ("attached", incident)
    asked = Harness()
    incident = open_incident(asked)
    investigate_incident(asked.start_process(), incident)
    assert (read_state(asked, incident), _logged_by(asked, 101)) == ("proposed", ("duplicate", incident))
    assert read_incident(asked, incident)["revisions"] == ["tide-00007-old"]
