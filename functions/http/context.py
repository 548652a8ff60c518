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
    from shared.workflow.context import World


@dataclass(frozen=True, slots=True)
class Process:
    """Shared by all threads."""

    settings: Settings
    world: "World"
    signing_secret: "Callable[[], Secret]"
    """Slack's, read when it is first asked for. Raises Misused where none is configured, Retry."""
    span: "Callable[[str, Trace], AbstractContextManager[object]]"
    """Surrounds what a request does; does nothing unless tracing is switched on."""


_lock = Lock()
_made: list[Process] = []


def process() -> Process:
    """Raises Misused and Unreadable where the settings are wrong; the next request then tries again."""
    with _lock:
        if not _made:
            _made.append(_make())
        return _made[0]


def keep(made: Process | None) -> None:
    """Puts another one in its place; with None it is made anew. For tests and the local stack."""
    with _lock:
        _made[:] = [] if made is None else [made]


def _make() -> Process:
    from shared.wiring import build_secret_reader, build_context  # noqa: PLC0415  # not before a request needs it

    settings = read_all_settings()
    signing_secret = build_secret_reader(settings, settings.secrets.slack_signing_secret, "slack.signing_secret")
    return Process(settings, build_context(settings), signing_secret, _tracer(settings))


def untraced(_name: str, _trace: "Trace") -> AbstractContextManager[None]:
    """The span of a process that traces nothing."""
    return nullcontext()


def _tracer(settings: Settings) -> "Callable[[str, Trace], AbstractContextManager[object]]":
    if not settings.tracing:
        return untraced
    from functions.http.tracing import tracer  # noqa: PLC0415  # OpenTelemetry only where it is wanted

    return tracer(settings.project)
