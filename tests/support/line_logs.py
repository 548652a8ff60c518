"""Tracebacks as Cloud Run logs what a program writes to stderr: one entry a line, without a severity."""

import random
from collections.abc import Sequence

from shared.adapters.logs.log_json import parse_json_entry
from shared.detection.collect import collect_incidents
from shared.detection.incident import Incident
from tests.support.cause_table import PACKAGES
from tests.support.log_samples import export_entry, make_log

HEADER = "Traceback (most recent call last):\n"
_SOCKET_FRAMES = (
    f'  File "{PACKAGES}/uvicorn/protocols/websockets/websockets_impl.py", line 244, in run_asgi\n'
    "    result = await self.app(self.scope, self.asgi_receive, self.asgi_send)\n"
    "             ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^\n"
    f'  File "{PACKAGES}/starlette/routing.py", line 363, in handle\n'
    "    await self.app(scope, receive, send)\n"
    '  File "/app/ferry/berths.py", line 41, in moor\n    await harbour.moor(ship)\n'
)
FAILED_START = (
    f'{HEADER}  File "/usr/local/bin/uvicorn", line 8, in <module>\n    sys.exit(main())\n'
    f'  File "{PACKAGES}/uvicorn/importer.py", line 22, in import_from_string\n'
    "    module = importlib.import_module(module_str)\n"
    '  File "/app/main.py", line 6, in <module>\n    from ferry import settings\n'
    '  File "/app/ferry/settings.py", line 9, in <module>\n    TIDES = tides\n            ^^^^^\n{last_line}'
)
FAILED_IMPORT = (
    f'{HEADER}  File "/app/main.py", line 6, in <module>\n    from ferry import settings\n'
    "ImportError: cannot import name 'settings' from 'ferry' (/app/ferry/__init__.py)"
)
FAILED_SOCKET = f"ERROR:    Exception in ASGI application\n{HEADER}{_SOCKET_FRAMES}{{last_line}}"
GROUP = "\n".join(
    (
        "ERROR:    Exception in ASGI application",
        "  + Exception Group Traceback (most recent call last):",
        *(f"  | {line}" for line in _SOCKET_FRAMES.splitlines()),
        "  | ExceptionGroup: unhandled errors in a TaskGroup (1 sub-exception)",
        "  +-+---------------- 1 ----------------",
        "    | Traceback (most recent call last):",
        '    |   File "/app/ferry/berths.py", line 17, in watch',
        "    |     lamps[name]",
        "    | KeyError: 'red'",
        "    +------------------------------------",
    )
)
TELLING_FRAMES = (
    f'  File "{PACKAGES}/websockets/asyncio/server.py", line 376, in conn_handler',
    f'  File "{PACKAGES}/channels/generic/websocket.py", line 236, in websocket_receive',
    f'  File "{PACKAGES}/aiohttp/web_ws.py", line 414, in send_json',
    f'  File "{PACKAGES}/quart/app.py", line 1370, in full_dispatch_websocket',
    f'  File "{PACKAGES}/starlette/routing.py", line 677, in lifespan',
    "│ /app/ferry/main.py:3 in <module>                          │",
    f'  File "{PACKAGES}/gunicorn/util.py", line 371, in import_app',
    f'  File "{PACKAGES}/socketio/async_server.py", line 612, in _handle_event_internal',
)
RUNNING = 'INFO:     127.0.0.1:50210 - "GET /health HTTP/1.1" 200 OK\n'


def split_lines(instance: str, text: str) -> list[tuple[str, str]]:
    """`(instance, line)` for each line."""
    return [(instance, line) for line in text.splitlines()]


def interleave(chance: random.Random, *logs: list[tuple[str, str]]) -> list[tuple[str, str]]:
    """The lines of several writers, each in its own order."""
    left, lines = [list(log) for log in logs], []
    while any(left):
        lines.append(chance.choice([log for log in left if log]).pop(0))
    return lines


Lines = Sequence[tuple[str, str]]
"""The instance and the text of each line."""


def collect_lines(lines: Lines, *, backwards: bool = False, is_dated: bool = True) -> tuple[Incident, ...]:
    """What a log of lines without a severity shows; each is `(instance, text)`, milliseconds after the last."""
    numbered = list(enumerate(lines))
    entries = [
        parse_json_entry(
            export_entry(
                text, at=number * 0.002, severity=..., instance=instance, **({} if is_dated else {"timestamp": ...})
            ),
            position,
        )
        for position, (number, (instance, text)) in enumerate(numbered[::-1] if backwards else numbered)
    ]
    return collect_incidents(make_log(entries), service="", environment="").incidents
