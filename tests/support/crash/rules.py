"""What must never be: the outside and the stored documents in, the broken rules out. Empty at every moment."""

from collections import Counter
from collections.abc import Iterator

from tests.support.harness import APPROVER, SECOND, Setting
from tests.support.memory import MemoryStore

_BY_CLOCK_OR_WORLD = {"verify", "redeploy"}


def broken_rules(setting: Setting, denied: set[str]) -> list[str]:
    """`denied` are the proposals of which somebody was told that they are denied."""
    return [*_outside(setting), *_deployments(setting, denied), *_incidents(setting), *_decisions(setting)]


def _outside(setting: Setting) -> Iterator[str]:
    yield from _twice("issue", [issue.body.partition("\n")[0] for issue in setting.issues.all])
    yield from _twice("message", [posted.marker for posted in setting.chat.all])
    for issue in setting.issues.all:
        yield from _twice("comment", [comment.partition("\n")[0] for comment in issue.comments])
        if issue.closes > 1:
            yield f"{issue.title} was closed {issue.closes} times"


def _deployments(setting: Setting, denied: set[str]) -> Iterator[str]:
    proposals = _documents(setting, "proposals")
    decisions = _documents(setting, "decisions")
    yield from _twice("deployment", [operation.marker for operation in setting.cloud.operations])
    questions = [str(proposals[each.marker]["instead_of"] or each.marker) for each in setting.cloud.operations]
    yield from _twice("deployment of question", questions)
    for operation in setting.cloud.operations:
        marker = operation.marker
        if (proposals[marker]["instead_of"] or marker) in denied:
            yield f"{marker} was deployed after a denial"
        decision = decisions.get(str(proposals[marker]["instead_of"] or marker), {})
        if decision.get("state") != "acting" or decision.get("chosen") != marker:
            yield f"{marker} was deployed without an approval that still held"
        if operation.commit != proposals[marker]["commit"]:
            yield f"{marker} deployed another commit than the proposed one"
    days = Counter((each.service, each.started_at.date()) for each in setting.cloud.operations)
    for (service, day), count in days.items():
        # A rollout counts on the day on which it was decided, which may be the day before it begins.
        if count > 2 * setting.services[service].daily_cap:
            yield f"{service} was deployed {count} times on {day}"


def _incidents(setting: Setting) -> Iterator[str]:
    incidents = _documents(setting, "incidents").values()
    active = [each for each in incidents if each["active_for"]]
    yield from _twice("active incident of", [str(each["fingerprint"]) for each in active])
    files = [f"{each['service']} {str(each['path']).rpartition('/')[2]}" for each in active if each["path"]]
    yield from _twice("active incident of", files)
    yield from _twice("rollout of", [str(each["service"]) for each in active if each["state"] == "deploying"])


def _decisions(setting: Setting) -> Iterator[str]:
    for key, decision in _documents(setting, "decisions").items():
        if decision["by"] not in {APPROVER, SECOND, *_BY_CLOCK_OR_WORLD}:
            yield f"{decision['by']} decided about {key}"


def _twice(what: str, names: list[str]) -> Iterator[str]:
    for name, count in Counter(names).items():
        if count > 1:
            yield f"{what} {name}: {count} times"


def _documents(setting: Setting, kind: str) -> dict[str, dict[str, object]]:
    assert isinstance(setting.store, MemoryStore)
    return {key: dict(value) for key, value in setting.store.all(kind).items()}
