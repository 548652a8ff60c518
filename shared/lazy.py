"""A stand-in for a port that is made when it is first asked for something: importing its client takes time."""

from collections.abc import Callable
from threading import Lock
from typing import Any


class Lazy:
    """Everything is asked of what `make` gives, which is called once, whatever number of threads ask at once."""

    def __init__(self, factory: Callable[[], object]) -> None:
        self._make = factory
        self._lock = Lock()
        self._made: list[object] = []

    def __getattr__(self, name: str) -> Any:
        with self._lock:
            if not self._made:
                self._made.append(self._make())
        return getattr(self._made[0], name)
