"""The whole workflow in one place: the topics, the states of an incident, and which function moves it out of each.

Stored documents and messages carry these names. The diagram is in `flow.md`, beside this.
"""

from enum import StrEnum

LOG_ENTRIES = "log-entries"
"""One log entry as the sink writes it -> `record`."""
INCIDENT_OPENED = "incident-opened"
"""`{"incident": id}` -> `investigate`."""
REDEPLOY_APPROVED = "redeploy-approved"
"""`{"proposal": id}` -> `redeploy`."""
TICK = "tick"
"""Every minute -> `verify`."""


class IncidentState(StrEnum):
    """Where an incident stands. `ACTIVE_STATES` ones are looked at by every tick, the others are at rest."""

    WAITING = "waiting"
    """A 1011 without a cause so far: `verify` absorbs it or opens it."""
    OPENED = "opened"
    """`investigate` gathers evidence, opens the issue, and asks."""
    UNFIXED = "unfixed"
    """There is an issue, and nothing to deploy yet: `verify` has it investigated again when the branch has moved."""
    PROPOSED = "proposed"
    """A person decides; `verify` lets it expire."""
    APPROVED = "approved"
    """`redeploy` checks everything once more, and acts."""
    DEPLOYING = "deploying"
    """`verify` follows the operation and gives the new revision its traffic, step by step."""
    WATCHING = "watching"
    """`verify` probes, and closes or rolls back."""
    RECORDED = "recorded"
    """Of a kind that no redeployment mends: kept, and nobody is bothered."""
    ABSORBED = "absorbed"
    """A 1011 that another incident of its revision explains."""
    REPORTED = "reported"
    """There is an issue, and nothing to propose."""
    DENIED = "denied"
    EXPIRED = "expired"
    REFUSED = "refused"
    """Approved, but service or evidence changed since the approval."""
    FAILED = "failed"
    """The deployment itself failed; no traffic was moved."""
    ROLLED_BACK = "rolled_back"
    RESOLVED = "resolved"
    MUTED = "muted"
    """A person closed the issue or marked it as wrong: no automation any more."""


ACTIVE_STATES = frozenset(
    (
        IncidentState.WAITING,
        IncidentState.OPENED,
        IncidentState.UNFIXED,
        IncidentState.PROPOSED,
        IncidentState.APPROVED,
        IncidentState.DEPLOYING,
        IncidentState.WATCHING,
    )
)
