"""The question as Slack shows it: what a person needs at night, buttons only while they count, never too long."""

import json
import re
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from shared.adapters.slack.interaction import APPROVE, DENY, ROLL_BACK
from shared.proof.model.recommendation import ActionKind
from shared.proposal.brief import NO_BRIEF
from shared.proposal.paragraphs import build_paragraphs
from shared.proposal.proposal import AlternativeProposal, Label, split_label
from shared.proposal.question import build_thread_details
from shared.proposal.states import ProposalStatus
from shared.report.impact import summarise_impact
from shared.service import Service
from tests.support.proof_samples import FIXING, HEAD, SECOND_ATTEMPT, SHAPES, build_sample_report
from tests.support.slack.questions import (
    SERVICE,
    UNTIL,
    _block_text,
    button_elements,
    question_message,
    render_all_messages,
    thread_text,
    visible_text,
)
from tests.support.slack.rendering import render_details, render_message

GOLDEN = Path(__file__).parents[1] / "golden"


_MAX_MESSAGE_WORDS = 75


def test_message_has_five_lines_and_the_thread_the_whole_proof() -> None:
    sent = render_message(SERVICE, question_message())
    assert [block["block_id"] for block in sent["blocks"]] == ["title", "lines", "decision", "issue"]
    shown = "\n".join(_block_text(block) for block in sent["blocks"] if block["type"] != "actions")
    assert len(shown.splitlines()) <= 4
    assert len(shown.split()) < _MAX_MESSAGE_WORDS
    for part in (
        HEAD.id[:12],
        "4 commits",
        "CI green",
        "logged 2 times",
        "2026-03-01T03:43:43Z",
        "2026-03-01T12:00:00Z",
    ):
        assert part in shown
    thread = thread_text(SERVICE)
    for part in (
        f"Proposal: redeploy chat-backend in production from {HEAD.id[:12]} (“Count the open sessions”).",
        "unterminated string literal (detected at line 676)",
        f"Broken at: {SECOND_ATTEMPT.id[:12]}",
        "built from an uncommitted tree: 2 errors on Python 3.11",
        f"Fixed by: {FIXING.id[:12]} (“refactor: frame the remaining answers too”",
        f"Newest passing commit: {HEAD.id[:12]}",
        "Checks: green.",
        "What ships: 4 commits, 2 files changed, 19 lines added, 12 deleted, not counted in 1 of them: ",
        "Confidence: proven: compiled with cpython-3.11.7",
    ):
        assert part in thread


def test_every_moment_is_shown_in_the_zone_of_its_reader() -> None:
    decided = replace(question_message(), standing=ProposalStatus.APPROVED, by="U0MIRA", decided_at=UNTIL)
    for message, moments in ((question_message(), 2), (decided, 1)):
        text = json.dumps(render_message(SERVICE, message))
        assert text.count('"type": "date"') == text.count("2026-03-01T") == moments


def test_what_followed_is_counted_over_all_revisions_as_in_the_issue() -> None:
    report = build_sample_report("design")
    [first, *_] = report.incident.symptoms
    incident = replace(report.incident, symptoms=(first, replace(first, revision="chat-00043-x", occurrences=40)))
    counted = f"“{first.text}” ({first.occurrences + 40} times)."
    assert any(counted in line for line in build_paragraphs(replace(report, incident=incident)))
    assert f"({first.occurrences + 40} times)" in summarise_impact(incident)


def test_the_three_lines_of_the_proof_are_one_list_where_nothing_shorter_is_known() -> None:
    older = replace(question_message(), brief=NO_BRIEF)
    [lines] = [block for block in render_message(SERVICE, older)["blocks"] if block["block_id"] == "lines"]
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


def test_approval_confirms_service_subject_commits_and_checks() -> None:
    found = button_elements(render_message(SERVICE, question_message()))
    assert list(found) == [APPROVE, DENY]
    assert "confirm" not in found[DENY]
    text = found[APPROVE]["confirm"]["text"]["text"]
    for part in ("chat-backend", "production", HEAD.id[:12], "Count the open sessions", "4 commits", "CI green"):
        assert part in text
    assert HEAD.id not in text
    assert found[APPROVE]["confirm"]["confirm"]["text"] == "Redeploy"


def test_only_what_changes_production_for_the_better_is_green() -> None:
    other = replace(question_message(), alternative=AlternativeProposal("p-back", "9" * 40))
    found = button_elements(render_message(SERVICE, other))
    assert {name: button.get("style") for name, button in found.items()} == {
        APPROVE: "primary", DENY: None, ROLL_BACK: "danger",
    }  # fmt: skip


def test_rolling_back_instead_approves_the_other_proposal() -> None:
    back = AlternativeProposal("0123456789abcdef-2", "9" * 40, subject="Name the events")
    instead = button_elements(render_message(SERVICE, replace(question_message(), alternative=back)))[ROLL_BACK]
    assert json.loads(instead["value"]) == {
        "proposal": "0123456789abcdef-2", "incident": "0123456789abcdef", "commit": "9" * 40,
        "evidence": "fedcba9876543210",
    }  # fmt: skip
    for part in ("9" * 12, "Name the events", "This changes production"):
        assert part in instead["confirm"]["text"]["text"]


def test_a_rollback_says_so_on_the_button_that_confirms_it() -> None:
    confirm = button_elements(render_message(SERVICE, question_message("rollback", ActionKind.ROLLBACK)))[APPROVE][
        "confirm"
    ]
    assert confirm["confirm"]["text"] == "Roll back"
    assert (
        confirm["title"]["text"]
        != button_elements(render_message(SERVICE, question_message()))[APPROVE]["confirm"]["title"]["text"]
    )


def test_what_a_click_leads_to_is_in_the_message_and_in_full_in_the_thread() -> None:
    stepped = replace(SERVICE, traffic_steps=(10, 50, 100), probe_url="wss://chat.example/ws")
    assert re.search(r"^Deploy .*\bprobed\b.* 10, 50, 100 %", _shown(stepped), re.IGNORECASE | re.MULTILINE)
    thread = thread_text(stepped)
    assert re.search(r"^Approve: .*\bprobed\b.*\(10, 50, 100 %\)", thread, re.MULTILINE)
    assert "Deny: " in thread
    assert "probed" not in _shown(SERVICE)


def _shown(service: Service) -> str:
    return visible_text(render_message(service, question_message()))


def test_several_approvals_are_counted_in_sight_of_everybody() -> None:
    other = AlternativeProposal("p-back", "9" * 40, ("U0KIM",))
    counting = replace(question_message(), quorum=2, approvals=("U0MIRA",), alternative=other)
    text = visible_text(render_message(SERVICE, counting))
    assert re.findall(r"\b1 of 2: <\w+>", text) == ["1 of 2: <U0MIRA>", "1 of 2: <U0KIM>"]
    both = replace(SERVICE, quorum=2, not_author=True)
    assert "; 2 approvals by different users " in thread_text(both)
    assert thread_text(replace(both, not_author=False)) != thread_text(both)
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
    assert "Without a decision" not in visible_text(sent)


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
    older = replace(question_message(), lines=(line,), brief=NO_BRIEF)
    assert line in visible_text(render_message(SERVICE, older))
