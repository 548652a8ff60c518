"""What the effects write on an issue, with the hidden marker by which it is found again."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class IssueContent:
    """What an incident's issue says; `body` is Markdown, without the marker."""

    incident: str
    title: str
    body: str

    @property
    def body_with_marker(self) -> str:
        """The body with the marker before it."""
        return f"{format_marker(self.incident)}\n{self.body}"


@dataclass(frozen=True, slots=True)
class IssueStatusUpdate:
    """The state of an incident: the part of its issue's body, and its title; "" leaves the title as it is."""

    status_block: str
    title: str = ""


def format_marker(incident: str, comment_name: str = "") -> str:
    """Hidden in issues and comments, and found there again."""
    return f"<!-- provenfix:incident={incident}{f' part={comment_name}' if comment_name else ''} -->"
