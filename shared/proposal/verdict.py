"""What was seen while a rollout was watched comes in; whether it holds, must go back, or is proven goes out."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

WATCH_DURATION = timedelta(hours=24)
"""How long a mended service is watched before its issue is closed."""
MAX_WATCH_DURATION = timedelta(days=7)
"""After this long without a single request, the watch ends without a proof."""
REOPEN_WINDOW = timedelta(days=30)
"""For this long after the close, a failure that comes back opens the closed issue again; later it is a new one."""
TOLERATED_FAILED_PROBES = 2
"""Probes in a row that must fail before a rollout is taken back: one may be the network's fault."""
TOLERATED_TRAFFIC_CHECKS = 2
"""Looks in a row that must find something else serving before it counts as changed by hand: a split takes its time."""


class RolloutVerdict(StrEnum):
    HOLDS = "holds"
    PROVEN = "proven"
    FAILED_PROBE = "failed_probe"
    FAILED_REVISION = "failed_revision"
    """The platform says of the new revision, which was ready, that it no longer is."""
    RECURRED = "recurred"
    CHANGED = "changed_by_hand"
    INCONCLUSIVE = "inconclusive"
    """Nothing speaks against the rollout, and nothing proves it."""


class ProbeOutcome(StrEnum):
    """How the one connection of a probe ended."""

    STAYED_OPEN = "stayed_open"
    CLOSED = "closed"
    """With a close code: `Probed.code`."""
    BROKE_OFF = "broke_off"
    """Without a close code."""
    PING_UNANSWERED = "ping_unanswered"
    ANSWERED = "answered"
    """By a status of HTTP: `Probed.code`. A WebSocket was not upgraded."""
    NOT_HTTP = "not_http"
    TIMED_OUT = "timed_out"
    TLS_FAILED = "tls_failed"
    UNREACHABLE = "unreachable"
    NO_URL = "no_url"


@dataclass(frozen=True, slots=True)
class ProbeResult:
    """Whether a connection could be made and stayed open."""

    ok: bool
    detail: str = ""
    """What a person is told of it."""
    outcome: ProbeOutcome | None = None
    """None where nobody has said how it ended."""
    code: int | None = None
    """The close code of the WebSocket, or the status of HTTP."""
    messages: int = 0
    """How many came before the connection ended."""
    location: str = ""
    """Where the answer redirects to, cut."""


@dataclass(frozen=True, slots=True)
class WatchObservations:
    """All that speaks for or against a rollout so far."""

    since: datetime
    missed_traffic_checks: int
    """Looks in a row, up to now, at which the approved commit had less than the intended share."""
    failed_probes: int
    """In a row, up to now."""
    has_recurred: bool
    """A revision that contains the fix logged the failure."""
    revision_failure: str
    """What the platform says about a new revision that is no longer ready; "" where it is."""
    request_count: int
    """Since the rollout; silence without requests proves nothing."""
    successful_probes: int
    """Since the rollout, that connected and stayed open: traffic as well."""


def judge_rollout(observations: WatchObservations, now: datetime, watch: timedelta = WATCH_DURATION, max_watch: timedelta = MAX_WATCH_DURATION) -> RolloutVerdict:
    """The first thing that speaks against the rollout, else whether it has been watched for long enough."""
    against = {
        RolloutVerdict.RECURRED: observations.has_recurred,
        RolloutVerdict.CHANGED: observations.missed_traffic_checks >= TOLERATED_TRAFFIC_CHECKS,
        RolloutVerdict.FAILED_REVISION: bool(observations.revision_failure),
        RolloutVerdict.FAILED_PROBE: observations.failed_probes >= TOLERATED_FAILED_PROBES,
    }
    found = next((verdict for verdict, speaks in against.items() if speaks), None)
    if found is not None:
        return found
    if now < observations.since + watch or observations.failed_probes or observations.missed_traffic_checks:
        return RolloutVerdict.HOLDS
    if observations.request_count or observations.successful_probes:
        return RolloutVerdict.PROVEN
    return RolloutVerdict.INCONCLUSIVE if now >= observations.since + max_watch else RolloutVerdict.HOLDS
