"""Assesses what a failing revision means for its users from what the platform reports: reach and urgency.

A revision that fails while it starts never takes traffic: its users still have the old one. One that imports the broken
file only when it needs it starts, and fails under traffic. What the platform does not report is `unknown`.
"""

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum

from shared.detection.incident import Incident
from shared.detection.raised_exception import EFFECT_KINDS
from shared.detection.signal import SignalKind
from shared.report.evidence import Evidence, EvidenceKind
from shared.text.escaping import escape_markdown
from shared.text.phrases import join_words, pluralize, quote_untrusted
from shared.text.timestamps import format_rfc3339
from shared.text.timestamps import format_timestamp as moment


class Reach(StrEnum):
    NEVER_STARTED = "never_started"
    """The platform says that it did not start, and it has answered nothing."""
    NEVER_SERVED = "never_served"
    """It has no traffic, and nothing that it answered is known; why, the platform does not say."""
    SERVED = "served"
    """It has answered requests, and has no traffic any more."""
    SERVES = "serves"
    UNKNOWN = "unknown"


class Urgency(StrEnum):
    NOW = "now"
    SOON = "soon"
    """No users are affected right now; the new revision is not released."""
    UNKNOWN = "unknown"


_URGENCY_BY_REACH = {Reach.SERVES: Urgency.NOW, Reach.UNKNOWN: Urgency.UNKNOWN}
REQUEST_WINDOW = timedelta(days=14)
"""So far the log is searched for requests: older ones say nothing of today, and are dear to find."""
UNCOUNTED_CLOSES = "a WebSocket that closes after it was accepted is not counted as a failed request"
"""Why no failed request is no reassurance."""
_REQUEST_COUNT_LIMIT = 10_000
"""Requests are counted so far and no further."""


@dataclass(frozen=True, slots=True)
class ImpactMeasurement:
    """As the platform says it, None for what it does not. `refused` quotes it where it says that it did not start."""

    revision: str
    traffic: Mapping[str, int] | None = None
    """Percent by revision, of the whole service."""
    requests: int | None = None
    """That the revision has answered."""
    failed: int | None = None
    """Those among them that it answered with a server error."""
    startup_error: str = ""
    unavailable: tuple[str, ...] = field(default=())
    """Why something could not be looked at."""
    since_creation: bool = True
    """Whether requests were looked for since the revision was made, and not only in the days of `REQUEST_WINDOW`."""
    made_at: datetime | None = None
    """When the revision was made."""
    earlier: str = ""
    """The revision before it that logged no such failure; "" where none is known."""


@dataclass(frozen=True, slots=True)
class Impact:
    """`share` is the percentage of the traffic; `evidence` are the ids of what it rests on."""

    reach: Reach
    urgency: Urgency
    revision: str
    share: int | None
    requests: int | None
    failed: int | None
    serving_instead: tuple[str, ...]
    """The revisions that serve in its place."""
    evidence: tuple[str, ...]
    made_at: datetime | None = None
    earlier: str = ""
    """The revision before it that logged no such failure, and when the failing one was made."""
    is_found_early: bool = False
    """Whether a check has found the failure, and nobody has met it."""


def assess_impact(measured: ImpactMeasurement, first_evidence_number: int) -> tuple[Impact, tuple[Evidence, ...]]:
    """The impact, and the evidence for it, numbered from `first`."""
    evidence = tuple(
        Evidence(f"e{first_evidence_number + index}", kind, ref, text)
        for index, (kind, ref, text) in enumerate(_list_evidence_rows(measured))
    )
    traffic = measured.traffic
    reach = _classify_reach(measured)
    impact = Impact(
        reach=reach,
        urgency=_URGENCY_BY_REACH.get(reach, Urgency.SOON),
        revision=measured.revision,
        share=traffic.get(measured.revision, 0) if traffic is not None else None,
        requests=measured.requests,
        failed=measured.failed,
        serving_instead=tuple(name for name in traffic or () if name != measured.revision),
        evidence=tuple(item.id for item in evidence),
        made_at=measured.made_at,
        earlier=measured.earlier,
    )
    return impact, evidence


def _classify_reach(measured: ImpactMeasurement) -> Reach:
    if not measured.revision or measured.traffic is None:
        return Reach.UNKNOWN
    if measured.traffic.get(measured.revision, 0) > 0:
        return Reach.SERVES
    if measured.requests is None:
        return Reach.UNKNOWN
    if measured.requests:
        return Reach.SERVED
    return Reach.NEVER_STARTED if measured.startup_error and measured.since_creation else Reach.NEVER_SERVED


def _list_evidence_rows(measured: ImpactMeasurement) -> Iterator[tuple[EvidenceKind, str, str]]:
    revision = quote_untrusted(measured.revision, 80)
    if measured.traffic is not None:
        split = [f"{quote_untrusted(name, 80)} {share} %" for name, share in measured.traffic.items()]
        yield EvidenceKind.REVISION, revision, f"the traffic is split: {join_words(split)}" if split else "no traffic"
    if measured.requests is not None:
        answered = pluralize(measured.requests, "request")
        when = "since it was made" if measured.since_creation else f"in the last {REQUEST_WINDOW.days} days"
        failed = f", {measured.failed} of them with a server error" if measured.failed is not None else ""
        yield EvidenceKind.QUERY, f"requests of {revision}", f"{answered} answered {when}{failed}"
    if measured.startup_error:
        yield (
            EvidenceKind.LOG_ENTRY,
            f"the platform about {revision}",
            f"“{quote_untrusted(measured.startup_error, 200)}”",
        )
    if measured.earlier and measured.made_at is not None:
        text = f"logged no such failure; {revision} was made at {moment(measured.made_at, dated=True)}"
        yield EvidenceKind.REVISION, quote_untrusted(measured.earlier, 80), text
    for why in measured.unavailable:
        yield (
            EvidenceKind.QUERY,
            f"about {revision}" if revision else "revision not named",
            quote_untrusted(f"not seen: {why}", 200),
        )


_NO_USERS_AFFECTED = "No users are affected right now."


def describe_impact(impact: Impact) -> str:
    """One or two sentences, in which every number is one of the evidence."""
    name = quote_untrusted(impact.revision, 80) or "the failing revision"
    old = (
        f" Its users still have {join_words([quote_untrusted(revision, 80) for revision in impact.serving_instead])}."
        if impact.serving_instead
        else ""
    )
    match impact.reach:
        case Reach.SERVES if impact.is_found_early:
            return f"{name} takes {impact.share} % of the traffic, and fails when it first runs that code. Urgent."
        case Reach.SERVES:
            failures = _describe_failures(impact)
            since = _describe_earlier(impact)
            return f"{name} fails under traffic: it takes {impact.share} % of it{failures}. Urgent.{since}"
        case Reach.SERVED:
            return f"{name} has no traffic any more{_describe_failures(impact)}.{old} {_NO_USERS_AFFECTED}"
        case Reach.NEVER_STARTED:
            return f"{name} fails while it starts, and has never taken traffic.{old} {_NO_USERS_AFFECTED}"
        case Reach.NEVER_SERVED:
            return f"{name} has no traffic, and no known request.{old} {_NO_USERS_AFFECTED}"
        case Reach.UNKNOWN:
            return "Unknown: the platform does not report whether the failing revision takes traffic."


def _describe_earlier(impact: Impact) -> str:
    """Until when another revision worked: what was deployed then is the first thing to look at."""
    if not impact.earlier or impact.made_at is None:
        return ""
    earlier, name = quote_untrusted(impact.earlier, 80), quote_untrusted(impact.revision, 80)
    return f" {earlier} logged no such failure until {name} was made, at {moment(impact.made_at, dated=True)}."


def describe_reach(impact: Impact | None, incident: Incident) -> str:
    """The same for a title: `failing revision has 100 % of the traffic`; how often it was logged if unknown."""
    reach = impact.reach if impact is not None else Reach.UNKNOWN
    if impact is not None and reach is Reach.SERVES:
        adjective = "broken" if impact.is_found_early else "failing"
        return f"{adjective} revision has {impact.share} % of the traffic"
    if reach is Reach.UNKNOWN:
        count = f"logged {pluralize(incident.occurrences, 'time')}"
        return "found before it was logged" if incident.is_found_early else count
    return "never took traffic" if reach is Reach.NEVER_STARTED else "has no traffic"


def _describe_failures(impact: Impact) -> str:
    if impact.requests is None or impact.failed is None:
        return ""
    most = " or more" if impact.requests >= _REQUEST_COUNT_LIMIT else ""
    failed = f"{impact.failed} of {impact.requests}{most} requests were answered with a server error"
    closes = f"; {UNCOUNTED_CLOSES}" if not impact.failed else ""
    return f", and {failed}{closes}"


def impact_to_json(impact: Impact) -> dict[str, object]:
    """For the report; None for what is unknown."""
    return {
        "reach": impact.reach.value,
        "urgency": impact.urgency.value,
        "revision": impact.revision or None,
        "traffic_percent": impact.share,
        "requests": impact.requests,
        "failed_requests": impact.failed,
        "serving_instead": list(impact.serving_instead),
        "earlier_revision": impact.earlier or None,
        "made_at": format_rfc3339(impact.made_at) if impact.made_at is not None else None,
        "text": describe_impact(impact),
        "evidence": list(impact.evidence),
    }


_MAX_CONSEQUENCES = 4
_FOUND_EARLY = "It was found before a user met it: nothing of it was logged."
_FOUND_IN_CODE = "It was found in the code; whether a user has met it is unknown."
_NO_CONSEQUENCES = "the log shows no consequence of it."


def summarise_impact(incident: Incident, measured_impact: Impact | None = None) -> str:
    """Counts are of log entries; two entries may report one event, so they are never added up."""
    shown = list_consequences(incident)
    shown = [*shown[:_MAX_CONSEQUENCES], "others"] if len(shown) > _MAX_CONSEQUENCES else shown
    unknown = "The log does not show how many users or requests were affected."
    if measured_impact is not None and measured_impact.failed is not None:
        unknown = ""
    if incident.kind is SignalKind.FOUND_BY_CHECK:
        unknown = _FOUND_IN_CODE
    elif incident.is_found_early:
        unknown = _FOUND_EARLY
    after = f"{escape_markdown(join_words(shown))}{''.join(_list_where_seen(incident))}." if shown else _NO_CONSEQUENCES
    if not shown and (incident.kind in EFFECT_KINDS or incident.is_found_early):
        after = ""  # a close and a failed start are the consequence themselves
    measured = _describe_measured_impact(measured_impact, has_more=bool(after))
    return " ".join(filter(None, (measured, after, unknown)))


def _describe_measured_impact(impact: Impact | None, *, has_more: bool) -> str:
    """What the platform reports comes first: it decides how urgent it is."""
    if impact is None:
        return ""
    more = " What the log shows:" if has_more else ""
    return f"{escape_markdown(describe_impact(impact))} ({', '.join(impact.evidence)}){more}"


def list_consequences(incident: Incident) -> list[str]:
    """`“WebSocket /ws closed: code=1011” (6 times)` for each symptom: once, however many revisions showed it."""
    times: Counter[str] = Counter()
    for symptom in incident.symptoms:
        times[quote_untrusted(symptom.text, 120)] += symptom.occurrences
    return [f"“{text}” ({pluralize(often, 'time')})" for text, often in times.items()]


def _list_where_seen(incident: Incident) -> Iterator[str]:
    revisions = {symptom.revision for symptom in incident.symptoms if symptom.revision}
    if revisions:
        yield f", from {pluralize(len(revisions), 'revision')}"
    seen = [symptom.last_seen for symptom in incident.symptoms if symptom.last_seen is not None]
    if seen and incident.dated:
        yield f", last at {moment(max(seen), dated=True)}"
