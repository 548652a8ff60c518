"""One thing that is looked at, and what was found: each check is a name and a question, each finding a line."""

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum


class CheckState(StrEnum):
    """How it stands. `missing_result` and `unknown` make the command end with 1."""

    OK = "ok"
    MISSING = "missing"
    UNKNOWN = "unknown"
    """Nobody could be asked: no credentials, no network, no answer in time."""
    UNSEEN = "unseen"
    """The credentials, which have all that the functions need, do not show it; a person can."""


@dataclass(frozen=True, slots=True)
class CheckResult:
    """`mend` is the command to run, "" where there is nothing to mend."""

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
    """Nobody could be asked; the text is one sentence. `mend` is the command that helps, where there is one."""

    def __init__(self, message: str, remedy: str = "") -> None:
        super().__init__(message)
        self.remedy = remedy


def ok_result(detail: str = "") -> CheckResult:
    """It is as it must be."""
    return CheckResult(CheckState.OK, detail)


def missing_result(detail: str, remedy: str) -> CheckResult:
    """It is not as it must be, and `mend` is what to run."""
    return CheckResult(CheckState.MISSING, detail, remedy)
