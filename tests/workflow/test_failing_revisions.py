"""Many revisions that log one failure: entries in, an incident that names each of them once and stays small out."""

import pytest

from shared.proof.model.finding import ActionKind, Reason
from shared.workflow.investigate_incident import investigate_incident
from shared.workflow.record import record_log_entry
from tests.support.drivers import documents, incident_document, opened, state
from tests.support.harness import Setting
from tests.support.memory import MemoryStore

MOST = 12


@pytest.fixture
def setting() -> Setting:
    return Setting()


def _logged_by(setting: Setting, number: int) -> tuple[str, str]:
    outcome = record_log_entry(setting.process(), setting.entry(revision=f"tide-{number:05}-more"))
    return outcome.name, outcome.incident


def test_twelve_revisions_are_kept_with_an_entry_each_and_the_thirteenth_is_not(setting: Setting) -> None:
    incident = opened(setting)
    for number in range(1, MOST):
        assert _logged_by(setting, 100 + number) == ("attached", incident)
    kept = incident_document(setting, incident)
    assert isinstance(setting.store, MemoryStore)
    writes = setting.store.writes["incidents", incident]
    assert _logged_by(setting, 200)[1] == incident
    assert incident_document(setting, incident) == kept
    assert setting.store.writes["incidents", incident] == writes
    assert isinstance(kept["revisions"], list)
    assert isinstance(kept["entries"], list)
    assert (len(kept["revisions"]), len(kept["entries"])) == (MOST, MOST)
    assert [entry["revision"] for entry in kept["entries"]] == kept["revisions"]
    assert kept["revisions"][-1] == f"tide-{100 + MOST - 1:05}-more"


def test_the_thirteenth_revision_opens_no_incident_of_its_own(setting: Setting) -> None:
    incident = opened(setting)
    for number in range(2 * MOST):
        _logged_by(setting, 100 + number)
    assert list(documents(setting, "incidents")) == [incident]


def test_a_revision_that_logs_again_is_kept_once(setting: Setting) -> None:
    incident = opened(setting)
    assert [_logged_by(setting, 101)[0] for _ in range(3)] == ["attached", "duplicate", "duplicate"]
    assert incident_document(setting, incident)["revisions"] == ["tide-00007-old", "tide-00101-more"]


def test_what_is_not_mended_yet_takes_more_revisions_in_and_what_is_asked_about_does_not(setting: Setting) -> None:
    setting.answer.kind, setting.answer.reason = ActionKind.NONE, Reason.NO_FIX
    incident = opened(setting)
    investigate_incident(setting.process(), incident)
    assert state(setting, incident) == "unfixed"
    assert _logged_by(setting, 101) == ("attached", incident)
    asked = Setting()
    incident = opened(asked)
    investigate_incident(asked.process(), incident)
    assert (state(asked, incident), _logged_by(asked, 101)) == ("proposed", ("duplicate", incident))
    assert incident_document(asked, incident)["revisions"] == ["tide-00007-old"]
