"""How a service's traffic is split, and how it is to be split: a service in, shares or targets out.

A split is written with names of revisions. `LATEST` would hand a new revision all of its traffic the moment it is
ready; and once a rollout was taken back, `LATEST` is the revision that failed.
"""

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from google.cloud.run_v2 import Service as RunService

_ALL_TRAFFIC = 100


@dataclass(frozen=True, slots=True)
class TrafficShare:
    """One line of a split. A share of 0 with a tag is an address for trying a revision."""

    revision: str
    percent: int
    tag: str = ""


def last_segment(path: str) -> str:
    """The last part of a resource's name."""
    return path.rpartition("/")[2]


def follows_latest(run: "RunService") -> bool:
    """Whether whoever deploys next expects to get all of the traffic."""
    return (
        any(each.type_.name.endswith("LATEST") and each.percent == _ALL_TRAFFIC for each in run.traffic)
        or not run.traffic
    )


def wanted_split(run: "RunService") -> tuple[TrafficShare, ...]:
    """The split that is wanted, with the revision that `LATEST` means by its name. The one that is may lag behind."""
    newest = last_segment(run.latest_ready_revision)
    if not run.traffic:
        return (TrafficShare(newest, _ALL_TRAFFIC),)
    return tuple(TrafficShare(last_segment(each.revision) or newest, each.percent, each.tag) for each in run.traffic)


def serving_shares(run: "RunService") -> Mapping[str, int]:
    """Percent by revision as requests are spread at this moment, without those that get nothing."""
    newest = last_segment(run.latest_ready_revision)
    return percent_by_revision(
        TrafficShare(last_segment(each.revision) or newest, each.percent) for each in run.traffic_statuses
    )


def percent_by_revision(split: Iterable[TrafficShare]) -> dict[str, int]:
    """Percent by revision, without those that get nothing."""
    added: dict[str, int] = {}
    for each in split:
        if each.percent:
            added[each.revision] = added.get(each.revision, 0) + each.percent
    return added


def shift_split(before: Sequence[TrafficShare], revision: str, percent: int) -> tuple[TrafficShare, ...]:
    """`revision` gets its share, the others what is left in the proportion that they had; every tag stays."""
    others = {each.revision: 0 for each in before if each.percent and each.revision != revision}
    for each in before:
        if each.revision in others:
            others[each.revision] += each.percent
    rest, total = _ALL_TRAFFIC - percent if others else 0, sum(others.values())
    split = {name: share * rest // total for name, share in others.items()}
    if others:
        largest = max(others, key=lambda name: others[name])
        split[largest] += rest - sum(split.values())
    tags = tuple(TrafficShare(each.revision, 0, each.tag) for each in before if each.tag)
    kept = tuple(TrafficShare(name, share) for name, share in split.items() if share)
    return (TrafficShare(revision, _ALL_TRAFFIC - sum(split.values())), *kept, *tags)


def to_api_traffic(split: Sequence[TrafficShare]) -> list[dict[str, Any]]:
    """As Cloud Run takes it."""
    kind = "TRAFFIC_TARGET_ALLOCATION_TYPE_REVISION"
    return [{"type_": kind, "revision": each.revision, "percent": each.percent, "tag": each.tag} for each in split]


def raw_traffic(run: "RunService") -> list[dict[str, Any]]:
    """The split that is wanted, as it was written."""
    told = [{"type_": each.type_.name, "percent": each.percent, "tag": each.tag} for each in run.traffic]
    for entry, each in zip(told, run.traffic, strict=True):
        if not each.type_.name.endswith("LATEST"):
            entry["revision"] = last_segment(each.revision)
    return told


def to_latest_traffic(split: Sequence[TrafficShare], revision: str) -> list[dict[str, Any]]:
    """The same, where `revision` has all of the traffic and whoever deploys next shall have it again."""
    kind = "TRAFFIC_TARGET_ALLOCATION_TYPE_LATEST"
    others = [each for each in split if not (each.revision == revision and each.percent)]
    tag, *tags = [each.tag for each in split if each not in others and each.tag] or [""]
    return [
        {"type_": kind, "percent": _ALL_TRAFFIC, "tag": tag},
        *to_api_traffic([*others, *(TrafficShare(revision, 0, at) for at in tags)]),
    ]


if TYPE_CHECKING:
    from google.cloud.run_v2 import Service as RunService

ROLLOUT_ANNOTATION = "provenfix-rollout"
ROLLOUT_LABEL = "provenfix-rollout"
_MAX_NAME_LENGTH = 63
_MAX_FORMER = 5


@dataclass(frozen=True, slots=True)
class RolloutNote:
    """`before` is the split that was there; `left` is the one that was written last."""

    marker: str
    revision: str
    latest: str
    """The service's newest revision once the rollout has begun; another one was deployed by somebody else."""
    followed_latest: bool
    before: tuple[TrafficShare, ...]
    left: tuple[TrafficShare, ...]
    commit: str = ""
    """What a pipeline was asked to deploy; `revision` is "" until it has made one. "" for images."""
    since: str = ""
    """RFC 3339: when it was asked."""
    former: tuple[tuple[str, str], ...] = ()
    """Marker and revision of the last rollouts before this one."""


def label_value(marker: str) -> str:
    """The marker as a label may hold it."""
    return hashlib.sha256(marker.encode()).hexdigest()[:12]


def traffic_tag(marker: str) -> str:
    """The tag under which the new revision can be tried."""
    return f"pf-{label_value(marker)[:8]}"


def revision_name(service: str, marker: str) -> str:
    """The same for the same marker: Cloud Run itself refuses to make a second one."""
    end = f"-pf-{label_value(marker)}"
    return service[: _MAX_NAME_LENGTH - len(end)] + end


def read_note(run: "RunService") -> RolloutNote | None:
    """A note that somebody has edited is none."""
    text = dict(run.annotations).get(ROLLOUT_ANNOTATION, "")
    try:
        told = json.loads(text) if text else None
        if told is None:
            return None
        before, left = (tuple(TrafficShare(**each) for each in told.pop(name)) for name in ("before", "left"))
        former = tuple((str(marker), str(revision)) for marker, revision in told.pop("former", ()))
        return RolloutNote(**told, before=before, left=left, former=former)
    except (ValueError, TypeError, KeyError, AttributeError):
        return None


def remember_rollouts(note: RolloutNote | None) -> tuple[tuple[str, str], ...]:
    """What the next note remembers of this one and of those before it."""
    return (*note.former, (note.marker, note.revision))[-_MAX_FORMER:] if note is not None else ()


def annotate(run: "RunService", note: RolloutNote) -> dict[str, str]:
    """All annotations of the service, with this one."""
    return {**dict(run.annotations), ROLLOUT_ANNOTATION: json.dumps(asdict(note), separators=(",", ":"))}
