"""`record_log_entry`: what opens an incident, what joins one, what is refused, and what a storm may cost."""

from dataclasses import fields, replace
from datetime import timedelta

import pytest

from shared.errors import Retry
from shared.proposal.rollout import WATCH_DURATION
from shared.service import RegionalService
from shared.workflow.context import THROTTLE_PERIOD
from shared.workflow.reassemble_signal import INGESTION_DELAY
from shared.workflow.record import record_log_entry
from shared.workflow.records import incident_record
from tests.support.commit_graph import commit_id
from tests.support.drivers import (
    MINUTE,
    open_incident,
    read_documents,
    read_incident,
    read_state,
    run_tick,
    start_watching,
)
from tests.support.harness import OLD_REVISION, Harness, syntax_error, watched_service
from tests.support.memory import MemoryStore

CLOSED = "connection closed: received 1011 (internal error)"


@pytest.fixture
def harness() -> Harness:
    return Harness({f"shore.{name}": watched_service(name) for name in ("tide", "gull")})


def test_a_syntax_error_opens_an_incident_and_publishes_it(harness: Harness) -> None:
    outcome = record_log_entry(harness.start_process(), harness.log_entry())
    assert outcome.name == "opened"
    assert harness.bus.waiting == [("incident-opened", {"incident": outcome.incident})]
    assert read_state(harness, outcome.incident) == "opened"
    [step] = incident_record.require_incident(harness.start_process(), outcome.incident).history
    assert OLD_REVISION in step.why


def test_the_same_service_in_two_regions_is_two() -> None:
    """One failure in both of them: two incidents, and neither silences the other."""
    tide = watched_service("tide")
    told = {field.name: getattr(tide, field.name) for field in fields(tide)}
    regions = [RegionalService(**{**told, "region": region}) for region in ("europe-west6", "us-central1")]
    setting = Harness({service.id: service for service in regions})
    process, entry = setting.start_process(), setting.log_entry()
    outcomes = [record_log_entry(process, entry, service.region) for service in regions]
    assert [outcome.name for outcome in outcomes] == ["opened", "opened"]
    incidents = [read_incident(setting, outcome.incident)["service"] for outcome in outcomes]
    assert incidents == ["shore.tide.europe-west6", "shore.tide.us-central1"]
    assert record_log_entry(process, entry, "asia-east1").name == "refused:unknown_service"


def test_a_copy_is_a_duplicate_and_writes_nothing(harness: Harness) -> None:
    assert isinstance(harness.store, MemoryStore)
    entry = harness.log_entry()
    record_log_entry(harness.start_process(), entry)
    before = dict(harness.store.writes)
    assert (
        record_log_entry(harness.start_process(), replace(entry, insert_id="another", position=9)).name == "duplicate"
    )
    assert harness.store.writes == before
    assert len(harness.bus.published) == 1


def test_a_storm_is_throttled_within_one_process_without_a_single_read(harness: Harness) -> None:
    calls: list[str] = []
    context = harness.start_process(lambda name, port: _Counted(name, port, calls))
    record_log_entry(context, harness.log_entry())
    calls.clear()
    for line in range(1000):
        harness.clock.advance(THROTTLE_PERIOD / 2000)
        assert (
            record_log_entry(context, harness.log_entry(syntax_error(line=7) + f"\nrequest {line}")).name == "throttled"
        )
    assert calls == []


def test_after_half_a_minute_a_process_looks_again(harness: Harness) -> None:
    context = harness.start_process()
    record_log_entry(context, harness.log_entry())
    harness.clock.advance(THROTTLE_PERIOD)
    assert record_log_entry(context, harness.log_entry()).name == "duplicate"


def test_what_failed_is_not_taken_for_recorded(harness: Harness) -> None:
    context = harness.start_process()
    entry = harness.log_entry()
    harness.bus.require_claim = _refusing  # type: ignore[assignment]
    with pytest.raises(Retry):
        record_log_entry(context, entry)
    harness.bus.require_claim = lambda _: None  # type: ignore[assignment]
    harness.clock.advance(timedelta(minutes=4))
    record_log_entry(context, entry)
    assert [topic for topic, _ in harness.bus.published] == ["incident-opened"]


def test_another_line_of_the_same_file_is_the_same_incident(harness: Harness) -> None:
    first = record_log_entry(harness.start_process(), harness.log_entry(syntax_error(line=7)))
    assert (
        record_log_entry(harness.start_process(), harness.log_entry(syntax_error(line=31))).incident == first.incident
    )


@pytest.mark.parametrize("texts", [(0, 1), (1, 0)])
def test_a_bare_name_and_a_full_path_are_one_incident_in_either_order(harness: Harness, texts: tuple[int, int]) -> None:
    forms = ("SyntaxError: invalid syntax (greeting.py, line 7)", syntax_error("/app/chat/greeting.py"))
    ids = {record_log_entry(harness.start_process(), harness.log_entry(forms[which])).incident for which in texts}
    assert len(ids) == 1
    assert len(read_documents(harness, "incidents")) == 1


def test_files_of_one_name_in_two_folders_are_two_incidents(harness: Harness) -> None:
    ids = {
        record_log_entry(harness.start_process(), harness.log_entry(syntax_error(path))).incident
        for path in ("/app/chat/greeting.py", "/app/mail/greeting.py", "/app/greeting.py")
    }
    assert len(ids) == 3


def test_services_are_kept_apart(harness: Harness) -> None:
    one = record_log_entry(harness.start_process(), harness.log_entry(name="tide"))
    other = record_log_entry(harness.start_process(), harness.log_entry(name="gull"))
    assert one.incident != other.incident


def test_a_1011_of_the_same_revision_is_a_symptom(harness: Harness) -> None:
    incident = open_incident(harness)
    outcome = record_log_entry(harness.start_process(), harness.log_entry(CLOSED))
    assert (outcome.name, outcome.incident) == ("attached", incident)
    assert len(read_documents(harness, "incidents")) == 1


def test_only_a_syntax_error_explains_what_its_revision_logs(harness: Harness) -> None:
    record_log_entry(harness.start_process(), harness.log_entry(CLOSED))
    assert read_documents(harness, "causes") == {}
    incident = record_log_entry(harness.start_process(), harness.log_entry()).incident
    assert [cause["incident"] for cause in read_documents(harness, "causes").values()] == [incident]


def test_a_syntax_error_of_an_unknown_revision_explains_nothing(harness: Harness) -> None:
    record_log_entry(harness.start_process(), replace(harness.log_entry(), revision=""))
    assert read_documents(harness, "causes") == {}


def test_a_1011_that_came_first_is_absorbed_by_its_cause(harness: Harness) -> None:
    late = harness.log_entry()
    first = record_log_entry(harness.start_process(), harness.log_entry(CLOSED))
    assert read_state(harness, first.incident) == "waiting"
    record_log_entry(harness.start_process(), late)
    run_tick(harness, timedelta(seconds=5))
    assert read_state(harness, first.incident) == "absorbed"
    assert len(harness.bus.published) == 1


UPSTREAM = "received 1011 (internal error) unavailable; then sent 1011 (internal error) unavailable"


def test_later_close_without_another_exception_opens_nothing(harness: Harness) -> None:
    incident = open_incident(harness)
    harness.log_entry(CLOSED)
    outcome = record_log_entry(harness.start_process(), harness.log_entry("WebSocket /ws closed: code=1011"))
    assert (outcome.name, outcome.incident) == ("attached", incident)


def test_a_1011_that_something_else_explains_is_not_attached(harness: Harness) -> None:
    incident = open_incident(harness)
    harness.log_entry("Uncaught exception: KeyError: 'berth'")
    outcome = record_log_entry(harness.start_process(), harness.log_entry("WebSocket /ws closed: code=1011"))
    assert (outcome.name, outcome.incident != incident) == ("opened", True)
    run_tick(harness, MINUTE)
    assert read_state(harness, outcome.incident) == "waiting"
    run_tick(harness, MINUTE)
    assert read_state(harness, outcome.incident) == "opened"


def test_a_1011_of_another_instance_is_not_attached(harness: Harness) -> None:
    open_incident(harness)
    entry = replace(harness.log_entry(CLOSED), instance="0c2d")
    assert record_log_entry(harness.start_process(), entry).name == "opened"


def test_an_upstream_s_1011_is_an_incident_apart_from_one_s_own(harness: Harness) -> None:
    upstream = record_log_entry(harness.start_process(), harness.log_entry(UPSTREAM))
    own = record_log_entry(harness.start_process(), harness.log_entry("WebSocket /ws closed: code=1011"))
    assert (upstream.name, own.name) == ("opened", "opened")
    assert upstream.incident != own.incident


def test_a_keepalive_timeout_is_never_attached(harness: Harness) -> None:
    incident = open_incident(harness)
    outcome = record_log_entry(
        harness.start_process(), harness.log_entry("received 1011 (internal error) keepalive ping timeout")
    )
    assert (outcome.name, outcome.incident != incident) == ("opened", True)


def test_a_1011_without_a_cause_is_published_after_its_grace(harness: Harness) -> None:
    first = record_log_entry(harness.start_process(), harness.log_entry(CLOSED))
    run_tick(harness, MINUTE)
    assert read_state(harness, first.incident) == "waiting"
    run_tick(harness, MINUTE)
    assert read_state(harness, first.incident) == "opened"
    assert harness.bus.waiting == [("incident-opened", {"incident": first.incident})]


def test_a_keepalive_timeout_is_published_after_its_grace(harness: Harness) -> None:
    text = "received 1011 (internal error) keepalive ping timeout"
    first = record_log_entry(harness.start_process(), harness.log_entry(text))
    assert read_state(harness, first.incident) == "waiting"
    run_tick(harness, 2 * MINUTE)
    assert read_state(harness, first.incident) == "opened"


def test_a_1011_of_another_revision_is_not_absorbed(harness: Harness) -> None:
    open_incident(harness)
    outcome = record_log_entry(harness.start_process(), harness.log_entry(CLOSED, revision="tide-00006-older"))
    assert outcome.name == "opened"


@pytest.mark.parametrize(
    "text",
    [
        syntax_error("<string>"),
        syntax_error("/usr/local/lib/python3.11/site-packages/buoy/core.py"),
        "SyntaxError: Unexpected token '<', \"<!DOCTYPE \"... is not valid JSON",
    ],
)
def test_what_no_redeployment_mends_is_recorded_and_bothers_nobody(harness: Harness, text: str) -> None:
    outcome = record_log_entry(harness.start_process(), harness.log_entry(text))
    assert (outcome.name, read_state(harness, outcome.incident)) == ("opened", "recorded")
    run_tick(harness)
    assert (harness.bus.published, harness.issues.issues) == ([], [])


def test_what_is_no_signal_is_refused_with_its_reason(harness: Harness) -> None:
    assert record_log_entry(harness.start_process(), harness.log_entry("GET / 200")).name == "refused:no_signal"


def test_a_service_that_nobody_watches_is_refused(harness: Harness) -> None:
    assert (
        record_log_entry(harness.start_process(), harness.log_entry(name="stranger")).name == "refused:unknown_service"
    )


def test_ones_own_functions_are_refused_whatever_they_log(harness: Harness) -> None:
    assert (
        record_log_entry(harness.start_process(), harness.log_entry(name="provenfix-record")).name
        == "refused:own_function"
    )


def test_line_by_line_traceback_is_reassembled_from_neighbours(harness: Harness) -> None:
    for number, line in enumerate(syntax_error().splitlines()):
        last = harness.log_entry(line, at=harness.clock.now() + timedelta(milliseconds=number))
    outcome = record_log_entry(harness.start_process(), last)
    assert outcome.name == "opened"
    assert read_incident(harness, outcome.incident)["path"] == "chat/greeting.py"


def test_missing_neighbours_are_awaited_for_a_limited_time(harness: Harness) -> None:
    last = harness.log_entry("SyntaxError: invalid syntax")
    with pytest.raises(Retry):
        record_log_entry(harness.start_process(), last)
    assert read_documents(harness, "incidents") == read_documents(harness, "rejections") == {}
    harness.clock.advance(INGESTION_DELAY)
    assert record_log_entry(harness.start_process(), last).name == "refused:no_failing_file"


def test_who_died_before_publishing_is_made_up_for_by_the_next_delivery(harness: Harness) -> None:
    entry = harness.log_entry()
    harness.bus.require_claim = _refusing  # type: ignore[assignment]
    with pytest.raises(Retry):
        record_log_entry(harness.start_process(), entry)
    assert len(read_documents(harness, "incidents")) == 1
    harness.bus.require_claim = lambda _: None  # type: ignore[assignment]
    harness.clock.advance(timedelta(minutes=4))
    assert record_log_entry(harness.start_process(), entry).name == "duplicate"
    assert len(harness.bus.published) == 1


def test_late_entries_of_the_old_revision_open_no_incident(harness: Harness) -> None:
    incident = _resolved(harness)
    outcome = record_log_entry(harness.start_process(), harness.log_entry(revision="tide-00007-old"))
    assert (outcome.name, outcome.incident) == ("duplicate", incident)


def test_failing_revision_that_contains_the_fix_is_a_new_incident(harness: Harness) -> None:
    incident = _resolved(harness)
    harness.cloud.deploy_manually(harness.services["shore.tide"], "tide-00009-next", commit_id("later"))
    outcome = record_log_entry(harness.start_process(), harness.log_entry(revision="tide-00009-next"))
    assert outcome.name == "opened"
    assert outcome.incident == incident.removesuffix("-1") + "-2"


def test_newer_revision_without_the_fix_is_the_old_failure(harness: Harness) -> None:
    incident = _resolved(harness)
    harness.cloud.deploy_manually(harness.services["shore.tide"], "tide-00009-next", commit_id("attempt"))
    outcome = record_log_entry(harness.start_process(), harness.log_entry(revision="tide-00009-next"))
    assert (outcome.name, outcome.incident) == ("duplicate", incident)


@pytest.mark.parametrize("commit", [None, "f" * 40])
def test_a_later_revision_of_unknown_origin_is_looked_at_anew(harness: Harness, commit: str | None) -> None:
    _resolved(harness)
    harness.clock.advance(MINUTE)
    harness.cloud.deploy_manually(harness.services["shore.tide"], "tide-00009-next", commit)
    assert record_log_entry(harness.start_process(), harness.log_entry(revision="tide-00009-next")).name == "opened"


def test_revision_of_unknown_origin_from_before_the_end_is_old(harness: Harness) -> None:
    harness.cloud.deploy_manually(harness.services["shore.tide"], "tide-00006-older", None)
    harness.cloud.services["shore.tide"].traffic = {"tide-00007-old": 100}
    harness.clock.advance(MINUTE)
    incident = _resolved(harness)
    outcome = record_log_entry(harness.start_process(), harness.log_entry(revision="tide-00006-older"))
    assert (outcome.name, outcome.incident) == ("duplicate", incident)


def test_late_syntax_error_of_an_unknown_revision_explains_nothing(harness: Harness) -> None:
    _resolved(harness)
    known = read_documents(harness, "causes")
    late = replace(harness.log_entry(), revision="")
    assert record_log_entry(harness.start_process(), late).name == "duplicate"
    assert read_documents(harness, "causes") == known


def test_a_revision_that_does_not_exist_is_never_news(harness: Harness) -> None:
    incident = _resolved(harness)
    assert (
        record_log_entry(harness.start_process(), harness.log_entry(revision="tide-99999-invented")).name == "duplicate"
    )
    causes = read_documents(harness, "causes")
    assert [cause["incident"] for key, cause in causes.items() if "tide-99999-invented" in key] == [incident]


def _resolved(harness: Harness) -> str:
    incident = start_watching(harness)
    harness.logs.request_counts[harness.cloud.operations[0].revision] = 10
    run_tick(harness, WATCH_DURATION)
    assert read_state(harness, incident) == "resolved"
    return incident


def _refusing(what: str) -> None:
    raise Retry(f"{what}: no connection")


class _Counted:
    """Notes the name of every port that is asked anything."""

    def __init__(self, name: str, port: object, calls: list[str]) -> None:
        self._name, self._port, self._calls = name, port, calls

    def __getattr__(self, method: str) -> object:
        self._calls.append(f"{self._name}.{method}")
        return getattr(self._port, method)

    def __call__(self, *given: object) -> object:
        self._calls.append(self._name)
        assert callable(self._port)
        return self._port(*given)
