"""The check step: which Python counts for which file, and what is said about a failure."""

from collections.abc import Iterable, Sequence

import pytest

from shared.errors import UsageError
from shared.proof.judging.check_sources import PythonSource, PythonTarget, check_sources, group_by_python
from shared.proof.model.compilation import Compilation, Diagnostic, Explanation, Fault, Source
from tests.support.type_checker import FakeTypeChecker

NEW_SYNTAX, TOO_SLOW = "new in 3.12", "timeout"
"""What the fakes say of a line, and of a source that they have no verdict on."""
DECLARED = PythonTarget("3.11", PythonSource.DECLARED, "x")


class FakeCompiler:
    """Refuses sources that begin with `bad`, and has no verdict on `odd`."""

    def __init__(self, python: str) -> None:
        self.python = python
        self.checked_by = f"cpython-{python}.0"
        self.expected: list[Source] = []

    def prepare(self, sources: Iterable[Source]) -> None:
        self.expected += sources

    def compile(self, source: Source) -> Compilation:
        if source.content == b"odd":
            return Compilation(None, None, self.checked_by, unjudged_reason=TOO_SLOW)
        if source.content.startswith(b"bad"):
            return Compilation(False, Fault("SyntaxError", "no", 3, 5, "bad"), self.checked_by)
        return Compilation(True, None, self.checked_by)


class FakeCompilers:
    """Knows 3.11 and 3.12; explains line 3 of what is bad."""

    def __init__(self) -> None:
        self.explained = 0
        self.checked_by = "ruff-0.0.0"

    def compiler_for(self, python: str) -> FakeCompiler:
        if python not in {"3.11", "3.12"}:
            raise UsageError(f"{python} is not known.")
        return FakeCompiler(python)

    def explainer(self) -> "FakeCompilers":
        return self

    def type_checker(self) -> FakeTypeChecker:
        return FakeTypeChecker(is_installed=False)

    def explain(self, requests: Sequence[tuple[Source, str]]) -> Sequence[Explanation]:
        self.explained += 1
        said = (Diagnostic(3, 1, NEW_SYNTAX, 3), Diagnostic(9, 1, "another", 9))
        return [Explanation(self.checked_by, said) for _ in requests]


def test_each_file_is_checked_on_the_python_that_is_declared_nearest() -> None:
    declared = {"chat/Dockerfile": "FROM python:3.11\n", "mail/Dockerfile": "FROM python:3.12\n"}
    sources = [Source("chat/a.py", b""), Source("mail/a.py", b""), Source("chat/b/c.py", b""), Source("tool.py", b"")]
    grouped = group_by_python(sources, declared, None, "3.13")
    assert {target.python: [source.path for source in group] for target, group in grouped.items()} == {
        "3.11": ["chat/a.py", "chat/b/c.py"],
        "3.12": ["mail/a.py"],
        "3.13": ["tool.py"],
    }
    assert [target.source for target in grouped] == [PythonSource.DECLARED, PythonSource.DECLARED, PythonSource.RUNNING]
    chat, mail, _ = (target.description for target in grouped)
    assert all(each in chat for each in ("chat/Dockerfile", "FROM python:3.11"))
    assert all(each in mail for each in ("mail/Dockerfile", "FROM python:3.12"))


def test_a_given_version_beats_what_is_declared() -> None:
    grouped = group_by_python([Source("a.py", b"")], {"Dockerfile": "FROM python:3.11\n"}, "3.12", "3.13")
    assert [(target.python, target.source) for target in grouped] == [("3.12", PythonSource.GIVEN)]
    assert all("--python" in target.description for target in grouped)


def test_only_what_fails_is_explained_and_in_one_go() -> None:
    compilers = FakeCompilers()
    sources = [Source("a.py", b"bad"), Source("b.py", b"good"), Source("c.py", b"bad too"), Source("d.py", b"odd")]
    (group,) = check_sources({DECLARED: sources}, compilers, "3.12")
    assert [(each.path, each.explanation, each.further_errors) for each in group.failures] == [
        ("a.py", NEW_SYNTAX, 1),
        ("c.py", NEW_SYNTAX, 1),
    ]
    assert [(each.path, each.reason) for each in group.unjudged] == [("d.py", TOO_SLOW)]
    assert (group.source_count, group.checked_by, compilers.explained) == (4, "cpython-3.11.0", 1)


def test_good_sources_cost_no_explanation() -> None:
    compilers = FakeCompilers()
    check_sources({DECLARED: [Source("a.py", b"good")]}, compilers, "3.12")
    assert compilers.explained == 0


def test_unavailable_declared_python_falls_back_to_the_running_one() -> None:
    declared = PythonTarget("3.99", PythonSource.DECLARED, "Dockerfile: FROM x")
    (group,) = check_sources({declared: [Source("a.py", b"")]}, FakeCompilers(), "3.12")
    assert (group.python_target.python, group.python_target.source) == ("3.12", PythonSource.DECLARED_UNKNOWN)
    assert all(each in group.python_target.description for each in (declared.python, declared.description))


def test_a_given_version_that_nobody_can_judge_is_an_error() -> None:
    grouped = group_by_python([Source("a.py", b"")], {}, "3.99", "3.12")
    with pytest.raises(UsageError):
        check_sources(grouped, FakeCompilers(), "3.12")
