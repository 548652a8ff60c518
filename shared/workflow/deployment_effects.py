"""Records a verified redeployment at the code host, each step through the ledger; beside `effects`."""

from shared.deployment_records import DeploymentEntry
from shared.errors import Reject
from shared.ports import Document
from shared.service import Service
from shared.text.phrases import short_sha
from shared.workflow.context import Context
from shared.workflow.ledger import run_once
from shared.workflow.records import documents, proposals
from shared.workflow.records.incident_record import IncidentRecord


def record_deployment(context: Context, service: Service, record: IncidentRecord) -> None:
    """Writes the record of the incident's redeployment, and its success. A refusal is stored, and delays nothing."""
    if not service.deployment_records:
        return
    proposal = proposals.require_proposal(context, record.proposal)
    words = f"provenfix verified {short_sha(proposal.commit)}: the failure was not logged again"
    url = record.issue.url if record.issue is not None else ""
    entry = DeploymentEntry(proposal.id, proposal.commit, words, url)
    made = _create_record(context, service, entry)
    if made:
        _set_success(context, service, made, entry)


def _create_record(context: Context, service: Service, entry: DeploymentEntry) -> str:
    """The id of the record; "" where it was refused."""

    def do() -> Document:
        try:
            return {"record": context.deployment_records.create_record(service, entry)}
        except Reject as refused:
            return {"refused": str(refused)}

    def find() -> Document | None:
        known = context.deployment_records.find_record(service, entry)
        return {"record": known} if known else None

    return documents.read_text(run_once(context, f"deployment_record.{entry.marker}", do, find), "record")


def _set_success(context: Context, service: Service, made: str, entry: DeploymentEntry) -> None:
    def do() -> Document:
        try:
            context.deployment_records.set_success(service, made, entry)
        except Reject as refused:
            return {"refused": str(refused)}
        return {}

    def find() -> Document | None:
        return {} if context.deployment_records.has_success(service, made) else None

    run_once(context, f"deployment_success.{entry.marker}", do, find)
