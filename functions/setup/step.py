"""One step of a setup as a value: what it is called, what it runs, and what takes it back."""

import shlex
from dataclasses import dataclass
from enum import StrEnum


class StepName(StrEnum):
    """All steps, in their order."""

    PROJECT = "project"
    CREDENTIALS = "credentials"
    APIS = "apis"
    IDENTITIES = "identities"
    STATE = "state"
    SECRETS = "secrets"
    SLACK_APP = "slack_app"
    SLACK_CHANNEL = "slack_channel"
    GITHUB_APP = "github_app"
    GITHUB_INSTALLATION = "github_installation"
    CONFIGURATION = "configuration"
    BUNDLE = "bundle"
    TERRAFORM = "terraform"
    DOCTOR = "doctor"
    TRIAL = "trial"


@dataclass(frozen=True, slots=True)
class Command:
    """A program with its arguments; none of them is ever a secret."""

    argv: tuple[str, ...]
    unless: tuple[str, ...] = ()
    """A command that succeeds where there is nothing left to do."""

    def __str__(self) -> str:
        return shlex.join(self.argv)


@dataclass(frozen=True, slots=True)
class Step:
    """`notes` say what a step does beside its commands, `undo_note` what a teardown leaves to users."""

    name: StepName
    title: str
    commands: tuple[Command, ...] = ()
    notes: tuple[str, ...] = ()
    undo: tuple[Command, ...] = ()
    undo_note: str = ""
    is_derived: bool = False
    """Whether it runs again as soon as a step before it has run."""
