"""Builds the repository of a service that does not start, and its log, and returns what a proof must find in them."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from functions.demo import fast_import
from functions.demo.build_repository import REVISIONS, SERVICE
from functions.demo.history_plan import CommitTimes, Role, list_incident_commit_times
from functions.demo.incident_log import OutputLine, Shape, create_log_entries
from functions.demo.startup_stories import (
    MAIN,
    StartupStory,
    StartupStoryName,
    list_startup_stories,
    plan_startup_commits,
)

_EXITED = "Container called exit(1)."


@dataclass(frozen=True, slots=True)
class StartupRepository:
    """The built repository, and what is true of it: the claimed fix is deployed, and does not start."""

    path: Path
    """A bare repository."""
    branch: str
    python: str
    story: StartupStory
    service: str
    revision: str
    commits: Mapping[Role, str]
    """40-digit ids, oldest first."""
    commit_times: CommitTimes

    @property
    def failed_at(self) -> datetime:
        """When the revision first failed to start."""
        return self.commit_times[Role.CLAIMED_FIX] + timedelta(minutes=6, microseconds=412_905)


def build_startup_incident(path: Path, name: StartupStoryName, *, python: str = "3.11") -> StartupRepository:
    """Writes the whole history. The same arguments give the same commit ids. Raises `shared.errors.InputError`."""
    story, times = list_startup_stories(python)[name], list_incident_commit_times()
    ids = fast_import.write_repository(path, list(plan_startup_commits(story, times).values()))
    commits = dict(zip((step.role for step in story.steps), ids, strict=True))
    return StartupRepository(path, "main", python, story, SERVICE, REVISIONS[0], commits, times)


def write_startup_log(repository: StartupRepository, path: Path, shape: Shape = Shape.TRACEBACK) -> Path:
    """Writes the log of the incident to `path` and returns it."""
    path.write_text(render_startup_log(repository, shape), "utf-8")
    return path


def render_startup_log(repository: StartupRepository, shape: Shape) -> str:
    """The log as one text: a traceback for each of three starts, the newest first but for JSON lines."""
    lines = list(_list_lines(repository, is_split=shape in {Shape.LINE_BY_LINE, Shape.PLAIN}))
    if shape is Shape.PLAIN:
        return "".join(f"{line.at:%H:%M:%S}  {line.text}\n" for line in lines)
    entries = create_log_entries(lines, repository.service)
    if shape is Shape.JSON_LINES:
        return "".join(json.dumps(entry) + "\n" for entry in entries)
    return json.dumps(entries[::-1], indent=2) + "\n"


def _list_lines(repository: StartupRepository, *, is_split: bool) -> Iterator[OutputLine]:
    for start in range(3):
        at = repository.failed_at + timedelta(seconds=11 * start)
        text = format_startup_traceback(repository)
        for number, part in enumerate(text.splitlines() if is_split else [text]):
            severity = "" if is_split else "ERROR"
            yield OutputLine(at + timedelta(microseconds=300 * number), repository.revision, part, severity)
        yield OutputLine(at + timedelta(milliseconds=90), repository.revision, _EXITED, "WARNING", "varlog%2Fsystem")


def format_startup_traceback(repository: StartupRepository) -> str:
    """As uvicorn prints it, paths as in the image."""
    library = f"/usr/local/lib/python{repository.python}"
    packages = f"{library}/site-packages"
    return "\n".join(
        (
            "Traceback (most recent call last):",
            '  File "/usr/local/bin/uvicorn", line 8, in <module>',
            "    sys.exit(main())",
            f'  File "{packages}/uvicorn/main.py", line 424, in main',
            "    run(",
            f'  File "{packages}/uvicorn/config.py", line 441, in load',
            "    self.loaded_app = import_from_string(self.app)",
            f'  File "{packages}/uvicorn/importer.py", line 19, in import_from_string',
            "    module = importlib.import_module(module_str)",
            f'  File "{library}/importlib/__init__.py", line 126, in import_module',
            "    return _bootstrap._gcd_import(name[level:], package, level)",
            '  File "<frozen importlib._bootstrap>", line 1204, in _gcd_import',
            '  File "<frozen importlib._bootstrap_external>", line 940, in exec_module',
            f'  File "/app/{MAIN}", line {repository.story.failing_line}, in <module>',
            f"    {repository.story.source}",
            repository.story.error,
        )
    )
