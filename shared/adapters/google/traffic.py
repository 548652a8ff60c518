"""How a service's traffic is split, and how it is to be split: a service in, shares or targets out.

A split is written with names of revisions. `LATEST` would hand a new revision all of its traffic the moment it is
ready; and once a rollout was taken back, `LATEST` is the revision that failed.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from google.cloud.run_v2 import Service as RunService

_ALL = 100


@dataclass(frozen=True, slots=True)
class Target:
    """One line of a split. A share of 0 with a tag is an address for trying a revision."""

    revision: str
    percent: int
    tag: str = ""


def short(path: str) -> str:
    """The last part of a resource's name."""
    return path.rpartition("/")[2]


def follows_latest(run: "RunService") -> bool:
    """Whether whoever deploys next expects to get all of the traffic."""
    return any(each.type_.name.endswith("LATEST") and each.percent == _ALL for each in run.traffic) or not run.traffic


def targets(run: "RunService") -> tuple[Target, ...]:
    """The split that is wanted, with the revision that `LATEST` means by its name. The one that is may lag behind."""
    newest = short(run.latest_ready_revision)
    if not run.traffic:
        return (Target(newest, _ALL),)
    return tuple(Target(short(each.revision) or newest, each.percent, each.tag) for each in run.traffic)


def shares(run: "RunService") -> Mapping[str, int]:
    """Percent by revision as requests are spread at this moment, without those that get nothing."""
    newest = short(run.latest_ready_revision)
    return sums(Target(short(each.revision) or newest, each.percent) for each in run.traffic_statuses)


def sums(split: Iterable[Target]) -> dict[str, int]:
    """Percent by revision, without those that get nothing."""
    added: dict[str, int] = {}
    for each in split:
        if each.percent:
            added[each.revision] = added.get(each.revision, 0) + each.percent
    return added


def moved(before: Sequence[Target], revision: str, percent: int) -> tuple[Target, ...]:
    """`revision` gets its share, the others what is left in the proportion that they had; every tag stays."""
    others = {each.revision: 0 for each in before if each.percent and each.revision != revision}
    for each in before:
        if each.revision in others:
            others[each.revision] += each.percent
    rest, total = _ALL - percent if others else 0, sum(others.values())
    split = {name: share * rest // total for name, share in others.items()}
    if others:
        largest = max(others, key=lambda name: others[name])
        split[largest] += rest - sum(split.values())
    tags = tuple(Target(each.revision, 0, each.tag) for each in before if each.tag)
    kept = tuple(Target(name, share) for name, share in split.items() if share)
    return (Target(revision, _ALL - sum(split.values())), *kept, *tags)


def written(split: Sequence[Target]) -> list[dict[str, Any]]:
    """As Cloud Run takes it."""
    kind = "TRAFFIC_TARGET_ALLOCATION_TYPE_REVISION"
    return [{"type_": kind, "revision": each.revision, "percent": each.percent, "tag": each.tag} for each in split]


def spelling(run: "RunService") -> list[dict[str, Any]]:
    """The split that is wanted, as it was written."""
    told = [{"type_": each.type_.name, "percent": each.percent, "tag": each.tag} for each in run.traffic]
    for entry, each in zip(told, run.traffic, strict=True):
        if not each.type_.name.endswith("LATEST"):
            entry["revision"] = short(each.revision)
    return told


def latest(split: Sequence[Target], revision: str) -> list[dict[str, Any]]:
    """The same, where `revision` has all of the traffic and whoever deploys next shall have it again."""
    kind = "TRAFFIC_TARGET_ALLOCATION_TYPE_LATEST"
    others = [each for each in split if not (each.revision == revision and each.percent)]
    tag, *tags = [each.tag for each in split if each not in others and each.tag] or [""]
    return [
        {"type_": kind, "percent": _ALL, "tag": tag},
        *written([*others, *(Target(revision, 0, at) for at in tags)]),
    ]
