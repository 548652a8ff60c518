"""How long the nastiest texts take to read, in milliseconds per KB; linear work shows as equal figures for both sizes.

In: nothing, the texts are made here. Out: a name and a figure for each text, at 64 KB and at 256 KB.
"""

import time
from collections.abc import Callable

from shared.detection.entry import LogEntry
from shared.detection.signal import read_signal
from tests.support.log_fuzzing import build_nasty_texts

_SIZES = (64, 256)
_ROUNDS = 3


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
