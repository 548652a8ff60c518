"""Finds in a text without colours that a program did not start: by a sentence about it, or by its last traceback.

The sentences are those of the platform and of the servers that load an application. A traceback counts where it begins
with the program itself (its start file, or a server that loads it) and ends in code that runs while modules are
imported. What was raised once the program served, or on a thread, is no failed start.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from shared.detection.logged_exception import (
    TRACEBACK_HEADER,
    Frame,
    LoggedException,
    find_last_exception,
    is_logged_error,
    is_package_frame,
)

_MAX_SENTENCES = 20
_MAX_LENGTH = 64 * 1024
_MAX_MESSAGE_LENGTH = 300
_CHARACTERS_BEFORE = 400

_HINTS = (
    "container", "Container", "STARTUP", "failed to boot", "failed to load", "exited with code", "startup failed",
    "Error loading ASGI app", "Lifespan failure", "Unable to load celery", "failed to start", "exec likely failed",
    "can't open file", "No module named", "finding module specification", "not found", "exec ", "[Errno 98]",
    "denied on secret",
)  # fmt: skip
_SENTENCE = re.compile(
    r"(?P<platform>\b[Cc]ontainer failed to (?:start and (?:then )?listen\b|become healthy\b|start\b)"
    r"|\bContainer called exit\((?!0{1,9}\))-?\d{1,9}\)"
    r"|\b(?:Default )?STARTUP (?:TCP|HTTP|GRPC|gRPC) probe failed\b"
    r"|\bApplication exec likely failed\b|\bApplication failed to start\b"
    r"|\bPermission denied on secret: projects/|\bSecret projects/\S{1,200} was not found\b)"
    r"|(?P<server>\bWorker failed to boot(?=[.'\n]|$)|\bApp failed to load\b"
    r"|\bWorker \(pid:\d{1,9}\) exited with code [34]\b"
    r"|\bApplication startup failed\. Exiting\b|\bError loading ASGI app\b|\bLifespan failure in startup\b"
    r"|\bUnable to load celery application\b"
    r"|\bpython[\d.]{0,6}: (?:can't open file '|No module named |Error while finding module specification for ')"
    r"|(?:(?<=\n)|^)(?:/\S{1,100}/)?(?:ba|da)?sh: (?:\d{1,4}|line \d{1,4}): (?:exec: )?(?:uvicorn|gunicorn|hypercorn"
    r"|daphne|granian|python[\d.]{0,6}|fastapi|flask|celery|functions-framework|poetry|uv): (?:command )?not found"
    r"(?=\n|$)"
    r"|(?:(?<=\n)|^)exec \S{1,200}: (?:no such file or directory|exec format error)(?=\n|$)"
    r"|(?:(?<=\n)|^)(?:ERROR: {1,8})?\[Errno 98\] error while attempting to bind on address \()"
)
_PLATFORM_PREFIX = re.compile(
    r"(?:^|: |\. |> |\| )(?:The |the |Your |This )?(?:user-provided |user provided )?$"
    r"|^(?:terminated|failed): $",
)
_SERVER_PREFIX = re.compile(
    r"(?:^|[\s:])(?:Reason: |Shutting down: |<HaltServer '|Error: Invalid value for '-A' / '--app': ?"
    r"|LifespanFailureError: |/\S{1,200}/)$"
)
_PLATFORM_SPEECH = re.compile(
    r"^(?:ERROR: )?(?:\(gcloud\.[\w.]{1,60}\) )?(?:Ready condition status changed to False for |Cloud Run error: "
    r"|Revision '|The Revision '|Deploying |Deployment failed|Container Healthcheck failed|Default |terminated: )"
)

_START_FILES = re.compile(
    r"[/\\](?:gunicorn[/\\](?:arbiter|app[/\\]\w{1,40}|workers[/\\]base|util)"
    r"|uvicorn[/\\](?:__main__|main|server|config|importer|workers|_subprocess|supervisors[/\\]\w{1,40})"
    r"|hypercorn[/\\](?:__main__|run|utils|config|asyncio[/\\](?:run|__init__))|functions_framework[/\\]\w{1,40}"
    r"|celery[/\\](?:__main__|bin[/\\]\w{1,40}|app[/\\](?:utils|base)|loaders[/\\]\w{1,40}|utils[/\\]imports)"
    r"|daphne[/\\](?:__main__|cli)|granian[/\\]\w{1,40}|runpy|click[/\\]core)\.py$"
)
_SERVED_FUNCTIONS = frozenset(("handle", "handle_request", "handle_error", "handle_one_request"))
_CHILD_PROCESS = re.compile(r"[/\\]multiprocessing[/\\](?:spawn|process|popen_\w{1,20})\.py$")
_SERVING_FILES = re.compile(
    r"[/\\](?:asyncio[/\\](?:base_events|runners|events|tasks|threads)|uvicorn[/\\]server|hypercorn[/\\]asyncio[/\\]run"
    r"|uvicorn[/\\]protocols[/\\]\w{1,40}[/\\]\w{1,60}|socketserver|wsgiref[/\\]\w{1,40}|werkzeug[/\\]serving"
    r"|gevent[/\\]\w{1,40}|aiohttp[/\\]web\w{0,40}|tornado[/\\]\w{1,40}|websockets[/\\][\w/\\]{1,60}|threading"
    r"|concurrent[/\\]futures[/\\]\w{1,40}|uvloop[/\\][\w/\\]{1,60}|trio[/\\][\w/\\]{1,60}"
    r"|anyio[/\\][\w/\\]{1,60}|gunicorn[/\\]arbiter)\.py$"
)
_IMPORTING_FILES = re.compile(r"[/\\](?:importlib[/\\]__init__|gunicorn[/\\]util|uvicorn[/\\]importer)\.py$")
_LIFESPAN_FILES = re.compile(r"[/\\](?:starlette|fastapi)[/\\][\w/\\]{1,60}\.py$")
_STARTING_FUNCTIONS = frozenset(("startup", "__aenter__", "_startup"))
_IMPORT_ERRORS = frozenset(("ImportError", "ModuleNotFoundError"))
_UNCAUGHT = re.compile(
    r"\b(?:uncaught|unhandled)\b|^Process \S{1,60}:$|\berror has been caught in function '<module>'", re.IGNORECASE
)


@dataclass(frozen=True, slots=True)
class FailedStart:
    """What says that a program did not start: a sentence, or the exception that ended it."""

    message: str
    exception: LoggedException | None = None

    @property
    def location(self) -> Frame | None:
        """The deepest frame of the service's own code; None where there is none."""
        frames = self.exception.frames if self.exception is not None else ()
        return next((frame for frame in reversed(frames) if not is_package_frame(frame)), None)


def may_show_failed_start(text: str) -> bool:
    """False where `detect_failed_start` finds nothing; costs next to nothing."""
    return TRACEBACK_HEADER in text or any(hint in text for hint in _HINTS)


def detect_failed_start(text: str) -> FailedStart | None:
    """What the text says about a start that failed; its own traceback says more than a sentence."""
    text = text if len(text) <= 2 * _MAX_LENGTH else text[:_MAX_LENGTH] + "\n" + text[-_MAX_LENGTH:]
    exception = find_last_exception(text) if TRACEBACK_HEADER in text else None
    if exception is not None and ends_at_start(exception, text.partition(TRACEBACK_HEADER)[0]):
        return FailedStart(exception.message, exception)
    sentence = _find_sentence(text)
    return FailedStart(sentence) if sentence else None


def ends_at_start(exception: LoggedException, words: str = "") -> bool:
    """Whether a traceback is that of a program which was still importing its modules; `words` are before it."""
    frames = [frame for frame in exception.frames if not frame.path.startswith("<")]
    if not frames:
        return False
    if _LIFESPAN_FILES.search(frames[0].path) and frames[0].function == "lifespan":
        return any(frame.function in _STARTING_FUNCTIONS for frame in frames[1:])
    if not _begins_with_program(frames, words):
        return False
    deepest = max((at for at, frame in enumerate(frames) if _is_own_module_level(frame)), default=None)
    if deepest is None:
        return _is_nothing_to_load(exception, frames[-1])
    return not any(_SERVING_FILES.search(frame.path) for frame in frames[deepest + 1 :])


def _begins_with_program(frames: Sequence[Frame], words: str) -> bool:
    """The outermost frame: a server's loader, or a start file that nobody above it caught the exception of."""
    first = frames[0]
    if first.function in _SERVED_FUNCTIONS:
        return False
    if _START_FILES.search(first.path):
        return True
    if _CHILD_PROCESS.search(first.path):
        return any(_START_FILES.search(frame.path) for frame in frames)
    if first.function != "<module>":
        return False
    return is_package_frame(first) or not words.strip() or _UNCAUGHT.search(words[-_CHARACTERS_BEFORE:]) is not None


def _is_nothing_to_load(exception: LoggedException, deepest: Frame) -> bool:
    """The application's module itself is missing: no frame of its own can be in the traceback."""
    if exception.error_class.startswith("functions_framework.exceptions."):
        return True
    is_import_error = exception.error_class.rpartition(".")[2] in _IMPORT_ERRORS
    return is_import_error and _IMPORTING_FILES.search(deepest.path) is not None


def _is_own_module_level(frame: Frame) -> bool:
    return frame.function == "<module>" and not is_package_frame(frame)


def _find_sentence(text: str) -> str:
    """The line with the first sentence that is said by the platform or a server itself."""
    for count, match in enumerate(_SENTENCE.finditer(text)):
        if count >= _MAX_SENTENCES:
            break
        line_start = text.rfind("\n", max(0, match.start() - _CHARACTERS_BEFORE), match.start()) + 1
        if not line_start and match.start() > _CHARACTERS_BEFORE:
            continue
        before = text[line_start : match.start()]
        lead = _find_platform_lead(before) if match.lastgroup == "platform" else _find_server_lead(before)
        if lead is not None:
            said = text[line_start + lead : line_start + lead + _MAX_MESSAGE_LENGTH].partition("\n")[0]
            return said.strip(" .:>|\r")
    return ""


def _find_platform_lead(before: str) -> int | None:
    """Where the sentence begins on its line; None where another program reports it."""
    lead = _PLATFORM_PREFIX.search(before)
    if lead is None:
        return None
    words = before[: lead.start()].strip()
    is_spoken = not words or _PLATFORM_SPEECH.match(words) or is_logged_error(words + ":")
    return lead.start() if is_spoken else None


def _find_server_lead(before: str) -> int | None:
    lead = _SERVER_PREFIX.search(before)
    start = lead.start() if lead is not None else len(before)
    words = before[:start].rstrip()
    return start if not words or is_logged_error(words) else None
