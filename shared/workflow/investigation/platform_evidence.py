"""What the platform says about a failing revision and those that serve beside it: sentences for the report.

They name the commit that is said to be deployed and its source, every conflict, every serving revision, and what the
log says about its resources. The impact of the failure on requests is measured here as well.

Where the platform names no commit, the code host's records of deployments are a weaker source: a record has a commit
and a time, and no revision. So it counts only where it was made shortly before the revision, where all records of that
time name one commit, and where no other watched service is deployed from the repository.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta

from shared.detection.entry import LogEntry
from shared.detection.signal import Signal, SignalKind, read_signal
from shared.errors import Reject, UsageError
from shared.proof.model.deployed_version import DeployedSource
from shared.proof.model.ports import History
from shared.proposal.rollout import MIN_ABBREVIATION_LENGTH, Revision, ServiceState
from shared.report.impact import REQUEST_WINDOW, ImpactMeasurement
from shared.report.report import Report, add_impact
from shared.service import Service
from shared.text.phrases import join_words, quote_untrusted, short_sha
from shared.text.timestamps import format_rfc3339
from shared.workflow.context import Context
from shared.workflow.records.incident_record import IncidentRecord

_LONGEST_DEPLOYMENT = timedelta(hours=2)
"""From the record, which a pipeline makes first, to the revision."""
_CLOCK_SKEW = timedelta(minutes=2)


@dataclass(frozen=True, slots=True)
class RecordedCommit:
    """`commit` is "" where no record, or more than one, can be meant; `sentence` says which, "" for nothing."""

    commit: str = ""
    sentence: str = ""


def find_recorded_commit(context: Context, service: Service, made: Revision) -> RecordedCommit:
    """The commit that the records name for a revision. Raises Retry; a refusal becomes the sentence."""
    if not service.deployment_records:
        return RecordedCommit()
    others = [other.name for other in context.services.values() if _shares_records(service, other)]
    if others:
        names = join_words([quote_untrusted(name, 80) for name in others])
        return RecordedCommit(
            sentence=f"GitHub's deployments are not asked: {names} is deployed from the same repository."
        )
    since, until = made.created_at - _LONGEST_DEPLOYMENT, made.created_at + _CLOCK_SKEW
    try:
        records = context.deployment_records.list_successes(service, since, until)
    except Reject as refused:
        return RecordedCommit(sentence=f"Not seen: GitHub's deployments ({quote_untrusted(str(refused), 200)}).")
    commits = list(dict.fromkeys(record.commit for record in records))
    if len(commits) > 1:
        named = join_words([short_sha(commit) for commit in commits])
        return RecordedCommit(sentence=f"GitHub's deployments of that time name more than one commit: {named}.")
    if not commits:
        return RecordedCommit()
    first = records[-1]
    where = quote_untrusted(first.environment, 80)
    sentence = (
        f"GitHub's deployment {quote_untrusted(first.id, 40)} ({where}, {format_rfc3339(first.created_at)}) "
        f"names commit {commits[0]}; the platform names none."
    )
    return RecordedCommit(commits[0], sentence)


def _shares_records(service: Service, other: Service) -> bool:
    return other.id != service.id and other.repository.lower() == service.repository.lower()


_OUT_OF_MEMORY = re.compile(r"out of memory|memory limit|oom-?killed|exceeded hard memory", re.IGNORECASE)
_NOT_STARTED = re.compile(r"failed to start|failed to listen|startup probe|deadline exceeded", re.IGNORECASE)
_MAX_SERVING = 10
_COMMIT_ID = re.compile(rf"[0-9a-f]{{{MIN_ABBREVIATION_LENGTH},64}}")
_FULL_ID_LENGTH = 40
"""Digits of an id that is no abbreviation."""


@dataclass(frozen=True, slots=True)
class PlatformEvidence:
    """`commit` is one that the repository knows, else None."""

    commit: str | None
    source: DeployedSource
    sentences: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class FailingRevision:
    """`revision` is the failing one, "" where the log names none; `logged` is what was read around the failure."""

    revision: str
    serving: ServiceState
    logged: Sequence[LogEntry]


def gather_platform_evidence(
    context: Context, service: Service, history: History, seen: FailingRevision
) -> PlatformEvidence:
    """What the platform says about what was seen."""
    known = context.revisions.get_revision(service, seen.revision) if seen.revision else None
    sentences = tuple(_describe_platform(context, service, known, seen))
    if known is None:
        return PlatformEvidence(None, DeployedSource.GIVEN, sentences)
    if not known.commit:
        recorded = find_recorded_commit(context, service, known)
        sentences = (*sentences, recorded.sentence) if recorded.sentence else sentences
        commit = resolve_commit(history, recorded.commit) if recorded.commit else None
        return PlatformEvidence(commit, DeployedSource.RECORD if commit else DeployedSource.GIVEN, sentences)
    source = DeployedSource(known.claims[0].source) if known.claims else DeployedSource.GIVEN
    commit = resolve_commit(history, known.commit)
    if commit is None:
        what = "commit" if len(known.commit) >= _FULL_ID_LENGTH else "single commit"
        sentence = f"The repository knows no {what} {known.commit}, which {source.value} names."
        return PlatformEvidence(None, source, (*sentences, sentence))
    return PlatformEvidence(commit, source, sentences)


def resolve_commit(history: History, commit: str) -> str | None:
    """The full id of a commit; None where the repository does not know it, or the abbreviation fits several.

    A label can name anything, and a branch can have the name of an abbreviation: only an id that begins so counts.
    """
    if not _COMMIT_ID.fullmatch(commit):
        return None
    try:
        full_id = history.resolve(commit).id
    except UsageError:
        return None
    return full_id if full_id.startswith(commit) else None


def _describe_platform(
    context: Context, service: Service, known: Revision | None, seen: FailingRevision
) -> Iterator[str]:
    serving = seen.serving
    if known is not None:
        yield from _describe_revision(known, is_observed=serving.is_observed)
    yield from _describe_resources([entry for entry in seen.logged if entry.revision == seen.revision])
    if not serving.is_observed:
        return
    if service.probe_url and serving.unprobeable_reason:
        yield (
            f"No revision can be probed before it has traffic, because {serving.unprobeable_reason}: "
            "a rollout is judged by the log at its first share."
        )
    beside = [
        (name, share) for name, share in serving.traffic.items() if share and (known is None or name != known.name)
    ]
    if known is not None:
        yield f"Revision {known.name} has {serving.traffic.get(known.name, 0)} % of the traffic."
    for name, share in sorted(beside, key=lambda split: -split[1])[:_MAX_SERVING]:
        other = serving.revision if name == serving.revision.name else context.revisions.get_revision(service, name)
        runs = f"runs {other.commit}" if other is not None and other.commit else "does not say what it runs"
        yield f"Revision {name} has {share} % of the traffic, and {runs}."


def _describe_revision(known: Revision, *, is_observed: bool) -> Iterator[str]:
    kind = "the function's revision" if known.is_function else "revision"
    image = f" from the image {known.image}" if known.image else ""
    if is_observed:
        yield f"The platform made {kind} {known.name} at {format_rfc3339(known.created_at)}{image}."
    for claim in known.claims:
        yield f"{claim.ref} ({claim.source}) names commit {claim.commit}."
    if known.commit_conflict:
        yield f"Conflict: {known.commit_conflict}"
    for source in known.unreadable_sources:
        yield f"Not seen: {source}."
    if known.python:
        yield f"The platform runs it on Python {known.python}."
    if known.resources:
        yield f"It may use {join_words([f'{name} {value}' for name, value in known.resources])}."


def _describe_resources(logged: Sequence[LogEntry]) -> Iterator[str]:
    """Of the revision's own entries around the failure."""
    if not logged:
        return
    for what, pattern in (("a lack of memory", _OUT_OF_MEMORY), ("a failed start", _NOT_STARTED)):
        hits = [entry for entry in logged if pattern.search(entry.text)]
        yield f"Of this revision's log entries around the failure {len(logged)} were read; {len(hits)} report {what}."


_PLATFORM_LOGS = ("run.googleapis.com%2Fvarlog%2Fsystem", "cloudaudit.googleapis.com%2Fsystem_event")
"""The logs that the platform writes itself: no service can put a line into them."""
_STARTUP_ERRORS = (
    "failed to start",
    "failed the startup probe",
    "STARTUP TCP probe failed",
    "STARTUP HTTP probe failed",
)

_LOG_WINDOW = timedelta(minutes=10)


def add_measured_impact(
    context: Context, service: Service, record: IncidentRecord, serving: ServiceState, report: Report
) -> Report:
    """Raises Retry. What may not be read is unknown, and the evidence says why."""
    revision = report.proof.deployed.revision or next(reversed(record.revisions), "")
    if not revision:
        return add_impact(report, ImpactMeasurement("", unavailable=("no entry names its revision",)))
    if not serving.is_observed:
        return add_impact(
            report, ImpactMeasurement(revision, unavailable=("what serves: only the log is known on this machine",))
        )
    try:
        measured = _measure_impact(context, service, record, serving, revision)
        compared = report.proof.environment
        earlier = compared.earlier if compared is not None and compared.failing == revision else ""
        return add_impact(report, replace(measured, earlier=earlier))
    except Reject as refused:
        return add_impact(report, ImpactMeasurement(revision, serving.traffic, unavailable=(str(refused),)))


def _measure_impact(
    context: Context, service: Service, record: IncidentRecord, serving: ServiceState, revision: str
) -> ImpactMeasurement:
    known = serving.revision if serving.revision.name == revision else context.revisions.get_revision(service, revision)
    if known is None:
        return ImpactMeasurement(revision, serving.traffic, unavailable=(f"{revision} does not exist any more",))
    since = max(known.created_at, context.clock.now() - REQUEST_WINDOW)
    requests = context.logs.count_requests(service, revision, since)
    failed = context.logs.count_failed_requests(service, revision, since)
    refused = "" if requests else _read_startup_error(context, service, record, revision)
    whole = since == known.created_at
    return ImpactMeasurement(
        revision, serving.traffic, requests, failed, refused, since_creation=whole, made_at=known.created_at
    )


def _read_startup_error(context: Context, service: Service, record: IncidentRecord, revision: str) -> str:
    """What the platform itself said about a revision that did not start; "" where it said nothing."""
    first = min((entry.timestamp for entry in record.entries if entry.timestamp), default=record.opened_at)
    for entry in context.logs.read_entries(service, first - _LOG_WINDOW, context.clock.now(), revision):
        if entry.log_name.endswith(_PLATFORM_LOGS) and _reports_failed_start(entry):
            return entry.text
    return ""


def _reports_failed_start(entry: LogEntry) -> bool:
    read = read_signal(entry)
    is_failed_start = isinstance(read, Signal) and read.kind is SignalKind.FAILED_START
    return is_failed_start or any(words in entry.text for words in _STARTUP_ERRORS)
