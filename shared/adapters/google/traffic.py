"""How a service's traffic is split, and how it is to be split: a service in, shares or targets out.

A split is written with names of revisions. `LATEST` would hand a new revision all of its traffic the moment it is
ready; and once a rollout was taken back, `LATEST` is the revision that failed.
"""

from collections.abc import Mapping, Sequence
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
    """The split as it is, with the revision that `LATEST` means by its name."""
    latest = short(run.latest_ready_revision)
    return tuple(Target(short(each.revision) or latest, each.percent, each.tag) for each in run.traffic_statuses)


def shares(run: "RunService") -> Mapping[str, int]:
    """Percent by revision, without those that get nothing."""
    split: dict[str, int] = {}
    for each in targets(run):
        if each.percent:
            split[each.revision] = split.get(each.revision, 0) + each.percent
    return split


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


def latest(split: Sequence[Target], revision: str) -> list[dict[str, Any]]:
    """The same, where `revision` has all of the traffic and whoever deploys next shall have it again."""
    kind = "TRAFFIC_TARGET_ALLOCATION_TYPE_LATEST"
    others = [each for each in split if not (each.revision == revision and each.percent)]
    return [{"type_": kind, "percent": _ALL}, *written(others)]
