"""Messages a second of a storm of one defect: through bus, relay and `record`, against a bare function in its place.

In: how many messages. Out: rows. Both runs have the same emulators, relay and number of processes; the bare function
prints one line and answers. What the storm left behind is counted, too: it must be one of each.
"""

import time
from collections.abc import Iterator
from pathlib import Path

from functions import main as functions
from functions.local.emulators import find_emulators
from shared.errors import InputError
from tests.bench.table import Row
from tests.support.e2e.storm import read_leftovers, run_storm_stack

_DEADLINE = 1_800.0
_EMBEDDED_SHARE = 10
"""SQLite writes each acknowledgement to the disk: a tenth of the messages says as much."""
_OTHERS = " = ".join(name for name in sorted(functions.__all__) if name != "record")
BARE = f"""\
import functions_framework

@functions_framework.http
def record(request):
    request.get_data()
    print('{{"severity": "INFO"}}', flush=True)
    return "", 204

{_OTHERS} = record
"""


def rows(folder: Path, count: int) -> Iterator[Row]:
    """`count` is that of the messages through the emulators."""
    bare = folder / "bare_stack.py"
    bare.write_text(BARE, "utf-8")
    for where, embedded, share in (("Pub/Sub emulator", False, 1), ("SQLite queue", True, _EMBEDDED_SHARE)):
        try:
            if not embedded:
                find_emulators()
        except InputError as missing:
            yield Row(f"messages through the {where}", "not measured", str(missing))
            continue
        name = where.split(maxsplit=1)[0].replace("/", "").lower()
        floor = _bare(folder / f"{name}-bare", count // share, bare, embedded=embedded)
        yield from _stormed(folder / name, count // share, where, floor, embedded=embedded)


def _bare(folder: Path, count: int, source: Path, *, embedded: bool) -> float:
    """Messages a second."""
    folder.mkdir()
    with run_storm_stack(folder, embedded=embedded, source=source) as played:
        begun = time.perf_counter()
        played.publish_entries(count)
        played.wait_for(lambda: played.handled_count("record") >= count, _DEADLINE)
        return count / (time.perf_counter() - begun)


def _stormed(folder: Path, count: int, where: str, floor: float, *, embedded: bool) -> Iterator[Row]:
    folder.mkdir()
    with run_storm_stack(folder, embedded=embedded) as played:
        begun = time.perf_counter()
        played.publish_entries(count)
        played.wait_for(lambda: played.handled_count("record") >= count, _DEADLINE)
        seconds = time.perf_counter() - begun
        played.wait_for(lambda: "proposed" in played.handled_outcomes("investigate"), _DEADLINE)
        found = read_leftovers(played)
    rate = count / seconds
    yield Row(
        f"{count:,} messages through the {where}",
        f"{rate:.0f}/s",
        f"bare function: {floor:.0f}/s",
        f"{floor / rate:.2f}",
    )
    syntax = [incident for incident in found.incidents if incident.value["kind"] == "syntax_error"]
    counts = (len(syntax), len(found.issues), len(found.messages), found.dead)
    told = "{} incident, {} issue, {} proposal, {} dead".format(*counts)
    yield Row("… and what it left", told, goal="1, 1, 1, 0", met=counts == (1, 1, 1, 0))
    if embedded:
        return  # so short a storm has the writes of its beginning only
    writes = max((int(incident.version.partition("@")[0]) for incident in syntax), default=0)
    yield Row("… and writes on the incident", f"{writes / seconds:.2f}/s", goal="≤ 1/s", met=writes <= seconds)
