"""Plays the incident for real, here and now: a folder goes in; a repository and the log of its service come out.

Nothing of the log is made up: a tree of the repository is served, a client connects, and what the service prints is
kept. Only the envelope around each line, which Cloud Run would add, is put on here.
"""

import io
import json
import sys
import zipfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from functions.local.showcase.build import Showcase, begin, finish
from functions.local.showcase.envelope import Line, entries
from functions.local.showcase.git import git
from functions.local.showcase.handlers import Flavour
from functions.local.showcase.plan import BEFORE_DEPLOYMENT, Role, module_after
from functions.local.showcase.service import serving
from functions.local.showcase.visitor import Visit, visit
from shared.errors import Unreadable

Say = Callable[[str], None]
"""Takes one sentence on what happens now."""


@dataclass(frozen=True, slots=True)
class Rehearsal:
    """The played incident. `log` is an export of the service's log, newest entry first."""

    story: Showcase
    log: Path
    visits: tuple[Visit, ...]


def rehearse(folder: Path, say: Say, flavour: Flavour | None = None) -> Rehearsal:
    """Builds, deploys and breaks the service twice, then writes the rest of the history.

    The second deployed tree is committed only afterwards: as in the incident, the log is older than the commit.
    `flavour` is one that this interpreter rejects. Raises `shared.errors.Unreadable` where anything cannot be run.
    """
    python, flavour = f"3.{sys.version_info.minor}", flavour or breaking_flavour()
    say(_choice(python, flavour))
    story = begin(folder / "repository.git", python=python, flavour=flavour, moments=_until_now(datetime.now(UTC)))
    app = export(story, story.claimed_fix, folder / "app")
    say("Serving the commit that says it is the fix: a real uvicorn on loopback, a real WebSocket client.")
    first, seen = _play(app, story.revisions[0], say)
    (app / story.module).write_text(module_after(Role.REFACTORING, flavour), "utf-8")
    say("Serving the next attempt straight from its work tree, before anybody has committed it.")
    second, seen_later = _play(app, story.revisions[1], say)
    lines = [*seen, *seen_later]
    story = finish(story, _from_now(story.moments, lines[-1].at))
    say("Committing that attempt, the real fix and three more changes, a second apart.")
    log = folder / "log.json"
    log.write_text(json.dumps(entries(lines, story.service)[::-1], indent=2), "utf-8")
    say(f"The log has {len(lines)} entries: the service's own lines, each in the envelope that Cloud Run would add.")
    return Rehearsal(story, log, (first, second))


def breaking_flavour() -> Flavour:
    """A break that this very interpreter rejects."""
    return Flavour.FSTRING if sys.version_info < (3, 12) else Flavour.EVERYWHERE


def export(story: Showcase, commit: str, folder: Path) -> Path:
    """Writes the tree of a commit into the folder, as `git archive` gives it."""
    packed = git([f"--git-dir={story.path}", "archive", "--format=zip", commit])
    with zipfile.ZipFile(io.BytesIO(packed)) as archive:
        archive.extractall(folder)
    return folder


def _choice(python: str, flavour: Flavour) -> str:
    if flavour is Flavour.FSTRING:
        return f"This is Python {python}: the break is a line break inside an f-string's {{…}}, which 3.12 made legal."
    return (
        f"This is Python {python}, which accepts the f-string of the original incident: the break is a string "
        "without its closing quote instead, which no version accepts."
    )


def _play(app: Path, revision: str, say: Say) -> tuple[Visit, list[Line]]:
    with serving(app) as service:
        seen = visit(service.port)
    if seen.close_code != 1011:
        raise Unreadable(f"The broken example service closed its socket with {seen.close_code}, not 1011.")
    say(f"The client was connected, then closed with {seen.close_code} ({seen.close_reason}).")
    return seen, [Line(line.at, revision, line.text, stream=line.stream) for line in service.printed]


def _until_now(now: datetime) -> Mapping[Role, datetime]:
    """The same distances before the first failure as in the incident."""
    before = {
        Role.FIRST: timedelta(days=21, hours=13),
        Role.GOOD: timedelta(hours=10, minutes=24),
        Role.INTRODUCED: timedelta(hours=1, minutes=44, seconds=45),
        Role.CLAIMED_FIX: timedelta(minutes=59, seconds=13),
    }
    later = {role: now for role in Role if role not in BEFORE_DEPLOYMENT}
    return {role: now - distance for role, distance in before.items()} | later


def _from_now(moments: Mapping[Role, datetime], last: datetime) -> Mapping[Role, datetime]:
    """Whole seconds, all after the last line of the log: git keeps no fractions."""
    first = last.replace(microsecond=0) + timedelta(seconds=1)
    later = (role for role in Role if role not in BEFORE_DEPLOYMENT)
    return dict(moments) | {role: first + timedelta(seconds=number) for number, role in enumerate(later)}
