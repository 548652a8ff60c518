"""How long the nastiest texts take to read, in milliseconds per KB; linear work shows as equal figures for both sizes.

In: nothing, the texts are made here. Out: a name and a figure for each text, at 64 KB and at 256 KB.
"""

import time
from collections.abc import Callable, Mapping

from shared.detection.entry import LogEntry
from shared.detection.signal import read_signal

_SIZES = (64, 256)
_ROUNDS = 3
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


def measure_ms_per_kb() -> list[tuple[str, float]]:
    """The best of three rounds for each text and size, the slowest first."""
    figures = [
        (f"{name} ({size} KB)", _milliseconds(lambda text=text: read_signal(LogEntry(0, text))) / size)  # type: ignore[misc]
        for size in _SIZES
        for name, text in build_nasty_texts(size).items()
    ]
    return sorted(figures, key=lambda figure: -figure[1])


def _milliseconds(work: Callable[[], object]) -> float:
    taken = []
    for _ in range(_ROUNDS):
        begun = time.perf_counter()
        work()
        taken.append(time.perf_counter() - begun)
    return min(taken) * 1000


if __name__ == "__main__":
    for name, figure in measure_ms_per_kb():
        print(f"{figure:9.4f} ms/KB  {name}")
