"""Reports incidents one after the other: proves each, infers its date, and builds its evidence and whys."""

from collections.abc import Iterable

from shared.detection.incident import Incident
from shared.proof.locating.infer_dates import infer_dates
from shared.proof.locating.log_labels import apply_log_labels
from shared.proof.model.ports import Compilers, History
from shared.proof.proof_context import ProofRequest, ReportProgress
from shared.proof.prove import prove
from shared.report.report import Report, build_report


def report_incidents(
    incidents: Iterable[Incident],
    history: History,
    compilers: Compilers,
    request: ProofRequest,
    progress: ReportProgress,
) -> list[Report]:
    """One report for each incident, in their order. Raises UsageError for a ref that does not exist."""
    reports: list[Report] = []
    for incident in incidents:
        labelled_request = apply_log_labels(incident, history, request)
        reports.append(
            build_report(*infer_dates(incident, prove(incident, history, compilers, labelled_request, progress)))
        )
    return reports
