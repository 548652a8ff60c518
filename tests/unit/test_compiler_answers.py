"""What a worker says of one source: its answer in, a verdict with its fault out."""

import pytest

from shared.adapters.compilers.verdict import MAX_QUOTE_LENGTH, parse_verdict
from shared.proof.model.compilation import Compilation, Source

SOURCE = Source("quay.py", b"first = 1\nsecond = = 2\nlast(")
FAILED = {
    "ok": False,
    "class": "SyntaxError",
    "message": "invalid syntax",
    "line": 2,
    "offset": 10,
    "text": "second = = 2\n",
}


def _read(source: Source = SOURCE, **changes: object) -> Compilation:
    return parse_verdict({**FAILED, **changes}, source, "cpython-3.11.7")


def test_a_fault_has_all_that_the_worker_says_of_it() -> None:
    read = _read()
    assert (read.compiles, read.checked_by, read.script) == (False, "cpython-3.11.7", None)
    assert read.fault is not None
    assert (read.fault.error_class, read.fault.message) == ("SyntaxError", "invalid syntax")
    assert (read.fault.line, read.fault.column, read.fault.text) == (2, 10, "second = = 2")


@pytest.mark.parametrize(("offset", "column"), [(1, 1), (0, None), (-1, None), (None, None), ("3", None)])
def test_a_column_is_a_number_from_one(offset: object, column: int | None) -> None:
    fault = _read(offset=offset).fault
    assert fault is not None
    assert fault.column == column


@pytest.mark.parametrize(
    ("line", "text", "quoted"),
    [
        (2, "as the worker read it", "as the worker read it"),
        (2, "", ""),
        (1, None, "first = 1"),
        (3, None, "last("),
        (4, None, ""),
        (0, None, ""),
        (-1, None, ""),
        (None, None, ""),
        ("2", None, ""),
        (2, "half \ud83d of a pair\r\n", "half ? of a pair"),
    ],
)
def test_a_line_without_a_text_is_quoted_from_the_source(line: object, text: str | None, quoted: str) -> None:
    fault = _read(line=line, text=text).fault
    assert fault is not None
    assert fault.text == quoted


def test_a_quoted_line_is_cut() -> None:
    fault = _read(Source("quay.py", b"#" * (MAX_QUOTE_LENGTH + 1)), line=1, text=None).fault
    assert fault is not None
    assert len(fault.text) == MAX_QUOTE_LENGTH


@pytest.mark.parametrize("ok", [True, False, "true", 1])
def test_only_true_is_a_file_that_compiles(ok: object) -> None:
    read = _read(ok=ok)
    assert (read.compiles, read.fault is None) == (ok is True, ok is True)


def test_an_answer_has_the_verdict_on_the_same_file_as_a_script() -> None:
    read = _read(script={"ok": True})
    assert read.script == Compilation(compiles=True, fault=None, checked_by="cpython-3.11.7", script=None)
    assert _read(script=True).script is None
    assert parse_verdict({"ok": True, "script": FAILED}, SOURCE, "x").script == parse_verdict(FAILED, SOURCE, "x")


@pytest.mark.parametrize("missing", sorted(FAILED))
def test_what_is_no_answer_is_refused(missing: str) -> None:
    with pytest.raises(KeyError, match=missing):
        parse_verdict({name: value for name, value in FAILED.items() if name != missing}, SOURCE, "x")
