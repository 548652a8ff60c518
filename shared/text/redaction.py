"""Replaces each secret of a text by `[redacted KIND]`; `shared.text.secret_rules` holds the forms that are known.

Redact first, then cut, then escape: a secret that straddles a cut is no longer recognisable. Redacting twice changes
nothing. A colour or an invisible character inside a secret hides it from the patterns but not from the reader, who gets
the text without them: so the text is searched that way, too.
"""

import re
from collections.abc import Iterable, Sequence
from functools import partial

from shared.text.escaping import strip_invisible
from shared.text.secret_pattern import SecretPattern, parse_secret_pattern
from shared.text.secret_rules import (
    ALL_RULES,
    BARE_ASSIGNMENT,
    BLOCK_RULES,
    HARMLESS,
    MIN_SECRET_LENGTH,
    QUOTED_ASSIGNMENT,
    SECRET_NAME_STEMS,
)

_CONTROL = re.compile(r"[^\t\n -~]")

_MAX_SECRET_LENGTH = 32 * 1024
"""Characters; the longest secret that a pattern knows is shorter."""

_configured_patterns: list[SecretPattern] = []

_MORE_PROSE = re.compile(r"[ \t]+(?![\w.-]{1,40}[:=])[A-Za-z(]")


def configure_secret_patterns(patterns: Iterable[str]) -> None:
    """From now on this process redacts what has these forms as well, and no others than these and its own."""
    _configured_patterns[:] = map(parse_secret_pattern, patterns)


def redact(text: str) -> str:
    """`text` without the secrets that have a known form; everything else stays exactly as it is.

    Only where one of them is held apart by what nobody sees, that goes from the whole text as well.
    """
    if text.isascii() and not _CONTROL.search(text):
        return _redact_known(text)
    seen = strip_invisible(text)
    redacted = _redact_known(seen)
    return _redact_known(text) if redacted == seen else redacted


def redact_and_truncate_line(line: str, max_length: int) -> str:
    """The first characters of one line without its secrets; a line that goes on says how long it is.

    What is looked at reaches further than any secret that begins in what is shown.
    """
    shown = redact(line[: max_length + _MAX_SECRET_LENGTH])
    if len(line) <= max_length + _MAX_SECRET_LENGTH and len(shown) <= max_length:
        return shown
    return f"{shown[:max_length]}… (a line of {len(line):,} characters)"


def redact_blocks(lines: Sequence[str]) -> list[str]:
    """The lines of one file, as many as before, without the keys that a line alone does not show to be some."""
    text = "\n".join(lines)
    for rule in BLOCK_RULES:
        text = rule.pattern.sub(partial(_build_placeholder_lines, rule.kind), text)
    return text.split("\n")


def _build_placeholder_lines(kind: str, match: re.Match[str]) -> str:
    return "\n".join([_build_placeholder(kind, match), *[f"[redacted {kind}]"] * match[0].count("\n")])


def _redact_known(text: str) -> str:
    for form in _configured_patterns:
        if form.prefix in text:
            text = form.pattern.sub("[redacted configured-secret]", text)
    if HARMLESS.fullmatch(text):
        return text
    lowered = text.lower()
    for rule in ALL_RULES:
        if rule.hint in lowered:
            text = rule.pattern.sub(partial(_build_placeholder, rule.kind), text)
    return "\n".join(map(_redact_assignments, text.split("\n")))


def _redact_assignments(line: str) -> str:
    """A name and its value are on one line. Most lines hold no such name, which is cheaper to see than to match."""
    lowered = line.lower()
    if line.isascii() and not any(stem in lowered for stem in SECRET_NAME_STEMS):
        return line
    return BARE_ASSIGNMENT.sub(_redact_bare_value, QUOTED_ASSIGNMENT.sub(_redact_quoted_value, line))


def _build_placeholder(kind: str, match: re.Match[str]) -> str:
    groups = match.groupdict()
    return f"{groups.get('keep') or ''}[redacted {kind}]{groups.get('tail') or ''}"


def _redact_quoted_value(match: re.Match[str]) -> str:
    if len(match["secret"]) < MIN_SECRET_LENGTH or match["secret"].isspace():
        return match[0]
    return f"{match['keep']}[redacted value]"


def _redact_bare_value(match: re.Match[str]) -> str:
    """A word after a colon with more words behind it is prose (`password: must be longer`), not a value."""
    secret = match["secret"]
    word = ":" in match["separator"] and secret.rstrip(".!?").isalpha()
    prose = word and _MORE_PROSE.match(match.string, match.end())
    count = secret.isdigit() and match["name"].lower() == "token"
    if prose or count or len(secret) < MIN_SECRET_LENGTH:
        return match[0]
    return f"{match['keep']}[redacted value]"
