"""`record_log_entry`: what opens an incident, what joins one, what is refused, and what a storm may cost."""

from dataclasses import replace
from datetime import timedelta

import pytest

from shared.errors import Retry
from shared.proposal.verdict import WATCH_DURATION
from shared.workflow.investigation.reassemble_traceback import INGESTION_DELAY
from shared.workflow.record import record_log_entry
from shared.workflow.throttle import THROTTLE_PERIOD
from tests.support.drivers import MINUTE, documents, incident_document, opened, state, tick, watching
from tests.support.harness import Setting, service, syntax_error
from tests.support.memory import MemoryStore
from tests.support.past import commit_id

CLOSED = "connection closed: received 1011 (internal error)"


@pytest.fixture
def setting() -> Setting:
    return Setting({f"shore.{name}": service(name) for name in ("tide", "gull")})


def test_a_syntax_error_opens_an_incident_and_publishes_it(setting: Setting) -> None:
    outcome = record_log_entry(setting.process(), setting.entry())
    assert outcome.name == "opened"
    assert setting.bus.waiting == [("incident-opened", {"incident": outcome.incident})]
    assert state(setting, outcome.incident) == "opened"


def test_a_copy_is_a_duplicate_and_writes_nothing(setting: Setting) -> None:
    assert isinstance(setting.store, MemoryStore)
    entry = setting.entry()
    record_log_entry(setting.process(), entry)
    before = dict(setting.store.writes)
    assert record_log_entry(setting.process(), replace(entry, insert_id="another", position=9)).name == "duplicate"
    assert setting.store.writes == before
    assert len(setting.bus.published) == 1


def test_a_storm_is_throttled_within_one_process_without_a_single_read(setting: Setting) -> None:
    calls: list[str] = []
    world = setting.process(lambda name, port: _Counted(name, port, calls))
    record_log_entry(world, setting.entry())
    calls.clear()
    for line in range(1000):
        setting.clock.turn(THROTTLE_PERIOD / 2000)
        assert record_log_entry(world, setting.entry(syntax_error(line=7) + f"\nrequest {line}")).name == "throttled"
    assert calls == []


def test_after_half_a_minute_a_process_looks_again(setting: Setting) -> None:
    world = setting.process()
    record_log_entry(world, setting.entry())
    setting.clock.turn(THROTTLE_PERIOD)
    assert record_log_entry(world, setting.entry()).name == "duplicate"


def test_what_failed_is_not_taken_for_recorded(setting: Setting) -> None:
    world = setting.process()
    entry = setting.entry()
    setting.bus.demand = _refusing  # type: ignore[assignment]
    with pytest.raises(Retry):
        record_log_entry(world, entry)
    setting.bus.demand = lambda _: None  # type: ignore[assignment]
    setting.clock.turn(timedelta(minutes=4))
    record_log_entry(world, entry)
    assert [topic for topic, _ in setting.bus.published] == ["incident-opened"]


def test_another_line_of_the_same_file_is_the_same_incident(setting: Setting) -> None:
    first = record_log_entry(setting.process(), setting.entry(syntax_error(line=7)))
    assert record_log_entry(setting.process(), setting.entry(syntax_error(line=31))).incident == first.incident


@pytest.mark.parametrize("texts", [(0, 1), (1, 0)])
def test_a_bare_name_and_a_full_path_are_one_incident_in_either_order(setting: Setting, texts: tuple[int, int]) -> None:
    forms = ("SyntaxError: invalid syntax (greeting.py, line 7)", syntax_error("/app/chat/greeting.py"))
    ids = {record_log_entry(setting.process(), setting.entry(forms[which])).incident for which in texts}
    assert len(ids) == 1
    assert len(documents(setting, "incidents")) == 1


def test_files_of_one_name_in_two_folders_are_two_incidents(setting: Setting) -> None:
    ids = {
        record_log_entry(setting.process(), setting.entry(syntax_error(path))).incident
        for path in ("/app/chat/greeting.py", "/app/mail/greeting.py", "/app/greeting.py")
    }
    assert len(ids) == 3


def test_services_are_kept_apart(setting: Setting) -> None:
    one = record_log_entry(setting.process(), setting.entry(name="tide"))
    other = record_log_entry(setting.process(), setting.entry(name="gull"))
    assert one.incident != other.incident


def test_a_1011_of_the_same_revision_is_a_symptom(setting: Setting) -> None:
    incident = opened(setting)
    outcome = record_log_entry(setting.process(), setting.entry(CLOSED))
    assert (outcome.name, outcome.incident) == ("attached", incident)
    assert len(documents(setting, "incidents")) == 1


def test_a_1011_that_came_first_is_absorbed_by_its_cause(setting: Setting) -> None:
    late = setting.entry()
    first = record_log_entry(setting.process(), setting.entry(CLOSED))
    assert state(setting, first.incident) == "waiting"
    record_log_entry(setting.process(), late)
    tick(setting, timedelta(seconds=5))
    assert state(setting, first.incident) == "absorbed"
    assert len(setting.bus.published) == 1


UPSTREAM = "received 1011 (internal error) unavailable; then sent 1011 (internal error) unavailable"


def test_a_later_close_with_no_other_exception_before_it_has_no_incident_of_its_own(setting: Setting) -> None:
    incident = opened(setting)
    setting.entry(CLOSED)
    outcome = record_log_entry(setting.process(), setting.entry("WebSocket /ws closed: code=1011"))
    assert (outcome.name, outcome.incident) == ("attached", incident)


def test_a_1011_that_something_else_explains_is_not_attached(setting: Setting) -> None:
    incident = opened(setting)
    setting.entry("Uncaught exception: KeyError: 'berth'")
    outcome = record_log_entry(setting.process(), setting.entry("WebSocket /ws closed: code=1011"))
    assert (outcome.name, outcome.incident != incident) == ("opened", True)
    tick(setting, MINUTE)
    assert state(setting, outcome.incident) == "waiting"
    tick(setting, MINUTE)
    assert state(setting, outcome.incident) == "opened"


def test_a_1011_of_another_instance_is_not_attached(setting: Setting) -> None:
    opened(setting)
    entry = replace(setting.entry(CLOSED), instance="0c2d")
    assert record_log_entry(setting.process(), entry).name == "opened"


def test_an_upstream_s_1011_is_an_incident_apart_from_one_s_own(setting: Setting) -> None:
    upstream = record_log_entry(setting.process(), setting.entry(UPSTREAM))
    own = record_log_entry(setting.process(), setting.entry("WebSocket /ws closed: code=1011"))
    assert (upstream.name, own.name) == ("opened", "opened")
    assert upstream.incident != own.incident


def test_a_keepalive_timeout_is_never_attached(setting: Setting) -> None:
    incident = opened(setting)
    outcome = record_log_entry(setting.process(), setting.entry("received 1011 (internal error) keepalive ping timeout"))
    assert (outcome.name, outcome.incident != incident) == ("opened", True)


def test_a_1011_without_a_cause_is_published_after_its_grace(setting: Setting) -> None:
    first = record_log_entry(setting.process(), setting.entry(CLOSED))
    tick(setting, MINUTE)
    assert state(setting, first.incident) == "waiting"
    tick(setting, MINUTE)
    assert state(setting, first.incident) == "opened"
    assert setting.bus.waiting == [("incident-opened", {"incident": first.incident})]


def test_a_1011_of_another_revision_is_not_absorbed(setting: Setting) -> None:
    opened(setting)
    outcome = record_log_entry(setting.process(), setting.entry(CLOSED, revision="tide-00006-older"))
    assert outcome.name == "opened"


@pytest.mark.parametrize(
    "text",
    [
        "received 1011 (internal error) keepalive ping timeout",
        syntax_error("<string>"),
        syntax_error("/usr/local/lib/python3.11/site-packages/buoy/core.py"),
        "SyntaxError: Unexpected token '<', \"<!DOCTYPE \"... is not valid JSON",
    ],
)
def test_what_no_redeployment_mends_is_recorded_and_bothers_nobody(setting: Setting, text: str) -> None:
    outcome = record_log_entry(setting.process(), setting.entry(text))
    assert (outcome.name, state(setting, outcome.incident)) == ("opened", "recorded")
    tick(setting)
    assert (setting.bus.published, setting.issues.all) == ([], [])


def test_what_is_no_signal_is_refused_with_its_reason(setting: Setting) -> None:
    assert record_log_entry(setting.process(), setting.entry("GET / 200")).name == "refused:no_signal"


def test_a_service_that_nobody_watches_is_refused(setting: Setting) -> None:
    assert record_log_entry(setting.process(), setting.entry(name="stranger")).name == "refused:unknown_service"


def test_ones_own_functions_are_refused_whatever_they_log(setting: Setting) -> None:
    assert record_log_entry(setting.process(), setting.entry(name="provenfix-record")).name == "refused:own_function"


def test_a_traceback_of_one_entry_per_line_is_completed_from_its_neighbours(setting: Setting) -> None:
    for number, line in enumerate(syntax_error().splitlines()):
        last = setting.entry(line, at=setting.clock.now() + timedelta(milliseconds=number))
    outcome = record_log_entry(setting.process(), last)
    assert outcome.name == "opened"
    assert incident_document(setting, outcome.incident)["path"] == "chat/greeting.py"


def test_neighbours_that_the_log_does_not_show_yet_are_waited_for_and_not_for_ever(setting: Setting) -> None:
    last = setting.entry("SyntaxError: invalid syntax")
    with pytest.raises(Retry):
        record_log_entry(setting.process(), last)
    assert documents(setting, "incidents") == documents(setting, "rejections") == {}
    setting.clock.turn(INGESTION_DELAY)
    assert record_log_entry(setting.process(), last).name == "refused:no_failing_file"


def test_who_died_before_publishing_is_made_up_for_by_the_next_delivery(setting: Setting) -> None:
    entry = setting.entry()
    setting.bus.demand = _refusing  # type: ignore[assignment]
    with pytest.raises(Retry):
        record_log_entry(setting.process(), entry)
    assert len(documents(setting, "incidents")) == 1
    setting.bus.demand = lambda _: None  # type: ignore[assignment]
    setting.clock.turn(timedelta(minutes=4))
    assert record_log_entry(setting.process(), entry).name == "duplicate"
    assert len(setting.bus.published) == 1


def test_late_entries_of_the_old_revision_open_nothing_after_the_incident_was_resolved(setting: Setting) -> None:
    incident = _resolved(setting)
    outcome = record_log_entry(setting.process(), setting.entry(revision="tide-00007-old"))
    assert (outcome.name, outcome.incident) == ("duplicate", incident)


def test_a_revision_that_contains_the_fix_and_fails_again_is_a_new_incident(setting: Setting) -> None:
    incident = _resolved(setting)
    setting.cloud.deploy_by_hand(setting.services["shore.tide"], "tide-00009-next", commit_id("later"))
    outcome = record_log_entry(setting.process(), setting.entry(revision="tide-00009-next"))
    assert outcome.name == "opened"
    assert outcome.incident == incident.removesuffix("-1") + "-2"


def test_a_newer_revision_without_the_fix_is_the_old_failure_however_late_it_was_made(setting: Setting) -> None:
    incident = _resolved(setting)
    setting.cloud.deploy_by_hand(setting.services["shore.tide"], "tide-00009-next", commit_id("attempt"))
    outcome = record_log_entry(setting.process(), setting.entry(revision="tide-00009-next"))
    assert (outcome.name, outcome.incident) == ("duplicate", incident)


@pytest.mark.parametrize("commit", [None, "f" * 40])
def test_a_later_revision_of_unknown_origin_is_looked_at_anew(setting: Setting, commit: str | None) -> None:
    _resolved(setting)
    setting.clock.turn(MINUTE)
    setting.cloud.deploy_by_hand(setting.services["shore.tide"], "tide-00009-next", commit)
    assert record_log_entry(setting.process(), setting.entry(revision="tide-00009-next")).name == "opened"


def test_a_revision_that_does_not_exist_is_never_news(setting: Setting) -> None:
    _resolved(setting)
    assert record_log_entry(setting.process(), setting.entry(revision="tide-99999-invented")).name == "duplicate"


def _resolved(setting: Setting) -> str:
    incident = watching(setting)
    setting.logs.answered[setting.cloud.operations[0].revision] = 10
    tick(setting, WATCH_DURATION)
    assert state(setting, incident) == "resolved"
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
