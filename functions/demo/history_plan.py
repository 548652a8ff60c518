"""The incident's history as data: its moments go in, the planned commits come out, each with the role that it plays."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from enum import StrEnum

from functions.demo.fast_import import Planned
from functions.demo.handlers import CHANGING, Flavour, Form, module
from functions.demo.tree import first_tree, with_more_tests, with_session_count, with_session_limit

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

Moments = Mapping[Role, datetime]


def the_night() -> Moments:
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
class Stage:
    """One commit: its role, who made it, what its message says, how the changing handlers are written after it."""

    role: Role
    author: str
    subject: str
    forms: tuple[Form, ...]


def stages(flavour: Flavour) -> tuple[Stage, ...]:
    """The whole story, oldest first."""
    plain, broken, framed = (Form.PLAIN,) * CHANGING, (Form.BROKEN,) * CHANGING, (Form.FRAMED,) * CHANGING
    one_mended = (Form.MENDED, *broken[1:])
    five_mended = (Form.MENDED, *framed[1:5], *broken[5:])
    all_mended = (Form.MENDED, *framed[1:])
    kind = "f-string" if flavour is Flavour.FSTRING else "string"
    mira, jonas, ada = "Mira Holm", "Jonas Brandt", "Ada Okafor"
    return (
        Stage(Role.FIRST, mira, "Stream what the agents do, one event for each step", plain),
        Stage(Role.GOOD, ada, "Say in the documents how events are named", plain),
        Stage(Role.INTRODUCED, jonas, "Send the run with every handoff, approval and answer", broken),
        Stage(
            Role.CLAIMED_FIX,
            jonas,
            f"fix: resolve {kind} syntax error causing container startup failure",
            one_mended,
        ),
        Stage(Role.REFACTORING, mira, "refactor: frame approval events in one place", five_mended),
        Stage(Role.FIX, mira, "refactor: frame the remaining answer events too", all_mended),
        Stage(Role.TESTS, ada, "Test that a session reads its own transcript", all_mended),
        Stage(Role.HEARTBEAT, ada, "Keep quiet streams open with a heartbeat", all_mended),
        Stage(Role.HEAD, jonas, "Count the open sessions in the health answer", all_mended),
    )


def plans(python: str, flavour: Flavour, moments: Moments, *, limited: bool = False) -> Mapping[Role, Planned]:
    """One commit for each role, oldest first. `python` is the deployed minor version, such as `3.11`.

    A `limited` history ends with a change that compiles and does not work.
    """
    planned = {
        stage.role: Planned(stage.subject, moments[stage.role], stage.author, _files(stage, python, flavour))
        for stage in stages(flavour)
    }
    if limited:
        newest, files = planned[Role.HEAD], with_session_limit(first_tree(python))
        planned[Role.HEAD] = replace(newest, subject="Keep no more than two sessions open", files=files)
    return planned


def module_after(role: Role, flavour: Flavour) -> str:
    """The text of the incident's module after the commit of that role."""
    forms = next(stage.forms for stage in stages(flavour) if stage.role is role)
    return module(forms, flavour, heartbeat=role in (Role.HEARTBEAT, Role.HEAD))


def _files(stage: Stage, python: str, flavour: Flavour) -> Mapping[str, str]:
    tree = first_tree(python)
    match stage.role:
        case Role.FIRST:
            return {**tree, MODULE: module_after(stage.role, flavour)}
        case Role.GOOD:
            return {"docs/events.md": tree["docs/events.md"] + "\nA name is never changed, only added.\n"}
        case Role.TESTS:
            return with_more_tests(tree)
        case Role.HEAD:
            return with_session_count(tree)
        case _:
            return {MODULE: module_after(stage.role, flavour)}
