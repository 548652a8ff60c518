"""The class of a cause: a table of failures as they are really logged, and what the class says of each."""

from dataclasses import replace

import pytest

from shared.detection.causes.cause import PROFILES, Cause, CauseClass, EnvironmentComparison, Owner
from shared.detection.causes.classify import classify_cause
from shared.detection.incident import Incident
from tests.support.cause_table import SAMPLES, CauseSample, make_sample_entries
from tests.support.library_errors import LIBRARY_ERRORS, build_library_sample
from tests.support.log_samples import time_at
from tests.support.tied_logs import incidents_of


def incident_of(sample: CauseSample) -> Incident:
    [incident] = incidents_of(make_sample_entries(sample))
    return incident


def cause_of(sample: CauseSample) -> Cause:
    return classify_cause(incident_of(sample))


@pytest.mark.parametrize("sample", SAMPLES, ids=lambda sample: sample.name)
def test_each_failure_has_its_class_and_subject(sample: CauseSample) -> None:
    cause = cause_of(sample)
    assert cause.cause_class is sample.cause_class
    assert sample.subject in {cause.subject, ""}


@pytest.mark.parametrize("row", LIBRARY_ERRORS, ids=lambda row: str(row[1])[:50])
def test_each_error_of_a_library_has_its_class_and_subject(row: tuple[str, str, CauseClass, str]) -> None:
    cause = cause_of(build_library_sample(row))
    assert (cause.cause_class, cause.subject) == row[2:]


def test_the_table_is_large_and_has_every_class() -> None:
    assert len(SAMPLES) >= 60
    assert {sample.cause_class for sample in SAMPLES} == {*CauseClass} == {*PROFILES}


def test_only_what_a_commit_can_mend_is_said_to_be_mended_by_one() -> None:
    mended = {cause_class for cause_class, profile in PROFILES.items() if profile.is_mended_by_commit}
    assert mended == {
        CauseClass.OWN_CODE, CauseClass.OWN_CODE_UNPROVABLE, CauseClass.DEPENDENCY, CauseClass.IMAGE
    }  # fmt: skip
    assert PROFILES[CauseClass.UNKNOWN].owner is Owner.UNKNOWN


def sample(name: str) -> CauseSample:
    return next(sample for sample in SAMPLES if sample.name == name)


@pytest.mark.parametrize(
    ("name", "removed", "cause_class", "subject"),
    [
        ("environ", ("HARBOUR_URL",), CauseClass.CONFIGURATION, "HARBOUR_URL"),
        ("settings", ("FERRY_HARBOUR_URL",), CauseClass.CONFIGURATION, "FERRY_HARBOUR_URL"),
        ("uppercase key of a dictionary", ("BERTH_STATUS", "X"), CauseClass.CONFIGURATION, "BERTH_STATUS"),
    ],
)
def test_a_variable_that_an_earlier_revision_has_proves_the_class(
    name: str, removed: tuple[str, ...], cause_class: CauseClass, subject: str
) -> None:
    compared = EnvironmentComparison("ferry-00007", "ferry-00006", removed)
    cause = classify_cause(incident_of(sample(name)), compared)
    assert (cause.cause_class, cause.subject) == (cause_class, subject)
    assert subject in cause.proven_by


@pytest.mark.parametrize(
    ("name", "removed"),
    [
        ("environ", ("PIER_URL",)),
        ("settings", ("A_HARBOUR_URL", "B_HARBOUR_URL")),
        ("key", ("BERTH",)),
        ("name", ("TIDES",)),
    ],
)
def test_another_variable_proves_nothing(name: str, removed: tuple[str, ...]) -> None:
    incident = incident_of(sample(name))
    compared = classify_cause(incident, EnvironmentComparison("ferry-00007", "ferry-00006", removed))
    assert compared == classify_cause(incident)


def test_a_silent_instance_is_evidence_of_a_timeout() -> None:
    lines = [("a", "berth 1", 0.0), ("a", "berth 2", 1.0), ("b", "berth 3", 20.0), ("a", "berth 4", 42.0),
             ("a", "sent 1011 (internal error) keepalive ping timeout; no close frame received", 43.0)]  # fmt: skip
    entries = [
        replace(make_sample_entries(sample("keepalive"))[0], position=number, text=text, instance=instance,
                insert_id=f"i{number}", timestamp=time_at(at))
        for number, (instance, text, at) in enumerate(lines)
    ]  # fmt: skip
    [incident] = incidents_of(entries)
    assert incident.longest_gap is not None
    assert (incident.longest_gap.seconds, incident.longest_gap.line_count) == (41.0, 4)
    [quiet] = incidents_of([replace(entry, instance="") for entry in entries])
    assert quiet.longest_gap is None


@pytest.mark.parametrize(("instance", "at"), [("b", 1.0), ("a", 90.0)])
def test_a_memory_line_of_another_time_or_instance_is_no_cause(instance: str, at: float) -> None:
    memory, close = make_sample_entries(sample("memory"))
    [incident] = incidents_of([memory, replace(close, instance=instance, timestamp=time_at(at))])
    assert classify_cause(incident).cause_class is CauseClass.UNKNOWN
