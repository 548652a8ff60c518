"""A report comes in, the title and the body of its GitHub issue go out: complete, inert, and not too long."""

from shared.report.incident_status import LONGEST_BODY
from shared.report.issue.account import account
from shared.report.issue.background import background
from shared.report.issue.causes import causes
from shared.report.issue.changes import changes
from shared.report.issue.proposal import proposal
from shared.report.issue.section import Section, fitted
from shared.report.issue.summary import headline, opening
from shared.report.links import NO_LINKS, Links
from shared.report.report import Report
from shared.text.escaping import ZERO_WIDTH_SPACE, truncate, to_one_line

__all__ = ["LONGEST_BODY", "inert_title", "issue_body", "issue_title"]

_LONGEST_TITLE = 160
_RESERVED = 6_000
"""Characters for markers, and for the part edited while the incident moves (`shared.report.incident_status`)."""


def issue_title(report: Report) -> str:
    """One line of plain text: GitHub renders no Markdown in titles but code spans, and links references."""
    return inert_title(headline(report))


def inert_title(title: str) -> str:
    """Any words as a title in which nothing is linked, mentioned or rendered."""
    text = truncate(to_one_line(title), _LONGEST_TITLE)
    return text.replace("@", f"@{ZERO_WIDTH_SPACE}").replace("#", f"#{ZERO_WIDTH_SPACE}").replace("`", "'")


def issue_body(report: Report, links: Links = NO_LINKS) -> str:
    """GitHub-flavoured Markdown, so short that a part on how things stand fits as well into 65,536 characters.

    What does not fit is left out by whole blocks, the least needed sections first, with a pointer to where it is.
    """
    parts = (opening, account, changes, causes, proposal, background)
    sections: list[Section] = [section for part in parts for section in part(report, links)]
    return f"{_marker(report)}\n\n{fitted(sections, LONGEST_BODY - _RESERVED)}\n"


def _marker(report: Report) -> str:
    """Finds the issue again, whatever people do to its title and text."""
    fingerprint = "".join(character for character in report.incident.fingerprint if character.isalnum())
    return f"<!-- provenfix:fingerprint={fingerprint} -->"
