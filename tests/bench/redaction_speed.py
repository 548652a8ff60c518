"""How fast secrets are taken out of log lines, against detect-secrets looking at the very same lines.

In: nothing, the lines are made here: tracebacks, access lines, code, one in fifty with a secret. Out: seconds of each.
detect-secrets only finds; finding is what is timed of it, with all of its own detectors.
"""

import time
from collections.abc import Callable

from detect_secrets.core import scan
from detect_secrets.settings import default_settings

from shared.text.redaction import redact

LINES = 2_000
_LINES = (
    "2026-03-01T03:43:43.118204Z chat-00042-def GET /rooms/{n}/messages 200 12ms c2615310-1011-475c-9d1e-1b2c3d4e5f60",
    '  File "/usr/local/lib/python3.11/site-packages/starlette/routing.py", line {n}, in app',
    "    response = await self.call_next(request, timeout={n})",
    "SyntaxError: unterminated string literal (detected at line {n}) (agents_execute.py, line {n})",
    "europe-docker.pkg.dev/p/r/chat@sha256:9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f0{n:04}",
)


def sample_lines(count: int) -> list[str]:
    """Invented log lines; none of the secrets opens anything."""
    made = [_LINES[number % len(_LINES)].format(n=number % 10_000) for number in range(count)]
    for number in range(0, count, 50):
        made[number] = f"connecting with token=ghp_{number:036} to the host"
    return made


def measure_seconds(count: int = LINES) -> tuple[float, float]:
    """Ours, and theirs: the best of three for the same lines."""
    made = sample_lines(count)
    return _best(lambda: redact("\n".join(made))), _best(lambda: _detect(made))


def _detect(made: list[str]) -> None:
    with default_settings():
        for line in made:
            list(scan.scan_line(line))


def _best(work: Callable[[], object]) -> float:
    taken = []
    for _ in range(3):
        begun = time.perf_counter()
        work()
        taken.append(time.perf_counter() - begun)
    return min(taken)
