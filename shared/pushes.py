"""New commits as the code host reports them, and the check run that answers: values, and the port that writes it."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from shared.service import Service

MAX_ANNOTATIONS = 50
"""The code host takes so many with one request; the summary counts the others."""


LIMIT_REACHED = "limit_reached"
"""Why a commit is not read to the end: that costs more requests, or more time, than one check may."""


class PushKind(StrEnum):
    """What brought a commit."""

    PUSH = "push"
    PULL_REQUEST = "pull_request"


@dataclass(frozen=True, slots=True)
class PushEvent:
    """A commit that a branch ends at by now, or that a pull request wants to bring to one."""

    kind: PushKind
    delivery_id: str
    """The sender's id of this delivery; a repetition carries the same."""
    repository: str
    """`owner/name`."""
    branch: str
    """The branch that was pushed to, or that the pull request is for."""
    default_branch: str
    commit: str
    before: str
    """Where the branch ended before, or where the pull request's base ends; "" for a new branch."""
    is_from_fork: bool = False
    """Whether the commit is in another repository, to which other users may push."""


class CheckConclusion(StrEnum):
    """What a check run says, in the code host's words."""

    FAILURE = "failure"
    NEUTRAL = "neutral"
    SUCCESS = "success"


@dataclass(frozen=True, slots=True)
class Annotation:
    """A sentence beside a line of a file. `line`: from 1."""

    path: str
    line: int
    title: str
    message: str


@dataclass(frozen=True, slots=True)
class CheckRun:
    """A check run that is complete. `summary` and `text` are Markdown."""

    name: str
    external_id: str
    """By which a second delivery finds it."""
    commit: str
    conclusion: CheckConclusion
    title: str
    summary: str
    annotations: tuple[Annotation, ...] = ()


class CheckRunWriter(Protocol):
    """The check runs of a service's repository that are provenfix's own."""

    def is_available(self) -> bool:
        """Whether check runs can be written: GitHub lets only an App do that."""

    def find_run(self, service: Service, run: CheckRun) -> str | None:
        """The address of the check run with this commit, name and external id; None where there is none."""

    def create_run(self, service: Service, run: CheckRun) -> str:
        """*Effect.* Writes the check run, and returns its address. Raises Retry, Reject."""

    def find_merge_base(self, service: Service, base: str, head: str) -> str | None:
        """The last commit that two have in common; None where the code host knows none."""


PushMessage = Mapping[str, str]
"""How a push travels to the function that judges it."""
