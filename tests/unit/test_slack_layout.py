"""The question as Slack shows it: what a person needs at night, buttons only while they count, never too long."""

import json
import re
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from shared.adapters.slack.interaction import APPROVE, DENY, ROLL_BACK
from shared.proof.model.finding import ActionKind
from shared.proposal.proposal import AlternativeProposal
from shared.proposal.question import Label, build_question, build_thread_details, split_label
from shared.proposal.states import ProposalStatus
from shared.report.impact import summarise_impact
from tests.support.proof_samples import FIXING, HEAD, SECOND_ATTEMPT, SHAPES, build_sample_report
from tests.support.slack.questions import (
    ISSUE,
    PROPOSAL,
    SERVICE,
    UNTIL,
    _block_text,
    button_elements,
    question_message,
    render_all_messages,
    visible_text,
)
from tests.support.slack.rendering import render_details, render_message

GOLDEN = Path(__file__).parents[1] / "golden"


def test_message_shows_failure_proof_changes_and_confidence() -> None:
    text = visible_text(render_message(SERVICE, question_message()))
    for told in (
        "chat-backend: SyntaxError in chat/agents_execute.py, line 676, on Python 3.11: fix merged, not deployed",
        f"Proposal: redeploy chat-backend in production from {HEAD.id[:12]} (“Count the open sessions”).",
        "unterminated string literal (detected at line 676)",
        "Since: 2026-03-01T03:43:43Z, logged 2 times",
        f"Broken at: {SECOND_ATTEMPT.id[:12]}",
        "built from an uncommitted tree: 2 errors on Python 3.11",
        f"Fixed by: {FIXING.id[:12]} (“refactor: frame the remaining answers too”",
        f"Newest passing commit: {HEAD.id[:12]}",
        "Checks: green.",
        "What ships: 4 commits, 2 files changed, 19 lines added, 12 deleted, not counted in 1 of them: ",
        "Confidence: proven: compiled with cpython-3.11.7",
        "Open until 2026-03-01T12:00:00Z.",
    ):
        assert told in text


def test_what_followed_is_counted_over_all_revisions_as_in_the_issue() -> None:
    report = build_sample_report("design")
    [first, *_] = report.incident.symptoms
    incident = replace(report.incident, symptoms=(first, replace(first, revision="chat-00043-x", occurrences=40)))
    message = build_question(replace(report, incident=incident), PROPOSAL, ISSUE)
    told = f"“{first.text}” ({first.occurrences + 40} times)."
    assert told in visible_text(render_message(SERVICE, message))
    assert f"({first.occurrences + 40} times)" in summarise_impact(incident)


def test_the_three_lines_of_the_proof_are_one_list() -> None:
    [lines] = [block for block in render_message(SERVICE, question_message())["blocks"] if block["block_id"] == "lines"]
    [proof] = [part for part in lines["elements"] if part["type"] == "rich_text_list"]
    assert [_block_text(row).partition(":")[0] for row in proof["elements"]] == [
        Label.BROKEN,
        Label.FIXED,
        Label.NEWEST,
    ]


def test_the_issue_is_the_only_link() -> None:
    text = json.dumps(render_message(SERVICE, question_message()))
    assert text.count('"type": "link"') == text.count("https://") == 1
    assert "https://github.com/quay/chat/issues/12" in text


def test_approval_confirms_service_environment_and_full_commit() -> None:
    found = button_elements(render_message(SERVICE, question_message()))
    assert list(found) == [APPROVE, DENY]
    assert "confirm" not in found[DENY]
    assert found[APPROVE]["confirm"]["text"]["text"].splitlines() == [
        "Service: chat-backend", "Environment: production", f"Commit: {HEAD.id}",
    ]  # fmt: skip
    assert found[APPROVE]["confirm"]["confirm"]["text"] == "Redeploy"


def test_rolling_back_instead_approves_the_other_proposal() -> None:
    other = replace(question_message(), alternative=AlternativeProposal("0123456789abcdef-2", "9" * 40))
    instead = button_elements(render_message(SERVICE, other))[ROLL_BACK]
    assert json.loads(instead["value"]) == {
        "proposal": "0123456789abcdef-2", "incident": "0123456789abcdef", "commit": "9" * 40,
        "evidence": "fedcba9876543210",
    }  # fmt: skip
    assert f"Commit: {'9' * 40}" in instead["confirm"]["text"]["text"]


def test_a_rollback_says_so_on_the_button_that_confirms_it() -> None:
    confirm = button_elements(render_message(SERVICE, question_message("rollback", ActionKind.ROLLBACK)))[APPROVE][
        "confirm"
    ]
    assert confirm["confirm"]["text"] == "Roll back"
    assert (
        confirm["title"]["text"]
        != button_elements(render_message(SERVICE, question_message()))[APPROVE]["confirm"]["title"]["text"]
    )


def test_what_a_click_leads_to_stands_above_the_buttons() -> None:
    stepped = replace(SERVICE, traffic_steps=(10, 50, 100), probe_url="wss://chat.example/ws")
    text = visible_text(render_message(stepped, question_message()))
    assert re.search(r"^Approve: .*\bprobed\b.*\(10, 50, 100 %\)", text, re.MULTILINE)
    assert "Deny: " in text
    assert "probed" not in visible_text(render_message(SERVICE, question_message()))


def test_several_approvals_are_counted_in_sight_of_everybody() -> None:
    other = AlternativeProposal("p-back", "9" * 40, ("U0KIM",))
    counting = replace(question_message(), quorum=2, approvals=("U0MIRA",), alternative=other)
    text = visible_text(render_message(replace(SERVICE, not_author=True), counting))
    assert re.findall(r"\b1 of 2: <\w+>", text) == ["1 of 2: <U0MIRA>", "1 of 2: <U0KIM>"]
    assert "; 2 approvals by different users " in text
    assert visible_text(render_message(replace(SERVICE, not_author=False), counting)) != text
    done = replace(
        counting, standing=ProposalStatus.APPROVED, approvals=("U0MIRA", "U0ODA"), by="U0ODA", decided_at=UNTIL
    )
    assert re.search(
        r"Approved\b.*<U0MIRA>.*<U0ODA>.*2026-03-01T12:00:00Z", visible_text(render_message(SERVICE, done))
    )


def test_a_denial_names_only_who_denied() -> None:
    denied = replace(question_message(), standing=ProposalStatus.DENIED, approvals=("U0MIRA",), quorum=2, by="U0ODA")
    assert "Denied by <U0ODA>: " in visible_text(render_message(SERVICE, denied))


@pytest.mark.parametrize("shape", SHAPES)
def test_the_details_of_every_shape_are_accepted_by_slack(shape: str) -> None:
    report = build_sample_report(shape)
    told = "\n".join(_block_text(block) for block in render_details(build_thread_details(report)))
    assert all(why.question.split()[-1] in told for why in report.whys)


def test_a_notice_asks_nobody() -> None:
    sent = render_message(SERVICE, replace(question_message(), standing=ProposalStatus.NOTICE))
    assert button_elements(sent) == {}
    assert [block["block_id"] for block in sent["blocks"]] == ["title", "lines", "issue"]


@pytest.mark.parametrize("standing", set(ProposalStatus) - {ProposalStatus.OPEN, ProposalStatus.NOTICE})
def test_after_the_decision_the_buttons_go_and_who_when_and_what_stay(standing: ProposalStatus) -> None:
    reason = "wait for the\nmigration"
    decided = replace(
        question_message(), standing=standing, by="U0MIRA", decided_at=UNTIL, at=UNTIL + timedelta(minutes=3),
        reason=reason,
    )  # fmt: skip
    sent = render_message(SERVICE, decided)
    assert button_elements(sent) == {}
    what = f": redeploy chat-backend (production) from {HEAD.id[:12]}."
    by_person = " by <U0MIRA> at 2026-03-01T12:00:00Z"
    own = f" at 2026-03-01T12:03:00Z (approved{by_person})"
    assert (by_person if standing in {ProposalStatus.APPROVED, ProposalStatus.DENIED} else own) + what in visible_text(
        sent
    )
    assert f"Reason: {' '.join(reason.split())}" in visible_text(sent)
    assert "Open until" not in visible_text(sent)


@pytest.mark.parametrize("standing", [ProposalStatus.EXPIRED, ProposalStatus.SUPERSEDED])
def test_what_can_no_longer_be_approved_says_so(standing: ProposalStatus) -> None:
    sent = render_message(SERVICE, replace(question_message(), standing=standing))
    assert button_elements(sent) == {}
    assert sent["text"].startswith(standing.value.capitalize())


def test_every_message_reads_as_it_is_kept() -> None:
    assert render_all_messages() == (GOLDEN / "messages.txt").read_text("utf-8")


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("standing", [ProposalStatus.OPEN, ProposalStatus.APPROVED])
def test_every_shape_is_accepted_by_slack(shape: str, standing: ProposalStatus) -> None:
    render_message(SERVICE, replace(question_message(shape), standing=standing))


def test_a_line_without_a_label_is_a_paragraph() -> None:
    assert split_label("Proposal: x") == (Label.PROPOSAL, "x")
    assert split_label("Proposals: x") == (None, "Proposals: x")
    line = "stale: and so on"
    assert line in visible_text(render_message(SERVICE, replace(question_message(), lines=(line,))))
