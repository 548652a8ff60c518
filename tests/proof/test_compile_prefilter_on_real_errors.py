"""No line on which Python really fails is ruled out before it is compiled."""

import platform
import random

import pytest

from shared.proof.judging.compile_verdicts import can_fail_with

PYTHON = ".".join(platform.python_version_tuple()[:2])


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


SNIPPETS = (
    b'"',
    b"'",
    b'"""',
    b"'''",
    b"\\",
    b"{",
    b"}",
    b'f"',
    b"(",
    b")",
    b"[",
    b"]",
    b"#",
    b"\n",
    b"\r\n",
    b"\nbreak\n",
)


def broken(seed: int) -> tuple[bytes, SyntaxError] | None:
    chance = random.Random(seed)
    content = SOURCE
    for _ in range(chance.choice((1, 1, 2, 3))):
        at = chance.randrange(len(content))
        content = content[:at] + chance.choice((*SNIPPETS, b"")) + content[at + chance.choice((0, 1)) :]
    try:
        compile(content, "x.py", "exec", dont_inherit=True)
    except SyntaxError as error:
        return content, error
    return None


@pytest.mark.filterwarnings("ignore::SyntaxWarning", "ignore::DeprecationWarning")
def test_every_real_error_is_held_possible() -> None:
    found = [each for each in map(broken, range(4000)) if each is not None]
    assert len(found) > 2000
    assert len({error.msg.partition("(")[0] for _, error in found}) > 10
    for content, error in found:
        assert error.lineno is None or can_fail_with(content, error.lineno, error.msg, PYTHON), (content, error)
