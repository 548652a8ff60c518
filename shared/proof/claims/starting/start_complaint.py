"""Reads which start target a log says to be missing: a module, a name in it, or a file, and the program that asked.

Takes an incident. The sentences are those of the servers and of Python itself; each begins its line, behind a logger's
words at most. Where the log names two different targets, none is read.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from shared.detection.entry import LogEntry
from shared.detection.incident import Incident
from shared.detection.line_prefixes import strip_line_prefixes
from shared.detection.logged_exception import Frame, LoggedException, is_logged_error, is_package_frame
from shared.proof.loading.commit_tree import is_image_file
from shared.text.escaping import strip_markup

_MAX_TEXT = 64 * 1024
_MAX_LINES = 400
_MAX_LINE = 600
_MODULE = r"(?P<module>[A-Za-z_]\w{0,100}(?:\.[A-Za-z_]\w{0,100}){0,20})"
_NAME = r"(?P<name>[A-Za-z_]\w{0,100}(?:\.[A-Za-z_]\w{0,100}){0,20})"
_UVICORN_MODULE = re.compile(rf"Error loading ASGI app\. Could not import module \"{_MODULE}\"\.?$")
_UVICORN_NAME = re.compile(rf"Error loading ASGI app\. Attribute \"{_NAME}\" not found in module \"{_MODULE}\"\.?$")
_GUNICORN_NAME = re.compile(rf"Failed to find attribute '{_NAME}' in '{_MODULE}'\.?$")
_HYPERCORN_NAME = re.compile(
    rf"Cannot load application from '{_MODULE}(?::(?P<name>\w{{1,100}}))?', application not found\.?$"
)
_HYPERCORN_MODULE = re.compile(rf"Cannot load application from '{_MODULE}(?::\w{{1,100}})?', module not found\.?$")
_FUNCTION_FILE = re.compile(r"File (?P<path>\S{1,300}) that is expected to define function doesn't exist$")
_FUNCTION_NAME = re.compile(rf"File (?P<path>\S{{1,300}}) is expected to contain a function named '{_NAME}'\. Found: ")
_PYTHON_FILE = re.compile(r"can't open file '(?P<path>[^'\n]{1,300})': \[Errno 2\] No such file or directory$")
_PYTHON_MODULE = re.compile(
    rf"No module named {_MODULE}(?:; '[\w.]{{1,300}}' is a package and cannot be directly executed)?$"
)
_PYTHON_SPECIFICATION = re.compile(
    rf"Error while finding module specification for '{_MODULE}' "
    r"\(ModuleNotFoundError: No module named '(?P<missing>[\w.]{1,300})'\)$"
)
_CELERY_MODULE = re.compile(rf"The module {_MODULE} was not found\.?$")
_SENTENCES = (
    ("uvicorn", _UVICORN_MODULE),
    ("uvicorn", _UVICORN_NAME),
    ("gunicorn", _GUNICORN_NAME),
    ("hypercorn", _HYPERCORN_NAME),
    ("hypercorn", _HYPERCORN_MODULE),
    ("functions-framework", _FUNCTION_FILE),
    ("functions-framework", _FUNCTION_NAME),
    ("python", _PYTHON_FILE),
    ("python -m", _PYTHON_MODULE),
    ("python -m", _PYTHON_SPECIFICATION),
    ("celery", _CELERY_MODULE),
)
_OF_PYTHON = frozenset(("python", "python -m"))
_PYTHON_PREFIX = re.compile(r"(?:^|[\s:|>])(?:/[^\s:]{1,200}/)?python[\d.]{0,6}: $")
_CELERY_LINE_BEFORE = re.compile(r"Unable to load celery application\.?\s{0,9}$")
_MISSING = re.compile(rf"No module named '{_MODULE}'")
_NO_ATTRIBUTE = re.compile(rf"module '{_MODULE}' has no attribute '{_NAME}'$")
_NO_FILE = re.compile(r"\[Errno 2\] No such file or directory: '(?P<path>[^'\n]{1,300})'$")
_FOUND = (_MISSING, _NO_ATTRIBUTE, _NO_FILE)
_GUNICORN_LOADER = re.compile(r"[/\\]gunicorn[/\\]util\.py$")
_UVICORN_LOADER = re.compile(r"[/\\]uvicorn[/\\]importer\.py$")
_HYPERCORN_LOADER = re.compile(r"[/\\]hypercorn[/\\]utils\.py$")
_DAPHNE_LOADER = re.compile(r"[/\\]daphne[/\\]utils\.py$")
_LOADERS = (
    ("gunicorn", _GUNICORN_LOADER),
    ("uvicorn", _UVICORN_LOADER),
    ("hypercorn", _HYPERCORN_LOADER),
    ("daphne", _DAPHNE_LOADER),
)
"""The program, and its file that imports the application."""
_IMPORT_SYSTEM = re.compile(r"^<frozen |[/\\]importlib[/\\]__init__\.py$")


@dataclass(frozen=True, slots=True)
class StartComplaint:
    """What is missing. `module` is dotted, `name` an attribute of it, `path` a file as logged; "" where not said."""

    program: str
    """`uvicorn`, `gunicorn`, `hypercorn`, `daphne`, `celery`, `functions-framework`, `python` or `python -m`.

    "" where a check has found it, and not a program.
    """
    module: str
    name: str
    path: str
    error_class: str
    """Of the exception that says so; "" for a sentence."""
    message: str

    @property
    def target(self) -> tuple[str, str, str]:
        return self.module, self.name, self.path


def find_start_complaint(incident: Incident) -> tuple[StartComplaint, LogEntry] | None:
    """The one complaint of an incident, with the entry that makes it; None without one, or where two differ."""
    complaints = list(_list_complaints(incident))
    targets = {complaint.target for complaint, _ in complaints}
    return complaints[0] if len(targets) == 1 else None


def _read_found(incident: Incident) -> StartComplaint | None:
    """What a check has found before it was logged: its place is a Dockerfile or a Procfile."""
    raised = incident.raised
    frames = raised.exception.frames if raised is not None else ()
    if raised is None or not incident.is_found_early or not frames or not is_image_file(frames[-1].path):
        return None
    match = next((match for pattern in _FOUND if (match := pattern.match(raised.exception.message))), None)
    error = raised.exception.error_class
    return _build_complaint("", match, error, raised.exception.message) if match is not None else None


def _list_complaints(incident: Incident) -> Iterator[tuple[StartComplaint, LogEntry]]:
    raised = incident.raised
    alarm = _read_found(incident)
    if alarm is not None and raised is not None:
        yield alarm, raised.entry
        return
    if raised is not None:
        complaint = read_start_exception(raised.exception)
        if complaint is not None and not raised.later_links:
            yield complaint, raised.entry
        return  # an exception of the service's own code says more than a sentence beside it
    entries = [sighting.first for sighting in incident.sightings]
    entries += [symptom.first for symptom in (*incident.symptoms, *incident.nearby)]
    for entry in entries:
        yield from ((complaint, entry) for complaint in read_start_sentences(entry.text))


def read_start_sentences(text: str) -> list[StartComplaint]:
    """The complaints of a text without any traceback, in its order."""
    complaints: list[StartComplaint] = []
    before = ""
    for line in strip_line_prefixes(strip_markup(text[:_MAX_TEXT])).splitlines()[:_MAX_LINES]:
        complaints += _read_line(line[:_MAX_LINE].rstrip(), before)
        before = line[:_MAX_LINE]
    return list(dict.fromkeys(complaints))


def _read_line(line: str, line_before: str) -> Iterator[StartComplaint]:
    for program, pattern in _SENTENCES:
        match = pattern.search(line)
        if match is None:
            continue
        before = line[: match.start()]
        is_spoken = is_logged_error(before)
        if program in _OF_PYTHON:
            start = _PYTHON_PREFIX.search(before)
            is_spoken = start is not None and is_logged_error(before[: start.start()])
        missing = match.groupdict().get("missing")
        if missing and not f"{match['module']}.".startswith(f"{missing}."):
            continue  # its package is there, and imports something else in vain
        if program == "celery":
            is_spoken = is_spoken and _CELERY_LINE_BEFORE.search(line_before) is not None
        if is_spoken:
            yield _build_complaint(program, match, "", line[len(before) :])


def read_start_exception(exception: LoggedException) -> StartComplaint | None:
    """The complaint of a traceback that has no frame of the service's own; None where it makes none."""
    if any(not is_package_frame(frame) for frame in exception.frames):
        return None
    name = exception.error_class.rpartition(".")[2]
    if name == "ModuleNotFoundError":
        program, match = _find_loader(exception.frames), _MISSING.match(exception.message)
        return _build_complaint(program, match, name, exception.message) if program and match else None
    if name not in {"AppImportError", "NoAppError", "MissingSourceException", "MissingTargetException"}:
        return None
    for program, pattern in _SENTENCES:
        match = pattern.match(exception.message)
        if match is not None:
            return _build_complaint(program, match, exception.error_class, exception.message)
    return None


def _find_loader(frames: tuple[Frame, ...]) -> str:
    """The server that imported the application, where it did that itself; "" for any other package's import."""
    own = [frame for frame in frames if not _IMPORT_SYSTEM.search(frame.path)]
    if not own:
        return ""
    return next((program for program, pattern in _LOADERS if pattern.search(own[-1].path)), "")


def _build_complaint(program: str, match: re.Match[str], error_class: str, message: str) -> StartComplaint:
    fields = match.groupdict()
    module = (fields.get("module") or "").removesuffix(".__main__")
    name, path = fields.get("name") or "", fields.get("path") or ""
    if program == "hypercorn" and "application not found" in message and not name:
        name = "app"
    return StartComplaint(program, module, name, path, error_class, message[:300].rstrip(" ."))
