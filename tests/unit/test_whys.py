"""The whys: five, the error behind the error, and what else is asked. They arrive where the design's incident does.

Only `tests/golden/whys.md` holds their wording; `python -m tests.contract.test_golden_files` writes it.
"""

from pathlib import Path

import pytest

from shared.proof.model.compilation import parse_ruff_explanation
from shared.proof.model.finding import Finding
from shared.proof.model.history import claims_fix
from shared.report.report import Report
from shared.report.whys.why import Confidence, Statement, Why, WhyKey, select_five_whys
from shared.text.timestamps import format_rfc3339
from tests.support.evidence_checker import extract_figures
from tests.support.proof_samples import (
    BROKEN,
    FIRST_ATTEMPT,
    FIXING,
    GOOD_COMMIT,
    INTRODUCING,
    PATH,
    SECOND_ATTEMPT,
    SHAPES,
    build_sample_report,
    make_commit,
)
from tests.support.whys_listing import render_whys

OTHER_VERDICT = f"ruff-0.17.6 finds no error in {PATH}."
EVERYWHERE = "broken on every version"
CONTRADICTED = "given commit contradicts the log"
GOLDEN = Path(__file__).parents[1] / "golden" / "whys.md"


def why(shape: str, key: WhyKey) -> Why:
    [found] = [each for each in build_sample_report(shape).whys if each.key is key]
    return found


def proof_of(shape: str) -> Finding:
    return SHAPES[shape][1]


def lines_and_numbers(text: str) -> set[str]:
    return {figure for kind, figure in extract_figures(text) if kind in {"line", "number"}}


def answers(report: Report) -> str:
    return "\n".join(each.answer for each in report.whys)


def test_they_are_worded_as_in_the_file_that_is_kept() -> None:
    assert render_whys() == GOLDEN.read_text("utf-8")


@pytest.mark.parametrize("shape", SHAPES)
def test_whys_are_at_least_five_and_end_with_the_deeper_error(shape: str) -> None:
    whys = build_sample_report(shape).whys
    assert len(whys) >= 6
    assert [each.n for each in whys] == list(range(1, len(whys) + 1))
    assert (whys[0].key, whys[-1].key) == (WhyKey.FAILED, WhyKey.BEHIND)
    assert len({each.key for each in whys}) == len(whys)


@pytest.mark.parametrize("shape", SHAPES)
def test_exactly_five_whys_are_selected_and_nothing_is_lost(shape: str) -> None:
    whys = build_sample_report(shape).whys
    selected = select_five_whys(whys)
    assert len(selected.five) == 5
    assert selected.behind is whys[-1]
    assert {why.key for why in selected.others} <= {WhyKey.INTRODUCED, WhyKey.NEXT_TO_FAIL}
    assert sorted((*selected.five, selected.behind, *selected.others), key=whys.index) == list(whys)


def test_of_a_proven_failure_the_five_are_those_that_ask_why() -> None:
    selected = select_five_whys(build_sample_report("also broken").whys)
    assert [why.key for why in selected.five] == [
        WhyKey.FAILED,
        WhyKey.REJECTED,
        WhyKey.NOT_ENDED,
        WhyKey.NOT_DEPLOYED,
        WhyKey.NOT_CAUGHT,
    ]
    assert [why.key for why in selected.others] == [WhyKey.INTRODUCED, WhyKey.NEXT_TO_FAIL]


@pytest.mark.parametrize("shape", SHAPES)
def test_no_answer_shows_a_value_that_is_not_there(shape: str) -> None:
    text = answers(build_sample_report(shape))
    assert "None" not in text
    assert "  " not in text
    assert ".." not in text.replace("...", "")


def test_reason_is_the_line_break_legal_only_since_3_12() -> None:
    found = why("design", WhyKey.REJECTED)
    form = parse_ruff_explanation(BROKEN.explanation)
    assert form is not None
    assert (form.pep, form.added_in, form.removed_in) == ("PEP 701", "3.12", "")
    assert form.description in found.answer
    assert form.pep in found.answer
    assert "cpython-3.11.7" in found.answer
    assert {"3.11", "3.12", "3.13"} <= lines_and_numbers(found.answer)
    assert Statement.VERSION_NO_REASON not in found.statements
    assert found.confidence is Confidence.PROVEN


def test_the_commit_that_introduced_it_is_named_with_its_errors() -> None:
    found = why("design", WhyKey.INTRODUCED)
    assert [figure for kind, figure in extract_figures(found.answer) if kind in {"commit", "time"}] == [
        format_rfc3339(INTRODUCING.committed_at),
        INTRODUCING.id[:12],
    ]
    assert INTRODUCING.subject in found.answer
    assert lines_and_numbers(found.answer) == {"7", "611"}
    assert found.confidence is Confidence.PROVEN


def test_an_attempt_that_says_fix_is_told_with_the_errors_that_it_left() -> None:
    found = why("design", WhyKey.NOT_ENDED)
    of_a, of_b = found.answer.partition(FIRST_ATTEMPT.id[:12])[2].split(SECOND_ATTEMPT.id[:12])
    assert FIRST_ATTEMPT.subject[:40] in of_a
    assert SECOND_ATTEMPT.subject in of_b
    assert {"6", "624"} <= lines_and_numbers(of_a)
    assert {"2", "676"} <= lines_and_numbers(of_b)
    assert found.statements == (Statement.CLAIMS_FIX, Statement.DEPLOYED_AMONG_THEM)
    assert why("many attempts", WhyKey.NOT_ENDED).statements == (Statement.CLAIMS_FIX,)


def test_the_fix_is_merged_and_not_deployed_and_does_not_say_so() -> None:
    found = why("design", WhyKey.NOT_DEPLOYED)
    assert FIXING.id[:12] in found.answer
    assert SECOND_ATTEMPT.id[:12] in found.answer
    assert Statement.CLAIMS_NO_FIX in found.statements
    assert why("fix says so", WhyKey.NOT_DEPLOYED).statements == ()


def test_it_was_not_caught_because_no_check_runs_on_the_deployed_version() -> None:
    found = why("design", WhyKey.NOT_CAUGHT)
    assert found.statements == (Statement.CI_ON_OTHERS, Statement.ADMITS_OTHER)
    for place in (".github/workflows/ci.yml", "python-version: '3.12'", "pyproject.toml", 'requires-python = ">=3.11"'):
        assert place in found.answer
    assert {("line", "6"), ("line", "3"), ("number", "3.11")} <= set(extract_figures(found.answer))
    assert found.confidence is Confidence.OBSERVED


def test_the_error_behind_the_error_is_the_uncommitted_tree() -> None:
    found = why("design", WhyKey.BEHIND)
    assert found.statements == (Statement.UNCOMMITTED_TREE, Statement.UNTIED)
    assert set(extract_figures(found.answer)) >= {
        ("line", "676"),
        ("time", "2026-03-01T03:43:58Z"),
        ("time", "2026-03-01T03:56:27Z"),
        ("commit", SECOND_ATTEMPT.id[:12]),
    }


@pytest.mark.parametrize(
    ("shape", "key", "states"),
    [
        ("design", WhyKey.INTRODUCED, ()),
        ("fix by deletion", WhyKey.NOT_DEPLOYED, (Statement.FILE_DELETED, Statement.CLAIMS_NO_FIX)),
        ("fix outlived", WhyKey.BEHIND, (Statement.UNCOMMITTED_TREE, Statement.UNTIED, Statement.FIX_OUTLIVED)),
        (CONTRADICTED, WhyKey.BEHIND, (Statement.CONTRADICTED, Statement.NOT_BORNE_OUT)),
        ("given commit fits", WhyKey.BEHIND, (Statement.NAMED_BY_PERSON,)),
        ("label", WhyKey.BEHIND, (Statement.TRACED,)),
        (EVERYWHERE, WhyKey.REJECTED, (Statement.VERSION_NO_REASON,)),
        (EVERYWHERE, WhyKey.NOT_CAUGHT, (Statement.CI_ON_ANY,)),
        ("merge brought it in", WhyKey.INTRODUCED, (Statement.MERGED_BROKEN,)),
        ("arrived broken", WhyKey.INTRODUCED, (Statement.ARRIVED_BROKEN,)),
        ("no ci", WhyKey.NOT_CAUGHT, (Statement.CI_ABSENT, Statement.ADMITS_OTHER)),
        ("ci covers it", WhyKey.NOT_CAUGHT, (Statement.CI_ON_DEPLOYED,)),
        ("ci unreadable", WhyKey.NOT_CAUGHT, (Statement.CI_UNREADABLE,)),
        ("ci without version", WhyKey.NOT_CAUGHT, (Statement.CI_VERSION_UNKNOWN,)),
    ],
)
def test_each_shape_states_what_is_peculiar_to_it(shape: str, key: WhyKey, states: tuple[Statement, ...]) -> None:
    assert why(shape, key).statements == states


@pytest.mark.parametrize(
    ("shape", "key", "facts"),
    [
        ("no fix", WhyKey.NO_FIX, (SECOND_ATTEMPT.id,)),
        ("rollback", WhyKey.NO_FIX, (GOOD_COMMIT.id, f"{GOOD_COMMIT.id[:12]} (“{GOOD_COMMIT.subject}”")),
        ("fix by deletion", WhyKey.NOT_DEPLOYED, (PATH,)),
        ("fix by rename", WhyKey.NOT_DEPLOYED, ("chat/agents/execute.py",)),
        ("fix in a pull request", WhyKey.NOT_READY, ("refs/pull/7/head", FIXING.id[:12])),
        ("fix on a branch", WhyKey.NOT_READY, ("origin/mend-answers", FIXING.id[:12])),
        ("fix outlived", WhyKey.BEHIND, (format_rfc3339(FIXING.committed_at), "2026-03-01T06:00:00Z")),
        ("not corroborated", WhyKey.VERSION, ("10", "agents_execute.py", "676")),
        ("file not found", WhyKey.VERSION, (proof_of("file not found").recommendation.detail,)),
        (CONTRADICTED, WhyKey.BEHIND, (proof_of(CONTRADICTED).deployed.conflict,)),
        ("ci covers it", WhyKey.NOT_CAUGHT, (".github/workflows/ci.yml", "python-version: '3.11'")),
        (EVERYWHERE, WhyKey.NOT_CAUGHT, (".github/workflows/ci.yml", "pytest tests")),
        ("ci unreadable", WhyKey.NOT_CAUGHT, (".github/workflows/ci.yml",)),
        ("ci without version", WhyKey.NOT_CAUGHT, (".github/workflows/ci.yml", "pytest")),
        ("without explanation", WhyKey.REJECTED, (BROKEN.checked_by, BROKEN.fault.error_class, BROKEN.fault.message)),
        ("interpreter and ruff differ", WhyKey.REJECTED, (OTHER_VERDICT,)),
        ("also broken", WhyKey.NEXT_TO_FAIL, ("chat/tools.py, line 9", "chat/x.py")),
        ("renamed after the break", WhyKey.INTRODUCED, ("chat/execute.py", "7")),
        ("history cut", WhyKey.INTRODUCED, proof_of("history cut").gaps),
        ("no attempt", WhyKey.NOT_ENDED, ("0", PATH)),
        ("many attempts", WhyKey.NOT_ENDED, ("30",)),
    ],
)  # fmt: skip
def test_each_shape_names_what_was_found_in_it(shape: str, key: WhyKey, facts: tuple[str, ...]) -> None:
    assert [fact for fact in facts if fact not in why(shape, key).answer] == []


def test_each_unprovable_kind_states_its_meaning_and_limit() -> None:
    kinds = ("close 1011 alone", "keepalive timeout", "dynamic code", "dependency", "not python")
    for key in (WhyKey.MEANING, WhyKey.NO_COMMIT, WhyKey.BEHIND):
        assert len({why(kind, key).answer for kind in kinds} - {""}) == len(kinds)


def test_what_is_not_known_is_said_to_be_unknown() -> None:
    assert why("history cut", WhyKey.INTRODUCED).confidence is Confidence.UNKNOWN
    assert why("not corroborated", WhyKey.ANY_FIX).confidence is Confidence.UNKNOWN
    assert why("close 1011 alone", WhyKey.MENDS).confidence is Confidence.UNKNOWN


def test_what_follows_from_what_was_not_seen_is_not_proven() -> None:
    assert why("no attempt", WhyKey.NOT_ENDED).confidence is Confidence.INFERRED
    assert why("ci covers it", WhyKey.NOT_CAUGHT).confidence is Confidence.INFERRED
    assert why(EVERYWHERE, WhyKey.NOT_CAUGHT).confidence is Confidence.INFERRED


def test_thirty_attempts_do_not_become_thirty_sentences() -> None:
    told = why("many attempts", WhyKey.NOT_ENDED).answer
    attempts = proof_of("many attempts").attempts
    assert len(attempts) == 30
    assert sum(each.commit.id[:12] in told for each in attempts) == 5
    assert attempts[-1].commit.id[:12] in told


def test_a_time_of_day_is_never_given_a_date() -> None:
    undated = build_sample_report("time of day only")
    assert [figure for kind, figure in extract_figures(undated.whys[0].answer) if kind == "time"] == ["03:43:43"]
    assert "1970" not in answers(undated)


@pytest.mark.parametrize(
    ("subject", "claims"),
    [
        ("fix: resolve f-string syntax error", True),
        ("Fixes the startup", True),
        ("hotfix for prod", True),
        ("Bugfix", True),
        ("Repair the answer events", True),
        ("resolved merge conflict", True),
        ("Mend the handlers", True),
        ("fixup! stream events", True),
        ("refactor: frame the remaining answer events too", False),
        ("Add a prefix to every key", False),
        ("Use fixtures in tests", False),
        ("Suffix names with the region", False),
    ],
)
def test_a_subject_claims_a_fix_by_its_words(subject: str, claims: bool) -> None:  # noqa: FBT001
    assert claims_fix(make_commit("x", "01:00:00", subject)) is claims
