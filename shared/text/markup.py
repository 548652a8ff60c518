"""Text as it was logged becomes text as it was meant: colours and colour tags are taken out, long texts are cut."""

import re

MAX_TEXT_LENGTH = 512 * 1024
"""Characters of a text that are ever looked at; an entry of Cloud Logging has at most 256 KB."""

_TAG_NAMES = (
    r"(?:light-|bold |dim |l)?(?:red|green|blue|yellow|cyan|magenta|white|black)"
    r"|level|bold|dim|italic|underline|normal|reverse|strike|hide|blink"
)
_TERMINAL_ESCAPES = re.compile(
    r"(?:\x1b|\\x1b|\\u001b|\\033)?\[[0-9;]{1,20}m"  # also where the escape character itself got lost or was escaped
    r"|\x1b\[[0-9;?]{0,20}[A-Za-z]"
    r"|\x1b\][^\x07\x1b]{0,200}(?:\x07|\x1b\\)"
)
_ANGLE_TAGS = re.compile(rf"</?(?:{_TAG_NAMES}|[rgbycmwkeds]|(?:fg|bg) [\w#,]{{1,20}})>|</>", re.IGNORECASE)
_SQUARE_TAGS = re.compile(rf"\[/?(?:{_TAG_NAMES})\]|\[/\]", re.IGNORECASE)


def strip_markup(text: str) -> str:
    """Without terminal escapes, `<red>…</red>` (loguru) and `[red]…[/red]` (rich); `<string>` and `<module>` stay."""
    text = truncate_middle(text)
    if "\x1b" in text or "[0m" in text:
        text = _TERMINAL_ESCAPES.sub("", text)
    if "</" in text:
        text = _ANGLE_TAGS.sub("", text)
    if "[/" in text:
        text = _SQUARE_TAGS.sub("", text)
    return text


def truncate_middle(text: str, max_length: int = MAX_TEXT_LENGTH) -> str:
    """The beginning and the end of a text that is too long: a traceback says what failed in its last lines."""
    if len(text) <= max_length:
        return text
    half = max_length // 2
    return f"{text[:half]}\n…\n{text[-half:]}"
