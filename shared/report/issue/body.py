"""Renders the title and the body of a report's GitHub issue: complete, inert, and not too long."""

from shared.report.incident_status import MAX_BODY_LENGTH
from shared.report.issue.causes import render_causes, render_evidence, render_suspected_changes
from shared.report.issue.incident_details import render_commits, render_incident_details
from shared.report.issue.proposal import render_proposal
from shared.report.issue.section import fit_sections
from shared.report.issue.summary import format_headline, render_summary
from shared.report.links import NO_LINKS, Links
from shared.report.report import Report
from shared.text.escaping import sanitise_title

_RESERVED_LENGTH = 6_000
"""Characters for markers, and for the part edited while the incident moves (`shared.report.incident_status`)."""


def format_issue_title(report: Report) -> str:
    """One line of plain text: GitHub renders no Markdown in titles but code spans, and links references."""
    return sanitise_title(format_headline(report))


def render_issue_body(report: Report, links: Links = NO_LINKS) -> str:
    """GitHub-flavoured Markdown, so short that a part on the present state fits as well into 65,536 characters.

    What does not fit is left out by whole blocks, the least needed sections first, with a pointer to where it is.
    """
    parts = (
        render_summary,
        render_suspected_changes,
        render_incident_details,
        render_commits,
        render_causes,
        render_proposal,
        render_evidence,
    )
    sections = [section for part in parts for section in part(report, links)]
    sections.sort(key=lambda section: section.is_folded)  # what is shown comes first, each in its order
    return f"{_build_fingerprint_marker(report)}\n\n{fit_sections(sections, MAX_BODY_LENGTH - _RESERVED_LENGTH)}\n"


def _build_fingerprint_marker(report: Report) -> str:
    """Finds the issue again, whatever users do to its title and text."""
    fingerprint = "".join(character for character in report.incident.fingerprint if character.isalnum())
    return f"<!-- provenfix:fingerprint={fingerprint} -->"
