"""Measures the functions as they are deployed against bare ones of the same run: a folder in, rows of the bench out.

A start goes from the first instruction of functions-framework to the first answer that took real work: `record` opens
an incident, `investigate` proves it on a small repository and asks, `decide` looks for a proposal. State is in SQLite,
and once more in the emulators where there are any, where each document and each message is a request.
"""

import contextlib
import io
import json
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any

from functions.demo.build_repository import ExampleRepository, build_incident
from functions.local import topology
from functions.local.emulators import run_emulators
from functions.local.stack_folder import override_environ
from shared.errors import InputError
from tests.bench.first_answer import ROOT, FunctionRequest, StartMeasurement, child_environment, measure_start
from tests.bench.table import Row
from tests.support.function_requests import (
    EVENT_HEADERS,
    SECRET,
    bench_configuration,
    click_request,
    event_body,
    event_request,
    log_entry,
)

MAIN = ROOT / "functions" / "main.py"
PROJECT = "provenfix-bench"
PREFIX = "provenfix-"
BARE = """\
import functions_framework

@functions_framework.cloud_event
def event(_):
    pass

@functions_framework.http
def http(_):
    return ""
"""
MOST_START = {"record": 2.5, "decide": 2.5, "investigate": 5.0}
MOST_OVERHEAD = 1.3
CALLS, ROUNDS = 100, 21


@dataclass(frozen=True, slots=True)
class Place:
    """Where the functions of a round keep their state, named by their environment; `name` is for the table."""

    name: str
    folder: Path
    environment: Mapping[str, str]

    def of_round(self, number: int) -> Mapping[str, str]:
        """A state of its own for each round: an incident is opened once."""
        kind = "PROVENFIX_LOCAL" if self.name else "PROVENFIX_EMBEDDED"
        return {**self.environment, kind: str(self.folder / f"state{number}"), "PROVENFIX_DATABASE": f"round{number}"}


def rows(folder: Path, runs: int) -> Iterator[Row]:
    """All measures of the functions; `folder` takes their state."""
    bare = folder / "bare.py"
    bare.write_text(BARE, "utf-8")
    story = build_incident(folder / "chat.git")
    config = str(bench_configuration(folder, story))
    environment = {"PROVENFIX_CONFIG": config, "SIGNING": SECRET, "PROVENFIX_PROJECT": PROJECT}
    yield from _starts(story, bare, Place("", folder, environment), runs)
    yield _overhead(story, bare, Place("", folder, environment))
    try:
        with run_emulators(folder) as emulators, override_environ(emulators.environment):
            _make_topics()
            there = Place(" with Firestore", folder, environment | dict(emulators.environment))
            yield from _starts(story, bare, there, runs)
    except InputError as missing:
        yield Row("starts with Firestore", "not measured", str(missing))


def _make_topics() -> None:
    from functions.local.pubsub_relay import create_topics  # noqa: PLC0415 - Google's client

    create_topics(PROJECT, PREFIX, topology.DeliveryPolicy())


def _starts(story: ExampleRepository, bare: Path, place: Place, runs: int) -> Iterator[Row]:
    found: dict[str, list[StartMeasurement]] = {}
    for number in range(runs + 1):
        there = place.of_round(number)
        for name, asked in _asked(story, bare, there):
            started = measure_start(asked, there)
            if number:  # the first round writes the .pyc files, and wakes the emulators
                found.setdefault(name, []).append(started)
        shutil.rmtree(place.folder / f"state{number}", ignore_errors=True)
    for name, most in MOST_START.items():
        yield _start_row(name + place.name, found[name], found["http" if name == "decide" else "event"], most)


def _start_row(name: str, ours: list[StartMeasurement], bare: list[StartMeasurement], most: float) -> Row:
    """The ratio is the median of those of the rounds: what else the machine does strikes both starts of a round."""
    ratio = median(one.seconds / other.seconds for one, other in zip(ours, bare, strict=True))
    value, baseline = _told(ours), f"bare function: {_told(bare)}"
    return Row(f"{name}: start to first answer", value, baseline, f"{ratio:.1f}", f"≤ {most:g}", ratio <= most)


def _told(started: list[StartMeasurement]) -> str:
    seconds, memory = min(one.seconds for one in started), max(one.memory for one in started)
    return f"{seconds * 1000:.0f} ms, {memory >> 20} MB"


def _asked(
    story: ExampleRepository, bare: Path, environment: Mapping[str, str]
) -> Iterator[tuple[str, FunctionRequest]]:
    logged = json.dumps(log_entry(story)).encode()
    yield "event", FunctionRequest("event", bare, lambda: event_request(logged))
    yield "http", FunctionRequest("http", bare, click_request)
    yield "record", FunctionRequest("record", MAIN, lambda: event_request(logged))
    yield "decide", FunctionRequest("decide", MAIN, click_request)
    opened = json.dumps({"incident": _incident(environment)}).encode()
    yield "investigate", FunctionRequest("investigate", MAIN, lambda: event_request(opened))


def _incident(environment: Mapping[str, str]) -> str:
    """The id of the incident that `record` has just opened."""
    code = (
        "from shared.config.settings import read_all_settings; from shared.state_stores import create_store;"
        "store = create_store(read_all_settings()); print(store.find('incidents', 'state', 'opened')[0].key)"
    )
    command = [sys.executable, "-c", code]
    told = subprocess.run(
        command, env=child_environment(environment), stdout=subprocess.PIPE, text=True, check=True, cwd=ROOT
    )
    return told.stdout.strip()


def _overhead(story: ExampleRepository, bare: Path, place: Place) -> Row:
    """What `record` costs on an entry that it has seen, in one process with a bare function, in turns."""
    from functions.http import runtime  # noqa: PLC0415 - nothing of it is to be loaded before the starts are measured

    clients = {"event": _client("event", bare), "record": _client("record", MAIN)}
    logged = json.dumps(log_entry(story)).encode()
    best = dict.fromkeys(clients, float("inf"))
    with override_environ(place.of_round(-1)):
        runtime.set_runtime(None)
        for _ in range(ROUNDS):
            for name, client in clients.items():
                best[name] = min(best[name], _calls(client, event_body(logged)))
        runtime.set_runtime(None)
    ratio = best["record"] / best["event"]
    value, baseline = (f"{best[name] / CALLS * 1e6:.0f} µs" for name in ("record", "event"))
    goal = f"≤ {MOST_OVERHEAD:g}"
    return Row(
        "record on a duplicate", value, f"bare function: {baseline}", f"{ratio:.2f}", goal, ratio <= MOST_OVERHEAD
    )


def _client(target: str, source: Path) -> Any:
    import functions_framework  # noqa: PLC0415 - see above

    create: Any = functions_framework.create_app
    return create(target, str(source)).test_client()


def _calls(client: Any, body: bytes) -> float:
    """Seconds of CPU time: neither waits for anything, and other processes do not count."""
    with contextlib.redirect_stdout(io.StringIO()):
        client.post("/", data=body, headers=EVENT_HEADERS)
        begun = time.process_time()
        for _ in range(CALLS):
            client.post("/", data=body, headers=EVENT_HEADERS)
        return time.process_time() - begun
