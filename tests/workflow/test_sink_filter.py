"""The sinks' filters and the code agree: no signal is left out, nothing of our own comes in, the rest is refused."""

import json
import random
import re
import tomllib
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from shared.adapters.logs.log_json import parse_json_entry
from shared.detection.multiline_traceback import is_telling_frame
from shared.detection.signal import Signal, SignalKind, SkipReason, may_show_signal, read_signal
from shared.errors import UsageError
from shared.filters.rendering import (
    MAX_FILTER_LENGTH,
    SERVICES_PER_SINK,
    Sink,
    list_sinks,
    read_filter_template,
    render_sink_filter,
)
from shared.service import Service
from tests.support.function_clients import open_function_clients
from tests.support.function_outcomes import NASTY_TEXTS, as_sink_entry, run_every_outcome
from tests.support.harness import Harness, watched_service
from tests.support.line_logs import FAILED_IMPORT, FAILED_SOCKET, FAILED_START, GROUP, TELLING_FRAMES
from tests.support.log_fuzzing import SIGNAL_TEXTS, mutate
from tests.support.log_samples import LINE_624, NESTED_CLOSE_CODES, TRACEBACK, export_entry
from tests.support.log_shapes import SHAPES
from tests.support.logging_query import matches
from tests.support.memory import MemoryStore
from tests.support.signal_corpus import collect_texts, entry_shapes

OWN = ("record", "investigate", "decide", "redeploy", "check", "verify", "github", "compile-3-11")
FERRY = Service("ferry", "harbour-dev", "europe-west1", "harbour/ferry", "C-FERRY")
MOST_NEGATIVES = 12 / 42
"""Of the texts that name a syntax error or the number 1011 and are no signal, what may pass; printed as measured.

So much passed before the filter took failed starts, exceptions of WebSockets and CPython's bare messages."""


def signals(watched: Service = FERRY, project: str = "shore-ops", own: tuple[str, ...] = OWN) -> str:
    return render_sink_filter(Sink.SIGNALS, [watched], project, own)


@pytest.fixture(scope="module")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Signal | SkipReason]:
    return collect_texts(tmp_path_factory.mktemp("corpus"))


@pytest.fixture(scope="module")
def negatives(corpus: dict[str, Signal | SkipReason]) -> list[str]:
    return [text for text, read in corpus.items() if isinstance(read, SkipReason) and _says_something(text)]


def _says_something(text: str) -> bool:
    return (
        may_show_signal(text) or is_telling_frame(text) or re.search(r"(Syntax|Indentation|Tab)Error", text) is not None
    )


def test_every_signal_in_every_shape_passes(corpus: dict[str, Signal | SkipReason]) -> None:
    query = signals()
    read = [found for found in corpus.values() if isinstance(found, Signal)]
    assert {found.kind for found in read} == set(SignalKind) - {SignalKind.FOLLOW_ON_ERROR, SignalKind.FOUND_BY_CHECK}
    assert len(read) > 100
    missed = [
        (name, text)
        for text, found in corpus.items()
        for name, entry in entry_shapes(text)
        if isinstance(found, Signal)
        and isinstance(read_signal(parse_json_entry(entry, 0)), Signal)
        and not matches(query, entry)
    ]
    assert missed == []


def test_of_a_traceback_that_comes_line_by_line_the_last_line_and_the_telling_frames_pass() -> None:
    *before, last = TRACEBACK.splitlines()
    assert matches(signals(), export_entry(last, severity=...))
    passed = [line for line in before if matches(signals(), export_entry(line, severity=...))]
    assert (
        passed
        == [line for line in before if is_telling_frame(line)]
        == ['  File "/app/ferry/main.py", line 3, in <module>']
    )


@pytest.mark.parametrize("text", [FAILED_START, FAILED_SOCKET, FAILED_IMPORT, GROUP, *TELLING_FRAMES])
def test_each_telling_frame_passes_and_no_other_line(text: str) -> None:
    lines = text.splitlines()
    telling = [line for line in lines if is_telling_frame(line)]
    assert telling
    assert [line for line in lines if matches(signals(), export_entry(line, severity=...))] == telling


@pytest.mark.parametrize("name", [name for name, text in SHAPES.items() if not text.startswith("[")])
def test_each_shape_of_frameworks_and_loggers_passes(name: str) -> None:
    text = SHAPES[name]
    is_object = text.startswith("{")
    entry = export_entry(None, jsonPayload=json.loads(text)) if is_object else export_entry(text)
    assert matches(signals(), entry) or not isinstance(read_signal(parse_json_entry(entry, 0)), Signal)


@pytest.mark.parametrize("key", ["code", "close_code", "closeCode", "ws_close_code", "websocket_close_code"])
@pytest.mark.parametrize("code", [1011, "1011"])
def test_a_close_code_in_a_field_passes(key: str, code: object) -> None:
    entry = export_entry(None, jsonPayload={"message": "gone", key: code})
    assert isinstance(read_signal(parse_json_entry(entry, 0)), Signal)
    assert matches(signals(), entry)


@pytest.mark.parametrize("payload", NESTED_CLOSE_CODES)
def test_a_close_code_below_the_top_passes(payload: dict[str, object]) -> None:
    entry = export_entry(None, jsonPayload=payload)
    assert isinstance(read_signal(parse_json_entry(entry, 0)), Signal)
    assert matches(signals(), entry)


def test_a_class_and_its_message_in_fields_of_their_own_pass() -> None:
    for error in ({"type": "SyntaxError", "message": "invalid syntax (quay.py, line 7)"}, "SyntaxError"):
        assert matches(signals(), export_entry(None, jsonPayload={"error": error}))


def test_fuzzed_signals_pass() -> None:
    """Whatever the reader takes for a failure of Python or a close code, however it is mangled."""
    query, chance = signals(), random.Random(1011)
    seeds = (
        *SIGNAL_TEXTS,
        *NASTY_TEXTS,
        "WebSocketDisconnect(code=1011, reason=None)",
        "websocket closed with code 1011.",
    )
    bits = ("received ", "sent ", "code", "=", ": ", " ", "(", "close", "websocket", "internal error", "\x1b[0m")
    missed: list[str] = []
    found = 0
    for number in range(4_000):
        text = mutate(seeds[number % len(seeds)], chance)
        if number % 2:
            text = text.replace("1011", f"{chance.choice(bits)}1011{chance.choice(bits)}", 1)
        entry = export_entry(text)
        read = read_signal(parse_json_entry(entry, 0))
        if isinstance(read, Signal) and read.kind is not SignalKind.NOT_PYTHON:
            found += 1
            missed += [] if matches(query, entry) else [text]
    assert found > 1_000
    assert missed == []


def test_of_what_is_no_signal_little_passes(negatives: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    passed = [text for text in negatives if matches(signals(), export_entry(text))]
    share = len(passed) / len(negatives)
    with capsys.disabled():
        print(f"\nsink filter: {len(passed)} of {len(negatives)} texts that are no signal pass ({share:.0%})", end="")
    assert len(negatives) > 40
    assert share <= MOST_NEGATIVES


def test_what_names_neither_never_passes(corpus: dict[str, Signal | SkipReason]) -> None:
    """Severity alone is not enough."""
    others = [text for text in corpus if not _says_something(text)]
    assert others
    assert not [text for text in others for _, entry in entry_shapes(text) if matches(signals(), entry)]


def test_what_passes_and_is_no_signal_is_refused_with_a_stored_reason(negatives: list[str]) -> None:
    watched = watched_service("ferry", project="harbour-dev", region="europe-west1")
    reasons: set[str] = set()
    for text in negatives:
        harness = Harness({watched.id: watched})
        if not matches(signals(), export_entry(text)):
            continue
        with open_function_clients(harness) as opened:
            assert opened.deliver("record", json.dumps(export_entry(text)).encode()).status_code == 204
        assert isinstance(harness.store, MemoryStore)
        (kept,) = harness.store.documents("rejections").values()
        reasons.add(str(kept["reason"]))
        assert harness.store.documents("incidents") == {}
    assert reasons == {
        "no_failing_file",
        "not_a_close_code",
        "no_signal",
        "mentioned",
        "database_error",
        "foreign_error",
    }


@pytest.mark.parametrize("log", ["run.googleapis.com%2Frequests", "cloudaudit.googleapis.com%2Fsystem_event"])
def test_requests_and_audit_entries_do_not_pass(log: str) -> None:
    assert not matches(signals(), export_entry(LINE_624, logName=f"projects/harbour-dev/logs/{log}"))


@pytest.mark.parametrize("label", ["project_id", "location", "service_name"])
def test_another_service_does_not_pass(label: str) -> None:
    entry = export_entry(LINE_624)
    assert matches(signals(), entry)
    resource: Any = entry["resource"]
    resource["labels"][label] = "elsewhere"
    assert not matches(signals(), entry)


def test_an_entry_without_a_revision_passes() -> None:
    assert matches(signals(), export_entry(LINE_624, revision=""))


class TestOwn:
    """Entries of provenfix's own functions, even where one of them is watched by mistake."""

    WATCHED = watched_service("provenfix-record")

    def printed(self, capsys: pytest.CaptureFixture[str]) -> list[dict[str, object]]:
        for error in NASTY_TEXTS:
            run_every_outcome(error)
        return [placed(as_sink_entry(json.loads(line))) for line in capsys.readouterr().out.splitlines()]

    def test_nothing_that_a_function_prints_passes(self, capsys: pytest.CaptureFixture[str]) -> None:
        lines = self.printed(capsys)
        lines += [placed(export_entry(text)) for text in (*NASTY_TEXTS, TRACEBACK, LINE_624)]
        own = signals(self.WATCHED, "shore", ("provenfix-record", "provenfix-decide"))
        other = signals(self.WATCHED, "shore", ("provenfix-decide",))
        assert len(lines) > 500
        assert not [line for line in lines if matches(own, line)]
        assert [line for line in lines if matches(other, line)]

    def test_a_service_of_that_name_in_another_project_is_none_of_ours(self) -> None:
        away = signals(self.WATCHED, "shore-ops", ("provenfix-record",))
        assert matches(away, placed(export_entry(LINE_624)))


def placed(entry: dict[str, object]) -> dict[str, object]:
    labels = {"project_id": "shore", "service_name": "provenfix-record", "location": "europe-west6"}
    return entry | {"resource": {"type": "cloud_run_revision", "labels": labels}}


class TestRevisions:
    """The platform's own entries about revisions."""

    READY = "Ready condition status changed to True for Revision ferry-00042-abc with message: Deploying succeeded."
    FAILED = "Ready condition status changed to False for Revision ferry-00042-abc with message: It failed to start."

    def entry(self, message: str, log: str = "cloudaudit.googleapis.com%2Fsystem_event") -> dict[str, object]:
        payload = {
            "@type": "type.googleapis.com/google.cloud.audit.AuditLog",
            "methodName": "/Services.ReplaceService",
            "resourceName": "namespaces/harbour-dev/revisions/ferry-00042-abc",
            "serviceName": "run.googleapis.com",
            "status": {"message": message},
        }
        return export_entry(None, protoPayload=payload, logName=f"projects/harbour-dev/logs/{log}", labels=...)

    @pytest.mark.parametrize("message", [READY, FAILED])
    def test_ready_and_failed_pass(self, message: str) -> None:
        assert matches(render_sink_filter(Sink.REVISIONS, [FERRY], "shore-ops", OWN), self.entry(message))

    @pytest.mark.parametrize("message", ["", READY.replace("True", "Unknown"), READY.replace("Revision", "Service")])
    def test_other_audit_entries_do_not_pass(self, message: str) -> None:
        assert not matches(render_sink_filter(Sink.REVISIONS, [FERRY], "shore-ops", OWN), self.entry(message))

    def test_service_log_text_is_no_revision_event(self) -> None:
        log = "run.googleapis.com%2Fstderr"
        assert not matches(render_sink_filter(Sink.REVISIONS, [FERRY], "shore-ops", OWN), self.entry(self.READY, log))
        assert not matches(render_sink_filter(Sink.REVISIONS, [FERRY], "shore-ops", OWN), export_entry(self.READY))


class TestSharedSinks:
    """The services of a project share its sinks, or those of one folder; no other service passes."""

    def test_each_service_passes_and_its_neighbours_do_not(self) -> None:
        services = [FERRY, replace(FERRY, name="barge"), replace(FERRY, name="tug", region="us-east1")]
        query = render_sink_filter(Sink.SIGNALS, services, "shore-ops", OWN)

        def passes(name: str, region: str, project: str = FERRY.project) -> bool:
            labels = {"project_id": project, "location": region, "service_name": name}
            return matches(query, export_entry(LINE_624, resource={"type": "cloud_run_revision", "labels": labels}))

        assert [passes(service.name, service.region) for service in services] == [True] * 3
        assert not passes("barge", "us-east1")
        assert not passes("tug", "europe-west1")
        assert not passes("dinghy", "europe-west1")
        assert not passes("ferry", "europe-west1", "harbour-test")

    def test_a_project_has_two_sinks_until_a_filter_is_full(self) -> None:
        services = [replace(FERRY, name=f"ferry-{number:02}") for number in range(SERVICES_PER_SINK)]
        assert [sink.key for sink in list_sinks(services)] == ["harbour-dev signals", "harbour-dev revisions"]
        fuller = list_sinks([*services, replace(FERRY, name="tug"), replace(FERRY, project="harbour-test")])
        assert [(sink.key, sink.name, len(sink.services)) for sink in fuller if sink.kind is Sink.SIGNALS] == [
            ("harbour-dev signals", "signals", SERVICES_PER_SINK),
            ("harbour-dev signals 2", "signals-2", 1),
            ("harbour-test signals", "signals", 1),
        ]

    def test_one_folder_takes_the_services_of_all_projects(self) -> None:
        services = [FERRY, replace(FERRY, project="harbour-test")]
        sinks = list_sinks(services, "123456789012")
        assert [(sink.parent, sink.key) for sink in sinks] == [
            ("folders/123456789012", "folders/123456789012 signals"),
            ("folders/123456789012", "folders/123456789012 revisions"),
        ]
        assert {service for sink in sinks for service in sink.services} == set(services)


@pytest.mark.parametrize("sink", list(Sink))
class TestFiles:
    """What Terraform reads is what Python reads."""

    def test_is_short_enough_with_the_longest_names(self, sink: Sink) -> None:
        """Each in a region and a project of its own, as in a folder."""
        long = [
            Service("s" * 63, f"{number:02}{'p' * 28}", "northamerica-northeast1", "a/b", "C")
            for number in range(SERVICES_PER_SINK)
        ]
        rendered = render_sink_filter(sink, long, "o" * 30, ["f" * 63] * 20)
        assert rendered.count("p" * 28) == SERVICES_PER_SINK
        assert len(rendered) < MAX_FILTER_LENGTH

    def test_every_placeholder_is_filled(self, sink: Sink) -> None:
        names = {"services", "own_project", "own_functions"}
        assert set(re.findall(r"\$\{(\w+)\}", read_filter_template(sink))) == names
        assert "${" not in render_sink_filter(sink, [FERRY], "shore-ops", OWN)

    def test_means_the_same_to_terraform(self, sink: Sink) -> None:
        """`%{` begins a directive and `$$` an escape there; a backslash may be taken out once or twice on the way."""
        text = read_filter_template(sink)
        assert not [sign for sign in ("%{", "$$", "\\", "\t", "\r") if sign in text]

    @pytest.mark.parametrize("name", ['a" OR "b', "", "a b", "ü", "a\\"])
    def test_no_name_breaks_out(self, sink: Sink, name: str) -> None:
        with pytest.raises(UsageError):
            render_sink_filter(sink, [FERRY], "shore-ops", [name])

    def test_own_functions_must_be_named(self, sink: Sink) -> None:
        with pytest.raises(UsageError, match=r"own\.functions"):
            render_sink_filter(sink, [FERRY], "shore-ops", [])


def test_the_files_are_in_the_distribution() -> None:
    pyproject = tomllib.loads((Path(__file__).parents[2] / "pyproject.toml").read_text())
    assert pyproject["tool"]["setuptools"]["package-data"]["provenfix.shared.filters"] == ["*.tftpl"]
