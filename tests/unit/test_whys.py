"""The whys: at least five and the error behind the error, arriving where the incident of the design arrives."""

import pytest

from shared.domain.report import Report
from shared.domain.whys import Confidence, Why
from shared.domain.wording import claims_fix
from tests.unit.proof_samples import SHAPES, A, B, F, I, commit, report_on


def why(shape: str, words: str) -> Why:
    return next(each for each in report_on(shape).whys if words in each.question)


def answers(report: Report) -> str:
    return "\n".join(each.answer for each in report.whys)


@pytest.mark.parametrize("shape", SHAPES)
def test_there_are_at_least_five_and_the_last_is_the_error_behind_the_error(shape: str) -> None:
    whys = report_on(shape).whys
    assert len(whys) >= 6
    assert [each.n for each in whys] == list(range(1, len(whys) + 1))
    assert whys[-1].question == "What is the error behind the error?"


@pytest.mark.parametrize("shape", SHAPES)
def test_no_answer_shows_a_value_that_is_not_there(shape: str) -> None:
    text = answers(report_on(shape))
    assert "None" not in text.replace("None was seen", "")
    assert "  " not in text
    assert ".." not in text.replace("...", "")


def test_the_reason_is_the_line_break_in_the_replacement_field_legal_on_3_12_and_not_on_3_11() -> None:
    found = why("design", "Why does Python 3.11 reject")
    assert "a line break stands inside the replacement field of an f-string" in found.answer
    assert "Python 3.12 made that legal (PEP 701); Python 3.11 rejects it" in found.answer
    assert "compile on Python 3.12 and 3.13, and not on 3.11 (cpython-3.11.7)" in found.answer
    assert found.confidence is Confidence.PROVEN


def test_the_commit_that_introduced_it_is_named_with_its_errors() -> None:
    found = why("design", "Which change")
    assert f"Commit {I.id[:12]} (“Send the run with every handoff”, committed 2026-03-01T01:58:58Z)" in found.answer
    assert "has 7 errors, the first on line 611" in found.answer


def test_an_attempt_that_says_fix_is_told_with_the_errors_that_it_left() -> None:
    found = why("design", "later changes").answer
    assert f"{A.id[:12]} (“fix: resolve f-string syntax error" in found
    assert "its subject says fix, 6 errors are left, the first on line 624" in found
    assert f"{B.id[:12]} (“refactor: frame approval events in one place”" in found
    assert "2 errors are left, the first on line 676 (this is the deployed one)" in found


def test_the_fix_is_merged_and_not_deployed_and_does_not_say_so() -> None:
    found = why("design", "although a fix exists").answer
    assert F.id[:12] in found
    assert "It is merged into main, and what is deployed does not contain it." in found
    assert "Its subject does not say that it mends anything" in found
    assert "does not say" not in why("fix says so", "although a fix exists").answer


def test_it_was_not_caught_because_no_check_runs_on_the_deployed_version() -> None:
    found = why("design", "not caught")
    assert "No check runs on Python 3.11." in found.answer
    assert ".github/workflows/ci.yml, line 6 (`python-version: '3.12'`)" in found.answer
    assert 'pyproject.toml, line 3 (`requires-python = ">=3.11"`) admits Python 3.12' in found.answer
    assert found.confidence is Confidence.OBSERVED


def test_the_error_behind_the_error_is_the_uncommitted_tree() -> None:
    found = report_on("design").whys[-1].answer
    assert "line 676 was logged at 2026-03-01T03:43:58Z" in found
    assert f"{B.id[:12]}, at 2026-03-01T03:56:27Z" in found
    assert "uncommitted working tree" in found
    assert "Nothing in the log ties the image to a commit" in found


@pytest.mark.parametrize(
    ("shape", "question", "words"),
    [
        ("no fix", "no fix to deploy", "no commit that descends from"),
        ("rollback", "no fix to deploy", "is a rollback, not a fix"),
        ("fix by deletion", "although a fix exists", "is not there any more"),
        ("fix by rename", "although a fix exists", "it is now chat/agents/execute.py"),
        ("fix in a pull request", "not ready", "in open pull request 7 (refs/pull/7/head), not merged"),
        ("fix on a branch", "not ready", "on the unmerged branch origin/mend-answers"),
        ("fix outlived", "behind the error", "merging it did not deploy it"),
        ("not corroborated", "Which version", "10 versions of agents_execute.py"),
        ("file not found", "Which version", "has a file agents_execute.py"),
        ("given commit contradicts the log", "behind the error", "contradicts the log"),
        ("given commit fits", "behind the error", "a person had to name the deployed one"),
        ("label", "behind the error", "a label of its revision"),
        ("broken on every version", "reject", "the version is not the reason"),
        ("broken on every version", "not caught", "Whatever compiles this file meets the error on any version"),
        ("without explanation", "reject", "the compiler (cpython-3.11.7) reports SyntaxError"),
        ("interpreter and ruff differ", "reject", "ruff-0.17.6 finds no error"),
        ("also broken", "alone mended", "chat/tools.py, line 9 and chat/x.py"),
        ("merge brought it in", "Which change", "it is a merge"),
        ("arrived broken", "Which change", "came with this commit and never compiled"),
        ("renamed after the break", "Which change", "After it chat/execute.py has 7 errors"),
        ("history cut", "Which change", "The copy is shallow"),
        ("no attempt", "later changes", "0 later versions"),
        ("many attempts", "later changes", "30 later versions of the file still fail"),
        ("no ci", "not caught", "The repository holds no CI configuration"),
        ("ci covers it", "not caught", "names Python 3.11"),
        ("ci unreadable", "not caught", "could not be read"),
        ("ci without version", "not caught", "names no Python version that can be read"),
        ("close 1011 alone", "no commit proposed", "names no file and no line"),
        ("keepalive timeout", "What does that say", "event loop was blocked, or the network was slow"),
        ("dynamic code", "What does that say", "put together at run time"),
        ("dependency", "What does that say", "an installed package"),
        ("not python", "What does that say", "another language"),
    ],
)
def test_each_shape_says_what_is_peculiar_to_it(shape: str, question: str, words: str) -> None:
    assert words in why(shape, question).answer


def test_what_is_not_known_is_said_to_be_unknown() -> None:
    assert why("history cut", "Which change").confidence is Confidence.UNKNOWN
    assert why("not corroborated", "Is there a fix").confidence is Confidence.UNKNOWN
    assert why("close 1011 alone", "Which change").confidence is Confidence.UNKNOWN


def test_thirty_attempts_do_not_become_thirty_sentences() -> None:
    assert why("many attempts", "later changes").answer.count("its subject says fix") == 5


def test_a_time_of_day_is_never_given_a_date() -> None:
    assert "03:43:43 (no date logged)" in report_on("time of day only").whys[0].answer
    assert "1970" not in answers(report_on("time of day only"))


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
    assert claims_fix(commit("x", "01:00:00", subject)) is claims
