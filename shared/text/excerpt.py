"""Numbered source lines come in, the lines as a person reads them go out: the failing one marked, a caret below it."""

from collections.abc import Iterator, Sequence

from shared.text.escaping import truncate, strip_invisible
from shared.text.redaction import redact

_MAX_EXCERPT_WIDTH = 240
_REDACTION_REACH = 32 * 1024
"""Characters beyond that: no secret that begins in what is shown is longer."""


def format_excerpt(lines: Sequence[tuple[int, str]], marked_line: int | None = None, column: int | None = None) -> Iterator[str]:
    """`column` counts characters from 1; a tab in front of it stays a tab, so that the caret stands where it should."""
    width = len(str(max((number for number, _ in lines), default=0)))
    for number, text in lines:
        shown = truncate(strip_invisible(redact(text[: _MAX_EXCERPT_WIDTH + _REDACTION_REACH])).replace("\n", " ").rstrip(), _MAX_EXCERPT_WIDTH)
        yield f"{'>' if number == marked_line else ' '} {number:>{width}} | {shown}"
        if number == marked_line and column is not None and 0 < column <= len(shown) + 1:
            indent = "".join("\t" if character == "\t" else " " for character in shown[: column - 1])
            yield f"  {' ' * width} | {indent}^"
