"""Slack's Socket Mode: interactions come in over a connection that this side has opened; each is acknowledged once.

For where no address may be reached from outside. Nothing is signed: the connection's address is given for an app-level
token alone, and only that app's interactions come over it. The library opens the connection, pings, and opens another
one where Slack announces an end (`disconnect`) or where one is lost.
https://docs.slack.dev/apis/events-api/using-socket-mode, read 2026-11-27
"""

import logging
from collections import OrderedDict
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from threading import Lock

from slack_sdk import WebClient
from slack_sdk.errors import SlackClientError
from slack_sdk.socket_mode.builtin import SocketModeClient
from slack_sdk.socket_mode.client import BaseSocketModeClient
from slack_sdk.socket_mode.request import SocketModeRequest
from slack_sdk.socket_mode.response import SocketModeResponse

from shared.adapters.slack.web_api import name_failure
from shared.errors import Retry
from shared.secret import Secret

Answer = dict[str, object]
Handler = Callable[[Mapping[str, object]], Answer | None]
"""Takes an interaction's payload; returns what the acknowledgement carries, None for nothing. Raises Retry."""
_INTERACTION = "interactive"
_TIMEOUT_SECONDS = 8
_PING_SECONDS = 5.0
_MAX_REMEMBERED = 1_000


class SocketConnection:
    """One connection. `report` takes a sentence about it, which may hold what Slack has said."""

    def __init__(
        self, app_token: Callable[[], Secret], handle: Handler, report: Callable[[str], None], base_url: str = ""
    ) -> None:
        self._handle, self._report = handle, report
        self._envelopes: OrderedDict[str, _Envelope] = OrderedDict()
        self._lock = Lock()
        self._client = _Client(app_token, base_url or WebClient.BASE_URL, _create_logger(report))
        self._client.socket_mode_request_listeners.append(self._answer)

    def open(self) -> None:
        """Opens it, and keeps it open. Raises Retry where Slack gives none."""
        try:
            self._client.connect()
        except (SlackClientError, OSError, ValueError, KeyError) as error:
            raise Retry(f"Slack opens no connection: {name_failure(error)}") from error
        if not self.is_open:
            raise Retry("Slack opens no connection")

    @property
    def is_open(self) -> bool:
        """Whether interactions can come in."""
        return self._client.is_connected()

    def close(self) -> None:
        """Ends it for good."""
        self._client.close()

    def _answer(self, client: BaseSocketModeClient, request: SocketModeRequest) -> None:
        """Acknowledges what was done. Slack tells the user who clicked that it failed where nothing comes back."""
        envelope = self._find_envelope(request.envelope_id)
        with envelope.lock:  # a copy waits until the first one is done
            if not envelope.is_done:
                try:
                    envelope.answer = self._handle(request.payload) if request.type == _INTERACTION else None
                except Retry as failure:
                    self._report(f"an interaction was not acknowledged: {failure}")
                    return
                envelope.is_done = True
        answer = envelope.answer if request.accepts_response_payload else None
        client.send_socket_mode_response(SocketModeResponse(request.envelope_id, answer))

    def _find_envelope(self, name: str) -> "_Envelope":
        with self._lock:
            envelope = self._envelopes.setdefault(name, _Envelope())
            while len(self._envelopes) > _MAX_REMEMBERED:
                self._envelopes.popitem(last=False)
        return envelope


@dataclass(slots=True)
class _Envelope:
    """What was done with one of Slack's envelopes."""

    lock: Lock = field(default_factory=Lock)
    is_done: bool = False
    answer: Answer | None = None


class _Client(SocketModeClient):
    """Reads the token anew for each connection: it may have been replaced."""

    def __init__(self, app_token: Callable[[], Secret], base_url: str, logger: logging.Logger) -> None:
        web = WebClient(base_url=base_url, timeout=_TIMEOUT_SECONDS, retry_handlers=[], logger=logger)
        super().__init__("", logger, web, ping_interval=_PING_SECONDS)
        self._read_token = app_token

    def issue_new_wss_url(self) -> str:
        self.app_token = self._read_token().reveal()
        return super().issue_new_wss_url()


class _ReportHandler(logging.Handler):
    def __init__(self, report: Callable[[str], None]) -> None:
        super().__init__(logging.WARNING)
        self._report_line = report

    def emit(self, record: logging.LogRecord) -> None:
        self._report_line(record.getMessage())


def _create_logger(report: Callable[[str], None]) -> logging.Logger:
    """The library's own words, from warnings on, and none of the payloads that it writes when it is debugged."""
    logger = logging.getLogger(__name__)
    logger.handlers[:] = [_ReportHandler(report)]
    logger.setLevel(logging.WARNING)
    logger.propagate = False
    return logger
