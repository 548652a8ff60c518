"""The one table of words: every state has them, and they fit where issue, chat, page and terminal put them."""

import re
from string import Formatter

import pytest

from shared.proof.model.recommendation import ActionKind
from shared.proposal.proposal import TITLE_SEPARATOR, build_title, compute_evidence_hash, update_title
from shared.proposal.rollout import RolloutVerdict
from shared.proposal.state_words import (
    INCIDENT_WORDS,
    QUESTION_WORDS,
    TRIAL_SENTENCES,
    VERDICT_SENTENCES,
    StateWords,
    describe_incident_end,
)
from shared.proposal.states import IncidentState, ProposalStatus
from shared.proposal.trial import TrialVerdict
from shared.workflow.records.proposals import STATUS_BY_END_STATE

TERMINAL_FIELDS = {"state", "what", "why", "issue", "papers", "detail", "question", "verb", "commit"}


def fields(template: str) -> set[str]:
    return {name for _, name, _, _ in Formatter().parse(template) if name}


def test_every_state_of_incident_question_and_rollout_has_words() -> None:
    assert set(INCIDENT_WORDS) == set(IncidentState)
    assert set(QUESTION_WORDS) == set(ProposalStatus)
    assert set(VERDICT_SENTENCES) == set(RolloutVerdict) - {RolloutVerdict.HOLDS}
    assert set(TRIAL_SENTENCES) == set(TrialVerdict) - {TrialVerdict.RUNNING}


@pytest.mark.parametrize("words", [*INCIDENT_WORDS.values(), *QUESTION_WORDS.values()])
def test_words_fit_badge_drawing_and_templates(words: StateWords) -> None:
    assert 0 < len(words.label) <= 30
    assert 0 < len(words.step) <= 20
    assert words.event
    assert not words.event.endswith(".")
    assert fields(words.terminal) <= TERMINAL_FIELDS
    assert fields(words.status) <= {"commit"}
    assert fields(words.end) <= {"watch"}


@pytest.mark.parametrize("status", set(ProposalStatus) - {ProposalStatus.OPEN})
@pytest.mark.parametrize("kind", ActionKind)
def test_a_decided_title_ends_with_words_without_a_separator(status: ProposalStatus, kind: ActionKind) -> None:
    start, separator, end = build_title("asked", "tide: it fails", status, kind).rpartition(TITLE_SEPARATOR)
    assert (start, separator) == ("tide: it fails", TITLE_SEPARATOR)
    assert end


@pytest.mark.parametrize("state", STATUS_BY_END_STATE)
def test_every_end_is_told_in_whole_sentences(state: IncidentState) -> None:
    told = describe_incident_end(state, "24-hour")
    assert told.endswith(".")
    assert "{" not in told
    assert QUESTION_WORDS[STATUS_BY_END_STATE[state]].meaning


def test_only_a_user_ends_an_incident_without_an_action_of_ours() -> None:
    by_user = {state for state in STATUS_BY_END_STATE if not INCIDENT_WORDS[state].action}
    assert by_user == {IncidentState.DENIED, IncidentState.MUTED}


@pytest.mark.parametrize("kind", ActionKind)
def test_a_title_ends_with_the_words_of_what_was_decided(kind: ActionKind) -> None:
    words = QUESTION_WORDS[ProposalStatus.APPROVED]
    end = {ActionKind.ROLLBACK: words.rollback_title, ActionKind.TRIAL: words.trial_title}.get(kind) or words.title
    assert build_title("tide: ask", "tide: fails", ProposalStatus.APPROVED, kind) == f"tide: fails: {end}"
    assert build_title("tide: ask", "tide: fails", ProposalStatus.OPEN, kind) == "tide: ask"
    assert build_title("tide: ask", "", ProposalStatus.APPROVED, kind) == "tide: ask"


def test_evidence_hash_is_of_the_content_and_not_of_its_order() -> None:
    first, second = {"a": 1, "b": ["ü"]}, {"b": ["ü"], "a": 1}
    assert compute_evidence_hash(first) == compute_evidence_hash(second)
    assert compute_evidence_hash(first) != compute_evidence_hash({**first, "a": 2})
    assert re.fullmatch("[0-9a-f]{16}", compute_evidence_hash(first))


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ("tide: fails: ask", "tide: fails: merged", "tide: fails: merged"),
        ("the tide is out", "tide: fails: merged", "the tide is out"),
        ("fails: ask", "", "fails: ask"),
        ("ask", "", "ask"),
    ],
)
def test_only_a_title_about_the_same_failure_is_replaced(old: str, new: str, told: str) -> None:
    assert update_title(old, new) == told
