"""What changes a deployed service, each through the ledger: the only file that calls an effect of the deployer.

A verified redeployment is recorded at the code host. `request_traffic` asks `redeploy` for a share of the traffic, and
reads what came of it: a look itself may change nothing.
"""

from collections.abc import Callable
from dataclasses import dataclass

from shared.deployment_records import DeploymentEntry
from shared.errors import Reject
from shared.ports import CHANGED_BY_HAND, Document
from shared.proposal.proposal import Proposal
from shared.service import Service
from shared.text.phrases import short_sha
from shared.workflow import requests
from shared.workflow.context import Context
from shared.workflow.ledger import is_just_claimed, read_result, run_once
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


def start_deployment(
    context: Context, service: Service, proposal: Proposal, etag: str, find_objection: Callable[[], str]
) -> Document:
    """`{"operation": name}`, or `{"refused": why}`: a refusal is a result as well, the same one for everybody.

    `find_objection` is called last: an earlier worker may have died before this, long ago.
    """

    def find() -> Document | None:
        operation = context.deployer.find(service, proposal.id)
        return {"operation": operation} if operation else None

    def do() -> Document:
        late = find_objection()
        if late:
            return {"refused": late, "reason": late}
        try:
            return {"operation": context.deployer.start(service, proposal.id, proposal.commit, etag)}
        except Reject as refused:
            # An attempt before this one may be what has changed the service.
            return find() or {"refused": str(refused)}

    return run_once(context, f"deploy.{proposal.id}", do, find)


@dataclass(frozen=True, slots=True)
class TrafficOrder:
    """A share for a revision of a proposal's rollout; `percent` is 0 for an address of its own without any traffic."""

    proposal: str
    revision: str
    percent: int

    @property
    def key(self) -> str:
        """The ledger's."""
        return f"shift.{self.proposal}.{self.revision}.{self.percent}"


def shift_traffic(context: Context, service: Service, order: TrafficOrder, require_wanted: Callable[[], None]) -> str:
    """Gives a revision a share of the traffic; doing it twice is the same as once.

    Returns why it was refused, where a user has changed the service by hand since the rollout began; "" otherwise.
    `require_wanted` is called last, and raises Reject where nobody wants it any more.
    """

    def do() -> Document:
        require_wanted()
        try:
            context.deployer.shift_traffic(service, order.revision, order.percent)
        except Reject as refused:
            if refused.reason == CHANGED_BY_HAND:
                return {"refused": refused.detail}
            raise
        return {}

    return documents.read_text(run_once(context, order.key, do), "refused")


def read_shift(context: Context, order: TrafficOrder) -> str | None:
    """What `shift_traffic` has returned; None where it has not been done yet."""
    result = read_result(context, order.key)
    return None if result is None else documents.read_text(result, "refused")


def is_shift_under_way(context: Context, order: TrafficOrder) -> bool:
    """Whether another process has claimed it lately and has not recorded its result."""
    return is_just_claimed(context, order.key)


def request_traffic(context: Context, order: TrafficOrder) -> str | None:
    """ "" where the revision has got the share, why it was refused, or None while it was asked for and is not done."""
    result = read_shift(context, order)
    if result is None:
        requests.ask_for_share(context, order.proposal, order.revision, order.percent)
    return result
