"""A mapping that keeps what was used last: values go in with a weight, the oldest go out where it grows too heavy."""

from collections import OrderedDict
from collections.abc import Hashable
from typing import Generic, TypeVar

Key = TypeVar("Key", bound=Hashable)
Value = TypeVar("Value")


class LruCache(Generic[Key, Value]):
    """Holds values up to `most` in all; what each one weighs is said when it is put in."""

    def __init__(self, max_weight: int) -> None:
        self._max_weight = max_weight
        self._entries: OrderedDict[Key, tuple[Value, int]] = OrderedDict()
        self.weight = 0

    def get(self, key: Key) -> Value | None:
        """The value, which is then the one that was used last; None where it is not held."""
        found = self._entries.get(key)
        if found is None:
            return None
        self._entries.move_to_end(key)
        return found[0]

    def put(self, key: Key, value: Value, weight: int) -> None:
        """Keeps a value; one that alone is too heavy is not kept."""
        if weight > self._max_weight:
            return
        self._drop(key)
        self._entries[key] = (value, weight)
        self.weight += weight
        while self.weight > self._max_weight:
            self._drop(next(iter(self._entries)))

    def _drop(self, key: Key) -> None:
        if key in self._entries:
            self.weight -= self._entries.pop(key)[1]
