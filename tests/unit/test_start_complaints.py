"""Which start target a log says to be missing: every program's own words, and what merely quotes them."""

from datetime import UTC, datetime

import pytest

from shared.detection.entry import LogEntry
from shared.detection.incident import Incident, Sighting
from shared.detection.logged_exception import find_last_exception
from shared.detection.raised_exception import RaisedException
from shared.detection.signal import SignalKind
from shared.proof.claims.starting.start_complaint import (
    StartComplaint,
    find_start_complaint,
    read_start_exception,
    read_start_sentences,
)
from tests.support.start_samples import FROZEN, FUNCTIONS_FRAMEWORK, GUNICORN, HEADER, PACKAGES, UVICORN

AT = datetime(2026, 3, 1, tzinfo=UTC)
MODULE = ("quay.main", "", "")
SENTENCES = {
    'ERROR:    Error loading ASGI app. Could not import module "quay.main".': ("uvicorn", MODULE),
    '2026-03-01 10:00:00,000 ERROR uvicorn.error: Error loading ASGI app. Could not import module "quay.main".': (
        "uvicorn",
        MODULE,
    ),
    'ERROR:    Error loading ASGI app. Attribute "app" not found in module "quay.main".': (
        "uvicorn",
        ("quay.main", "app", ""),
    ),
    'ERROR:    Error loading ASGI app. Attribute "web.app" not found in module "quay".': (
        "uvicorn",
        ("quay", "web.app", ""),
    ),
    "Failed to find attribute 'application' in 'wsgi'.": ("gunicorn", ("wsgi", "application", "")),
    "\x1b[31mFailed to find attribute 'app' in 'quay.main'.\x1b[0m": ("gunicorn", ("quay.main", "app", "")),
    "/usr/local/bin/python: No module named quay.main": ("python -m", MODULE),
    "python3.11: No module named quay": ("python -m", ("quay", "", "")),
    "/usr/local/bin/python3: No module named quay.__main__; 'quay' is a package and cannot be directly executed": (
        "python -m",
        ("quay", "", ""),
    ),
    "/usr/local/bin/python: Error while finding module specification for 'quay.main' "
    "(ModuleNotFoundError: No module named 'quay')": ("python -m", MODULE),
    "python: can't open file '/srv/main.py': [Errno 2] No such file or directory": ("python", ("", "", "/srv/main.py")),
    "/usr/bin/python3: can't open file 'main.py': [Errno 2] No such file or directory": ("python", ("", "", "main.py")),
    "Error: Invalid value for '-A' / '--app': \nUnable to load celery application.\nThe module jobs was not found.": (
        "celery",
        ("jobs", "", ""),
    ),
}
QUOTED = (
    'user asked why "Error loading ASGI app. Could not import module "quay.main"." is printed',
    'fix: Error loading ASGI app. Could not import module "quay.main".',
    'The answer says Error loading ASGI app. Could not import module "quay.main".',
    'ERROR:    Error loading ASGI app. Could not import module "quay.main". That was in the ticket',
    "The module jobs was not found.",
    "The ticket says that Failed to find attribute 'app' in 'quay.main'.",
    "No module named quay.main",
    "ImportError: No module named quay.main",
    "I ran python and saw python: No module named quay.main",
    "can't open file 'main.py': [Errno 2] No such file or directory",
    "ruby: can't open file 'main.rb': [Errno 2] No such file or directory",
    "/usr/local/bin/python: Error while finding module specification for 'quay.main' "
    "(ModuleNotFoundError: No module named 'yaml')",
    "/usr/local/bin/python: Error while finding module specification for 'quay.main' "
    "(ImportError: cannot import name 'a' from 'quay')",
)


@pytest.mark.parametrize("text", SENTENCES)
def test_each_program_names_what_is_missing(text: str) -> None:
    [complaint] = read_start_sentences(text)
    assert (complaint.program, complaint.target) == SENTENCES[text]


@pytest.mark.parametrize("text", QUOTED)
def test_a_text_that_quotes_a_sentence_names_nothing(text: str) -> None:
    assert read_start_sentences(text) == []


TRACEBACKS = {
    GUNICORN + FROZEN + "ModuleNotFoundError: No module named 'quay'": ("gunicorn", ("quay", "", "")),
    UVICORN + FROZEN + "ModuleNotFoundError: No module named 'quay'": ("uvicorn", ("quay", "", "")),
    GUNICORN + FROZEN + "ModuleNotFoundError: No module named 'quay.main'; 'quay' is not a package": (
        "gunicorn",
        MODULE,
    ),
    FUNCTIONS_FRAMEWORK + "functions_framework.exceptions.MissingSourceException: File /srv/main.py that is expected "
    "to define function doesn't exist": ("functions-framework", ("", "", "/srv/main.py")),
    FUNCTIONS_FRAMEWORK + "functions_framework.exceptions.MissingTargetException: File /srv/main.py is expected to "
    "contain a function named 'moor'. Found: 'land' instead": ("functions-framework", ("", "moor", "/srv/main.py")),
    f'  File "{PACKAGES}/hypercorn/utils.py", line 120, in load_application\n    raise NoAppError()\n'
    "hypercorn.utils.NoAppError: Cannot load application from 'quay.main:app', module not found.": (
        "hypercorn",
        MODULE,
    ),
    f'  File "{PACKAGES}/hypercorn/utils.py", line 120, in load_application\n    raise NoAppError()\n'
    "hypercorn.utils.NoAppError: Cannot load application from 'quay.main:app', application not found.": (
        "hypercorn",
        ("quay.main", "app", ""),
    ),
    f'  File "{PACKAGES}/daphne/utils.py", line 22, in import_by_path\n    target = importlib.import_module(module)\n'
    "ModuleNotFoundError: No module named 'quay'": ("daphne", ("quay", "", "")),
}
OTHER_TRACEBACKS = (
    GUNICORN + '  File "/srv/quay/main.py", line 1, in <module>\n    import yaml\n'
    "ModuleNotFoundError: No module named 'yaml'",
    GUNICORN + f'  File "{PACKAGES}/fastapi/__init__.py", line 1, in <module>\n    import starlette\n'
    "ModuleNotFoundError: No module named 'starlette'",
    GUNICORN + "ImportError: cannot import name 'app' from 'quay'",
    FUNCTIONS_FRAMEWORK + "ValueError: File /srv/main.py that is expected to define function doesn't exist",
)


def read_exception(text: str) -> StartComplaint | None:
    exception = find_last_exception(HEADER + text)
    assert exception is not None
    return read_start_exception(exception)


@pytest.mark.parametrize("text", TRACEBACKS)
def test_a_traceback_of_the_server_alone_names_what_is_missing(text: str) -> None:
    complaint = read_exception(text)
    assert complaint is not None
    assert (complaint.program, complaint.target) == TRACEBACKS[text]


@pytest.mark.parametrize("text", OTHER_TRACEBACKS)
def test_a_traceback_of_any_other_code_names_nothing(text: str) -> None:
    assert read_exception(text) is None


def make_incident(*texts: str, raised: RaisedException | None = None) -> Incident:
    entries = [LogEntry(number, text, AT, revision="r1") for number, text in enumerate(texts)]
    sightings = tuple(Sighting("r1", None, entry.text, "", "", AT, AT, 1, entry) for entry in entries)
    return Incident(
        "0" * 16, SignalKind.FAILED_START, "quay", "test", "", "", sightings, (), AT, AT, 1, dated=True, raised=raised,
    )  # fmt: skip


def test_two_different_targets_are_none() -> None:
    first, second = (f'ERROR:    Error loading ASGI app. Could not import module "{name}".' for name in ("a.b", "c.d"))
    assert find_start_complaint(make_incident(first, first)) is not None
    assert find_start_complaint(make_incident(first, second)) is None


def test_an_exception_of_the_services_own_code_comes_before_a_sentence() -> None:
    exception = find_last_exception(HEADER + OTHER_TRACEBACKS[0])
    assert exception is not None
    entry = LogEntry(5, "", AT)
    text = next(iter(SENTENCES))
    assert find_start_complaint(make_incident(text, raised=RaisedException(exception, entry))) is None
