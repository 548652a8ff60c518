"""`decide_socket`: keeps a connection to Slack open, by which clicks come to the same step as by `decide`.

It stands in `decide`'s place where no address may be reached from outside (`slack.socket_mode`). Its requests are the
platform's probes: the first one opens the connection, each is answered 200 while it is open, and 503 while it is not.
"""

import json
from collections.abc import Mapping
from threading import Lock
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

import functions_framework

from functions import decide
from functions.http.runtime import get_runtime
from functions.http.structured_logs import RequestLog, Severity, Trace
from shared import credentials
from shared.adapters.slack import socket_connection
from shared.errors import Retry

if TYPE_CHECKING:
    from flask import Request

_lock = Lock()
_connection: "list[socket_connection.SocketConnection]" = []


@functions_framework.http
def decide_socket(_request: "Request") -> tuple[str, int]:
    """Answers one probe."""
    log = RequestLog("decide", "")
    try:
        return "", 200 if _open_connection().is_open else 503
    except Retry as retry:
        log.write_retry(retry)
        return "", 503
    except Exception as error:  # noqa: BLE001  # the platform gets an answer, and no text of the error
        log.write_crash(error)
        return "", 500


def close_connection() -> None:
    """For tests: the next probe opens another one."""
    with _lock:
        while _connection:
            _connection.pop().close()


def _open_connection() -> "socket_connection.SocketConnection":
    """Raises Retry, UsageError."""
    with _lock:
        if not _connection:
            settings = get_runtime().settings
            token = credentials.build_secret_reader(settings, settings.secrets.slack_app_token, "slack.app_token")
            address = settings.endpoint_overrides.slack
            connection = socket_connection.SocketConnection(token, handle_interaction, _report, address)
            try:
                connection.open()
            except BaseException:
                connection.close()
                raise
            _connection.append(connection)
        return _connection[0]


def handle_interaction(payload: Mapping[str, object]) -> dict[str, Any] | None:
    """Does what a signed request with this payload would; returns what a dialog is to show. Raises Retry."""
    runtime = get_runtime()
    log, body = RequestLog("decide", runtime.settings.project), urlencode({"payload": json.dumps(payload)}).encode()
    try:
        with runtime.span("decide", Trace()):
            text, status, headers = decide.answer_interaction(body, runtime, log)
    except Retry as retry:
        log.write_retry(retry)
        raise
    except Exception as error:
        log.write_crash(error)
        raise Retry(f"unforeseen: {type(error).__name__}") from error
    is_json = status == 200 and headers == decide.JSON_HEADERS
    return json.loads(text) if is_json else None


def _report(sentence: str) -> None:
    RequestLog("decide", "").write(Severity.WARNING, "socket", detail=sentence)
