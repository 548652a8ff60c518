"""What changes a deployed service, each through the ledger: the only file that calls an effect of the deployer."""

from collections.abc import Callable
from dataclasses import dataclass

from shared.errors import Reject
from shared.ports import CHANGED_BY_HAND, Document
from shared.proposal.proposal import Proposal
from shared.service import Service
from shared.workflow.context import Context
from shared.workflow.ledger import is_just_claimed, read_result, run_once
from shared.workflow.records import documents


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
