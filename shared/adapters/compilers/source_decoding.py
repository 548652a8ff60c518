"""Decodes the bytes of a source as CPython's tokenizer does, for a parser that reads only UTF-8.

Returns UTF-8 text, or the fault that is in the bytes themselves; both depend on the minor version. The rules are
those of `decode_str` in CPython's Parser/tokenizer.c, seen to hold from 3.7 to 3.13: a cookie that is unknown,
contradicts a byte order mark, or does not fit is an error "on line 0"; without a cookie undecodable bytes are an error
where they are, except in comments, which nobody decodes.
"""

import io
import re
import tokenize
from dataclasses import dataclass

from shared.proof.model.compilation import Fault

UTF8_BOM = b"\xef\xbb\xbf"
_COOKIE = re.compile(rb"[ \t\f]*#.*?coding[:=][ \t]*([-\w.]+)")
_BLANK_OR_COMMENT = re.compile(rb"[ \t\f]*(?:#.*)?")


@dataclass(frozen=True, slots=True)
class DecodedSource:
    """`content` is None where nothing is left to judge: the fault is what CPython says before it reads a line."""

    content: bytes | None
    fault: Fault | None = None
    row: int = 1
    """Where a user finds it, counted from 1; `fault.line` is CPython's word."""


def decode_source(content: bytes, python: str) -> DecodedSource:
    """UTF-8 with LF line ends, or why that cannot be had."""
    nul = content.find(b"\0")
    if nul >= 0:
        return DecodedSource(None, _find_null_byte(python), row=len(re.findall(rb"\r\n|\r|\n", content[:nul])) + 1)
    text = re.sub(rb"\r\n?", b"\n", content)
    body = text.removeprefix(UTF8_BOM)
    row, cookie = _find_cookie(body)
    if cookie and body is not text and cookie != "utf-8":
        return DecodedSource(None, Fault("SyntaxError", f"encoding problem: {cookie} with BOM", line=0), row)
    if cookie in {"", "utf-8"}:
        return _decode_leniently(
            body if not body.startswith(UTF8_BOM) else text
        )  # one mark is skipped, a second is an error
    try:
        return DecodedSource(body.decode(cookie).encode("utf-8"))
    except (LookupError, UnicodeError) as error:
        return DecodedSource(None, Fault("SyntaxError", str(error), line=0), row)


def _find_null_byte(python: str) -> Fault:
    # 3.11.4 and 3.12 made a SyntaxError of it.
    minor = int(python.split(".")[1])
    return Fault("SyntaxError" if minor >= 11 else "ValueError", "source code string cannot contain null bytes", None)


def _find_cookie(body: bytes) -> tuple[int, str]:
    """Line and name of the PEP 263 cookie, normalised as CPython does; the name is "" where there is none."""
    for row, line in enumerate(body.split(b"\n", 2)[:2], 1):
        match = _COOKIE.match(line)
        if match:
            return row, _normalise_encoding(match[1].decode("ascii"))
        if not _BLANK_OR_COMMENT.fullmatch(line):
            break
    return 1, ""


def _normalise_encoding(name: str) -> str:
    start = name[:12].lower().replace("_", "-")
    if start == "utf-8" or start.startswith("utf-8-"):
        return "utf-8"
    for latin in ("latin-1", "iso-8859-1", "iso-latin-1"):
        if start == latin or start.startswith(latin + "-"):
            return "iso-8859-1"
    return name


def _decode_leniently(body: bytes) -> DecodedSource:
    try:
        body.decode("utf-8")
    except UnicodeDecodeError as error:
        text = body.decode("utf-8", "replace")
        row = _find_bad_line(text)
        message = f"(unicode error) {error}"
        return DecodedSource(text.encode("utf-8"), Fault("SyntaxError", message, line=row) if row else None, row or 1)
    return DecodedSource(body)


def _find_bad_line(text: str) -> int | None:
    """The line of the first U+FFFD outside comments."""
    try:
        for token in tokenize.generate_tokens(io.StringIO(text).readline):
            if "\ufffd" in token.string and token.type != tokenize.COMMENT:
                return token.start[0]
    except (tokenize.TokenError, SyntaxError):
        # Broken before or after; the compiler proper will say so. Count every line that is not only a comment.
        for row, line in enumerate(text.split("\n"), 1):
            if "\ufffd" in line and not line.lstrip().startswith("#"):
                return row
    return None
