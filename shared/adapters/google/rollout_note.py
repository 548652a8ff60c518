"""What a rollout leaves on the service it changes, so that the next process can go on or put everything back.

In: a service. Out: the note that its annotation carries, None where it carries none, and the annotation to write.
"""

import hashlib
import json
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

from shared.adapters.google.traffic import TrafficShare

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
