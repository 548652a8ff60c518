"""The table of CPython's messages against the interpreters of this machine."""

from pathlib import Path

import pytest

from shared.adapters.compilers.interpreters import find_installed_versions, find_interpreter, list_candidates
from shared.detection.cpython_messages import cpython_error_class, message_templates, split_template
from shared.proof.model.compilation import Source
from tests.support.syntax_corpus import load_corpus

PYTHONS = find_installed_versions()
CORPUS = load_corpus()
NEWER = ("t-string", "Did you mean '", "'elif' block", "when using 'as'", "except* with literal", "TypeVar default")
"""Of versions after the newest that a machine of ours has."""
BUILT = (
    "f-string: {syntax}",
    "(unicode error)",
    "(value error)",
    "expected an indented block after {block}",
    "f-string: invalid syntax",
    "f-string: expression part",
    "invalid escape",
    "can't ",
)
"""Put together by the interpreter out of two texts."""


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
    missing = [
        line for line in message_templates() if not line.startswith(BUILT) and not any(new in line for new in NEWER)
    ]
    for python in reversed(PYTHONS):
        program = Path(next(list_candidates(python, {}))).resolve()
        for file in (program, *sorted(program.parent.parent.glob(f"lib/libpython{python}*.so*"))):
            content = file.read_bytes()
            missing = [line for line in missing if not _stands_in(line, content)]
    assert missing == []


def _stands_in(line: str, content: bytes) -> bool:
    words = [word.strip() for word in split_template(line)[0] if len(word.strip()) > 3]
    return all(word.encode() in content for word in words)
