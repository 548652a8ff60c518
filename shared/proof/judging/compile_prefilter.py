"""Whether a source can fail as a log says: False where it cannot, True where only a compiler can tell.

Compiling a version costs milliseconds and a long history has many; most need not be compiled, because the logged line
of theirs cannot give the logged message. Only what follows from the language is used: False is certain.
"""

import re

_OUTSIDE_MESSAGE = re.compile(r"'(\w+)' outside ")
_BRACKET_MESSAGE = re.compile(r"(?:unmatched '(?P<one>[)\]}])'|'(?P<two>[(\[{])' was never closed)")
_STRING_MESSAGES = ("unterminated string literal", "EOL while scanning string literal")
_CLOSED_STRINGS = re.compile(rb"""(?:[^"'\\]|\\.|"(?:[^"\\]|\\.)*+"|'(?:[^'\\]|\\.)*+')*+""", re.DOTALL)
_FSTRING_START = re.compile(rb"""[fFtT][rR]?["']|[rR][fFtT]["']""")


def can_fail_with(content: bytes, line: int, message: str, python: str) -> bool:
    """Whether the first error of `content` may be `message` on `line`, counted from 1."""
    lines = _get_line_and_previous(content, line)
    if lines is None:
        return False
    before, failing_line = lines
    if message.startswith(_STRING_MESSAGES):
        return before.endswith(b"\\") or _can_leave_string_open(content, failing_line, python)
    if match := _BRACKET_MESSAGE.match(message):
        return (match["one"] or match["two"]).encode() in failing_line
    if match := _OUTSIDE_MESSAGE.match(message):
        return match[1].encode() in failing_line
    return True


def _get_line_and_previous(content: bytes, line: int) -> tuple[bytes, bytes] | None:
    """The line before the wanted one (empty for the first), and the wanted one; None where the content is shorter."""
    if b"\r" in content:
        content = content.replace(b"\r\n", b"\n").replace(b"\r", b"\n")
    lines = content.split(b"\n", line)
    return None if len(lines) < line else (lines[line - 2] if line > 1 else b"", lines[line - 1])


def _can_leave_string_open(content: bytes, failing_line: bytes, python: str) -> bool:
    """Whether a string of one line can begin here and not end here, whatever state the line begins in."""
    if b'"' not in failing_line and b"'" not in failing_line:
        return False
    if b'"""' in failing_line or b"'''" in failing_line or b"coding" in content[:200]:
        return True  # the line may begin or end inside a longer string; bytes may not be what they seem
    if not _CLOSED_STRINGS.fullmatch(failing_line):
        return True
    # Since 3.12 a line may begin inside an f-string in more ways than one line can tell.
    return int(python.partition(".")[2]) >= 12 and _FSTRING_START.search(content) is not None
