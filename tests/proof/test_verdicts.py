"""Blobs are compiled once each: contents and what a compiler says of them in, verdicts and what was asked for out."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

import pytest

from shared.proof.gating.choose_target import is_fixed_at
from shared.proof.judging.compile_verdicts import CompileVerdicts
from shared.proof.model.compilation import Compilation, Diagnostic, Explanation, Fault, Source
from shared.proof.searching.file_history import FileHistory
from tests.support.history_builder import make_sighting

LARGEST = 8 * 1024 * 1024
GOOD, BAD = b"step = 1\n", b"step = 1\noops = = 1\n"


@dataclass
class _Compiler:
    """Fails with `fault` on what holds `oops`; as its own explainer it finds something in that, and dies of `dead`."""

    fault: Fault = field(default_factory=lambda: Fault("SyntaxError", "invalid syntax", 2))
    checked_by: str = "cpython-3.11.0"
    python: str = "3.11"
    given: list[str] = field(default_factory=list)
    expected: list[tuple[str, bytes]] = field(default_factory=list)
    explained: list[str] = field(default_factory=list)

    def compile(self, source: Source) -> Compilation:
        self.given.append(source.path)
        fault = self.fault if b"oops" in source.content else None
        return Compilation(fault is None, fault, self.checked_by)

    def prepare(self, sources: Iterable[Source]) -> None:
        self.expected += [(source.path, source.content) for source in sources]

    def explain(self, wanted: Sequence[tuple[Source, str]]) -> Sequence[Explanation]:
        assert {minor for _, minor in wanted} <= {self.python}
        self.explained += [source.path for source, _ in wanted]
        return [self._explanation(source.content) for source, _ in wanted]

    def _explanation(self, content: bytes) -> Explanation:
        findings = (Diagnostic(2, 1, "no", 2),) if b"oops" in content else ()
        return Explanation(self.checked_by, findings, "it died" if b"dead" in content else "")


class _Contents:
    """As much of a history as is asked: what the blobs hold."""

    def __init__(self, blobs: Mapping[str, bytes]) -> None:
        self._blobs = blobs

    def read(self, blob: str) -> bytes | None:
        return self._blobs.get(blob)


def judge(blobs: Mapping[str, bytes], compiler: _Compiler, explainer: _Compiler | None = None) -> CompileVerdicts:
    return CompileVerdicts(_Contents(blobs), compiler, explainer or _Compiler(checked_by="ruff-0.0.0"))  # type: ignore[arg-type]


def test_a_blob_is_compiled_once_under_whatever_path() -> None:
    compiler = _Compiler()
    verdicts = judge({"b1": GOOD, "b2": BAD}, compiler)
    judged = [verdicts.judge(blob, path) for blob, path in [("b1", "a.py"), ("b1", "b.py"), ("b2", "a.py")]]
    assert [compilation.compiles for compilation in judged] == [True, True, False]
    assert compiler.given == ["a.py", "a.py"]
    assert (verdicts.compiled_count, verdicts.count_compiled("a.py"), verdicts.count_compiled("b.py")) == (2, 2, 0)
    assert verdicts.python == "3.11"


def test_what_is_not_in_this_copy_is_not_judged_and_what_is_empty_is() -> None:
    compiler = _Compiler()
    verdicts = judge({"empty": b""}, compiler)
    assert (verdicts.judge("gone", "a.py").compiles, verdicts.judge("gone", "a.py").fault) == (None, None)
    assert not verdicts.fails("gone", "a.py")
    assert verdicts.compiled_count == 0
    assert verdicts.judge("empty", "a.py").compiles is True
    assert compiler.given == ["a.py"]


@pytest.mark.parametrize(("size", "ok"), [(LARGEST, True), (LARGEST + 1, None)])
def test_what_is_too_large_is_not_judged(size: int, ok: bool | None) -> None:  # noqa: FBT001
    verdicts = judge({"b1": b"#" * size}, _Compiler())
    assert verdicts.judge("b1", "data.py").compiles is ok
    assert verdicts.compiled_count == (ok is True)


def test_only_what_does_not_compile_fails() -> None:
    verdicts = judge({"good": GOOD, "bad": BAD}, _Compiler())
    assert [verdicts.fails(blob, "a.py") for blob in ("good", "bad")] == [False, True]


@pytest.mark.parametrize(
    ("content", "line", "compiled"),
    [
        (b"oops", 1, 1),
        (b"oops", 2, 0),
        (b"oops\n", 2, 1),
        (b"oops\n", 3, 0),
        (b"oops\rx", 2, 1),
        (b"oops\rx\ny", 3, 1),
        (b"oops\rx\ny", 4, 0),
    ],
)
def test_a_version_that_is_too_short_for_the_logged_line_is_not_compiled(
    content: bytes, line: int, compiled: int
) -> None:
    compiler = _Compiler(Fault("SyntaxError", "invalid syntax", line))
    verdicts = judge({"b1": content}, compiler)
    assert verdicts.find_logged_fault("b1", "a.py", make_sighting(line)) == (compiler.fault if compiled else None)
    assert verdicts.compiled_count == compiled


def test_what_was_compiled_already_is_not_measured() -> None:
    compiler = _Compiler(Fault("SyntaxError", "invalid syntax", 7))
    verdicts = judge({"b1": b"oops"}, compiler)
    verdicts.judge("b1", "a.py")
    assert verdicts.find_logged_fault("b1", "a.py", make_sighting(7)) == compiler.fault


def test_it_fails_as_logged_on_the_logged_line_alone() -> None:
    verdicts = judge({"good": GOOD * 9, "bad": BAD * 9}, _Compiler())
    assert verdicts.find_logged_fault("bad", "a.py", make_sighting(2)) is not None
    assert verdicts.find_logged_fault("bad", "a.py", make_sighting(3)) is None
    assert verdicts.find_logged_fault("good", "a.py", make_sighting(2)) is None


@pytest.mark.parametrize(
    ("line", "message", "fits"),
    [(None, "invalid syntax", True), (0, "invalid syntax", True), (None, "other", False), (2, "invalid syntax", False)],
)
def test_without_a_logged_line_the_words_decide_about_what_has_none(
    line: int | None, message: str, fits: bool  # noqa: FBT001
) -> None:  # fmt: skip
    verdicts = judge({"b1": BAD}, _Compiler(Fault("SyntaxError", message, line)))
    assert (verdicts.find_logged_fault("b1", "a.py", make_sighting(None)) is not None) == fits


@pytest.mark.parametrize(
    ("blobs", "hold"),
    [
        ({}, True),
        ({"a.py": "good"}, True),
        ({"a.py": "good", "b.py": "gone"}, None),
        ({"a.py": "good", "b.py": "gone", "c.py": "bad"}, False),
    ],
)
def test_one_that_fails_outdoes_one_that_is_not_judged(blobs: Mapping[str, str], hold: bool | None) -> None:  # noqa: FBT001
    assert judge({"good": GOOD, "bad": BAD}, _Compiler()).all_compile(blobs) is hold


def test_words_are_cpythons_own() -> None:
    seen = [replace(make_sighting(2), message="invalid syntax")]
    blobs = {"b1": "a.py", "b2": "a.py"}
    contents = {"b1": BAD, "b2": b"x"}
    assert judge(contents, _Compiler()).select_possible(blobs, seen) == frozenset(("b1",))
    assert judge(contents, _Compiler(checked_by="ruff-0.0.0")).select_possible(blobs, seen) == frozenset()
    assert judge(contents, _Compiler()).select_possible(blobs, [make_sighting(None)]) == frozenset()
    assert judge({}, _Compiler()).select_possible(blobs, seen) == frozenset()


def many(count: int) -> tuple[dict[str, bytes], dict[str, str]]:
    """Contents by blob, of which every tenth is bad and one makes ruff die; and the path of each."""
    contents = {f"b{number}": BAD if number % 10 == 0 else GOOD for number in range(count)} | {"b7": b"dead"}
    return contents, {blob: f"{blob}.py" for blob in contents}


def test_of_a_few_all_are_suspected() -> None:
    contents, paths = many(64)
    ruff = _Compiler(checked_by="ruff-0.0.0")
    assert judge(contents, _Compiler(), ruff).select_suspects(paths) == frozenset(contents)
    assert ruff.explained == []


def test_of_many_ruff_errors_and_unreadable_ones_are_suspected() -> None:
    contents, paths = many(65)
    ruff = _Compiler(checked_by="ruff-0.0.0")
    suspected = judge(contents, _Compiler(), ruff).select_suspects(paths)
    assert suspected == frozenset(("b0", "b10", "b20", "b30", "b40", "b50", "b60", "b7"))
    assert ruff.explained == [paths[blob] for blob in contents]


def test_what_is_known_is_not_asked_again_and_stays_among_them() -> None:
    contents, paths = many(66)
    ruff = _Compiler(checked_by="ruff-0.0.0")
    verdicts = judge(contents, _Compiler(), ruff)
    verdicts.judge("b1", "b1.py")
    assert "b1" in verdicts.select_suspects(paths)
    assert "b1.py" not in ruff.explained
    assert len(ruff.explained) == 65
    verdicts.judge("b2", "b2.py")
    assert verdicts.select_suspects(paths) == frozenset(contents), "no more than 64 of them are unknown"


def test_a_compiler_that_is_ruff_itself_is_asked_nothing_twice() -> None:
    contents, paths = many(80)
    ruff = _Compiler(checked_by="ruff-0.0.0")
    assert judge(contents, ruff, ruff).select_suspects(paths) == frozenset(contents)
    assert ruff.explained == []


def test_what_is_not_here_is_explained_as_empty() -> None:
    _, paths = many(65)
    assert judge({}, _Compiler(), _Compiler(checked_by="ruff-0.0.0")).select_suspects(paths) == frozenset()


def test_a_compiler_hears_of_what_is_unknown_and_once_of_each_blob() -> None:
    compiler = _Compiler()
    verdicts = judge({"b1": GOOD, "b2": BAD}, compiler)
    verdicts.judge("b1", "a.py")
    verdicts.prepare([("a.py", "b1"), ("b.py", "b2"), ("c.py", "b2"), ("d.py", "gone")])
    assert compiler.expected == [("c.py", BAD), ("d.py", b"")]


@pytest.mark.parametrize(("lost", "where_it_is_gone"), [(False, True), (True, None)])
def test_of_a_file_that_may_have_been_renamed_only_its_absence_is_open(
    lost: bool,  # noqa: FBT001
    where_it_is_gone: bool | None,  # noqa: FBT001
) -> None:
    at = {"gone": {}, "good": {"app.py": "good"}, "bad": {"app.py": "bad"}}
    lineage = FileHistory("start", ("app.py",), (), frozenset(at), at, (), lost)
    verdicts = judge({"good": GOOD, "bad": BAD}, _Compiler())
    assert [is_fixed_at(lineage, verdicts, commit) for commit in at] == [where_it_is_gone, True, False]
