"""Builds the repository of the incident, and returns what a proof must find in it."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from functions.demo import fast_import
from functions.demo.example_module import Flavour
from functions.demo.history_plan import (
    BEFORE_DEPLOYMENT,
    MODULE,
    CommitTimes,
    Role,
    list_incident_commit_times,
    plan_commits,
)

SERVICE = "harbour-chat"
REVISIONS = (f"{SERVICE}-00041-abc", f"{SERVICE}-00042-def")
FIRST_LINES = {Role.INTRODUCED: 611, Role.CLAIMED_FIX: 624, Role.REFACTORING: 676}
ERROR_COUNTS = {Role.INTRODUCED: 7, Role.CLAIMED_FIX: 6, Role.REFACTORING: 2, Role.FIX: 0}


@dataclass(frozen=True, slots=True)
class ExampleRepository:
    """The built repository, and what is true of it."""

    path: Path
    """A bare repository."""
    branch: str
    python: str
    """The deployed minor version: what the Dockerfile says, and where the module does not compile."""
    flavour: Flavour
    module: str
    """Path of the broken file."""
    service: str
    revisions: tuple[str, str]
    """Built from the claimed fix, and from the refactoring before it was committed."""
    commits: Mapping[Role, str]
    """40-digit ids of what has been committed, oldest first."""
    commit_times: CommitTimes
    first_lines: Mapping[Role, int]
    """Where the module first fails, after each commit that leaves it broken."""
    errors: Mapping[Role, int]
    """How many errors it then has."""

    @property
    def introducing_commit(self) -> str:
        return self.commits[Role.INTRODUCED]

    @property
    def claimed_fix(self) -> str:
        """Says "fix", fixes one of seven."""
        return self.commits[Role.CLAIMED_FIX]

    @property
    def deployed(self) -> str:
        """The refactoring: what the second revision runs, though it was committed later."""
        return self.commits[Role.REFACTORING]

    @property
    def fix(self) -> str:
        return self.commits[Role.FIX]

    @property
    def head(self) -> str:
        """The newest commit, and the right one to deploy."""
        return self.commits[Role.HEAD]


def build_incident(
    path: Path,
    *,
    python: str = "3.11",
    flavour: Flavour = Flavour.FSTRING,
    commit_times: CommitTimes | None = None,
) -> ExampleRepository:
    """Writes the whole history. The same arguments give the same commit ids.

    Raises `shared.errors.InputError` where git is missing or cannot write there.
    """
    return _append_commits(_create_empty(path, python, flavour, commit_times), tuple(Role))


def begin_history(
    path: Path,
    *,
    python: str = "3.11",
    flavour: Flavour = Flavour.FSTRING,
    commit_times: CommitTimes | None = None,
) -> ExampleRepository:
    """Writes the history up to the commit that claimed to be the fix: what there was when the service was deployed."""
    return _append_commits(_create_empty(path, python, flavour, commit_times), BEFORE_DEPLOYMENT)


def finish_history(repository: ExampleRepository, commit_times: CommitTimes | None = None) -> ExampleRepository:
    """Writes the rest of the history, at other `moments` where they are given."""
    later = replace(repository, commit_times=commit_times or repository.commit_times)
    return _append_commits(later, tuple(role for role in Role if role not in BEFORE_DEPLOYMENT))


def _create_empty(path: Path, python: str, flavour: Flavour, commit_times: CommitTimes | None) -> ExampleRepository:
    fast_import.create_repository(path, "main")
    return ExampleRepository(
        path=path,
        branch="main",
        python=python,
        flavour=flavour,
        module=MODULE,
        service=SERVICE,
        revisions=REVISIONS,
        commits={},
        commit_times=commit_times or list_incident_commit_times(),
        first_lines=FIRST_LINES,
        errors=ERROR_COUNTS,
    )


def _append_commits(repository: ExampleRepository, roles: tuple[Role, ...]) -> ExampleRepository:
    planned = plan_commits(repository.python, repository.flavour, repository.commit_times)
    onto = list(repository.commits.values())[-1] if repository.commits else None
    ids = fast_import.append_commits(
        repository.path, [planned[role] for role in roles], branch=repository.branch, onto=onto
    )
    return replace(repository, commits={**repository.commits, **dict(zip(roles, ids, strict=True))})
