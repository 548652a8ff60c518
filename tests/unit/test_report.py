"""The report as JSON: every key of the schema for every shape, full ids, UTC times, None where nothing is known."""

import json
import re
from dataclasses import replace
from datetime import timedelta, timezone
from typing import Any

import pytest

from shared.report.report import build_report
from shared.report.report_json import report_to_json
from tests.support.proof_samples import (
    FIRST_ATTEMPT,
    FIXING,
    HEAD,
    INTRODUCING,
    PATH,
    SECOND_ATTEMPT,
    SHAPES,
    build_sample_report,
)

KEYS = {
    "incident": "fingerprint service environment signal first_seen last_seen occurrences symptoms",
    "deployed": "revision commit source corroborated candidates uncommitted_tree python python_source",
    "broken": "path line message errors checked_by explanation compiles_on also_broken",
    "introduced": "commit committed_at author subject",
    "fix": "commit committed_at author subject where pull_request",
    "target": "commit committed_at subject checks commits_after_deployed newly_broken",
    "decision": "kind reason",
}
LISTED = {
    "attempts": "commit committed_at subject errors_left first_line",
    "whys": "n question answer confidence evidence",
    "evidence": "id kind ref text",
}
EVERY_SHAPE = pytest.mark.parametrize("shape", SHAPES)


def document(shape: str) -> dict[str, Any]:
    return report_to_json(build_sample_report(shape))


@EVERY_SHAPE
def test_every_key_of_the_schema_is_there(shape: str) -> None:
    found = document(shape)
    assert found["schema"] == "provenfix.report/1"
    for name, keys in KEYS.items():
        if found[name] is not None:
            assert set(keys.split()) <= set(found[name])
    for name, keys in LISTED.items():
        assert all(set(keys.split()) <= set(each) for each in found[name])
    assert json.loads(json.dumps(found)) == found


@EVERY_SHAPE
def test_commits_are_full_and_times_are_utc(shape: str) -> None:
    for key, value in _leaves(document(shape)):
        if key == "commit":
            assert value is None or re.fullmatch("[0-9a-f]{40}", value)
        if key in {"committed_at", "seen_at"}:
            assert value is None or re.fullmatch(r"2026-03-01T\d\d:\d\d:\d\d(\.\d+)?Z", value)


def test_the_incident_of_the_design_is_told_in_full() -> None:
    found = document("design")
    assert found["incident"]["signal"] == "syntax_error"
    assert found["incident"]["first_seen"] == "2026-03-01T03:43:43Z"
    assert found["incident"]["last_seen"] == "2026-03-01T03:43:58.640871Z"
    assert [each["occurrences"] for each in found["incident"]["symptoms"]] == [12, 3]
    assert found["deployed"]["commit"] == SECOND_ATTEMPT.id
    assert found["deployed"]["candidates"] == [SECOND_ATTEMPT.id]
    assert found["deployed"]["uncommitted_tree"] is True
    assert [each["commit"] for each in found["deployed"]["deployments"]] == [FIRST_ATTEMPT.id, SECOND_ATTEMPT.id]
    assert (found["broken"]["path"], found["broken"]["line"], found["broken"]["errors"]) == (PATH, 676, 2)
    assert found["introduced"]["commit"] == INTRODUCING.id
    assert [(each["commit"], each["errors_left"]) for each in found["attempts"]] == [
        (FIRST_ATTEMPT.id, 6),
        (SECOND_ATTEMPT.id, 2),
    ]
    assert (found["fix"]["commit"], found["fix"]["where"]) == (FIXING.id, "merged")
    assert (found["target"]["commit"], found["target"]["checks"]) == (HEAD.id, "green")
    assert found["decision"]["kind"] == "redeploy"
    assert found["decision"]["reason"] == "fix_merged_not_deployed"


def test_a_symptom_names_its_evidence() -> None:
    found = document("design")
    evidence = {each["id"]: each["text"] for each in found["evidence"]}
    for symptom in found["incident"]["symptoms"]:
        assert symptom["text"] in evidence[symptom["evidence"]]


def test_what_is_not_known_is_null() -> None:
    found = document("not corroborated")
    assert [found[name] for name in ("broken", "introduced", "fix", "target")] == [None] * 4
    assert found["deployed"]["commit"] is None
    assert found["deployed"]["source"] == "unknown"
    assert found["attempts"] == []


def test_a_log_without_dates_has_times_of_day_and_no_invented_day() -> None:
    found = document("time of day only")["incident"]
    assert found["first_seen"] is None
    assert found["time_of_day"]["first_seen"] == "03:43:43"


def test_times_of_other_zones_are_told_in_utc() -> None:
    whole, proof = SHAPES["design"]
    assert whole.first_seen is not None
    east = whole.first_seen.astimezone(timezone(timedelta(hours=9)))
    assert (
        report_to_json(build_report(replace(whole, first_seen=east), proof))["incident"]
        == document("design")["incident"]
    )


def test_texts_are_redacted_wherever_they_stand() -> None:
    whole, proof = SHAPES["design"]
    assert proof.introduced is not None
    token = "ghp_" + "a1B2" * 9
    told = replace(proof.introduced.commit, subject=f"use {token}", author=f"Mira {token}")
    leaking = replace(proof, introduced=replace(proof.introduced, commit=told), gaps=(f"could not read {token}",))
    text = json.dumps(report_to_json(build_report(replace(whole, service=f"chat {token}"), leaking)))
    assert token not in text
    assert text.count("[redacted github-token]") >= 4


def test_a_lone_surrogate_can_be_written() -> None:
    whole, proof = SHAPES["design"]
    report = build_report(replace(whole, path="a\udc80.py"), proof)
    json.dumps(report_to_json(report), ensure_ascii=False).encode("utf-8")


def _leaves(value: Any) -> list[tuple[str, Any]]:
    if isinstance(value, dict):
        nested = [pair for each in value.values() for pair in _leaves(each)]
        return [(key, each) for key, each in value.items() if not isinstance(each, dict | list)] + nested
    return [pair for each in value for pair in _leaves(each)] if isinstance(value, list) else []
