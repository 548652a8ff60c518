"""A check, its result, and the error of a check that got no answer."""

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum


class CheckState(StrEnum):
    """What a check found. `MISSING` and `UNKNOWN` make the command exit with 1."""

    OK = "ok"
    MISSING = "missing"
    UNKNOWN = "unknown"
    """No answer: no credentials, no network, or too late."""
    UNSEEN = "unseen"
    """The credentials have all that the functions need, but do not show this; a user can check it."""


@dataclass(frozen=True, slots=True)
class CheckResult:
    """`remedy` is the command to run, "" if there is nothing to fix."""

    state: CheckState
    detail: str = ""
    remedy: str = ""


@dataclass(frozen=True, slots=True)
class Check:
    """`kind` and `name` name the thing that is checked. `run` raises `CheckUnavailable` if nobody can answer."""

    kind: str
    name: str
    run: Callable[[], CheckResult]


class CheckUnavailable(Exception):
    """A check got no answer; the text is one sentence. `remedy` is the command that helps, if there is one."""

    def __init__(self, message: str, remedy: str = "") -> None:
        super().__init__(message)
        self.remedy = remedy


def build_ok_result(detail: str = "") -> CheckResult:
    """Returns a passed check."""
    return CheckResult(CheckState.OK, detail)


def build_missing_result(detail: str, remedy: str) -> CheckResult:
    """Returns a failed check; `remedy` is the command to run."""
    return CheckResult(CheckState.MISSING, detail, remedy)
