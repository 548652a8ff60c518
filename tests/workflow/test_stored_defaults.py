"""What older or poorer documents and entries leave out: a document in, the value that stands for it out."""

from dataclasses import replace
from datetime import timedelta

import pytest

from shared.detection.entry import LogEntry
from shared.ports import Document
from shared.proposal.decision import ClickKind
from shared.text.redaction import redact
from shared.workflow.decide import handle_click
from shared.workflow.flow import ACTIVE_STATES, IncidentState
from shared.workflow.record import record_log_entry
from shared.workflow.records import incident_record
from shared.workflow.records.documents import Collection
from shared.workflow.records.incident_record import INCIDENTS
from tests.support.drivers import open_incident, propose_deployment, read_documents, read_state
from tests.support.harness import Harness, button_click, syntax_error
from tests.support.memory import MemoryStore


@pytest.mark.parametrize("look", [{}, {"look": 0}])
def test_an_incident_without_a_count_of_looks_has_had_one(harness: Harness, look: dict[str, int]) -> None:
    record = incident_record.require_incident(harness.start_process(), open_incident(harness))
    stored = {name: value for name, value in INCIDENTS.encode(record.id, record).items() if name != "look"} | look
    assert INCIDENTS.decode(stored) == replace(record, look=1)


@pytest.mark.parametrize("into", IncidentState)
def test_an_incident_is_at_rest_since_the_step_that_took_it_there(harness: Harness, into: IncidentState) -> None:
    record = incident_record.require_incident(harness.start_process(), open_incident(harness))
    now = harness.clock.now() + timedelta(minutes=1)
    moved = record.moved_to(into, now, "why")
    assert (moved.rest_at, moved.active) == (None if into in ACTIVE_STATES else now, into in ACTIVE_STATES)
    assert INCIDENTS.decode(INCIDENTS.encode(moved.id, moved)) == moved


def test_an_entry_without_a_time_is_read_as_it_was_kept() -> None:
    entry = LogEntry(position=3, text="oops")
    entries = Collection("entries", LogEntry)
    assert entries.decode(entries.encode("", entry)) == entry


def test_a_recorded_incident_has_no_issue_that_could_be_marked_as_wrong(harness: Harness) -> None:
    text = syntax_error("<string>")
    first = record_log_entry(harness.start_process(), harness.log_entry(text)).incident
    assert read_state(harness, first) == "recorded"
    harness.clock.advance(timedelta(minutes=1))
    harness.cloud.deploy_manually(harness.services["shore.tide"], "tide-00011-new", None)
    second = record_log_entry(harness.start_process(), harness.log_entry(text, revision="tide-00011-new"))
    assert (second.name, second.incident == first) == ("opened", False)


class _Counting(MemoryStore):
    """Counts what is asked of it, whether or not it changes anything."""

    created = 0

    def create(self, kind: str, key: str, value: Document) -> bool:
        self.created += kind == "rejections"
        return super().create(kind, key, value)


def test_a_storm_of_refused_entries_asks_the_store_once() -> None:
    store = _Counting()
    setting = Harness(store=store)
    context = setting.start_process()
    for number in range(20):
        record_log_entry(context, setting.log_entry(f"GET /{number} 200"))
    assert store.created == 1
    assert "GET /0 200" in str(next(iter(store.documents("rejections").values()))["detail"])


def test_a_denials_reason_follows_a_name_that_is_cut(harness: Harness) -> None:
    incident = propose_deployment(harness)
    denied = replace(
        button_click(harness.chat.posted[0].message, ClickKind.DENY, user_name="n" * 500), reason="not now"
    )
    handle_click(harness.start_process(), denied)
    assert read_documents(harness, "decisions")[f"{incident}-1"]["why"] == f"{'n' * 80}: not now"


@pytest.mark.parametrize(("text", "stays"), [("token: 512", True), ("password: 512", False), ("token: s3cr3t", False)])
def test_a_number_of_tokens_is_no_secret(text: str, *, stays: bool) -> None:
    assert (redact(text) == text) is stays
