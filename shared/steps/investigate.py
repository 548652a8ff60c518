"""From incidents to reports: prove, date, and put into evidence and whys, one incident after the other."""

from collections.abc import Iterable

from shared.domain.incident import Incident
from shared.domain.report import Report, build_report
from shared.ports import Compilers, History
from shared.steps.dating import dated
from shared.steps.inquiry import Progress, Request
from shared.steps.labelled import with_labels
from shared.steps.prove import prove


def investigate(
    incidents: Iterable[Incident], history: History, compilers: Compilers, request: Request, progress: Progress
) -> list[Report]:
    """One report for each incident, in their order. Raises Misused for a ref that does not exist."""
    reports: list[Report] = []
    for incident in incidents:
        asked = with_labels(incident, history, request)
        reports.append(build_report(*dated(incident, prove(incident, history, compilers, asked, progress))))
    return reports
