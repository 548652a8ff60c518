"""A storm of one failure: entries that a service has really written go in, thousands like them come out.

A third of them are copies, as a log sink delivers entries twice; the others are entries of their own with that text.
"""

import random
from collections.abc import Iterator, Mapping, Sequence

_SEED = 20_260_512


def generate_storm(entries: Sequence[Mapping[str, object]], count: int) -> Iterator[Mapping[str, object]]:
    """`count` entries in any order, the same ones for the same entries."""
    chance = random.Random(_SEED)  # noqa: S311  # a shuffle that can be repeated
    for number in range(count):
        entry = chance.choice(entries)
        yield {**entry, "insertId": f"storm{number:08x}"} if number % 3 else entry
