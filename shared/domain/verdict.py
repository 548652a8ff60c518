"""What was seen while a rollout was watched comes in; whether it holds, must go back, or is proven goes out."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

WATCH = timedelta(hours=24)
"""How long a mended service is watched before its issue is closed."""
LONGEST_WATCH = timedelta(days=7)
"""After this long without a single request, the watch ends without a proof."""
TOLERATED_PROBES = 2
"""Probes in a row that must fail before a rollout is taken back: one may be the network's fault."""


class Verdict(StrEnum):
    HOLDS = "holds"
    PROVEN = "proven"
    FAILED_PROBE = "failed_probe"
    RECURRED = "recurred"
    NOT_SERVING = "not_serving"
    NO_TRAFFIC = "no_traffic"


@dataclass(frozen=True, slots=True)
class Probed:
    """Whether a connection could be made and stayed open."""

    ok: bool
    detail: str = ""


@dataclass(frozen=True, slots=True)
class Watched:
    """All that speaks for or against a rollout so far."""

    since: datetime
    serves: bool
    """The approved commit takes the intended share."""
    failed_probes: int
    """In a row, up to now."""
    recurred: bool
    """A revision that contains the fix logged the failure."""
    requests: int
    """Since the rollout; silence without requests proves nothing."""


def judge(watched: Watched, now: datetime, watch: timedelta = WATCH, longest: timedelta = LONGEST_WATCH) -> Verdict:
    """The first thing that speaks against the rollout, else whether it has been watched for long enough."""
    if watched.recurred:
        return Verdict.RECURRED
    if watched.failed_probes >= TOLERATED_PROBES:
        return Verdict.FAILED_PROBE
    if now < watched.since + watch or watched.failed_probes:
        return Verdict.HOLDS
    if not watched.serves:
        return Verdict.NOT_SERVING
    if watched.requests == 0:
        return Verdict.NO_TRAFFIC if now >= watched.since + longest else Verdict.HOLDS
    return Verdict.PROVEN
