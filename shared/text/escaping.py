"""Untrusted text becomes inert text for one target: a terminal, GitHub's Markdown, a Mermaid diagram, Slack.

In: text that was already redacted and cut. Out: text that shows the same words and can do nothing: no mention, no
reference, no link, no image, no HTML, no way out of a fence, no control, direction or zero-width character of its own.
"""

import re
import unicodedata
from collections.abc import Iterator

# Invisible, and the only thing that stops mentions and references in GitHub's mails as well as on its pages.
BREAK = "\N{ZERO WIDTH SPACE}"

_ANSI = re.compile(r"\x1b(?:\[[0-?]{0,32}[ -/]{0,8}[@-~]|\][^\x07\x1b]{0,512}(?:\x07|\x1b\\)|[@-Z\\-_])")
_LINE_ENDS = re.compile(r"\r\n|[\r\v\f\x1c-\x1e\x85\u2028\u2029]")
_ODD = re.compile(r"[^\n\t -~]")
_BACKTICKS = re.compile(r"`+")
_SPECIAL = re.compile(r"[\\`*\[\]~$]|(?<![A-Za-z0-9])_|_(?![A-Za-z0-9])")
_LEADING = re.compile(r"^(?:\d{1,9}(?=[.)])|(?=[-+=]))")
_REFERENCE = re.compile(r"#(?=\d)|(?i:(?<=\bgh-)(?=\d))")
_SCHEME = re.compile(r"(?i)(?<![a-z0-9])([a-z][a-z0-9+.-]{1,15}):(?=//|[^\s:]{0,64}@)|(?<![a-z0-9])(www)(?=\.)")
_EMOJI = re.compile(r":(?=[a-z+-][a-z0-9_+-]{0,40}:)")
_CODE = re.compile(r"`([^`]+)`|(?<![0-9A-Za-z])([0-9a-f]{7,64})(?![0-9A-Za-z])")
_SLACK_CONTROL = re.compile(r"<(?=[!@#A-Za-z])")
_LANGUAGE = re.compile(r"[^a-z0-9-]")
_SHORT_FENCE = 3


def plain(text: str) -> str:
    """The visible characters of `text`: line ends become `\\n`, tabs stay, everything invisible goes."""
    if text.isascii() and text.isprintable():
        return text
    return _ODD.sub(_visible, _LINE_ENDS.sub("\n", _ANSI.sub("", text)))


def one_line(text: str) -> str:
    """`plain`, with every run of white space as one space."""
    return " ".join(plain(text).split())


def cut(text: str, limit: int) -> str:
    """At most `limit` characters, the last of them `…` where something was cut off."""
    return text if len(text) <= limit else text[: limit - 1].rstrip() + "…"


def for_markdown(text: str) -> str:
    """One line of prose for GitHub.

    What stands between backticks and what could be a commit id become code spans: neither linked nor changed.
    """
    parts = [code_span(words) if is_code else _prose(words) for words, is_code in pieces(text)]
    return _LEADING.sub(r"\g<0>\\", "".join(parts))


def pieces(text: str) -> Iterator[tuple[str, bool]]:
    """One line in pieces, each with whether it is code: what stands between backticks, and what could be a commit."""
    text, end = one_line(text), 0
    for found in _CODE.finditer(text):
        if found.start() > end:
            yield text[end : found.start()], False
        yield found[1] or found[2], True
        end = found.end()
    if end < len(text):
        yield text[end:], False


def _prose(text: str) -> str:
    text = _REFERENCE.sub(lambda found: found[0] + BREAK, text)
    text = _EMOJI.sub(f":{BREAK}", text)
    text = _SCHEME.sub(lambda found: f"{found[1]}{BREAK}:" if found[1] else f"{found[2]}{BREAK}", text)
    text = _SPECIAL.sub(r"\\\g<0>", text)
    text = text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    text = text.replace("@", f"@{BREAK}").replace("!\\[", f"!{BREAK}\\[")
    if text.startswith("#"):
        text = "\\" + text
    return text


def code_span(text: str) -> str:
    """One line of code for GitHub: a code span that no run of backticks inside can end; `` ` ` `` where it is empty."""
    text = one_line(text).replace("@", f"@{BREAK}")
    if not text:
        return "` `"
    fence = "`" * (_longest_run(text) + 1)
    pad = " " if text.startswith("`") or text.endswith("`") else ""
    return f"{fence}{pad}{text}{pad}{fence}"


def code_block(text: str, language: str = "text") -> str:
    """Lines of code for GitHub, in a fence that no run of backticks inside can end."""
    text = plain(text).replace("@", f"@{BREAK}").strip("\n")
    fence = "`" * max(_SHORT_FENCE, _longest_run(text) + 1)
    return f"{fence}{_LANGUAGE.sub('', language.lower())}\n{text}\n{fence}"


def table_cell(markdown: str) -> str:
    """Finished inline Markdown, fit to stand in a table: GitHub unescapes `\\|` in cells, inside code spans as well."""
    return markdown.replace("|", "\\|").replace("\n", " ")


def for_mermaid(text: str) -> str:
    """Text of a note or message: whatever could be syntax is written as Mermaid's entity for that character."""
    return "".join(map(_mermaid, one_line(text)))


def literal(text: str) -> str:
    """Text for a place that shows it as it is, such as Slack's rich text: one that reads more into it finds nothing.

    Mentions, control sequences (`<!channel>`, `<url|text>`), links and emoji are broken by an invisible space, so that
    they stay dead in notifications, in previews and where another program copies them.
    """
    text = _SLACK_CONTROL.sub(f"<{BREAK}", text).replace("@", f"@{BREAK}")
    text = _SCHEME.sub(lambda found: f"{found[1]}{BREAK}:" if found[1] else f"{found[2]}{BREAK}", text)
    return _EMOJI.sub(f":{BREAK}", text)


def for_slack(text: str) -> str:
    """One line of Slack's own markup (https://docs.slack.dev/messaging/formatting-message-text)."""
    return literal(one_line(text)).replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def _mermaid(character: str) -> str:
    if character.isalnum() or character in " .,-_/()+'":
        return character
    if character == "@":
        return f"@{BREAK}"
    return f"#{ord(character)};"


def _visible(odd: re.Match[str]) -> str:
    character = odd[0]
    if character.isascii():
        return ""
    category = unicodedata.category(character)
    if category == "Cs":
        return "\N{REPLACEMENT CHARACTER}"
    return "" if category in {"Cc", "Cf"} else character


def _longest_run(text: str) -> int:
    return max(map(len, _BACKTICKS.findall(text)), default=0)
