"""The class of a cause: a table of failures as they are really logged, and what the class says of each."""

import pytest

from shared.detection.causes.cause import Cause
from shared.detection.causes.classify import classify_cause
from shared.detection.entry import LogEntry
from shared.detection.incident import Incident
from tests.support.cause_table import PLATFORM_LOG, SAMPLES, CauseSample
from tests.support.log_samples import time_at
from tests.support.tied_logs import incidents_of


def entries_of(sample: CauseSample) -> list[LogEntry]:
    return [
        LogEntry(
            number, text, time_at(number), log_name=PLATFORM_LOG if number in sample.platform else "stderr",
            severity="ERROR", insert_id=f"i{number}", project="harbour", service="ferry", revision="ferry-00007",
            instance="a",
        )
        for number, text in enumerate(sample.texts)
    ]  # fmt: skip


def incident_of(sample: CauseSample) -> Incident:
    [incident] = incidents_of(entries_of(sample))
    return incident


def cause_of(sample: CauseSample) -> Cause:
    return classify_cause(incident_of(sample))


@pytest.mark.parametrize("sample", SAMPLES, ids=lambda sample: sample.name)
def test_each_failure_has_its_class_and_subject(sample: CauseSample) -> None:
    cause = cause_of(sample)
    assert cause.cause_class is sample.cause_class
    assert sample.subject in {cause.subject, ""}
