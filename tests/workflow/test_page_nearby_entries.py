"""The page says what the log holds beside the failure, and how it is tied: a report in, rows and exception out."""

import re
from dataclasses import replace
from html import unescape

import pytest

from functions.local.page.incident_view import IncidentReader, Tie, read_related_entries
from functions.local.page.views import PageState, render_incident
from shared.detection.incident import Incident
from shared.proof.model.recommendation import ActionKind, Reason
from shared.report.report_json import report_to_json
from tests.support.commit_graph import ScriptedProver
from tests.support.harness import Harness
from tests.support.log_samples import NOT_AUTHENTICATED
from tests.support.page_client import propose_on_one_machine
from tests.support.tied_logs import BROKEN, CLOSED, RAISED, LogStep, incidents_of, make_log_entries, only_syntax_error

NEARBY = "ERROR no berth free"


def _report_on(about: Incident) -> dict[str, object]:
    answer = ScriptedProver(kind=ActionKind.NONE, reason=Reason.NOT_CORROBORATED)
    return report_to_json(answer.prover().prove_and_report(about, None, None, None))  # type: ignore[arg-type]  # it asks none of them


def _page_of(report: dict[str, object]) -> str:
    """The page of an incident whose stored report is this one."""
    harness = Harness()
    dossier = IncidentReader(harness.store, harness.services).read_incident(propose_on_one_machine(harness))
    assert dossier is not None
    shown = PageState(token="t", people=(), writable=False)
    return render_incident(replace(dossier, findings={**dossier.findings, "report": report}), shown)


def _rows(html: str) -> list[tuple[str, str, str]]:
    """Tie, text and count of each row."""
    row = re.compile(r'<tr data-tie="(\w+)"><td>(.*?)</td>.*?<td class="figure">(\d+)</td></tr>')
    return [(tie, unescape(text), often) for tie, text, often in row.findall(html)]


def test_tied_entries_and_merely_nearby_entries_are_distinguished() -> None:
    logged = make_log_entries(("a", BROKEN), ("a", CLOSED), ("a", NOT_AUTHENTICATED), ("b", NEARBY), ("b", NEARBY))
    report = _report_on(only_syntax_error(logged))
    assert sorted(_rows(_page_of(report))) == [
        ("followed", CLOSED, "1"), ("nearby", NEARBY, "2"), ("suspected", NOT_AUTHENTICATED, "1"),
    ]  # fmt: skip
    assert read_related_entries(report).rows[0].tie is Tie.FOLLOWED


def test_the_exception_that_a_close_is_tied_to_is_quoted() -> None:
    [close] = incidents_of(make_log_entries(("a", RAISED), ("a", CLOSED)))
    html = _page_of(_report_on(close))
    [told] = re.findall(r'<p id="exception">(.*?)</p>', html)
    quoted = [unescape(each) for each in re.findall(r"<code>(.*?)</code>", told)]
    assert quoted == ["AttributeError: no enviorn", "/app/berth.py", "moor"]
    assert "line 5" in told


@pytest.mark.parametrize("lines", [[("a", BROKEN)], [("a", CLOSED)]])
def test_where_nothing_was_logged_beside_it_nothing_is_said(lines: list[LogStep]) -> None:
    html = _page_of(_report_on(incidents_of(make_log_entries(*lines))[0]))
    assert 'id="logged-title"' not in html


def test_what_was_logged_can_do_nothing() -> None:
    hostile = "ERROR <script>alert(1)</script> \u202e no berth"
    html = _page_of(_report_on(only_syntax_error(make_log_entries(("a", BROKEN), ("b", hostile)))))
    assert "alert(1)" in html
    assert "<script>alert" not in html
    assert "\u202e" not in html


def test_without_a_day_the_time_alone_is_told() -> None:
    symptom = {"text": NEARBY, "occurrences": 1, "first_seen": None, "time_of_day": {"first_seen": "03:43:44"}}
    [row] = read_related_entries({"incident": {"nearby": [symptom]}}).rows
    assert row.first_seen == "03:43:44"


@pytest.mark.parametrize("report", [{}, {"incident": {}}, {"incident": {"exception": None}}])
def test_a_report_that_tells_nothing_has_no_rows(report: dict[str, object]) -> None:
    told = read_related_entries(report)
    assert (told.rows, dict(told.exception)) == ((), {})
