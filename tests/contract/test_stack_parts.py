"""The parts of the stack: what a function is sent, what counts as taken, and how a server is started and ended."""

import http.server
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from threading import Event, Thread

import pytest
from flask import Flask
from flask import request as received

from functions.http.delivery import read_delivery
from functions.local import emulators, topology
from functions.local.function_client import FunctionClient, build_cloud_event
from functions.local.server_process import (
    LOOPBACK,
    NO_OUTPUT,
    Server,
    check_running,
    find_free_port,
    is_port_free,
    run_server,
    wait_until_ready,
)
from functions.local.stack_folder import load_environment, override_environ, publish_environment
from shared.adapters.delivery import Delivery
from shared.errors import InputError

DELIVERY = Delivery("m7", "log-entries", b"\x00\xff{", {"a": "b"}, datetime(2026, 4, 7, 8, 0, tzinfo=UTC), 3)


class Function(http.server.BaseHTTPRequestHandler):
    """Answers with the statuses of the class, one after the other; 0 closes the connection without an answer."""

    protocol_version = "HTTP/1.1"
    statuses: list[int]
    came: list[bytes]
    stuck: Event

    def do_POST(self) -> None:
        self.came.append(self.rfile.read(int(self.headers["content-length"])))
        status = self.statuses.pop(0)
        if status == -1:
            self.stuck.wait()
        if status <= 0:
            self.close_connection = True
            return
        self.send_response(status)
        self.send_header("content-length", "0")
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Says nothing."""


@contextmanager
def function(*statuses: int, seconds: float = 30) -> Iterator[tuple[FunctionClient, list[bytes]]]:
    class Here(Function):
        pass

    Here.statuses, Here.came, Here.stuck = list(statuses), [], Event()
    with http.server.ThreadingHTTPServer((LOOPBACK, 0), Here) as server:
        thread = Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        door = FunctionClient(server.server_port, "shore", seconds)
        try:
            yield door, Here.came
        finally:
            Here.stuck.set()
            door.close()
            server.shutdown()
            thread.join()


@pytest.mark.parametrize(("status", "taken"), [(200, True), (204, True), (302, False), (400, False), (503, False)])
def test_only_a_2xx_answer_takes_a_delivery(status: int, taken: bool) -> None:  # noqa: FBT001
    with function(status) as (door, came):
        assert door.deliver(DELIVERY) is taken
    assert len(came) == 1


def test_a_connection_that_was_closed_meanwhile_is_opened_again() -> None:
    with function(204, 0, 204) as (door, came):
        assert door.deliver(DELIVERY)
        assert door.deliver(DELIVERY)
    assert len(came) == 3


def test_a_function_that_never_answers_has_not_taken_it() -> None:
    with function(-1, seconds=0.05) as (door, came):
        assert not door.deliver(DELIVERY)
    assert len(came) == 1


def test_a_function_that_hangs_up_twice_has_not_taken_it() -> None:
    with function(0, 0) as (door, _):
        assert not door.deliver(DELIVERY)


def test_a_function_that_is_not_there_has_not_taken_it() -> None:
    door = FunctionClient(find_free_port(), "shore", 1)
    assert not door.deliver(DELIVERY)
    door.close()


def test_a_function_reads_what_the_relay_sends() -> None:
    body, headers = build_cloud_event(DELIVERY, "shore")
    with Flask("shore").test_request_context("/", method="POST", data=body, headers=headers):
        delivery = read_delivery(received)
    assert (delivery.message_id, delivery.data, delivery.published_at) == ("m7", b"\x00\xff{", DELIVERY.published_at)
    assert headers["ce-source"] == "//pubsub.googleapis.com/projects/shore/topics/log-entries"


def server(*command: str, port: int = 0) -> Server:
    return Server("pier", [sys.executable, *command], port or find_free_port(), {})


def test_a_server_that_ends_at_once_is_told_with_its_last_words(tmp_path: Path) -> None:
    broken = server("-c", "print('tide'); print('no water'); raise SystemExit(1)")
    with (
        run_server(broken, tmp_path) as process,
        pytest.raises(InputError, match=r"^pier .*: no water \(.*pier\.log"),
    ):
        wait_until_ready(broken, process, tmp_path)


def test_a_server_that_says_nothing_is_told_as_such(tmp_path: Path) -> None:
    silent = server("-c", "")
    with run_server(silent, tmp_path) as process, pytest.raises(InputError, match=NO_OUTPUT):
        wait_until_ready(silent, process, tmp_path)


def test_a_server_that_answers_runs_until_the_block_is_left(tmp_path: Path) -> None:
    port = find_free_port()
    listening = server("-m", "http.server", "--bind", LOOPBACK, str(port), port=port)
    with run_server(listening, tmp_path) as process:
        wait_until_ready(listening, process, tmp_path)
        check_running(listening, process, tmp_path)
        assert not is_port_free(listening.port)
    assert process.returncode is not None
    assert is_port_free(listening.port)


def test_a_server_is_ended_when_the_block_fails(tmp_path: Path) -> None:
    with pytest.raises(ZeroDivisionError), run_server(server("-c", "input()"), tmp_path) as process:
        raise ZeroDivisionError
    assert process.returncode is not None


def test_a_server_does_not_start_on_a_port_that_is_taken(tmp_path: Path) -> None:
    with (
        http.server.HTTPServer((LOOPBACK, 0), Function) as taken,
        pytest.raises(InputError, match=rf"\b{taken.server_port}\b.*\bpier\b"),
        run_server(server("-c", "", port=taken.server_port), tmp_path),
    ):
        pytest.fail("it was started")


def test_missing_emulators_are_told_with_what_to_install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    java = tmp_path / "java"
    java.write_text("#!/bin/sh\n", "utf-8")
    java.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(emulators, "_SDK_FOLDERS", ())
    with pytest.raises(InputError, match="gcloud components install pubsub-emulator cloud-firestore-emulator"):
        emulators.find_emulators()


def test_a_stack_is_found_by_its_folder_while_it_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PIER", "7")
    assert load_environment(tmp_path) == {}
    with publish_environment(tmp_path, {"PIER": "8"}, keep=False):
        found = load_environment(tmp_path)
        with override_environ({**found, "QUAY": "1"}):
            assert led("PIER", "QUAY") == ("8", "1")
        assert led("PIER", "QUAY") == ("7", None)
    assert load_environment(tmp_path) == {}


def led(*names: str) -> tuple[str | None, ...]:
    return tuple(os.environ.get(name) for name in names)


def test_pauses_double_up_to_the_longest() -> None:
    how = topology.DeliveryPolicy(min_retry_delay=1, max_retry_delay=5)
    assert [how.retry_delay(attempt) for attempt in range(1, 6)] == [1, 2, 4, 5, 5]
