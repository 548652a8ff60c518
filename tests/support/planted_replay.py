"""Judges each commit of a generated history against the one before, and compares with what was planted."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise

from shared.proof.compare_services import Alarm, ComparisonRequest, ServiceComparison
from shared.proof.model.ports import Compilers, History
from tests.support.history_builder import HistoryBuilder, running_python
from tests.support.planted_breaks import PlantedBreak


@dataclass
class Replay:
    """What came out. `wrong`: a sentence for each commit that was judged otherwise than it was made."""

    commits: int = 0
    alarms: dict[str, int] = field(default_factory=dict)
    """By family."""
    wrong: list[str] = field(default_factory=list)


def replay_history(
    built: HistoryBuilder, planted: Sequence[PlantedBreak], history: History, compilers: Compilers
) -> Iterator[Replay]:
    """The replay after each commit."""
    breaks: Mapping[str, PlantedBreak] = {entry.commit: entry for entry in planted}
    comparison, replay = ServiceComparison(history, compilers), Replay()
    for before, name in pairwise(built.ids):
        request = ComparisonRequest(built.ids[before], built.ids[name], python=running_python())
        [service] = comparison.compare(request)
        replay.commits += 1
        replay.wrong += _compare(name, service.alarms, breaks.get(name))
        for family in {alarm.family for alarm in service.alarms}:
            replay.alarms[family] = replay.alarms.get(family, 0) + 1
        yield replay


def _compare(name: str, alarms: Sequence[Alarm], planted: PlantedBreak | None) -> Iterator[str]:
    if planted is None:
        yield from (f"{name}: {alarm.path}, line {alarm.line}: {alarm.message}" for alarm in alarms)
        return
    if not alarms:
        yield f"{name}: nothing is found in {planted.path}"
    for alarm in alarms:
        if alarm.path != planted.path or alarm.family not in planted.families:
            yield f"{name}: {alarm.family} in {alarm.path}, not {planted.path}: {alarm.message}"
