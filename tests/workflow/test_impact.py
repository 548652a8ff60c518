"""What a failing revision means for its users: read from the platform's own figures, unknown where it gives none."""

import json
import re
from dataclasses import replace

import pytest

from shared.adapters.standins.simulated_platform import SimulatedPlatform
from shared.errors import Reject
from shared.report.impact import (
    UNCOUNTED_CLOSES,
    ImpactMeasurement,
    Reach,
    Urgency,
    assess_impact,
    describe_impact,
    impact_to_json,
)
from shared.workflow.investigate_incident import investigate_incident
from tests.support.drivers import open_incident, propose_deployment, read_documents, read_incident
from tests.support.harness import OLD_REVISION, Harness, watched_service
from tests.support.log_samples import START

NEW = "tide-00008-new"
CASES = {
    "it takes all": (
        ImpactMeasurement(NEW, {NEW: 100}, 480, 37), Reach.SERVES, Urgency.NOW, ["100", "37", "480"],
    ),
    "it takes a part": (
        ImpactMeasurement(NEW, {OLD_REVISION: 90, NEW: 10}, None), Reach.SERVES, Urgency.NOW, ["10"],
    ),
    "WebSockets only": (
        ImpactMeasurement(NEW, {NEW: 100}, 480, 0), Reach.SERVES, Urgency.NOW, ["100", "0", "480"],
    ),
    "it never started": (
        ImpactMeasurement(NEW, {OLD_REVISION: 100}, 0, 0, "The container failed to start on port 8080."),
        Reach.NEVER_STARTED, Urgency.SOON, [],
    ),
    "nobody says why it has none": (
        ImpactMeasurement(NEW, {OLD_REVISION: 100}, 0, 0), Reach.NEVER_SERVED, Urgency.SOON, [],
    ),
    "it is old, and what it answered is no longer looked for": (
        ImpactMeasurement(
            NEW, {OLD_REVISION: 100}, 0, 0, "The container failed to start on port 8080.", since_creation=False
        ),
        Reach.NEVER_SERVED, Urgency.SOON, [],
    ),
    "it was taken back": (
        ImpactMeasurement(NEW, {OLD_REVISION: 100}, 480, 37), Reach.SERVED, Urgency.SOON, ["37", "480"],
    ),
    "requests are not known": (
        ImpactMeasurement(NEW, {OLD_REVISION: 100}, None), Reach.UNKNOWN, Urgency.UNKNOWN, [],
    ),
    "the split is not known": (ImpactMeasurement(NEW, None, 480, 37), Reach.UNKNOWN, Urgency.UNKNOWN, []),
    "the revision is not known": (ImpactMeasurement("", {NEW: 100}), Reach.UNKNOWN, Urgency.UNKNOWN, []),
}  # fmt: skip


@pytest.mark.parametrize("name", CASES)
def test_reach_and_urgency_follow_from_what_was_measured(name: str) -> None:
    measured, reach, urgency, numbers = CASES[name]
    impact, evidence = assess_impact(measured, 7)
    assert (impact.reach, impact.urgency) == (reach, urgency)
    assert re.findall(r"\d+", re.sub(rf"{NEW}|{OLD_REVISION}", "", describe_impact(impact))) == numbers
    assert (UNCOUNTED_CLOSES in describe_impact(impact)) is (impact.failed == 0 and "0" in numbers)
    assert (OLD_REVISION in describe_impact(impact)) is (reach not in {Reach.SERVES, Reach.UNKNOWN})
    assert (
        list(impact.evidence) == [each.id for each in evidence] == [f"e{7 + place}" for place in range(len(evidence))]
    )
    known = set(re.findall(r"\d+", " ".join(f"{each.text} {each.ref}" for each in evidence)))
    assert set(re.findall(r"\d+", describe_impact(impact))) <= known


def test_each_reach_is_told_in_words_of_its_own() -> None:
    words = {
        reach: re.sub(r"\d+", "", describe_impact(assess_impact(measured, 1)[0]))
        for measured, reach, _, _ in CASES.values()
    }
    assert len(set(words.values())) == len(words) == len(Reach)


def test_unknown_is_null_in_the_report() -> None:
    found = impact_to_json(assess_impact(ImpactMeasurement("", None), 1)[0])
    assert [found[key] for key in ("revision", "traffic_percent", "requests", "failed_requests")] == [None] * 4


def impact(harness: Harness, incident: str) -> dict[str, object]:
    report = read_documents(harness, "reports")[incident]["report"]
    assert isinstance(report, dict)
    ids = {each["id"] for each in report["evidence"]}
    found: dict[str, object] = report["impact"]
    assert set(found["evidence"]) <= ids  # type: ignore[call-overload]
    return found


def test_a_revision_that_serves_is_urgent_on_the_issue_and_in_the_message() -> None:
    setting = Harness()
    setting.logs.request_counts[OLD_REVISION], setting.logs.failure_counts[OLD_REVISION] = 480, 37
    incident = propose_deployment(setting)
    assert impact(setting, incident) | {"evidence": [], "text": "", "made_at": None} == {
        "earlier_revision": None, "made_at": None,
        "reach": "serves", "urgency": "now", "revision": OLD_REVISION, "traffic_percent": 100, "requests": 480,
        "failed_requests": 37, "serving_instead": [], "text": "", "evidence": [],
    }  # fmt: skip
    words = str(impact(setting, incident)["text"])
    assert re.findall(r"\d+", words.replace(OLD_REVISION, "")) == ["100", "37", "480"]
    assert words in setting.issues.issues[0].body
    assert any(line.startswith("Impact: ") and words in line for line in setting.chat.posted[0].message.lines)


def test_a_revision_that_never_started_leaves_its_users_the_old_one() -> None:
    setting = Harness()
    cloud = setting.cloud.services["shore.tide"]
    cloud.revisions[NEW] = replace(cloud.revisions[OLD_REVISION], name=NEW)
    entry = setting.log_entry(revision=NEW)
    system = "projects/shore/logs/run.googleapis.com%2Fvarlog%2Fsystem"
    setting.logs.kept.append(replace(entry, text="The user-provided container failed to start.", log_name=system))
    found = impact(setting, _investigated(setting, NEW))
    assert (found["reach"], found["urgency"], found["traffic_percent"]) == ("never_started", "soon", 0)
    assert found["serving_instead"] == [OLD_REVISION]
    assert OLD_REVISION in str(found["text"])
    assert str(found["text"]) in setting.issues.issues[0].body.replace("\\", "")


def test_log_text_of_the_service_does_not_mark_it_never_started() -> None:
    setting = Harness()
    cloud = setting.cloud.services["shore.tide"]
    cloud.revisions[NEW] = replace(cloud.revisions[OLD_REVISION], name=NEW)
    setting.log_entry("ERROR: The user-provided container failed to start.", revision=NEW)
    assert impact(setting, _investigated(setting, NEW))["reach"] == "never_served"


def test_what_may_not_be_looked_at_is_unknown_and_stops_nothing() -> None:
    setting = Harness()

    def denied(*_: object) -> int:
        raise Reject("denied", "Cloud Logging, project shore")

    setting.logs.count_requests = denied  # type: ignore[assignment, method-assign]
    cloud = setting.cloud.services["shore.tide"]
    cloud.revisions[NEW] = replace(cloud.revisions[OLD_REVISION], name=NEW)
    incident = _investigated(setting, NEW)
    assert impact(setting, incident)["reach"] == "unknown"
    assert read_incident(setting, incident)["state"] == "proposed"


def test_where_only_the_log_is_known_nothing_is_said_about_traffic() -> None:
    setting = Harness()
    revisions = SimulatedPlatform(setting.store, setting.clock)
    incident = open_incident(setting)
    investigate_incident(setting.start_process(lambda name, port: revisions if name == "revisions" else port), incident)
    found = impact(setting, incident)
    assert (found["reach"], found["urgency"], found["traffic_percent"]) == ("unknown", "unknown", None)
    [stored] = read_documents(setting, "reports")
    assert "as-logged" not in json.dumps(stored)
    assert not re.search(r"\d %", json.dumps(stored))


def test_a_log_that_cannot_tell_failures_leaves_them_unknown() -> None:
    setting = Harness({"shore.tide": watched_service()})

    class Counting:
        """A log that knows of requests, and not how they ended."""

        def __init__(self) -> None:
            self.read_neighbours = setting.logs.read_neighbours
            self.read_entries = setting.logs.read_entries
            self.count_requests = setting.logs.count_requests

        def count_failed_requests(self, *_: object) -> None:
            """Does not tell."""

    incident = open_incident(setting)
    investigate_incident(setting.start_process(lambda name, port: Counting() if name == "logs" else port), incident)
    assert impact(setting, incident)["failed_requests"] is None


def _investigated(harness: Harness, revision: str) -> str:
    from shared.workflow.record import record_log_entry  # noqa: PLC0415

    incident = record_log_entry(harness.start_process(), harness.log_entry(revision=revision)).incident
    investigate_incident(harness.start_process(), incident)
    assert json.dumps(read_documents(harness, "reports")[incident])
    return incident


def test_the_revision_that_worked_before_is_named_with_the_moment_that_ended_it() -> None:
    measured = ImpactMeasurement("ferry-2", {"ferry-2": 100}, 9, 0, made_at=START, earlier="ferry-1")
    assessed, evidence = assess_impact(measured, 1)
    assert (assessed.earlier, assessed.made_at) == ("ferry-1", START)
    assert "ferry-1" in describe_impact(assessed)
    assert [item.ref for item in evidence if item.ref == "ferry-1"] == ["ferry-1"]
    without, _ = assess_impact(replace(measured, earlier=""), 1)
    assert "ferry-1" not in describe_impact(without)
