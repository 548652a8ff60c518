"""What a rollout leaves on the service it changes, so that the next process can go on or put everything back.

In: a service. Out: the note that its annotation carries, None where it carries none, and the annotation to write.
"""

import hashlib
import json
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

from shared.adapters.google.traffic import Target

if TYPE_CHECKING:
    from google.cloud.run_v2 import Service as RunService

ANNOTATION = "provenfix-rollout"
LABEL = "provenfix-rollout"
_LONGEST_NAME = 63
_MOST_FORMER = 5


@dataclass(frozen=True, slots=True)
class Note:
    """`before` is the split that was there; `left` is the one that was written last."""

    marker: str
    revision: str
    latest: str
    """The service's newest revision once the rollout has begun; another one was deployed by somebody else."""
    followed_latest: bool
    before: tuple[Target, ...]
    left: tuple[Target, ...]
    commit: str = ""
    """What a pipeline was asked to deploy; `revision` is "" until it has made one. "" for images."""
    since: str = ""
    """RFC 3339: when it was asked."""
    former: tuple[tuple[str, str], ...] = ()
    """Marker and revision of the last rollouts before this one."""


def mark(marker: str) -> str:
    """The marker as a label may hold it."""
    return hashlib.sha256(marker.encode()).hexdigest()[:12]


def tag_of(marker: str) -> str:
    """The tag under which the new revision can be tried."""
    return f"pf-{mark(marker)[:8]}"


def revision_name(service: str, marker: str) -> str:
    """The same for the same marker: Cloud Run itself refuses to make a second one."""
    end = f"-pf-{mark(marker)}"
    return service[: _LONGEST_NAME - len(end)] + end


def note_of(run: "RunService") -> Note | None:
    """A note that somebody has edited is none."""
    text = dict(run.annotations).get(ANNOTATION, "")
    try:
        told = json.loads(text) if text else None
        if told is None:
            return None
        before, left = (tuple(Target(**each) for each in told.pop(name)) for name in ("before", "left"))
        former = tuple((str(marker), str(revision)) for marker, revision in told.pop("former", ()))
        return Note(**told, before=before, left=left, former=former)
    except (ValueError, TypeError, KeyError, AttributeError):
        return None


def begun_by(note: Note | None) -> tuple[tuple[str, str], ...]:
    """What the next note remembers of this one and of those before it."""
    return (*note.former, (note.marker, note.revision))[-_MOST_FORMER:] if note is not None else ()


def annotated(run: "RunService", note: Note) -> dict[str, str]:
    """All annotations of the service, with this one."""
    return {**dict(run.annotations), ANNOTATION: json.dumps(asdict(note), separators=(",", ":"))}
