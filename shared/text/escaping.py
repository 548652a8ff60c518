"""Makes untrusted text inert for one target: a terminal, GitHub's Markdown, a Mermaid diagram, Slack.

The text was already redacted and cut. The result shows the same words and can do nothing: no mention, no reference, no
link, no image, no HTML, no end of a fence, no control, direction or zero-width character of its own.
"""

import re
import unicodedata
from collections.abc import Iterator

_MAX_TITLE_LENGTH = 160
# Invisible, and the only thing that stops mentions and references in GitHub's mails as well as on its pages.
ZERO_WIDTH_SPACE = "\N{ZERO WIDTH SPACE}"
_ANSI = re.compile(r"\x1b(?:\[[0-?]{0,32}[ -/]{0,8}[@-~]|\][^\x07\x1b]{0,512}(?:\x07|\x1b\\)|[@-Z\\-_])")
_LINE_ENDS = re.compile(r"\r\n|[\r\v\f\x1c-\x1e\x85\u2028\u2029]")
_NON_ASCII_OR_CONTROL = re.compile(r"[^\n\t -~]")
_BACKTICKS = re.compile(r"`+")
_MARKDOWN_SPECIAL = re.compile(r"[\\`*\[\]~$]|(?<![A-Za-z0-9])_|_(?![A-Za-z0-9])")
_LIST_OR_HEADING_START = re.compile(r"^(?:\d{1,9}(?=[.)])|(?=[-+=]))")
_REFERENCE = re.compile(r"#(?=\d)|(?i:(?<=\bgh-)(?=\d))")
_SCHEME = re.compile(r"(?i)(?<![a-z0-9])([a-z][a-z0-9+.-]{1,15}):(?=//|[^\s:]{0,64}@)|(?<![a-z0-9])(www)(?=\.)")
_EMOJI = re.compile(r":(?=[a-z+-][a-z0-9_+-]{0,40}:)")
_CODE_OR_COMMIT = re.compile(r"`([^`]+)`|(?<![0-9A-Za-z])([0-9a-f]{7,64})(?![0-9A-Za-z])")
_SLACK_CONTROL = re.compile(r"<(?=[!@#A-Za-z])")
_NOT_IN_LANGUAGE_NAME = re.compile(r"[^a-z0-9-]")
_MIN_FENCE_LENGTH = 3


def strip_invisible(text: str) -> str:
    """The visible characters of `text`: line ends become `\\n`, tabs stay, everything invisible goes."""
    if text.isascii() and text.isprintable():
        return text
    return _NON_ASCII_OR_CONTROL.sub(_render_character, _LINE_ENDS.sub("\n", _ANSI.sub("", text)))


def to_one_line(text: str) -> str:
    """`strip_invisible`, with every run of white space as one space."""
    return " ".join(strip_invisible(text).split())


def truncate(text: str, limit: int) -> str:
    """At most `limit` characters, the last of them `…` where something was cut off."""
    return text if len(text) <= limit else text[: limit - 1].rstrip() + "…"


def escape_markdown(text: str) -> str:
    """One line of prose for GitHub.

    What is between backticks and what could be a commit id become code spans: neither linked nor changed.
    """
    parts = [format_code_span(words) if is_code else _escape_prose(words) for words, is_code in split_code_spans(text)]
    return _LIST_OR_HEADING_START.sub(r"\g<0>\\", "".join(parts))


def split_code_spans(text: str) -> Iterator[tuple[str, bool]]:
    """One line in pieces, each with whether it is code: what is between backticks, and what could be a commit."""
    text, end = to_one_line(text), 0
    for match in _CODE_OR_COMMIT.finditer(text):
        if match.start() > end:
            yield text[end : match.start()], False
        yield match[1] or match[2], True
        end = match.end()
    if end < len(text):
        yield text[end:], False


def _escape_prose(text: str) -> str:
    text = _REFERENCE.sub(lambda match: match[0] + ZERO_WIDTH_SPACE, text)
    text = _EMOJI.sub(f":{ZERO_WIDTH_SPACE}", text)
    text = _SCHEME.sub(
        lambda match: f"{match[1]}{ZERO_WIDTH_SPACE}:" if match[1] else f"{match[2]}{ZERO_WIDTH_SPACE}", text
    )
    text = _MARKDOWN_SPECIAL.sub(r"\\\g<0>", text)
    text = text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    text = text.replace("@", f"@{ZERO_WIDTH_SPACE}").replace("!\\[", f"!{ZERO_WIDTH_SPACE}\\[")
    if text.startswith("#"):
        text = "\\" + text
    return text


def format_code_span(text: str) -> str:
    """One line of code for GitHub: a code span that no run of backticks inside can end; `` ` ` `` where it is empty."""
    text = to_one_line(text).replace("@", f"@{ZERO_WIDTH_SPACE}")
    if not text:
        return "` `"
    fence = "`" * (_measure_backtick_run(text) + 1)
    pad = " " if text.startswith("`") or text.endswith("`") else ""
    return f"{fence}{pad}{text}{pad}{fence}"


def format_code_block(text: str, language: str = "text") -> str:
    """Lines of code for GitHub, in a fence that no run of backticks inside can end."""
    text = strip_invisible(text).replace("@", f"@{ZERO_WIDTH_SPACE}").strip("\n")
    fence = "`" * max(_MIN_FENCE_LENGTH, _measure_backtick_run(text) + 1)
    return f"{fence}{_NOT_IN_LANGUAGE_NAME.sub('', language.lower())}\n{text}\n{fence}"


def escape_table_cell(markdown: str) -> str:
    """Finished inline Markdown, fit to be in a table: GitHub unescapes `\\|` in cells, inside code spans as well."""
    return markdown.replace("|", "\\|").replace("\n", " ")


def escape_mermaid(text: str) -> str:
    """Text of a note or message: whatever could be syntax is written as Mermaid's entity for that character."""
    return "".join(map(_escape_mermaid_character, to_one_line(text)))


def break_mentions_and_links(text: str) -> str:
    """Text for a place that shows it as it is, such as Slack's rich text: one that reads more into it finds nothing.

    Mentions, control sequences (`<!channel>`, `<url|text>`), links and emoji are broken by an invisible space, so that
    they stay dead in notifications, in previews and where another program copies them.
    """
    text = _SLACK_CONTROL.sub(f"<{ZERO_WIDTH_SPACE}", text).replace("@", f"@{ZERO_WIDTH_SPACE}")
    text = _SCHEME.sub(
        lambda match: f"{match[1]}{ZERO_WIDTH_SPACE}:" if match[1] else f"{match[2]}{ZERO_WIDTH_SPACE}", text
    )
    return _EMOJI.sub(f":{ZERO_WIDTH_SPACE}", text)


def escape_slack(text: str) -> str:
    """One line of Slack's own markup (https://docs.slack.dev/messaging/formatting-message-text)."""
    return break_mentions_and_links(to_one_line(text)).replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def _escape_mermaid_character(character: str) -> str:
    if character.isalnum() or character in " .,-_/()+'":
        return character
    if character == "@":
        return f"@{ZERO_WIDTH_SPACE}"
    return f"#{ord(character)};"


def _render_character(odd: re.Match[str]) -> str:
    character = odd[0]
    if character.isascii():
        return ""
    category = unicodedata.category(character)
    if category == "Cs":
        return "\N{REPLACEMENT CHARACTER}"
    return "" if category in {"Cc", "Cf"} else character


def _measure_backtick_run(text: str) -> int:
    return max(map(len, _BACKTICKS.findall(text)), default=0)


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


def sanitise_title(title: str) -> str:
    """Any words as a title in which nothing is linked, mentioned or rendered."""
    text = truncate(to_one_line(title), _MAX_TITLE_LENGTH)
    return text.replace("@", f"@{ZERO_WIDTH_SPACE}").replace("#", f"#{ZERO_WIDTH_SPACE}").replace("`", "'")
