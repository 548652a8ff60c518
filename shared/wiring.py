"""Settings in, ports out: the only place that names concrete adapters. Each is imported when it is first wanted."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from shared.settings import Settings

if TYPE_CHECKING:
    from shared.adapters.compilers.found import FoundCompilers
    from shared.adapters.local.git_repository import GitRepository
    from shared.adapters.local.log_file import LogFile
    from shared.adapters.local.work_tree import WorkTree


@contextmanager
def local_history(path: str) -> "Iterator[GitRepository]":
    """The history of a repository on this machine."""
    from shared.adapters.local.git_repository import GitRepository  # noqa: PLC0415

    with GitRepository(path) as repository:
        yield repository


def local_log(path: str) -> "LogFile":
    """A log file on this machine; `-` is standard input."""
    from shared.adapters.local.log_file import LogFile  # noqa: PLC0415

    return LogFile(path)


def local_work_tree(path: str) -> "WorkTree | None":
    """The checkout around a directory, None for a bare repository."""
    from shared.adapters.local.work_tree import WorkTree  # noqa: PLC0415

    return WorkTree.find(path)


@contextmanager
def local_compilers(settings: Settings) -> "Iterator[FoundCompilers]":
    """The interpreters of this machine, and ruff."""
    from shared.adapters.compilers.found import FoundCompilers  # noqa: PLC0415

    with FoundCompilers(settings.interpreters) as compilers:
        yield compilers
