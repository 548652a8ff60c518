"""Numbered source lines come in, the lines as a person reads them go out: the failing one marked, a caret below it."""

from collections.abc import Iterator, Sequence

from shared.text.escaping import cut, plain
from shared.text.redaction import redact

_LONGEST_LINE = 240
_LOOKED_AT = 32 * 1024
"""Characters beyond that: no secret that begins in what is shown is longer."""


def excerpt(lines: Sequence[tuple[int, str]], marked: int | None = None, column: int | None = None) -> Iterator[str]:
    """`column` counts characters from 1; a tab in front of it stays a tab, so that the caret stands where it should."""
    width = len(str(max((number for number, _ in lines), default=0)))
    for number, text in lines:
        shown = cut(plain(redact(text[: _LONGEST_LINE + _LOOKED_AT])).replace("\n", " ").rstrip(), _LONGEST_LINE)
        yield f"{'>' if number == marked else ' '} {number:>{width}} | {shown}"
        if number == marked and column is not None and 0 < column <= len(shown) + 1:
            indent = "".join("\t" if character == "\t" else " " for character in shown[: column - 1])
            yield f"  {' ' * width} | {indent}^"
