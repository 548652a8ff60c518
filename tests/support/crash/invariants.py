"""What must never be: the outside and the stored documents in, the broken rules out. Empty at every moment."""

from collections import Counter
from collections.abc import Iterator, Mapping

from shared.workflow.flow import IncidentState
from tests.support.harness import APPROVER, SECOND_APPROVER, Harness
from tests.support.memory import MemoryStore

_AUTOMATIC_ACTORS = {"verify", "redeploy"}


def find_rule_violations(harness: Harness, denied: set[str]) -> list[str]:
    """`denied` are the proposals of which a user has read that they are denied."""
    return [
        *_check_outside(harness),
        *_check_deployments(harness, denied),
        *_check_incidents(harness),
        *_check_decisions(harness),
    ]


def _check_outside(harness: Harness) -> Iterator[str]:
    yield from _find_duplicates("issue", [issue.body.partition("\n")[0] for issue in harness.issues.issues])
    yield from _find_duplicates("message", [posted.marker for posted in harness.chat.posted])
    yield from _find_duplicates("record of", [entry.marker for entry in harness.deployment_records.entries])
    yield from _find_duplicates("success of record", harness.deployment_records.succeeded)
    for issue in harness.issues.issues:
        yield from _find_duplicates("comment", [comment.partition("\n")[0] for comment in issue.comments])
        if issue.close_count > 1:
            yield f"{issue.title} was closed {issue.close_count} times"


def _check_deployments(harness: Harness, denied: set[str]) -> Iterator[str]:
    proposals = _documents(harness, "proposals")
    decisions = _documents(harness, "decisions")
    yield from _find_duplicates("deployment", [operation.marker for operation in harness.cloud.operations])
    questions = [
        str(proposals[operation.marker]["instead_of"] or operation.marker) for operation in harness.cloud.operations
    ]
    yield from _find_duplicates("deployment of question", questions)
    for operation in harness.cloud.operations:
        marker = operation.marker
        if (proposals[marker]["instead_of"] or marker) in denied:
            yield f"{marker} was deployed after a denial"
        decision = decisions.get(str(proposals[marker]["instead_of"] or marker), {})
        if decision.get("state") != "acting" or decision.get("chosen") != marker:
            yield f"{marker} was deployed without an approval that still held"
        if operation.commit != proposals[marker]["commit"]:
            yield f"{marker} deployed another commit than the proposed one"
    days = Counter((operation.service, operation.started_at.date()) for operation in harness.cloud.operations)
    for (service, day), count in days.items():
        # A rollout counts on the day on which it was decided, which may be the day before it begins.
        if count > 2 * harness.services[service].daily_cap:
            yield f"{service} was deployed {count} times on {day}"


def is_active(incident: Mapping[str, object]) -> bool:
    """Whether something goes on in a stored incident; after a trial ticks only look for a newer commit."""
    return bool(incident["active_for"]) and incident["state"] != IncidentState.TRIED


def _check_incidents(harness: Harness) -> Iterator[str]:
    incidents = _documents(harness, "incidents").values()
    active = [incident for incident in incidents if is_active(incident)]
    yield from _find_duplicates("active incident of", [str(incident["fingerprint"]) for incident in active])
    files = [
        f"{incident['service']} {str(incident['path']).rpartition('/')[2]}" for incident in active if incident["path"]
    ]
    yield from _find_duplicates("active incident of", files)
    yield from _find_duplicates(
        "rollout of", [str(incident["service"]) for incident in active if incident["state"] == "deploying"]
    )


def _check_decisions(harness: Harness) -> Iterator[str]:
    for key, decision in _documents(harness, "decisions").items():
        if decision["by"] not in {APPROVER, SECOND_APPROVER, *_AUTOMATIC_ACTORS}:
            yield f"{decision['by']} decided about {key}"


def _find_duplicates(what: str, names: list[str]) -> Iterator[str]:
    for name, count in Counter(names).items():
        if count > 1:
            yield f"{what} {name}: {count} times"


def _documents(harness: Harness, kind: str) -> dict[str, dict[str, object]]:
    assert isinstance(harness.store, MemoryStore)
    return {key: dict(value) for key, value in harness.store.documents(kind).items()}
