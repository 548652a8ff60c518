"""What one process of a function keeps between requests: the settings and the world, made when first asked for."""

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from threading import Lock
from typing import TYPE_CHECKING

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
    """Slack's, read when it is first asked for. Raises Misused where none is configured, Retry."""
    span: "Callable[[str, Trace], AbstractContextManager[object]]"
    """Surrounds what a request does; does nothing unless tracing is switched on."""


_lock = Lock()
_runtime: list[Runtime] = []


def get_runtime() -> Runtime:
    """Raises Misused and Unreadable where the settings are wrong; the next request then tries again."""
    with _lock:
        if not _runtime:
            _runtime.append(_build_runtime())
        return _runtime[0]


def set_runtime(runtime: Runtime | None) -> None:
    """Puts another one in its place; with None it is made anew. For tests and the local stack."""
    with _lock:
        _runtime[:] = [] if runtime is None else [runtime]


def _build_runtime() -> Runtime:
    from shared.wiring import build_context, build_secret_reader  # noqa: PLC0415  # not before a request needs it

    settings = read_all_settings()
    signing_secret = build_secret_reader(settings, settings.secrets.slack_signing_secret, "slack.signing_secret")
    return Runtime(settings, build_context(settings), signing_secret, _create_span_opener(settings))


def open_no_span(_name: str, _trace: "Trace") -> AbstractContextManager[None]:
    """The span of a process that traces nothing."""
    return nullcontext()


def _create_span_opener(settings: Settings) -> "Callable[[str, Trace], AbstractContextManager[object]]":
    if not settings.tracing:
        return open_no_span
    from functions.http.tracing import create_span_opener  # noqa: PLC0415  # OpenTelemetry only where it is wanted

    return create_span_opener(settings.project)
