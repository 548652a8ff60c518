"""A failure in words: what the compiler and ruff say of a version in, one explanation, counts and Pythons out."""

from collections.abc import Mapping, Sequence

import pytest

from shared.proof.judging.compile_verdicts import CompileVerdicts
from shared.proof.model.compilation import Compilation, Diagnostic, Explanation, Fault, Source
from shared.proof.searching.explain_failure import FailureExplanation, cut_excerpt, explain_failure
from shared.proof.searching.introducing_commit import FileAtCommit
from tests.support.commit_graph import make_commit
from tests.support.type_checker import FakeTypeChecker


class _Contents:
    """As much of a history as is asked: what the blobs hold."""

    def __init__(self, blobs: Mapping[str, bytes]) -> None:
        self._blobs = blobs

    def read(self, blob: str) -> bytes | None:
        return self._blobs.get(blob)


class _Compilers:
    """Python 3.11 fails on `line`; a newer one accepts the source or not, as ruff does with `findings` on 3.11."""

    def __init__(self, line: int | None, *findings: Diagnostic, accepted_by: Mapping[str, bool] | None = None) -> None:
        self._line = line
        self._findings = findings
        self._accepted_by = accepted_by or {}
        self.kind = "cpython"
        """What judges in place of an interpreter that this machine has not is told by its name."""
        self.python = "3.11"
        self.checked_by = "cpython-3.11.0"

    def compiler_for(self, python: str) -> "_Compilers":
        other = _Compilers(self._line, accepted_by=self._accepted_by)
        other.kind = self.kind
        other.python, other.checked_by = python, f"{self.kind}-{python}.0"
        return other

    def explainer(self) -> "_Ruff":
        return _Ruff(self._findings, self._accepted_by)

    def type_checker(self) -> FakeTypeChecker:
        return FakeTypeChecker(is_installed=False)

    def compile(self, _: Source) -> Compilation:
        if self._accepted_by.get(self.python):
            return Compilation(True, None, self.checked_by)
        return Compilation(False, Fault("SyntaxError", "invalid syntax", self._line), self.checked_by)

    def prepare(self, _: object) -> None:
        pass


class _Ruff:
    def __init__(self, findings: tuple[Diagnostic, ...], accepts: Mapping[str, bool]) -> None:
        self.checked_by = "ruff-0.0.0"
        self._findings = findings
        self._accepts = accepts

    def explain(self, requests: Sequence[tuple[Source, str]]) -> Sequence[Explanation]:
        return [Explanation(self.checked_by, () if minor in self._accepts else self._findings) for _, minor in requests]


def explained(compilers: _Compilers) -> FailureExplanation:
    history = _Contents({"b1": b"oops = = 1\n"})
    verdicts = CompileVerdicts(history, compilers.compiler_for("3.11"), compilers.explainer())  # type: ignore[arg-type]
    return explain_failure(history, compilers, verdicts, FileAtCommit(make_commit("broken"), "app.py", "b1"), [])  # type: ignore[arg-type]


FIRST, COVERING, AT_LINE = (
    Diagnostic(3, 1, "first", 3),
    Diagnostic(5, 1, "covering", 9),
    Diagnostic(7, 4, "at the line", 6),
)


@pytest.mark.parametrize(
    ("line", "findings", "words"),
    [
        (7, (FIRST, COVERING), "covering"),
        (5, (FIRST, COVERING), "covering"),
        (9, (FIRST, COVERING), "covering"),
        (7, (FIRST, AT_LINE), "at the line"),
        (7, (FIRST, AT_LINE, COVERING), "covering"),
        (20, (FIRST, COVERING), "first"),
        (None, (FIRST, COVERING), "first"),
        (7, (), ""),
    ],
)
def test_the_words_are_those_of_the_failing_line(
    line: int | None, findings: tuple[Diagnostic, ...], words: str
) -> None:
    said = explained(_Compilers(line, *findings))
    assert said.explanation == words
    assert said.error_counts == {"b1": max(1, len(findings))}


@pytest.mark.parametrize(("confirmed", "on"), [(True, ("3.12", "3.13")), (False, ("3.13",))])
def test_a_newer_interpreter_is_believed_where_ruff_accepts(confirmed: bool, on: tuple[str, ...]) -> None:  # noqa: FBT001
    said = explained(_Compilers(7, FIRST, accepted_by={"3.12": confirmed, "3.13": True}))
    assert (said.compiles_on, said.compiles_on_checked_by) == (on, "cpython-3.12.0, ruff-0.0.0")


@pytest.mark.parametrize("older", ["3.8", "3.9"])
def test_an_older_version_is_ruffs_word_alone(older: str) -> None:
    said = explained(_Compilers(7, FIRST, accepted_by={older: True}))
    assert (said.compiles_on, said.compiles_on_checked_by) == ((older,), "ruff-0.0.0")
    assert (said.explanation, said.diagnostics) == ("first", (FIRST,))


def test_a_newer_version_that_this_machine_has_not_is_ruffs_word_alone() -> None:
    compilers = _Compilers(7, FIRST, accepted_by={"3.12": False, "3.13": True})
    compilers.kind = "ruff"
    said = explained(compilers)
    assert (said.compiles_on, said.compiles_on_checked_by) == (("3.12", "3.13"), "ruff-0.0.0")


@pytest.mark.parametrize(
    ("findings", "accepts", "differ"), [((FIRST,), {}, False), ((), {}, True), ((FIRST,), {"3.11": True}, False)]
)
def test_where_interpreter_and_ruff_differ_both_are_named(
    findings: tuple[Diagnostic, ...], accepts: Mapping[str, bool], *, differ: bool
) -> None:
    said = explained(_Compilers(7, *findings, accepted_by=accepts)).second_opinion
    assert [name in said for name in ("app.py", "cpython-3.11.0", "ruff-0.0.0")] == [differ] * 3


@pytest.mark.parametrize(
    ("line", "numbers"), [(None, []), (0, []), (1, [1, 2, 3, 4]), (5, [2, 3, 4, 5, 6, 7, 8]), (9, [6, 7, 8, 9])]
)
def test_excerpt_has_three_lines_before_and_after(line: int | None, numbers: list[int]) -> None:
    content = "\n".join(f"berth {number}" for number in range(1, 10)).encode()
    assert list(cut_excerpt(content, line)) == [(number, f"berth {number}") for number in numbers]
