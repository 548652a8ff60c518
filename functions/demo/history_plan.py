"""The incident's history as data: the planned commits, each with its role."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from enum import StrEnum

from functions.demo.example_files import (
    build_files_with_more_tests,
    build_files_with_session_count,
    build_files_with_session_limit,
    build_initial_files,
)
from functions.demo.example_module import CHANGED_HANDLERS, Flavour, HandlerForm, render_module
from functions.demo.fast_import import CommitSpec

MODULE = "chat/agents_execute.py"


class Role(StrEnum):
    """What a commit is in the story; `I`, `A`, `B` and `F` of the design are the four in the middle."""

    FIRST = "first"
    GOOD = "good"
    INTRODUCED = "introduced"
    CLAIMED_FIX = "claimed_fix"
    REFACTORING = "refactoring"
    FIX = "fix"
    TESTS = "tests"
    HEARTBEAT = "heartbeat"
    HEAD = "head"


BEFORE_DEPLOYMENT = (Role.FIRST, Role.GOOD, Role.INTRODUCED, Role.CLAIMED_FIX)
"""What had been committed when the first of the two failing revisions was deployed."""

CommitTimes = Mapping[Role, datetime]


def list_incident_commit_times() -> CommitTimes:
    """The moments of the incident, on a day of its own."""
    midnight = datetime(2026, 5, 12, tzinfo=UTC)
    return {
        Role.FIRST: midnight - timedelta(days=21, hours=9, minutes=12),
        Role.GOOD: midnight - timedelta(hours=6, minutes=40),
        Role.INTRODUCED: midnight + timedelta(hours=1, minutes=58, seconds=58),
        Role.CLAIMED_FIX: midnight + timedelta(hours=2, minutes=44, seconds=30),
        Role.REFACTORING: midnight + timedelta(hours=3, minutes=56, seconds=27),
        Role.FIX: midnight + timedelta(hours=4, minutes=5, seconds=14),
        Role.TESTS: midnight + timedelta(hours=4, minutes=31, seconds=2),
        Role.HEARTBEAT: midnight + timedelta(hours=4, minutes=52, seconds=47),
        Role.HEAD: midnight + timedelta(hours=5, minutes=20, seconds=9),
    }


@dataclass(frozen=True, slots=True)
class StoryCommit:
    """One commit: its role, who made it, what its message says, how the changing handlers are written after it."""

    role: Role
    author: str
    subject: str
    forms: tuple[HandlerForm, ...]


def list_story_commits(flavour: Flavour) -> tuple[StoryCommit, ...]:
    """The whole story, oldest first."""
    plain, broken, framed = (
        (HandlerForm.PLAIN,) * CHANGED_HANDLERS,
        (HandlerForm.BROKEN,) * CHANGED_HANDLERS,
        (HandlerForm.FRAMED,) * CHANGED_HANDLERS,
    )
    one_mended = (HandlerForm.FIXED, *broken[1:])
    five_mended = (HandlerForm.FIXED, *framed[1:5], *broken[5:])
    all_mended = (HandlerForm.FIXED, *framed[1:])
    kind = "f-string" if flavour is Flavour.FSTRING else "string"
    mira, jonas, ada = "Mira Holm", "Jonas Brandt", "Ada Okafor"
    return (
        StoryCommit(Role.FIRST, mira, "Stream what the agents do, one event for each step", plain),
        StoryCommit(Role.GOOD, ada, "Say in the documents how events are named", plain),
        StoryCommit(Role.INTRODUCED, jonas, "Send the run with every handoff, approval and answer", broken),
        StoryCommit(
            Role.CLAIMED_FIX,
            jonas,
            f"fix: resolve {kind} syntax error causing container startup failure",
            one_mended,
        ),
        StoryCommit(Role.REFACTORING, mira, "refactor: frame approval events in one place", five_mended),
        StoryCommit(Role.FIX, mira, "refactor: frame the remaining answer events too", all_mended),
        StoryCommit(Role.TESTS, ada, "Test that a session reads its own transcript", all_mended),
        StoryCommit(Role.HEARTBEAT, ada, "Keep quiet streams open with a heartbeat", all_mended),
        StoryCommit(Role.HEAD, jonas, "Count the open sessions in the health answer", all_mended),
    )


def plan_commits(
    python: str, flavour: Flavour, commit_times: CommitTimes, *, limited: bool = False
) -> Mapping[Role, CommitSpec]:
    """One commit for each role, oldest first. `python` is the deployed minor version, such as `3.11`.

    A `limited` history ends with a change that compiles and does not work.
    """
    planned = {
        stage.role: CommitSpec(
            stage.subject, commit_times[stage.role], stage.author, _build_changed_files(stage, python, flavour)
        )
        for stage in list_story_commits(flavour)
    }
    if limited:
        newest, files = planned[Role.HEAD], build_files_with_session_limit(build_initial_files(python))
        planned[Role.HEAD] = replace(newest, subject="Keep no more than two sessions open", files=files)
    return planned


def render_module_after(role: Role, flavour: Flavour) -> str:
    """The text of the incident's module after the commit of that role."""
    forms = next(stage.forms for stage in list_story_commits(flavour) if stage.role is role)
    return render_module(forms, flavour, heartbeat=role in (Role.HEARTBEAT, Role.HEAD))


def _build_changed_files(stage: StoryCommit, python: str, flavour: Flavour) -> Mapping[str, str]:
    tree = build_initial_files(python)
    match stage.role:
        case Role.FIRST:
            return {**tree, MODULE: render_module_after(stage.role, flavour)}
        case Role.GOOD:
            return {"docs/events.md": tree["docs/events.md"] + "\nA name is never changed, only added.\n"}
        case Role.TESTS:
            return build_files_with_more_tests(tree)
        case Role.HEAD:
            return build_files_with_session_count(tree)
        case _:
            return {MODULE: render_module_after(stage.role, flavour)}
