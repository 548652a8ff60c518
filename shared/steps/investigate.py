"""From incidents to reports: prove, date, and put into evidence and whys, one incident after the other."""

from collections.abc import Iterable

from shared.domain.incident import Incident
from shared.domain.report import Report, build_report
from shared.ports import Compilers, History
from shared.steps.dating import dated
from shared.steps.inquiry import Progress, Request
from shared.steps.prove import prove


def investigate(
    incidents: Iterable[Incident], history: History, compilers: Compilers, request: Request, progress: Progress
) -> list[Report]:
    """One report for each incident, in their order. Raises Misused for a ref that does not exist."""
    return [
        build_report(*dated(incident, prove(incident, history, compilers, request, progress))) for incident in incidents
    ]
