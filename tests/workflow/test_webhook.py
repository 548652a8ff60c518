"""The `github` function: what people do at an issue counts, what is forged, malformed or foreign does not."""

import json
import os
import random
import re
from collections.abc import Iterator
from copy import deepcopy
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from shared.adapters.github.webhook import DELIVERY_HEADER, EVENT_HEADER, SIGNATURE_HEADER, sign
from shared.config.secret_references import Secrets
from shared.config.settings import Settings
from shared.errors import Reject
from shared.ports import WRONG_LABEL, IssueCommand, IssueEvent
from shared.proposal.decision import ClickKind
from shared.secret import Secret, SecretReference, SecretSource
from shared.workflow.effects import format_marker
from shared.workflow.flow import IncidentState
from shared.workflow.investigate_incident import investigate_incident
from shared.workflow.issue.issue_commands import ANSWERS, handle_issue_command
from shared.workflow.record import record_log_entry
from shared.workflow.records import incident_record
from tests.support.drivers import press_button, propose_deployment, read_documents, read_state, run_tick, start_watching
from tests.support.flow_diagram import DRAWN_TRANSITIONS
from tests.support.function_clients import (
    WEBHOOK_SECRET,
    WEBHOOK_SETTINGS,
    FunctionClients,
    open_function_clients,
    relay_published,
)
from tests.support.harness import Harness
from tests.support.memory import MemoryStore
from tests.support.people import FakePeople

FUZZED = int(os.environ.get("PROVENFIX_FUZZED", "2500"))


@pytest.fixture
def incident(harness: Harness) -> str:
    return propose_deployment(harness)


@pytest.fixture
def hook(harness: Harness, incident: str) -> Iterator[FunctionClients]:  # noqa: ARG001  # there is one
    with open_function_clients(harness, settings=WEBHOOK_SETTINGS) as opened:
        yield opened


def event(harness: Harness, incident: str, **more: object) -> dict[str, Any]:
    """What GitHub tells of the incident's issue, less what nobody reads."""
    body = f"{format_marker(incident)}\nIt fails."
    return {
        "action": "closed",
        "issue": {"number": len(harness.issues.issues), "body": body, "state": "closed"},
        "repository": {"full_name": "harbour/tide"},
        "sender": {"login": "nora", "type": "User"},
    } | more


def sent(hook: FunctionClients, kind: str, told: object, delivery: str = "72d3162e-cc78-11e3-81ab-4c9367dc0958") -> int:
    """The status of a delivery that GitHub signed; what it asks for is done, twice."""
    status = signed(hook, kind, json.dumps(told).encode(), delivery)
    relay_published(hook)
    return status


def signed(hook: FunctionClients, kind: str, body: bytes, delivery: str) -> int:
    headers = {EVENT_HEADER: kind, DELIVERY_HEADER: delivery, SIGNATURE_HEADER: sign(body, WEBHOOK_SECRET)}
    return hook.post("github", body, headers).status_code


def test_an_issue_that_is_closed_by_hand_ends_the_automation(
    hook: FunctionClients, harness: Harness, incident: str
) -> None:
    harness.issues.issues[-1].is_open = False
    assert sent(hook, "issues", event(harness, incident)) == 204
    run_tick(harness)
    assert read_state(harness, incident) == IncidentState.MUTED


def test_the_label_ends_the_automation(hook: FunctionClients, harness: Harness, incident: str) -> None:
    harness.issues.issues[-1].labels.add(WRONG_LABEL)
    labeled = event(harness, incident, action="labeled", label={"name": WRONG_LABEL})
    assert sent(hook, "issues", labeled) == 204
    run_tick(harness)
    assert read_state(harness, incident) == IncidentState.MUTED


def test_what_the_issue_does_not_bear_out_ends_nothing(hook: FunctionClients, harness: Harness, incident: str) -> None:
    assert sent(hook, "issues", event(harness, incident)) == 204
    record = incident_record.load_incident(harness.start_process(), incident)
    assert record is not None
    assert record.ending is None


def test_an_issue_that_was_deleted_ends_the_automation(hook: FunctionClients, harness: Harness, incident: str) -> None:
    harness.issues.issues[-1].is_open = False
    assert sent(hook, "issues", event(harness, incident, action="deleted")) == 204
    run_tick(harness)
    assert read_state(harness, incident) == IncidentState.MUTED


@pytest.mark.parametrize(
    ("kind", "more"),
    [
        ("ping", {}),
        ("issues", {"action": "labeled", "label": {"name": "bug"}}),
        ("issues", {"action": "edited"}),
        ("issue_comment", {"action": "created", "comment": {"body": "please do not /provenfix reinvestigate"}}),
        ("issue_comment", {"action": "deleted", "comment": {"body": "/provenfix reinvestigate"}}),
        ("issues", {"issue": {"number": 1, "body": "somebody else's issue"}}),
        ("issues", {"issue": {"number": 1, "body": None}}),
        ("issues", {"issue": {"number": 1, "body": "it says `<!-- provenfix:incident=a-1 -->`"}}),
        ("issues", {"issue": {"number": 1, "body": "## Log\n<!-- provenfix:incident=a-1 -->\n"}}),
    ],
)
def test_what_means_nothing_is_acknowledged(
    hook: FunctionClients, harness: Harness, incident: str, kind: str, more: dict[str, Any]
) -> None:
    before = deepcopy(read_documents(harness, "incidents"))
    assert sent(hook, kind, event(harness, incident, **more)) == 204
    assert read_documents(harness, "incidents") == before
    assert read_documents(harness, "deliveries") == {}


def test_what_has_no_fix_yet_is_looked_at_again_once_for_a_delivery(harness: Harness, incident: str) -> None:
    people, context = FakePeople(), harness.start_process()
    now = harness.clock.now()
    incident_record.update_incident(
        context, incident, lambda record: record.moved_to(IncidentState.UNFIXED, now, "no fix")
    )
    asked = wished(harness, incident)
    assert handle_issue_command(context, people, asked).name == "asked_again"
    assert handle_issue_command(context, people, asked).name == "duplicate"
    record = incident_record.require_incident(context, incident)
    assert (record.state, record.look, record.history[-1].state) == (IncidentState.OPENED, 2, IncidentState.OPENED)
    assert asked.actor in record.history[-1].why
    assert [message for _, message in harness.bus.waiting] == [{"incident": incident}]


def test_what_is_being_decided_is_left_alone_and_whoever_asked_is_told(harness: Harness, incident: str) -> None:
    for _ in range(2):
        outcome = handle_issue_command(harness.start_process(), FakePeople(), wished(harness, incident))
    assert (outcome.name, harness.bus.waiting) == ("duplicate", [])
    answers = [comment for comment in harness.issues.issues[-1].comments if "part=answer" in comment]
    assert len(answers) == 1
    assert ANSWERS[IncidentState.PROPOSED] in answers[0]


def test_what_has_expired_is_asked_again_with_another_question(harness: Harness, incident: str) -> None:
    run_tick(harness, timedelta(hours=6))
    assert read_state(harness, incident) == IncidentState.EXPIRED
    assert handle_issue_command(harness.start_process(), FakePeople(), wished(harness, incident)).name == "asked_again"
    assert read_state(harness, incident) == IncidentState.OPENED
    investigate_incident(harness.start_process(), incident)
    assert read_state(harness, incident) == IncidentState.PROPOSED
    assert [posted.message.proposal for posted in harness.chat.posted] == [f"{incident}-1", f"{incident}-2"]
    assert len(harness.issues.issues) == 1
    run_tick(harness, timedelta(hours=6))
    assert read_state(harness, incident) == IncidentState.EXPIRED
    told = re.findall(r" part=(\S+) -->", "\n".join(harness.issues.issues[0].comments))
    assert told == ["proposed", "expired", "proposed2", "expired2"]


@pytest.mark.parametrize("resting", [IncidentState.REPORTED, IncidentState.DENIED, IncidentState.REFUSED])
def test_what_is_at_rest_without_a_rollout_can_be_asked_again(
    harness: Harness, incident: str, resting: IncidentState
) -> None:
    context, now = harness.start_process(), harness.clock.now()
    incident_record.update_incident(
        context, incident, lambda record: replace(record, ending=resting).moved_to(resting, now, "so")
    )
    assert handle_issue_command(context, FakePeople(), wished(harness, incident)).name == "asked_again"
    record = incident_record.require_incident(context, incident)
    assert (record.ending, record.rest_at, record.proposal, record.active) == (None, None, "", True)


def test_what_was_deployed_against_is_not_looked_at_again(harness: Harness) -> None:
    incident = start_watching(harness)
    incident_record.end_incident(harness.start_process(), incident, IncidentState.ROLLED_BACK, "so")
    run_tick(harness)
    assert handle_issue_command(harness.start_process(), FakePeople(), wished(harness, incident)).name == "nothing"
    assert read_state(harness, incident) == IncidentState.ROLLED_BACK


def test_what_has_come_back_is_asked_about_at_its_own_issue(harness: Harness, incident: str) -> None:
    run_tick(harness, timedelta(hours=6))
    harness.clock.advance(timedelta(minutes=1))
    harness.cloud.deploy_manually(harness.services["shore.tide"], "tide-00011-new", None)
    second = record_log_entry(harness.start_process(), harness.log_entry(revision="tide-00011-new")).incident
    assert second == incident_record.require_incident(harness.start_process(), incident).next_incident_id
    harness.bus.waiting.clear()
    outcome = handle_issue_command(harness.start_process(), FakePeople(), wished(harness, incident))
    assert (outcome.name, outcome.detail, harness.bus.waiting) == ("nothing", "superseded", [])


def test_only_who_may_write_to_the_repository_can_ask_again(harness: Harness, incident: str) -> None:
    people = FakePeople(frozenset())
    with pytest.raises(Reject, match="not_a_collaborator"):
        handle_issue_command(harness.start_process(), people, wished(harness, incident))
    assert people.checked_people == ["harbour/tide: nora"]
    assert harness.bus.waiting == []


def test_after_an_end_by_hand_nobody_can_ask_again(harness: Harness, incident: str) -> None:
    incident_record.end_incident(harness.start_process(), incident, IncidentState.MUTED, "by hand")
    assert handle_issue_command(harness.start_process(), FakePeople(), wished(harness, incident)).name == "nothing"
    assert harness.bus.waiting == []


def wished(harness: Harness, incident: str) -> IssueEvent:
    return IssueEvent(IssueCommand.REINVESTIGATE, "d-1", "harbour/tide", len(harness.issues.issues), incident, "nora")


@pytest.mark.parametrize(
    "changed",
    [
        {"repository": {"full_name": "harbour/other"}},
        {"issue": {"number": 77, "body": "<!-- provenfix:incident=%s -->"}},
    ],
)
def test_an_issue_of_elsewhere_is_refused(
    hook: FunctionClients, harness: Harness, incident: str, changed: dict[str, dict[str, Any]]
) -> None:
    harness.issues.issues[-1].is_open = False
    told = json.loads(json.dumps(event(harness, incident, **changed)).replace("%s", incident))
    assert sent(hook, "issues", told) == 403
    record = incident_record.load_incident(harness.start_process(), incident)
    assert record is not None
    assert record.ending is None


def test_malformed_requests_are_refused_and_change_nothing(
    hook: FunctionClients, harness: Harness, incident: str
) -> None:
    harness.issues.issues[-1].is_open = False  # whatever got through would end the automation
    assert isinstance(harness.store, MemoryStore)
    before, drawn = dict(harness.store.writes), random.Random(4)
    statuses = {make(hook, drawn, event(harness, incident)) for make in drawn.choices(MALFORMED, k=FUZZED)}
    assert statuses == {400, 401, 403, 405}
    written = {kind for (kind, key), count in harness.store.writes.items() if before.get((kind, key)) != count}
    assert written == {"rejections"}
    assert harness.bus.waiting == []


def unsigned(hook: FunctionClients, drawn: random.Random, told: dict[str, Any]) -> int:
    """The right event with a signature that is missing, cut off, of another key, of another body, or no text at all."""
    body = json.dumps(told).encode()
    right = sign(body, WEBHOOK_SECRET)
    wrong = [
        "", right[:-1], right + "0", right.upper(), right.removeprefix("sha256="), "sha1=" + right[7:47],
        sign(body, Secret("other")),
        sign(body + b" ", WEBHOOK_SECRET), "sha256=", "é" * 64, "sha256=" + "0" * 64, "\x7f",
    ]  # fmt: skip
    headers = {EVENT_HEADER: "issues", DELIVERY_HEADER: "d-123456", SIGNATURE_HEADER: drawn.choice(wrong)}
    return hook.post("github", body, headers).status_code


def noise(hook: FunctionClients, drawn: random.Random, _: dict[str, Any]) -> int:
    body = drawn.randbytes(drawn.randrange(200))
    return signed(hook, "issues", body, "d-123456")


def cut_off(hook: FunctionClients, drawn: random.Random, told: dict[str, Any]) -> int:
    body = json.dumps(told).encode()
    return signed(hook, "issues", body[: drawn.randrange(len(body))], "d-123456")


def misshapen(hook: FunctionClients, drawn: random.Random, told: dict[str, Any]) -> int:
    """One of the values that are read is of another kind."""
    changed = deepcopy(told)
    part, key = drawn.choice([("issue", "number"), ("repository", "full_name"), ("sender", "login")])
    values: list[object] = [
        None,
        [],
        {},
        -1,
        0,
        1.5,
        "",
        "../..",
        "a/b/c",
        "x" * 200,
        True,
        2**70,
        "\ud800",
        "é/é",
        "a\n/b",
    ]
    fitting = [value for value in values if not (key == "number" and value is True)]
    changed[part][key] = drawn.choice(fitting)
    if drawn.random() < 0.3:
        changed[part] = drawn.choice([None, [], "text", 7])
    return sent(hook, "issues", changed, "d-123456")


def without_delivery(hook: FunctionClients, drawn: random.Random, told: dict[str, Any]) -> int:
    return sent(hook, "issues", told, drawn.choice(["", "short", "x" * 65, "d 123456", "d/1234567"]))


def foreign(hook: FunctionClients, drawn: random.Random, told: dict[str, Any]) -> int:
    """Of another repository, or about another issue, with the marker of this incident."""
    changed = deepcopy(told)
    if drawn.random() < 0.5:
        changed["repository"]["full_name"] = drawn.choice(["harbour/other", "tide/harbour", "a/b", "harbour/tide2"])
    else:
        changed["issue"]["number"] += drawn.randrange(1, 2**40)
    return sent(hook, "issues", changed, f"d-{drawn.randrange(10**6):06}")


def not_posted(hook: FunctionClients, drawn: random.Random, told: dict[str, Any]) -> int:
    """The right event by another verb."""
    body = json.dumps(told).encode()
    headers = {EVENT_HEADER: "issues", DELIVERY_HEADER: "d-123456", SIGNATURE_HEADER: sign(body, WEBHOOK_SECRET)}
    verb = drawn.choice(["GET", "PUT", "DELETE", "PATCH"])
    return hook.clients["github"].open("/", method=verb, data=body, headers=headers).status_code


MALFORMED = [unsigned, noise, cut_off, misshapen, without_delivery, foreign, not_posted]


@pytest.mark.parametrize("deep", [b"[", b'{"a":'])
def test_a_body_that_is_nested_without_end_is_refused(hook: FunctionClients, deep: bytes) -> None:
    assert signed(hook, "issues", deep * 100_000, "d-123456") == 400


def test_without_a_configured_secret_nothing_is_believed(harness: Harness, incident: str) -> None:
    body = json.dumps(event(harness, incident)).encode()
    unset = Settings(
        secrets=Secrets(
            github_webhook_secret=SecretReference(SecretSource.ENVIRONMENT, "HOOK"), values={"HOOK": Secret("")}
        )
    )
    with open_function_clients(harness, settings=unset) as opened:
        headers = {EVENT_HEADER: "issues", DELIVERY_HEADER: "d-123456", SIGNATURE_HEADER: sign(body, Secret(""))}
        assert opened.post("github", body, headers).status_code == 401


def _asked(harness: Harness, incident: str, delivery: str) -> str:
    wished = IssueEvent(IssueCommand.REINVESTIGATE, delivery, "harbour/tide", 1, incident, "nora")
    return handle_issue_command(harness.start_process(), FakePeople(), wished).name


def test_what_a_person_has_ended_is_not_asked_about_again(harness: Harness, incident: str) -> None:
    """Neither a closed issue nor a labelled one: the question would be withdrawn a minute later."""
    press_button(harness, ClickKind.DENY)
    run_tick(harness)
    (issue,) = harness.issues.issues
    issue.is_open = False
    assert _asked(harness, incident, "d-1") == "nothing"
    issue.is_open = True
    issue.labels.add(WRONG_LABEL)
    assert _asked(harness, incident, "d-2") == "nothing"
    assert (read_state(harness, incident), harness.bus.waiting) == ("denied", [])
    assert all(ANSWERS["ended"] in comment for comment in issue.comments[-2:])
    issue.labels.clear()
    assert _asked(harness, incident, "d-3") == "asked_again"


def test_an_issue_that_is_closed_while_it_is_looked_at_again_ends_it(harness: Harness, incident: str) -> None:
    press_button(harness, ClickKind.DENY)
    run_tick(harness)
    assert _asked(harness, incident, "d-1") == "asked_again"
    harness.issues.issues[0].is_open = False
    handle_issue_command(
        harness.start_process(), FakePeople(), IssueEvent(IssueCommand.MUTE, "d-2", "harbour/tide", 1, incident, "nora")
    )
    run_tick(harness)
    history = incident_record.require_incident(harness.start_process(), incident).history
    assert [step.state for step in history][-2:] == ["opened", "muted"]
    assert ("opened", "muted") in DRAWN_TRANSITIONS
