"""What the platform says about revisions and deployments, how far a rollout came, and the verdict on it."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from urllib.parse import urlsplit, urlunsplit

MIN_ABBREVIATION_LENGTH = 7
"""Digits of a commit id, as git itself abbreviates."""


@dataclass(frozen=True, slots=True)
class CommitClaim:
    """One source's claim of which commit a revision was built from."""

    source: str
    """`provenance`, `label`, `tag` or `env`, in the order in which they are believed."""
    commit: str
    """As it is written there: a label can name anything, and an abbreviation."""
    ref: str
    """The build, label, image tag or variable."""


def _is_abbreviation_of(short: str, commit: str) -> bool:
    return len(short) >= MIN_ABBREVIATION_LENGTH and commit.startswith(short)


@dataclass(frozen=True, slots=True)
class Revision:
    """One revision of a service."""

    name: str
    commit: str | None
    """The commit that it was built from, where the platform knows; None otherwise."""
    created_at: datetime
    image: str = ""
    """As the platform runs it, by digest where it knows one."""
    claims: tuple[CommitClaim, ...] = ()
    """All that was found, best first: `commit` is the first one's."""
    resources: tuple[tuple[str, str], ...] = ()
    """Names and values of `cpu`, `memory`, `concurrency` and the like, where the platform reports them."""

    unreadable_sources: tuple[str, ...] = ()
    """Places that could not be looked at, and why."""
    python: str = ""
    """The minor version that the platform itself names for it, such as `3.11`; "" where it names none."""
    is_function: bool = False
    """Whether it runs a function, which a build has made of its source."""
    variables: tuple[str, ...] | None = None
    """The names of its environment variables, secrets included, never their values; None where unknown."""

    def is_built_from(self, commit: str) -> bool:
        """Whether the best source that names a commit names this one (a full id), or abbreviates it.

        An abbreviation has seven digits at least; whether it is unique, the repository shows.
        """
        return _is_abbreviation_of(self.commit or "", commit)

    @property
    def commit_conflict(self) -> str:
        """A sentence where two places name different commits; "" where all agree."""
        for claim in self.claims[1:]:
            first = self.claims[0]
            if not (_is_abbreviation_of(claim.commit, first.commit) or _is_abbreviation_of(first.commit, claim.commit)):
                return f"{first.ref} names commit {first.commit}, but {claim.ref} names {claim.commit}."
        return ""


@dataclass(frozen=True, slots=True)
class ServiceState:
    """A service as it is right now."""

    revision: Revision
    """The one that takes the largest share of the traffic."""
    traffic: Mapping[str, int]
    """Percent by revision name."""
    etag: str
    """Changes with every change of the service; an effect that names an older one is refused."""
    unprobeable_reason: str = ""
    """Why no revision can be reached at its own address, as a sentence's end; "" where each can."""
    is_observed: bool = True
    """False where only the log is known, on one machine: then nobody has looked at what really serves."""


class DeploymentProgress(StrEnum):
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Deployment:
    """The state of a long operation of the deployer."""

    progress: DeploymentProgress
    revision: str = ""
    """The new revision, once there is one. It takes no traffic until it is given some."""
    detail: str = ""
    """One sentence where it failed."""
    url: str = ""
    """Where the new revision can be reached before it takes any traffic; "" where there is no such place."""
    unprobeable_reason: str = ""
    """Why there is no such place for any revision of the service; "" where there is, or nobody knows."""
    needs_address: bool = False
    """A pipeline of the user made it: it has to be given its address (a share of 0) before it can be tried."""
    traffic_percent: int = 0
    """Percent of the traffic that such a pipeline has given it by itself."""


def build_revision_url(probe_url: str, revision_url: str) -> str:
    """What is probed at the service, at the address of one revision: scheme, path and query stay."""
    service = urlsplit(probe_url)
    return urlunsplit((service.scheme, urlsplit(revision_url).netloc, service.path, service.query, ""))


def find_next_traffic_step(steps: tuple[int, ...], percent: int) -> int | None:
    """The share of traffic that comes after `share`; None where all steps were taken."""
    return next((step for step in steps if step > percent), None)


WATCH_DURATION = timedelta(hours=24)
"""How long a fixed service is watched before its issue is closed."""
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
    """What a user reads about it."""
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
    """The observations for and against a rollout so far."""

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


def judge_rollout(
    observations: WatchObservations,
    now: datetime,
    watch: timedelta = WATCH_DURATION,
    max_watch: timedelta = MAX_WATCH_DURATION,
) -> RolloutVerdict:
    """The first observation against the rollout, else whether it has been watched for long enough."""
    against = {
        RolloutVerdict.RECURRED: observations.has_recurred,
        RolloutVerdict.CHANGED: observations.missed_traffic_checks >= TOLERATED_TRAFFIC_CHECKS,
        RolloutVerdict.FAILED_REVISION: bool(observations.revision_failure),
        RolloutVerdict.FAILED_PROBE: observations.failed_probes >= TOLERATED_FAILED_PROBES,
    }
    objection = next((verdict for verdict, speaks in against.items() if speaks), None)
    if objection is not None:
        return objection
    if now < observations.since + watch or observations.failed_probes or observations.missed_traffic_checks:
        return RolloutVerdict.HOLDS
    if observations.request_count or observations.successful_probes:
        return RolloutVerdict.PROVEN
    return RolloutVerdict.INCONCLUSIVE if now >= observations.since + max_watch else RolloutVerdict.HOLDS
