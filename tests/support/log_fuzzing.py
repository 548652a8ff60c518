"""What signal_speed, test_hostile_log and other tests share."""

import random
from collections.abc import Mapping

from tests.support.log_samples import (
    LINE_624,
    NOT_AUTHENTICATED,
    TRACEBACK,
)

SIGNAL_TEXTS = (
    TRACEBACK,
    LINE_624,
    NOT_AUTHENTICATED,
    " ".join(TRACEBACK.split()),
    "\n".join("  | " + line for line in TRACEBACK.splitlines()),
    "SyntaxError('unmatched', ('/app/quay.py', 3, 5, 'return a)\\n', 3, 6))",
    '\x1b[35m"/app/quay.py"\x1b[0m <red>SyntaxError</red>: [bold]bad[/bold] (quay.py, line 7)',
    "received 1011 (internal error); then sent 1011 (internal error) keepalive ping timeout",
    "SyntaxError: Unexpected token < in JSON at position 0\n    at JSON.parse (<anonymous>)",
    "psycopg2.errors.SyntaxError: near (quay.py, line 7) │ /app/quay.py:3 │",
)


FRAGMENTS = (
    *("(", ")", '"', "'", "\\", "\n", "\r", "\0", "\x1b[", "</", "│", "1011", "SyntaxError", ": ", ", line ", 'File "'),
    *("99999999999999999999", "\ud800", "🚢", "-", ".", " " * 50, "..", "/", "None", ", in ", "<", ">", "a" * 80),
)


def mutate(text: str, chance: random.Random) -> str:
    for _ in range(chance.randrange(1, 6)):
        at = chance.randrange(len(text) + 1)
        until = min(len(text), at + chance.choice((0, 1, 3, 40)))
        text = (
            text[:at]
            + chance.choice((chance.choice(FRAGMENTS), text[until:at], "", chance.choice(SIGNAL_TEXTS)[: at % 99]))
            + text[until:]
        )
    return text


_TAIL = '  File "/app/quay.py", line 3\n    x = (\n        ^\nSyntaxError: bad\n'


_UNITS: Mapping[str, str] = {
    "frames": '  File "/app/quay.py", line 3, in sail\n    cast_off()\n',
    "class names": "SyntaxError",
    "class lines": "SyntaxError: bad\n",
    "files without a class": 'File "/app/quay.py", line 3\n',
    "file starts": 'File "',
    "quotes": '"',
    "open parentheses": "SyntaxError: (",
    "nested parentheses": "(",
    "line suffixes": "SyntaxError: a (b, line 3",
    "reprs": "SyntaxError('",
    "escaped quotes": "SyntaxError('\\'",
    "close codes": "1011 ",
    "close words": "websocket closed code ",
    "close codes with words": "websocket closed with code 1011a ",
    "dots": "a.",
    "word": "a",
    "spaces": " ",
    "new lines": "\n",
    "escapes": "\x1b[",
    "tags": "</",
    "square tags": "[/",
    "boxes": "│ x.py:3 ",
    "paths": "in /a.py.py",
    "javascript frames": "SyntaxError: x\n    at a",
    "uuids": "c2615310-1011-475c-9d1e-1b2c3d4e5f60 ",
}


def build_nasty_texts(kilobytes: int) -> Mapping[str, str]:
    """Texts of about that size, by name; each is read to its end because a traceback stands there."""
    size = kilobytes * 1024
    return {name: (unit * (size // len(unit) + 1))[:size] + "\n1011\n" + _TAIL for name, unit in _UNITS.items()}
