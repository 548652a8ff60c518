"""`record` asks neither platform nor code host: what only they can tell of an entry, `investigate` finds out."""

import json

import pytest

from shared.proposal.rollout import WATCH_DURATION
from shared.workflow import flow
from tests.support.commit_graph import commit_id
from tests.support.drivers import open_incident, read_documents, read_incident, run_tick, start_watching
from tests.support.function_clients import FunctionClients, open_function_clients, relay_published, wrap_entry
from tests.support.harness import Harness, syntax_error

HELD_BY_RECORD = {"store", "bus", "logs", "is_kill_switch_on"}
LATER = "tide-00011-new"


class UnreachablePort:
    """What this process holds no credential for."""

    def __init__(self, name: str) -> None:
        self._name = name

    def __getattr__(self, method: str) -> object:
        raise AssertionError(f"record asked {self._name}.{method}")

    def __call__(self, *_: object) -> object:
        raise AssertionError(f"record asked {self._name}")


def _withhold(name: str, port: object) -> object:
    return port if name in HELD_BY_RECORD else UnreachablePort(name)


def _record(harness: Harness, text: str = "", revision: str = "") -> int:
    """By a process of the function that holds what `record` holds."""
    entry = harness.log_entry(text, revision)
    with open_function_clients(harness, _withhold) as opened:
        return opened.deliver("record", wrap_entry(entry)).status_code


def _relay(harness: Harness) -> None:
    """Each message that waits, twice, to functions that hold everything."""
    with open_function_clients(harness) as opened:
        relay_published(opened)


def _resolved(harness: Harness) -> str:
    incident = start_watching(harness)
    harness.logs.request_counts[harness.cloud.operations[0].revision] = 10
    run_tick(harness, WATCH_DURATION)
    harness.bus.waiting.clear()
    return incident


def test_a_first_failure_is_opened_at_once(harness: Harness) -> None:
    assert _record(harness) == 204
    ((topic, message),) = harness.bus.waiting
    assert (topic, set(message)) == (flow.INCIDENT_OPENED, {"incident"})


def test_a_failure_after_the_fix_is_handed_over_and_opens_one_incident(harness: Harness) -> None:
    first = _resolved(harness)
    harness.cloud.deploy_manually(harness.services["shore.tide"], LATER, commit_id("later"))
    assert _record(harness, revision=LATER) == 204
    assert list(read_documents(harness, "incidents")) == [first]
    ((topic, message),) = harness.bus.waiting
    assert (topic, set(message)) == (flow.INCIDENT_OPENED, {"entry"})
    _relay(harness)
    ((_, record),) = [item for item in read_documents(harness, "incidents").items() if item[0] != first]
    assert (record["regresses"], record["state"]) == (first, "proposed")
    assert len(harness.issues.issues) == 1


def test_a_late_entry_of_a_known_revision_is_handed_to_nobody(harness: Harness) -> None:
    _resolved(harness)
    assert _record(harness) == 204
    assert harness.bus.waiting == []


def test_the_new_revision_that_fails_ends_its_rollout_without_a_detour(harness: Harness) -> None:
    incident = start_watching(harness)
    harness.bus.waiting.clear()
    revision = harness.cloud.operations[0].revision
    assert _record(harness, revision=revision) == 204
    assert (read_incident(harness, incident)["recurred"], harness.bus.waiting) == (revision, [])


def test_a_storm_hands_over_one_entry_of_a_kind(harness: Harness) -> None:
    _resolved(harness)
    harness.cloud.deploy_manually(harness.services["shore.tide"], LATER, commit_id("later"))
    with open_function_clients(harness, _withhold) as opened:
        for _ in range(50):
            assert opened.deliver("record", wrap_entry(harness.log_entry(revision=LATER))).status_code == 204
    assert len(harness.bus.waiting) == 1


def test_what_began_to_follow_an_incident_is_handed_over(harness: Harness) -> None:
    """The worker that opened the next generation died before it stored the incident."""
    first = _resolved(harness)
    harness.cloud.deploy_manually(harness.services["shore.tide"], LATER, commit_id("later"))
    store = harness.store
    (key, version) = next((key, store.read("defects", key)) for key in read_documents(harness, "defects"))
    assert version is not None
    store.replace("defects", key, {**version.value, "generation": 2}, version.version)
    assert _record(harness, revision=LATER) == 204
    assert [set(message) for _, message in harness.bus.waiting] == [{"entry"}]
    _relay(harness)
    assert len(read_documents(harness, "incidents")) == 2
    assert first in read_documents(harness, "incidents")


@pytest.mark.parametrize("message", [{"entry": 7}, {"entry": "7"}, {"entry": "{"}, {"entry": "{}"}])
def test_a_message_without_an_entry_is_refused_for_good(harness: Harness, message: object) -> None:
    with open_function_clients(harness) as opened:
        assert _deliver(opened, message) == 204
    ((_, rejection),) = read_documents(harness, "rejections").items()
    assert rejection["source"] == "investigate"


def test_two_defects_are_told_apart(harness: Harness) -> None:
    open_incident(harness)
    assert _record(harness, syntax_error("/app/chat/farewell.py")) == 204
    assert len(read_documents(harness, "incidents")) == 2


def _deliver(opened: FunctionClients, message: object) -> int:
    return opened.deliver("investigate", json.dumps(message).encode()).status_code
