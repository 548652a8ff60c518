"""Pushes each commit of a generated history through the webhook, and compares the check runs with what was planted.

A user is simulated beside it: each commit is deployed ten minutes after its push, and then one request a minute comes
to one of the service's parts. Their first error line is when a log would have begun to speak.
"""

import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from random import Random
from typing import Any

from tests.support.planted_breaks import PARTS, PlantedBreak
from tests.support.push_checks import PushOutside

DEPLOYED_AFTER = 10
"""Minutes from the push to the first request that the new revision answers."""
START_FAMILIES = frozenset(("import_name", "module", "circular_import", "syntax", "start_target"))
"""What fails when the service starts: its first line comes with the deployment."""


@dataclass
class PushReplay:
    """What came out. `wrong`: a sentence for each commit whose check run is another one than it should be."""

    commits: int = 0
    red_breaks: int = 0
    false_alarms: int = 0
    most_requests: int = 0
    seconds: list[float] = field(default_factory=list)
    """From the webhook to the check run."""
    minutes_to_first_error: list[int] = field(default_factory=list)
    """From the push of what breaks to the first error line of the simulated user."""
    wrong: list[str] = field(default_factory=list)


def replay_pushes(outside: PushOutside, planted: Sequence[PlantedBreak], seed: int = 0) -> Iterator[PushReplay]:
    """The replay after each push."""
    breaks: Mapping[str, PlantedBreak] = {entry.commit: entry for entry in planted}
    replay, random = PushReplay(), Random(seed)
    for before, name in pairwise(outside.story.ids):
        began = time.perf_counter()
        run = outside.push(name, before=before)
        replay.seconds.append(time.perf_counter() - began)
        replay.commits += 1
        replay.most_requests = max(replay.most_requests, outside.count_requests())
        entry = breaks.get(name)
        replay.wrong += _compare(name, run, entry)
        is_red = run is not None and run["conclusion"] == "failure"
        replay.red_breaks += is_red and entry is not None
        replay.false_alarms += is_red and entry is None
        if entry is not None:
            replay.minutes_to_first_error.append(_simulate_user(entry, random))
        yield replay


def _compare(name: str, run: dict[str, Any] | None, planted: PlantedBreak | None) -> Iterator[str]:
    if run is None:
        yield f"{name}: no check run"
        return
    expected = "success" if planted is None else "failure"
    if run["conclusion"] != expected:
        yield f"{name}: {run['conclusion']}, not {expected}: {run['output']['summary'][:300]}"
    elif planted is not None and {annotation["path"] for annotation in run["output"]["annotations"]} != {planted.path}:
        yield f"{name}: not in {planted.path}: {run['output']['annotations']}"


def _simulate_user(planted: PlantedBreak, random: Random) -> int:
    """Minutes until the part that fails is asked for the first time."""
    if planted.families & START_FAMILIES:
        return DEPLOYED_AFTER
    minutes = DEPLOYED_AFTER
    while random.randrange(PARTS):
        minutes += 1
    return minutes
