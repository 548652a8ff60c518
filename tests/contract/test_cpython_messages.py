"""The table of CPython's messages against the interpreters of this machine."""

import re
from pathlib import Path

import pytest

from shared.adapters.compilers.interpreters import find_interpreter, installed_versions, list_candidates
from shared.detection.cpython_messages import cpython_error_class, message_templates, split_template
from shared.proof.model.compilation import Source
from tests.support.syntax_corpus import load_corpus

PYTHONS = installed_versions()
CORPUS = load_corpus()
NOT_YET_INSTALLED = (
    "t-string",
    "Did you mean '",
    "'elif' block",
    "when using 'as'",
    "except* with literal",
    "TypeVar default",
)
"""Of versions after the newest that a machine of ours has."""
BUILT_AT_RUN_TIME = re.compile(r"\{(?:name|char|number|expression|any|block|syntax)\}")


@pytest.mark.parametrize("python", PYTHONS)
def test_every_message_of_the_corpus_is_known(python: str) -> None:
    interpreter = find_interpreter(python)
    assert interpreter is not None
    unknown: set[tuple[str, str]] = set()
    judged = 0
    with interpreter:
        for name, content in CORPUS.items():
            fault = interpreter.compile(Source(f"{name}.py", content)).fault
            if fault is None or fault.error_class not in {"SyntaxError", "IndentationError", "TabError"}:
                continue
            judged += 1
            if cpython_error_class(fault.message) != fault.error_class:
                unknown.add((fault.error_class, fault.message))
    assert judged > 100
    assert unknown == set()


def test_messages_stand_in_an_interpreter() -> None:
    """Each piece of a message that stays the same is a piece of a text in one of the files."""
    strings = b"\n".join(_strings(python) for python in PYTHONS)
    missing = [line for line in message_templates() if not _stands_in(line, strings)]
    assert [line for line in missing if not line.startswith(BUILT) and not any(new in line for new in NEWER)] == []


def _strings(python: str) -> bytes:
    """The texts in an interpreter's own file and in its library."""
    program = Path(next(list_candidates(python, {}))).resolve()
    libraries = sorted(program.parent.parent.glob(f"lib/libpython{python}*.so*"))
    texts = [match for file in (program, *libraries) for match in _TEXT.findall(file.read_bytes())]
    return b"\n".join(text for text in texts if b" " in text)


def _stands_in(line: str, strings: bytes) -> bool:
    words = [word for word in split_template(line)[0] if len(word.strip()) > 3]
    return all(word.strip().encode() in strings for word in words)
