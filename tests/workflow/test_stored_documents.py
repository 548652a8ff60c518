"""Documents that an earlier version stored: each is read into its dataclass, and written again as it was."""

import json
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from shared.detection.entry import LogEntry
from shared.errors import Reject, Retry
from shared.ports import Document
from shared.workflow.investigation.cause_of_close import CAUSES
from shared.workflow.issue.collecting_issue import TALLIES
from shared.workflow.ledger import read_result
from shared.workflow.records.decisions import DECISIONS
from shared.workflow.records.defects import DEFECTS
from shared.workflow.records.documents import MAX_ATTEMPTS, Collection
from shared.workflow.records.incident_record import INCIDENTS
from shared.workflow.records.kill_switch import SWITCHES, SwitchState
from shared.workflow.records.proposals import PROPOSALS
from shared.workflow.records.radars import RADARS
from shared.workflow.records.sound_states import BRANCH_STATES, FORK_TALLIES, SERVING_STATES
from shared.workflow.records.trials import TRIALS
from shared.workflow.rollout.rollout_limits import DAILY_COUNTS, ROLLOUT_LOCKS
from tests.support.harness import Harness
from tests.support.memory import MemoryStore

STORED: dict[str, list[dict[str, Any]]] = json.loads(
    (Path(__file__).parents[1] / "golden" / "stored_documents.json").read_text("utf-8")
)
COLLECTIONS: tuple[Collection[Any], ...] = (
    INCIDENTS, DECISIONS, DEFECTS, PROPOSALS, CAUSES, DAILY_COUNTS, TALLIES, ROLLOUT_LOCKS, SWITCHES, TRIALS,
    BRANCH_STATES, FORK_TALLIES, SERVING_STATES, RADARS,
)  # fmt: skip
SAMPLES = [
    (collection, document)
    for collection in COLLECTIONS
    for document in STORED[collection.kind]
    if not ("proposals" in document and collection is TALLIES)
    and not ("own" in document and collection is DAILY_COUNTS)
]


@pytest.mark.parametrize(("collection", "document"), SAMPLES)
def test_a_stored_document_is_written_as_it_was(collection: Collection[Any], document: Document) -> None:
    value = collection.decode(document)
    key = str(document.get("proposal", "key"))
    assert isinstance(value, collection.value_type)
    assert json.loads(json.dumps(collection.encode(key, value))) == document


def test_every_kind_of_document_has_a_sample() -> None:
    assert {collection.kind for collection, _ in SAMPLES} | {"effects", "rejections"} == set(STORED)
    assert {document["state"] for document in STORED["incidents"]} >= {"resolved", "rolled_back", "refused", "absorbed"}
    fields = {name for name in STORED["incidents"][0] for document in STORED["incidents"] if document[name]}
    assert fields >= {"issue", "rollout", "ending", "ending_cause", "ended_at", "rest_at", "looked_at", "recurred"}
    assert any(document["snoozed_until"] for document in STORED["incidents"])
    assert any(document["open_alerts"] for document in STORED["incidents"])
    assert any(document["proven_trial"] for document in STORED["incidents"])


def test_a_result_that_the_ledger_recorded_is_read() -> None:
    harness = Harness()
    for number, document in enumerate(STORED["effects"]):
        harness.store.create("effects", f"effect{number}", document)
    context = harness.start_process()
    results = [read_result(context, f"effect{number}") for number in range(len(STORED["effects"]))]
    assert results == [document.get("result") for document in STORED["effects"]]


@pytest.mark.parametrize(
    "left_out",
    [
        "snoozed_until",
        "open_alerts",
        "proven_trial",
        "failed_commits",
        "ending_cause",
        "told",
        "fix",
        "ended_at",
        "issue",
        "rollout",
    ],
)
def test_fields_that_came_later_have_defaults(left_out: str) -> None:
    [document, *_] = (stored for stored in STORED["incidents"] if stored[left_out])
    earlier = {name: value for name, value in document.items() if name != left_out}
    assert not getattr(INCIDENTS.decode(earlier), left_out)


WRONG = [
    (INCIDENTS, {"generation": "1"}),
    (INCIDENTS, {"generation": True}),
    (INCIDENTS, {"look": "2"}),
    (INCIDENTS, {"path": 7}),
    (INCIDENTS, {"path": None}),
    (INCIDENTS, {"state": "adrift"}),
    (INCIDENTS, {"opened_at": 7}),
    (INCIDENTS, {"opened_at": "2026-04-07T08:00:00"}),
    (INCIDENTS, {"opened_at": "2026-04-07"}),
    (INCIDENTS, {"revisions": "ab"}),
    (INCIDENTS, {"entries": [{"position": "0", "text": "x"}]}),
    (INCIDENTS, {"entries": [{"position": 0, "text": "x", "dated": 1}]}),
    (INCIDENTS, {"entries": [{"position": 0, "text": "x", "timestamp": 1775548800}]}),
    (INCIDENTS, {"history": [{"state": "opened", "at": "soon", "why": ""}]}),
    (DECISIONS, {"votes": [{"by": "nora"}]}),
    (PROPOSALS, {"expires_at": 7}),
    (PROPOSALS, {"kind": "none at all"}),
]


@pytest.mark.parametrize(("collection", "changes"), WRONG)
def test_a_field_of_the_wrong_type_is_refused_by_name(collection: Collection[Any], changes: Document) -> None:
    with pytest.raises(Reject) as refused:
        collection.decode({**STORED[collection.kind][0], **changes})
    assert refused.value.reason == "unreadable_document"
    assert next(iter(changes)) in refused.value.detail


def test_an_entry_is_stored_whatever_its_text_holds() -> None:
    at = datetime(2026, 4, 7, 8, 0, 0, 120_000, tzinfo=UTC)
    entry = LogEntry(0, "half a pair \ud800 and \x00", timestamp=at, dated=False)
    entries = Collection("entries", LogEntry)
    stored = json.loads(json.dumps(entries.encode("", entry)))
    assert stored["timestamp"] == "2026-04-07T08:00:00.120000Z"
    assert entries.decode(stored) == entry


@pytest.mark.parametrize("document", [{}, {"stopped": "no"}, {"stopped": None, "by": 7}, {"stopped": True, "at": []}])
def test_a_switch_that_was_written_by_hand_stops(document: Document) -> None:
    assert SWITCHES.decode(document) == SwitchState(stopped=True)


class _Contended(MemoryStore):
    """Another worker replaces a document between the read and the write, so many times."""

    contentions = 1
    reads = 0

    def replace(self, kind: str, key: str, value: Document, version: str) -> bool:
        if self.contentions:
            self.contentions -= 1
            stored = self.read(kind, key)
            assert stored is not None
            before = DAILY_COUNTS.decode(stored.value)
            other = replace(before, proposals=(*before.proposals, f"other{self.contentions}"))
            assert super().replace(kind, key, DAILY_COUNTS.encode(key, other), stored.version)
        return super().replace(kind, key, value, version)


def _add(name: str) -> Any:
    return lambda count: replace(count, proposals=(*count.proposals, name))


def test_a_change_is_not_lost_to_a_parallel_one() -> None:
    store = _Contended()
    first = DAILY_COUNTS.change(store, "day", _add("first"), DAILY_COUNTS.decode({}))
    assert first.proposals == ("first",)
    assert DAILY_COUNTS.change(store, "day", _add("mine"), first).proposals == ("first", "other0", "mine")
    assert store.documents("caps")["day"] == {"proposals": ["first", "other0", "mine"]}


def test_a_change_that_changes_nothing_writes_nothing() -> None:
    store = MemoryStore()
    empty = DAILY_COUNTS.decode({})
    assert DAILY_COUNTS.change(store, "day", lambda count: count, empty) == empty
    assert store.writes == {}


def test_a_change_gives_up_where_others_never_let_it_through() -> None:
    store = _Contended()
    DAILY_COUNTS.create(store, "day", DAILY_COUNTS.decode({}))
    store.contentions = MAX_ATTEMPTS
    with pytest.raises(Retry):
        DAILY_COUNTS.change(store, "day", _add("mine"), DAILY_COUNTS.decode({}))
    assert store.contentions == 0


def test_a_decision_counts_its_writes() -> None:
    decisions = [DECISIONS.decode(document) for document in STORED["decisions"]]
    assert [decision.version for decision in decisions] == [len(stored["steps"]) for stored in STORED["decisions"]]
