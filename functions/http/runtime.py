"""What one process of a function keeps between requests: the settings and the context, made for the first request."""

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from threading import Lock
from typing import TYPE_CHECKING

from functions.http import tracing
from shared import credentials, wiring
from shared.config.settings import Settings, read_all_settings

if TYPE_CHECKING:
    from functions.http.structured_logs import Trace
    from shared.secret import Secret
    from shared.workflow.context import Context


@dataclass(frozen=True, slots=True)
class Runtime:
    """Shared by all threads."""

    settings: Settings
    context: "Context"
    signing_secret: "Callable[[], Secret]"
    """Slack's, read when a request needs it. Raises UsageError where none is configured, Retry."""
    span: "Callable[[str, Trace], AbstractContextManager[object]]"
    """Surrounds the handling of a request; does nothing unless tracing is switched on."""


_lock = Lock()
_runtime: list[Runtime] = []


def get_runtime() -> Runtime:
    """Raises UsageError and InputError where the settings are wrong; the next request then tries again."""
    with _lock:
        if not _runtime:
            _runtime.append(_build_runtime())
        return _runtime[0]


def set_runtime(runtime: Runtime | None) -> None:
    """Replaces the runtime; with None the next request makes a new one. For tests and the local stack."""
    with _lock:
        _runtime[:] = [] if runtime is None else [runtime]


def _build_runtime() -> Runtime:
    settings = read_all_settings()
    reference = settings.secrets.slack_signing_secret
    signing_secret = credentials.build_secret_reader(settings, reference, "slack.signing_secret")
    return Runtime(settings, wiring.build_context(settings), signing_secret, _create_span_opener(settings))


def open_no_span(_name: str, _trace: "Trace") -> AbstractContextManager[None]:
    """The span of a process that traces nothing."""
    return nullcontext()


def _create_span_opener(settings: Settings) -> "Callable[[str, Trace], AbstractContextManager[object]]":
    if not settings.tracing:
        return open_no_span
    return tracing.create_span_opener(settings.project)
