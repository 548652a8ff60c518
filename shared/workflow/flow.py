"""The whole workflow in one place: the topics, the states of an incident, and which of them every tick looks at.

Stored documents and messages carry these names. `shared.proposal.states` holds the states with their words; `flow.md`,
beside this, is the diagram.
"""

from shared.proposal.states import IncidentState

__all__ = [
    "ACTIVE_STATES",
    "CHECK_REQUESTED",
    "INCIDENT_DUE",
    "INCIDENT_OPENED",
    "LOG_ENTRIES",
    "REDEPLOY_APPROVED",
    "REPEATED_TOPICS",
    "TICK",
    "VISITED_STATES",
    "IncidentState",
]

LOG_ENTRIES = "log-entries"
"""One log entry as the sink writes it -> `record`."""
INCIDENT_OPENED = "incident-opened"
"""`{"incident": id}`, `{"entry": text}` for what may be a recurrence, or a user's command -> `investigate`."""
REDEPLOY_APPROVED = "redeploy-approved"
"""`{"proposal": id}`, and for traffic `{"proposal": id, "revision": name, "percent": number}` -> `redeploy`."""
CHECK_REQUESTED = "check-requested"
"""A new commit (`shared.pushes.PushMessage`) -> `check`."""
TICK = "tick"
"""Every minute -> `schedule`."""
INCIDENT_DUE = "incident-due"
"""`{"incident": id}` for each that is not at rest, `{"service": id}` for new revisions -> `verify`."""
REPEATED_TOPICS = frozenset((TICK, INCIDENT_DUE))
"""What the next tick says again: it makes no dead letters."""


ACTIVE_STATES = frozenset(
    (
        IncidentState.WAITING,
        IncidentState.OPENED,
        IncidentState.UNFIXED,
        IncidentState.PROPOSED,
        IncidentState.APPROVED,
        IncidentState.DEPLOYING,
        IncidentState.TRYING,
        IncidentState.WATCHING,
    )
)
"""The states in which something goes on; an incident in any other one is at rest."""
VISITED_STATES = ACTIVE_STATES | {IncidentState.TRIED}
"""The states that every tick looks at: a trial has proven nothing, and a newer commit may still be tried."""
