"""Asks another function to go on with something: messages that may come twice.

What most of them ask for is stored already, and every tick repeats it; who hands over a log entry or a command
answers its own delivery only after the bus has taken it. Their reader does what the stored incident wants now, or
nothing. So none of them is an effect, and none goes through the ledger.
"""

from shared.ports import IssueEvent
from shared.workflow import flow
from shared.workflow.context import Context


def ask_for_look(context: Context, incident: str) -> None:
    """`verify` looks at the incident."""
    context.bus.request(flow.INCIDENT_DUE, {"incident": incident})


def ask_for_service(context: Context, service: str) -> None:
    """`verify` looks which revisions of a service have traffic, and which fixes nobody has deployed."""
    context.bus.request(flow.INCIDENT_DUE, {"service": service})


def ask_for_redeployment(context: Context, proposal: str) -> None:
    """`redeploy` goes on with an approved proposal."""
    context.bus.request(flow.REDEPLOY_APPROVED, {"proposal": proposal})


def ask_for_share(context: Context, proposal: str, revision: str, percent: int) -> None:
    """`redeploy` gives a revision of the proposal's rollout a share of the traffic."""
    message = {"proposal": proposal, "revision": revision, "percent": str(percent)}
    context.bus.request(flow.REDEPLOY_APPROVED, message)


def ask_for_recurrence(context: Context, entry: str) -> None:
    """`investigate` finds out what an entry means that `record` alone cannot judge; it is the sink's text."""
    context.bus.request(flow.INCIDENT_OPENED, {"entry": entry})


def ask_for_command(context: Context, command: IssueEvent) -> None:
    """`investigate` does what a user asks for at an issue, if that user may."""
    message = {
        "command": command.command.value,
        "delivery": command.delivery_id,
        "repository": command.repository,
        "issue": str(command.issue_number),
        "incident": command.incident_id,
        "actor": command.actor,
    }
    context.bus.request(flow.INCIDENT_OPENED, message)
