"""What the title of an issue may hold."""

from shared.text.escaping import ZERO_WIDTH_SPACE, to_one_line, truncate

_MAX_TITLE_LENGTH = 160


def sanitise_title(title: str) -> str:
    """Any words as a title in which nothing is linked, mentioned or rendered."""
    text = truncate(to_one_line(title), _MAX_TITLE_LENGTH)
    return text.replace("@", f"@{ZERO_WIDTH_SPACE}").replace("#", f"#{ZERO_WIDTH_SPACE}").replace("`", "'")
