"""Two incidents in which the service does not start: a renamed function, and a package that is not in the image.

Each story has its commits as data, oldest first, and what the deployed Python says of the failure. From a story comes
its repository with its log, and what a proof must find in them.
"""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from pathlib import Path

from functions.demo import fast_import
from functions.demo.build_repository import REVISIONS, SERVICE
from functions.demo.example_files import build_files_with_more_tests, build_initial_files
from functions.demo.example_module import CHANGED_HANDLERS, Flavour, HandlerForm, render_module
from functions.demo.fast_import import CommitSpec
from functions.demo.history_plan import MODULE, CommitTimes, Role, list_incident_commit_times
from functions.demo.incident_log import OutputLine, Shape, create_log_entries

MAIN = "chat/main.py"
_FIRST_IMPORT = "from chat import sessions\n"
_MIRA, _JONAS, _ADA = "Mira Holm", "Jonas Brandt", "Ada Okafor"


class StartupStoryName(StrEnum):
    """As the scenarios are called."""

    IMPORT = "import"
    IMAGE = "image"


@dataclass(frozen=True, slots=True)
class StartupStep:
    """One commit; `files` holds new contents by path."""

    role: Role
    author: str
    subject: str
    files: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class StartupStory:
    """`steps` are oldest first: the break, a commit that claims to be the fix, one more, the fix, and what follows."""

    name: StartupStoryName
    steps: tuple[StartupStep, ...]
    error: str
    """The last line of the traceback, as Python 3.11 prints it; later versions may add a suggestion."""
    failing_line: int
    """The line of `MAIN` with the import, from the break to the fix."""
    source: str
    """That line."""
    broken_path: str
    """The file in which the break is: the caller, or the ignore file."""


def list_startup_stories(python: str) -> Mapping[StartupStoryName, StartupStory]:
    """Both stories for a service on that Python."""
    return {story.name: story for story in (_build_import_story(python), _build_image_story(python))}


def plan_startup_commits(story: StartupStory, commit_times: CommitTimes) -> Mapping[Role, CommitSpec]:
    """One commit for each role of a story."""
    return {
        step.role: CommitSpec(step.subject, commit_times[step.role], step.author, step.files) for step in story.steps
    }


def _start_tree(python: str) -> dict[str, str]:
    """The files of the other incident, with all of its handlers as they first were."""
    module = render_module((HandlerForm.PLAIN,) * CHANGED_HANDLERS, Flavour.FSTRING)
    return {**build_initial_files(python), MODULE: module}


_USED_NAMES = "from chat.sessions import Denied, count, open_session, transcript\n"
_RENAMED = "from chat.sessions import Denied, count, open_session, read_transcript\n"


def _build_import_story(python: str) -> StartupStory:
    """`transcript` becomes `read_transcript`, and `main.py` still imports the old name."""
    start = _start_tree(python)
    main = start[MAIN].replace(_FIRST_IMPORT, _USED_NAMES)
    for name in ("open_session", "transcript", "Denied"):
        main = main.replace(f"sessions.{name}", name)
    main = main.replace('{"status": "ok"}', '{"status": "ok", "sessions": count()}')
    sessions, tests = start["chat/sessions.py"], start["tests/test_main.py"]
    renamed = {
        "chat/sessions.py": sessions.replace("def transcript(", "def read_transcript("),
        "tests/test_main.py": tests.replace("sessions.transcript(", "sessions.read_transcript(").replace(
            "from chat import main, sessions", "from chat import sessions"
        ),
    }
    claimed = main.replace('log = logging.getLogger("chat")', 'log = logging.getLogger("chat.socket")')
    fixed = claimed.replace(_USED_NAMES, _RENAMED).replace("transcript(scope", "read_transcript(scope")
    counted = fixed.replace('"sessions": count()', '"open": count()')
    steps = (
        StartupStep(Role.FIRST, _MIRA, "Stream what the agents do, one event for each step", start),
        StartupStep(Role.GOOD, _ADA, "Count the open sessions in the health answer", {MAIN: main}),
        StartupStep(Role.INTRODUCED, _JONAS, "refactor: name session functions after what they do", renamed),
        StartupStep(
            Role.CLAIMED_FIX, _JONAS, "fix: resolve ImportError at startup of the chat service", {MAIN: claimed}
        ),
        StartupStep(Role.REFACTORING, _MIRA, "Say in the documents how events are named", _build_document(start)),
        StartupStep(Role.FIX, _MIRA, "refactor: read transcripts by their session's own function", {MAIN: fixed}),
        StartupStep(Role.HEAD, _ADA, "Call the open sessions by that name in the health answer", {MAIN: counted}),
    )
    line, source = _find_line(main, _USED_NAMES)
    error = "ImportError: cannot import name 'transcript' from 'chat.sessions' (/app/chat/sessions.py)"
    return StartupStory(StartupStoryName.IMPORT, steps, error, line, source, MAIN)


_PACKAGE = "chat/monitoring/__init__.py"
_PROBES = '''\
"""What the service says of itself."""

from chat import sessions


def describe():
    return {"status": "ok", "sessions": sessions.count()}
'''
_IMPORT_PROBES = "from chat.monitoring import probes\n"
_IGNORE_MORE = "# dashboards and their recordings are no part of the service\n**/monitoring/\n*.ipynb\n"


def _build_image_story(python: str) -> StartupStory:
    """A line of the ignore file is meant for dashboards, and takes a package of the service out of the image."""
    start = _start_tree(python)
    start["monitoring/dashboard.json"] = '{"panels": []}\n'
    main = start[MAIN].replace(_FIRST_IMPORT, _FIRST_IMPORT + _IMPORT_PROBES)
    main = main.replace('body = 200, {"status": "ok"}', "body = 200, probes.describe()")
    ignore = start[".dockerignore"]
    used = {MAIN: main, _PACKAGE: "", "chat/monitoring/probes.py": _PROBES}
    claimed = {_PACKAGE: 'from chat.monitoring import probes\n\n__all__ = ["probes"]\n'}
    ignored = {".dockerignore": ignore + _IGNORE_MORE}
    lifted = {".dockerignore": ignore + _IGNORE_MORE.replace("**/monitoring/", "/monitoring/")}
    more = {"chat/monitoring/probes.py": _PROBES.replace('"sessions"', '"open"')}
    steps = (
        StartupStep(Role.FIRST, _MIRA, "Stream what the agents do, one event for each step", start),
        StartupStep(Role.GOOD, _ADA, "Answer health by probes of their own", used),
        StartupStep(Role.INTRODUCED, _JONAS, "Keep dashboards out of the image", ignored),
        StartupStep(Role.CLAIMED_FIX, _JONAS, "P0 fix: export the probes so that the service starts", claimed),
        StartupStep(Role.REFACTORING, _MIRA, "Say in the documents how events are named", _build_document(start)),
        StartupStep(Role.FIX, _MIRA, "chore: ignore the folder of dashboards by its path", lifted),
        StartupStep(
            Role.TESTS, _ADA, "Test that a session reads its own transcript", build_files_with_more_tests(start)
        ),
        StartupStep(Role.HEAD, _ADA, "Call the open sessions by that name in the health answer", more),
    )
    line, source = _find_line(main, _IMPORT_PROBES)
    error = "ModuleNotFoundError: No module named 'chat.monitoring'"
    return StartupStory(StartupStoryName.IMAGE, steps, error, line, source, ".dockerignore")


def _build_document(tree: Mapping[str, str]) -> Mapping[str, str]:
    return {"docs/events.md": tree["docs/events.md"] + "\nA name is never changed, only added.\n"}


def _find_line(text: str, line: str) -> tuple[int, str]:
    return text[: text.index(line)].count("\n") + 1, line.strip()


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
