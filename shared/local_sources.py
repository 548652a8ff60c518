"""Opens what is on this machine: repositories, log files, interpreters, the log of its services.

An adapter's module runs when it is first used, so the imports below cost a process nothing that it does not use.
"""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from shared.adapters.compilers import best_compilers
from shared.adapters.git import repository, work_tree_history
from shared.adapters.logs import log_file
from shared.adapters.sqlite import sqlite_logs
from shared.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from shared.config.settings import Settings


LOGS_FILE = "logs.sqlite"
"""The files of an embedded stack."""


def open_local_history(path: str) -> repository.GitRepository:
    """The history of a repository on this machine; closed by leaving its context."""
    return repository.GitRepository(path)


@contextmanager
def open_checked_out_history(path: str, revision: str | None) -> Iterator[tuple[repository.GitRepository, str]]:
    """A repository with the id of a revision; without one, of the files on disk, or of HEAD where none are."""
    checkout = find_work_tree(path) if revision is None else None
    if checkout is None:
        with open_local_history(path) as history:
            yield history, history.resolve(revision or "HEAD").id
        return
    with work_tree_history.WorkTreeHistory(path, checkout.read) as history:
        yield history, work_tree_history.WORK_TREE


def open_log_file(path: str) -> log_file.LogFile:
    """A log file on this machine; `-` is standard input."""
    return log_file.LogFile(path)


def find_work_tree(path: str) -> work_tree_history.WorkTree | None:
    """The checkout around a directory, None for a bare repository."""
    return work_tree_history.WorkTree.find(path)


def open_local_compilers(settings: Settings) -> best_compilers.LocalCompilers:
    """The interpreters of this machine, and ruff; closed by leaving their context."""
    return best_compilers.LocalCompilers(settings.interpreters)


def open_service_logs(settings: Settings) -> sqlite_logs.SqliteLogs:
    """The log of the services of this machine. Raises UsageError where the settings name no stack of one machine."""
    if settings.local_folder is None:
        raise UsageError("This is no stack of one machine; set PROVENFIX_LOCAL.")
    return sqlite_logs.SqliteLogs(settings.local_folder / LOGS_FILE)
