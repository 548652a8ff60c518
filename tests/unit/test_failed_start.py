"""A program that does not start: the sentences of platform and servers, and the tracebacks that end it."""

import pytest

from shared.adapters.logs.log_json import parse_json_entry
from shared.detection.entry import LogEntry
from shared.detection.signal import Signal, SignalKind, SkipReason, read_signal
from tests.support.log_samples import classify_text, export_entry, signal_in
from tests.support.start_samples import (
    CALLED,
    FROZEN,
    GUNICORN,
    HEADER,
    KEY_ERROR,
    LOADERS,
    MODULE_LEVEL,
    PACKAGES,
    UVICORN,
)

LISTEN = (
    "The user-provided container failed to start and listen on the port defined provided by the PORT=8080 environment "
    "variable within the allocated timeout."
)
SECRET_FIELD = "spec.template.spec.containers[0].env[0].value_from.secret_key_ref.name"
SECRET_GONE = "Secret projects/482/secrets/tide-key/versions/latest was not found"
SECRET_DENIED = (
    "Permission denied on secret: projects/482/secrets/tide-key/versions/latest for Revision service account "
    "ferry@harbour-dev.example. The service account used must be granted the 'Secret Manager Secret Accessor' role."
)


@pytest.mark.parametrize(
    "text",
    [
        LISTEN,
        f"Cloud Run error: {LISTEN} Logs for this revision might contain more information.",
        f"ERROR: (gcloud.run.deploy) Revision 'ferry-00042-abc' is not ready and cannot serve traffic. {LISTEN}",
        f"Ready condition status changed to False for Revision ferry-00042-abc with message: {LISTEN}",
        LISTEN.replace("start and listen", "start and then listen").replace("The user-provided", "The"),
        'Default STARTUP TCP probe failed 1 time consecutively for container "ferry-1" on port 8080.',
        'STARTUP HTTP probe failed 3 times consecutively for container "ferry-1" on path "/ready".',
        f"Revision 'ferry-00042-abc' is not ready and cannot serve traffic. {SECRET_FIELD}: {SECRET_DENIED}",
        f"Ready condition status changed to False for Revision ferry-1 with message: {SECRET_FIELD}: {SECRET_GONE}",
        "Container called exit(1).",
        "Container called exit(137).",
        "Application exec likely failed",
        "terminated: Application failed to start: failed to load /app/start.sh: no such file or directory",
        "[2026-03-01 03:43:43 +0000] [1] [ERROR] Reason: Worker failed to boot.",
        "[2026-03-01 03:43:43 +0000] [1] [ERROR] Worker (pid:7) exited with code 3",
        "[2026-03-01 03:43:43 +0000] [1] [ERROR] Reason: App failed to load.",
        "Worker failed to boot.",
        "gunicorn.errors.HaltServer: <HaltServer 'Worker failed to boot.' 3>",
        "ERROR:    Application startup failed. Exiting.",
        'ERROR:    Error loading ASGI app. Could not import module "ferry.main".',
        "hypercorn.utils.LifespanFailureError: Lifespan failure in startup. 'no berths'",
        "Error: Invalid value for '-A' / '--app': Unable to load celery application.",
        "python: can't open file '/app/mian.py': [Errno 2] No such file or directory",
        "/usr/local/bin/python3.11: No module named ferri",
    ],
)
def test_sentence_is_read(text: str) -> None:
    found = signal_in(text)
    assert (found.kind, found.error_class, found.path, found.line) == (SignalKind.FAILED_START, "", "", None)
    assert found.message


@pytest.mark.parametrize(
    "text",
    [
        "Container called exit(0).",
        'Default STARTUP TCP probe succeeded after 1 attempt for container "ferry-1" on port 8080.',
        'LIVENESS HTTP probe failed 1 time consecutively for container "ferry-1" on path "/live".',
        "[2026-03-01 03:43:43 +0000] [1] [ERROR] Worker (pid:7) exited with code 1",
        "[2026-03-01 03:43:43 +0000] [1] [INFO] Booting worker with pid: 7",
        "feat: explain that the container failed to start and listen on the port",
        "The assistant answered: Worker failed to boot means that the import failed",
        "user asked: why does it say Container called exit(1)?",
        "docs: what to do when Application startup failed. Exiting. is logged",
        "INFO:     Application startup complete.",
        "the lorry's container failed to load at berth 7",
        "Shipping container failed to start its cooling",
        "No module named ferri",
        "/bin/sh: 1: ffmpeg: not found",
        "berths: Permission denied on secret: the harbour master keeps it",
        "the report says: Secret projects/harbour/secrets/tide was not found",
        "the harbour's second port: OSError: [Errno 98] error while attempting to bind on address ('0.0.0.0', 9090)",
    ],
)
def test_other_words_are_none(text: str) -> None:
    assert classify_text(text) is SkipReason.NO_SIGNAL


@pytest.mark.parametrize("loader", LOADERS)
@pytest.mark.parametrize(("own", "line"), [(MODULE_LEVEL, 9), (MODULE_LEVEL + CALLED, 21)])
def test_traceback_from_the_start_is_read(loader: str, own: str, line: int) -> None:
    found = signal_in(HEADER + loader + own + KEY_ERROR)
    assert (found.kind, found.error_class, found.message) == (SignalKind.FAILED_START, "KeyError", "'BERTHS'")
    assert (found.path, found.line) == ("/app/ferry/settings.py", line)


def test_words_of_a_server_may_stand_before_it() -> None:
    text = "[2026-03-01 03:43:43 +0000] [7] [ERROR] Exception in worker process\n" + HEADER + GUNICORN + MODULE_LEVEL
    found = signal_in(text + KEY_ERROR)
    assert (found.kind, found.python) == (SignalKind.FAILED_START, "3.11")


def test_start_file_whose_module_is_missing_is_read() -> None:
    found = signal_in(HEADER + GUNICORN + FROZEN + "ModuleNotFoundError: No module named 'ferri'\n")
    assert (found.kind, found.error_class, found.path) == (SignalKind.FAILED_START, "ModuleNotFoundError", "")


def test_many_frames_keep_the_start() -> None:
    """An import chain prints five frames a module: what the traceback begins with still counts."""
    chain = "".join(
        FROZEN * 4 + f'  File "/app/ferry/m{number}.py", line 1, in <module>\n    import ferry.m{number + 1}\n'
        for number in range(40)
    )
    assert signal_in(HEADER + UVICORN + chain + MODULE_LEVEL + KEY_ERROR).path == "/app/ferry/settings.py"


def test_lifespan_that_fails_is_read() -> None:
    text = (
        f'ERROR:    {HEADER}  File "{PACKAGES}/starlette/routing.py", line 693, in lifespan\n'
        "    async with self.lifespan_context(app) as maybe_state:\n"
        '  File "/usr/local/lib/python3.11/contextlib.py", line 210, in __aenter__\n    return await anext(self.gen)\n'
        '  File "/app/ferry/main.py", line 6, in lifespan\n    os.environ["BERTHS"]\n' + KEY_ERROR
    )
    found = signal_in(text)
    assert (found.kind, found.path, found.line) == (SignalKind.FAILED_START, "/app/ferry/main.py", 6)


SERVED = '  File "/app/ferry/main.py", line 40, in <module>\n    uvicorn.run(app)\n'


@pytest.mark.parametrize(
    "text",
    [
        HEADER + f'  File "{PACKAGES}/gunicorn/workers/sync.py", line 135, in handle\n' + MODULE_LEVEL + KEY_ERROR,
        HEADER + '  File "/usr/local/lib/python3.11/threading.py", line 1045, in run\n' + MODULE_LEVEL + KEY_ERROR,
        HEADER + f'  File "{PACKAGES}/celery/app/trace.py", line 451, in trace_task\n' + MODULE_LEVEL + KEY_ERROR,
        HEADER + SERVED + f'  File "{PACKAGES}/uvicorn/server.py", line 61, in run\n' + CALLED + KEY_ERROR,
        HEADER + SERVED + '  File "/usr/local/lib/python3.11/asyncio/runners.py", line 190, in run\n' + KEY_ERROR,
        HEADER + CALLED + KEY_ERROR,
        "berths are optional\n" + HEADER + MODULE_LEVEL.removeprefix(FROZEN) + KEY_ERROR,
    ],
    ids=["request", "thread", "task", "served", "loop", "function", "caught and logged"],
)
def test_traceback_of_a_program_that_served_is_none(text: str) -> None:
    assert classify_text(text) is SkipReason.NO_SIGNAL


def test_syntax_error_stays_one() -> None:
    text = HEADER + UVICORN + MODULE_LEVEL + '  File "/app/ferry/quay.py", line 3\n    def f(\n'
    assert signal_in(text + "SyntaxError: '(' was never closed\n").kind is SignalKind.SYNTAX_ERROR


def system_event(message: str) -> LogEntry:
    status = {"@type": "type.googleapis.com/google.cloud.audit.AuditLog", "status": {"message": message}}
    log = "projects/harbour-dev/logs/cloudaudit.googleapis.com%2Fsystem_event"
    return parse_json_entry(export_entry(None, protoPayload=status, logName=log), 0)


def test_audit_entry_counts_with_exactly_this_message() -> None:
    ready = "Ready condition status changed to {} for Revision ferry-00042-abc with message: {}"
    found = read_signal(system_event(ready.format("False", LISTEN)))
    assert isinstance(found, Signal)
    assert (found.kind, found.entry.revision) == (SignalKind.FAILED_START, "ferry-00042-abc")
    assert read_signal(system_event(ready.format("True", "Deploying succeeded."))) is SkipReason.AUDIT_LOG
    assert read_signal(system_event("SyntaxError: invalid syntax (quay.py, line 7)")) is SkipReason.AUDIT_LOG
