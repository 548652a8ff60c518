"""What cannot fail as the log says is ruled out, and that is never wrong: held to the interpreter itself."""

import pytest

from shared.proof.judging.compile_verdicts import can_fail_with

SOURCE = b'''"""Doc: it's "quoted"."""
import json


def stream(run, *, limit=3):  # don't
    text = f"data: {json.dumps({'kind': run})}\\\\n\\\\n"
    other = 'a\\\\'b' "c" """long
    'one' """ + r'\\\\d'
    for step in [run, (limit, {"a": 1})]:
        if step:
            continue
    return text, other, "con\\\\
tinued"
'''.replace(b"\\\\", b"\\")


@pytest.mark.parametrize(
    ("line", "message"),
    [
        (99, "invalid syntax"),
        (2, "unterminated string literal (detected at line 2)"),
        (9, "unterminated string literal (detected at line 9)"),
        (2, "'(' was never closed"),
        (2, "unmatched ')'"),
        (2, "'return' outside function"),
    ],
)
def test_a_line_that_cannot_give_the_message_is_ruled_out(line: int, message: str) -> None:
    assert not can_fail_with(SOURCE, line, message, "3.11")


def test_an_unknown_message_rules_nothing_out() -> None:
    assert can_fail_with(SOURCE, 2, "something new in a later Python", "3.11")
