"""Reads and computes how a service's traffic is split.

A split is written with names of revisions. `LATEST` would hand a new revision all of its traffic the moment it is
ready; and once a rollout was taken back, `LATEST` is the revision that failed.
"""

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING, Any

from shared.errors import Reject
from shared.ports import CHANGED_BY_HAND

if TYPE_CHECKING:
    from google.cloud.run_v2 import Service as RunService

_ALL_TRAFFIC = 100


@dataclass(frozen=True, slots=True)
class TrafficShare:
    """One line of a split. A share of 0 with a tag is an address for trying a revision."""

    revision: str
    percent: int
    tag: str = ""


def get_last_segment(path: str) -> str:
    """The last part of a resource's name."""
    return path.rpartition("/")[2]


def follows_latest(run: "RunService") -> bool:
    """Whether the next deployment expects to get all of the traffic."""
    return (
        any(target.type_.name.endswith("LATEST") and target.percent == _ALL_TRAFFIC for target in run.traffic)
        or not run.traffic
    )


def expects_latest(run: "RunService", note: "RolloutNote | None") -> bool:
    """As `follows_latest`, also where only a rollout that moved nothing, or put all back, has tied it by name since.

    A trial is such a rollout: what follows it gives the newest revision its role back.
    """
    if follows_latest(run) or note is None or not note.followed_latest:
        return follows_latest(run)
    now = sum_by_revision(read_wanted_split(run))
    is_untouched = get_last_segment(run.latest_created_revision) == note.latest
    return is_untouched and now == sum_by_revision(note.left) == sum_by_revision(note.before)


def read_wanted_split(run: "RunService") -> tuple[TrafficShare, ...]:
    """The split that is wanted, with the revision that `LATEST` means by its name. The one that is may lag behind."""
    newest = get_last_segment(run.latest_ready_revision)
    if not run.traffic:
        return (TrafficShare(newest, _ALL_TRAFFIC),)
    return tuple(
        TrafficShare(get_last_segment(target.revision) or newest, target.percent, target.tag) for target in run.traffic
    )


def list_serving_shares(run: "RunService") -> Mapping[str, int]:
    """Percent by revision as requests are spread at this moment, without those that get nothing."""
    newest = get_last_segment(run.latest_ready_revision)
    return sum_by_revision(
        TrafficShare(get_last_segment(status.revision) or newest, status.percent) for status in run.traffic_statuses
    )


def sum_by_revision(split: Iterable[TrafficShare]) -> dict[str, int]:
    """Percent by revision, without those that get nothing."""
    added: dict[str, int] = {}
    for share in split:
        if share.percent:
            added[share.revision] = added.get(share.revision, 0) + share.percent
    return added


def shift_split(before: Sequence[TrafficShare], revision: str, percent: int) -> tuple[TrafficShare, ...]:
    """`revision` gets its share, the others what is left in the proportion that they had; every tag stays."""
    others = {
        traffic_share.revision: 0
        for traffic_share in before
        if traffic_share.percent and traffic_share.revision != revision
    }
    for traffic_share in before:
        if traffic_share.revision in others:
            others[traffic_share.revision] += traffic_share.percent
    rest, total = _ALL_TRAFFIC - percent if others else 0, sum(others.values())
    split = {name: share * rest // total for name, share in others.items()}
    if others:
        largest = max(others, key=lambda name: others[name])
        split[largest] += rest - sum(split.values())
    tags = tuple(
        TrafficShare(traffic_share.revision, 0, traffic_share.tag) for traffic_share in before if traffic_share.tag
    )
    shares = tuple(TrafficShare(name, share) for name, share in split.items() if share)
    return (TrafficShare(revision, _ALL_TRAFFIC - sum(split.values())), *shares, *tags)


def to_api_traffic(split: Sequence[TrafficShare]) -> list[dict[str, Any]]:
    """As Cloud Run takes it."""
    kind = "TRAFFIC_TARGET_ALLOCATION_TYPE_REVISION"
    return [{"type_": kind, "revision": share.revision, "percent": share.percent, "tag": share.tag} for share in split]


def read_raw_traffic(run: "RunService") -> list[dict[str, Any]]:
    """The split that is wanted, as it was written."""
    targets = [{"type_": target.type_.name, "percent": target.percent, "tag": target.tag} for target in run.traffic]
    for entry, target in zip(targets, run.traffic, strict=True):
        if not target.type_.name.endswith("LATEST"):
            entry["revision"] = get_last_segment(target.revision)
    return targets


def to_latest_traffic(split: Sequence[TrafficShare], revision: str) -> list[dict[str, Any]]:
    """The same, where `revision` has all of the traffic and the next deployment is to get it again."""
    kind = "TRAFFIC_TARGET_ALLOCATION_TYPE_LATEST"
    others = [share for share in split if not (share.revision == revision and share.percent)]
    tag, *tags = [share.tag for share in split if share not in others and share.tag] or [""]
    return [
        {"type_": kind, "percent": _ALL_TRAFFIC, "tag": tag},
        *to_api_traffic([*others, *(TrafficShare(revision, 0, at) for at in tags)]),
    ]


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
    """The service's newest revision once the rollout has begun; another one comes from another deployment."""
    followed_latest: bool
    before: tuple[TrafficShare, ...]
    left: tuple[TrafficShare, ...]
    commit: str = ""
    """What a pipeline was asked to deploy; `revision` is "" until it has made one. "" for images."""
    since: str = ""
    """RFC 3339: when it was asked."""
    former: tuple[tuple[str, str], ...] = ()
    """Marker and revision of the last rollouts before this one."""


def format_label_value(marker: str) -> str:
    """The marker as a label may hold it."""
    return hashlib.sha256(marker.encode()).hexdigest()[:12]


def build_traffic_tag(marker: str) -> str:
    """The tag under which the new revision can be tried."""
    return f"pf-{format_label_value(marker)[:8]}"


def build_revision_name(service: str, marker: str) -> str:
    """The same for the same marker: Cloud Run itself refuses to make a second one."""
    end = f"-pf-{format_label_value(marker)}"
    return service[: _MAX_NAME_LENGTH - len(end)] + end


def read_note(run: "RunService") -> RolloutNote | None:
    """A note that a user edited does not count."""
    text = dict(run.annotations).get(ROLLOUT_ANNOTATION, "")
    try:
        note = json.loads(text) if text else None
        if note is None:
            return None
        before, left = (tuple(TrafficShare(**share) for share in note.pop(name)) for name in ("before", "left"))
        former = tuple((str(marker), str(revision)) for marker, revision in note.pop("former", ()))
        return RolloutNote(**note, before=before, left=left, former=former)
    except (ValueError, TypeError, KeyError, AttributeError):
        return None


def remember_rollouts(note: RolloutNote | None) -> tuple[tuple[str, str], ...]:
    """What the next note remembers of this one and of those before it."""
    return (*note.former, (note.marker, note.revision))[-_MAX_FORMER:] if note is not None else ()


def build_annotations(run: "RunService", note: RolloutNote) -> dict[str, str]:
    """All annotations of the service, with this one."""
    return {**dict(run.annotations), ROLLOUT_ANNOTATION: json.dumps(asdict(note), separators=(",", ":"))}


def find_next_split(note: RolloutNote, revision: str, percent: int) -> tuple[TrafficShare, ...]:
    """The split that was there before, for a revision of it that shall have everything again; else the next one."""
    if percent == _ALL_TRAFFIC and revision != note.revision and revision in sum_by_revision(note.before):
        return note.before
    own = TrafficShare(note.revision, 0, build_traffic_tag(note.marker))
    split = shift_split((*note.before, own), revision, percent)
    return tuple(share for share in split if share != own) if percent == _ALL_TRAFFIC else split


def adopt_pipeline_revision(
    run: "RunService", note: RolloutNote, revision: str
) -> tuple[RolloutNote, tuple[TrafficShare, ...]]:
    """The note and the split with the revision that a pipeline has made, at its address."""
    if note.revision == revision:
        return note, note.left
    split = (*read_wanted_split(run), TrafficShare(revision, 0, build_traffic_tag(note.marker)))
    return replace(note, revision=revision, latest=revision), split


def require_unchanged(run: "RunService", note: RolloutNote, own: str) -> None:
    """A change that a user made by hand is not overwritten. What a pipeline did with its own revision is no such
    change.
    """
    newest, rollout = get_last_segment(run.latest_created_revision), note.revision or "a pipeline"
    if newest not in {note.latest, own}:
        raise Reject(CHANGED_BY_HAND, f"{newest} was deployed since the rollout of {rollout} began")
    now, left = sum_by_revision(read_wanted_split(run)), sum_by_revision(note.left)
    if now != left and not (note.commit and own and set(now) - set(left) == {own}):
        raise Reject(CHANGED_BY_HAND, f"the traffic was split anew since the rollout of {rollout} began")
