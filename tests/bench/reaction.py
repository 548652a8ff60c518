"""How long provenfix itself takes: from the first log entry of a failure to the question, from approval to "verified".

In: a folder and a number of runs. Out: rows. All that the functions talk to is on loopback, Firestore is its emulator,
and every function is a process of its own that starts when its first message arrives. Waits that are configured (the
watch, the minute between ticks) are not counted: what is added up is starting and answering.
"""

import math
import os
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

from functions.local.emulators import run_emulators
from functions.local.stack_folder import override_environ
from shared.errors import InputError
from tests.bench.table import Row
from tests.support.access.call_recorder import ObservedCalls
from tests.support.access.function_runner import FunctionRunner
from tests.support.access.scenarios import FILE, Scenario, write_history
from tests.support.clock import FakeClock
from tests.support.function_clients import MAIN
from tests.support.function_process import PACKAGES, serve_function
from tests.support.google_cloud import IMAGE, digest_of
from tests.support.history_builder import running_python
from tests.support.loopback import serve_loopback

GOAL = 5.0
WATCH_SECONDS = 5
"""The one wait that is left: no claim of the ledger may run out before a cold process has done its work."""
_SECONDS = 60.0
_MOST_TICKS = 60


class Now(FakeClock):
    """The time as it is: processes of their own cannot get another one."""

    def now(self) -> datetime:
        return datetime.now(UTC)

    def advance(self, by: timedelta) -> None:
        time.sleep(min(by.total_seconds(), 1.0))


@dataclass
class Cold(FunctionRunner):
    """Functions in processes of their own, each started by its first request. `seconds` is what that took so far."""

    seconds: float = 0.0
    processes: ExitStack = field(default_factory=ExitStack)
    urls: dict[str, str] = field(default_factory=dict)

    def call(self, function: str, body: bytes, headers: Mapping[str, str]) -> int:
        begun = time.perf_counter()
        try:
            if function not in self.urls:
                root = str(MAIN.parents[1])
                there = {**os.environ, **self.environment, "PYTHONPATH": f"{root}{os.pathsep}{PACKAGES}"}
                there["PYTHONSAFEPATH"] = "1"  # beside the functions there is a folder `http`
                self.urls[function] = self.processes.enter_context(serve_function(function, MAIN, environment=there))
            request = urllib.request.Request(self.urls[function], body, dict(headers), method="POST")
            try:
                with urllib.request.urlopen(request, timeout=_SECONDS) as answer:
                    return int(answer.status)
            except urllib.error.HTTPError as error:
                with error:
                    return error.code
        finally:
            self.seconds += time.perf_counter() - begun


def rows(folder: Path, runs: int) -> Iterator[Row]:
    """The two measures; `runs` incidents, each with its own state and its own processes."""
    folder.mkdir()
    try:
        with run_emulators(folder) as emulators, override_environ(emulators.environment):
            measured = [_measured(folder / f"run{number}", number) for number in range(runs)]
    except InputError as missing:
        yield Row("first log entry to question", "not measured", str(missing))
        return
    asked, verified = (sorted(each) for each in zip(*measured, strict=True))
    late = _p95(asked)
    yield Row(
        f"first log entry to question, cold, {runs} times",
        f"p50 {asked[len(asked) // 2]:.1f} s, p95 {late:.1f} s",
        goal=f"p95 < {GOAL:.0f} s",
        met=late < GOAL,
    )
    told = f"p50 {verified[len(verified) // 2]:.1f} s, p95 {_p95(verified):.1f} s"
    yield Row("approval to verified, cold, less the waits", told)


def _p95(values: list[float]) -> float:
    return values[math.ceil(len(values) * 0.95) - 1]


def _measured(folder: Path, number: int) -> tuple[float, float]:
    folder.mkdir()
    story, clock = write_history(folder / "repo.git"), Now()
    with serve_loopback(story.path, clock.now) as around, ExitStack() as processes:
        cloud = around.cloud
        cloud.add_build(story.ids["attempt"], "old")
        cloud.add_build(story.ids["later"], "new")
        cloud.deploy_manually("tide", f"{IMAGE}@{digest_of('old')}", "tide-1")
        config = folder / "provenfix.yaml"
        config.write_text(around.configuration(running_python()), "utf-8")
        environment = {
            **around.environment,
            "PROVENFIX_CONFIG": str(config),
            "PROVENFIX_PROJECT": f"bench-{os.getpid()}-{number}",
            "PROVENFIX_LONGEST_WAIT": str(WATCH_SECONDS),
        }
        player = Cold(around, ObservedCalls(), clock, environment, processes=processes)
        play = Scenario(story, player)
        play.ask()
        asked, player.seconds = player.seconds, 0.0
        _verified(play)
        return asked, player.seconds


def _verified(play: Scenario) -> None:
    assert play.player.click() == 200
    play.player.drain()
    for _ in range(_MOST_TICKS):
        run = next(iter(play.player.outside.cloud.services.values()))
        play.count_requests(run.template.revision)
        play.player.tick(timedelta(seconds=1))
        if play.issue["state"] == "closed":
            return
    raise AssertionError(f"{FILE} was not verified within {_MOST_TICKS} ticks")


if __name__ == "__main__":
    import tempfile

    with tempfile.TemporaryDirectory(prefix="provenfix-bench-") as name:
        for row in rows(Path(name) / "reaction", int(sys.argv[1]) if len(sys.argv) > 1 else 20):
            print(row)
