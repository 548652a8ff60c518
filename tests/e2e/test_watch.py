"""`provenfix watch` as a person uses it: a log in, a question on the page; nothing is changed unless a command may."""

import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.client import HTTPConnection
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from functions.demo import Shape, build_incident, write_incident_log
from functions.local.page.slack_clicks import ClickSender
from shared.adapters.slack.interaction import APPROVE
from shared.adapters.sqlite.sqlite_queue import SqliteQueue
from shared.adapters.sqlite.sqlite_store import SqliteStore
from shared.secret import Secret
from shared.service import Service
from shared.state_stores import QUEUE_FILE, STORE_FILE
from shared.workflow import flow
from shared.workflow.records.incident_record import INCIDENTS, IncidentRecord

DEADLINE = 90.0
SECRET = "of this test alone"
COMMAND = [sys.executable, "-c", "from provenfix.command import main; main()", "watch", "--no-browser"]
CONFIGURATION = """\
services:
  - name: harbour-chat
    project: harbour-prod
    region: europe-west1
    repository: {repository}
    channel: C0HARBOUR
    approvers: [U0MIRA]
"""
DEPLOY = '''\
"""Stands for whatever deploys: the new revision answers a request, and its log goes where the others go."""
import datetime, json, pathlib, sys

place, service, commit = sys.argv[1:]
labels = {"project_id": "harbour-prod", "service_name": service, "revision_name": service + "-00043-new"}
for log, text in (("stdout", "serving " + commit), ("requests", "")):
    at = datetime.datetime.now(datetime.UTC) + datetime.timedelta(seconds=1 if log == "requests" else 0)
    entry = {"insertId": "d" + log, "logName": "projects/harbour-prod/logs/run.googleapis.com%2F" + log}
    entry |= {"timestamp": at.isoformat(), "resource": {"type": "cloud_run_revision", "labels": labels}}
    with pathlib.Path(place).open("a") as file:
        file.write(json.dumps(entry | ({"textPayload": text} if text else {"httpRequest": {"status": 200}})) + "\\n")
'''


class Watching:
    """A running `provenfix watch`."""

    def __init__(self, home: Path, process: "subprocess.Popen[str]") -> None:
        self.folder, self.process = home / "state", process
        self.service = Service("harbour-chat", "harbour-prod", "europe-west1", str(home / "clone"), "C0HARBOUR")
        self.said: list[str] = []

    def until(self, words: str) -> str:
        """Reads what it says up to a line with these words."""
        assert self.process.stderr is not None
        for line in self.process.stderr:
            self.said.append(line)
            if words in line:
                return line
        raise AssertionError(f"it ended without having said {words!r}: {self.said}")

    def case(self) -> IncidentRecord:
        """The incident that a syntax error has opened."""
        store = SqliteStore(self.folder / STORE_FILE)
        found = [INCIDENTS.decode(each.value) for each in store.find("incidents", "error_class", "SyntaxError")]
        store.close()
        assert len(found) == 1
        return found[0]

    def buttons(self) -> list[str]:
        """The action ids of the message that is kept."""
        store = SqliteStore(self.folder / STORE_FILE)
        posted = store.read("local-messages", self.case().message)
        store.close()
        assert posted is not None
        return [found["action_id"] for found in _elements(posted.value["body"]) if "action_id" in found]

    def approve(self) -> None:
        """Presses the button of the message that is kept, as the page does."""
        case, store = self.case(), SqliteStore(self.folder / STORE_FILE)
        posted = store.read("local-messages", case.message)
        store.close()
        assert posted is not None
        command = " ".join(child for child in commands(self.process.pid) if "functions.local.page" in child)
        decide = re.search(r"http://127\.0\.0\.1:\d+/", command)
        assert decide is not None
        clicker = ClickSender(decide[0], lambda: Secret(SECRET))
        _, answered = clicker.press_button(self.service, case.message, posted.value, APPROVE, "U0MIRA")
        assert (answered.status, answered.text[:9]) == (200, "Approved.")

    def reach(self, state: flow.IncidentState) -> IncidentRecord:
        """Ticks, as the scheduler does, until the incident stands so."""
        queue, deadline = SqliteQueue(self.folder / QUEUE_FILE), time.monotonic() + DEADLINE
        while (case := self.case()).state is not state:
            assert time.monotonic() < deadline, case.history
            if queue.oldest_age(flow.TICK) == 0:
                queue.publish_raw(flow.TICK, [b"{}"])
            time.sleep(0.05)
        queue.close()
        return case


def _elements(value: object) -> Iterator[dict[str, str]]:
    """Every object of a body."""
    if isinstance(value, dict):
        yield value
    parts = value.values() if isinstance(value, dict) else value if isinstance(value, list | tuple) else ()
    for part in parts:
        yield from _elements(part)


def commands(process: int) -> list[str]:
    """What the children of a process were started with."""
    children = Path(f"/proc/{process}/task/{process}/children").read_text("ascii").split()
    return [Path(f"/proc/{child}/cmdline").read_text("utf-8").replace("\0", " ") for child in children]


@contextmanager
def watching(home: Path, configuration: str, *arguments: str, **variables: str) -> Iterator[Watching]:
    (home / "watched.yaml").write_text(configuration, "utf-8")
    command = [*COMMAND, "--config", str(home / "watched.yaml"), "--folder", str(home / "state"), *arguments]
    process = subprocess.Popen(
        command,
        stdin=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=os.environ | {"PROVENFIX_SIGNING_SECRET": SECRET} | variables,
        start_new_session=True,
    )
    try:
        yield Watching(home, process)
        process.send_signal(signal.SIGINT)
        assert process.wait(DEADLINE) == 130
    finally:
        process.terminate()
        process.wait(DEADLINE)
        for stream in (process.stdin, process.stderr):
            if stream is not None:
                stream.close()


def test_a_log_on_stdin_leads_to_a_question_and_nothing_is_deployed(tmp_path: Path) -> None:
    story = build_incident(tmp_path / "clone")
    log = write_incident_log(story, tmp_path / "log.json").read_text("utf-8")
    foreign = json.dumps(json.loads(log)[0]).replace("harbour-chat", "another-service")
    with watching(tmp_path, CONFIGURATION.format(repository=story.path)) as watched:
        assert watched.process.stdin is not None
        watched.until("Read-only: nothing is deployed")
        address = urlsplit(watched.until("The page: ").split()[-1])
        watched.process.stdin.write("Initializing tail session.\n" + log.rstrip().rstrip("]") + "," + foreign)
        watched.process.stdin.flush()
        watched.until("'harbour-prod.another-service': it is not in the configuration")
        watched.until("requested in the chat")
        watched.until(f"gcloud run deploy harbour-chat --source={story.path}")
        connection = HTTPConnection(address.hostname or "", address.port, timeout=DEADLINE)
        connection.request("GET", f"/incidents/{watched.case().id}", headers={"Host": address.netloc})
        assert story.fix[:12] in connection.getresponse().read().decode()
        connection.close()
        watched.process.stdin.close()
        figures = re.findall(r"\b\d+\b", watched.until("The log has ended"))
        assert figures[-2:] == ["26", "1"], "entries, and other lines"
        assert watched.buttons() == []
        case = watched.case()
    assert (case.state, case.rollout) == (flow.IncidentState.PROPOSED, None)


def test_approval_runs_the_deploy_command_and_starts_the_watch(tmp_path: Path) -> None:
    story = build_incident(tmp_path / "clone")
    log = write_incident_log(story, tmp_path / "log.jsonl", Shape.JSON_LINES)
    (tmp_path / "deploy.py").write_text(DEPLOY, "utf-8")
    words = [sys.executable, str(tmp_path / "deploy.py"), str(log), "{service}", "{commit}"]
    configuration = CONFIGURATION.format(repository=story.path) + f"    deploy_command: {json.dumps(words)}\n"
    with watching(tmp_path, configuration, "--log", str(log), PROVENFIX_LONGEST_WAIT="2") as watched:
        watched.until("An approval runs the deploy_command of harbour-prod.harbour-chat")
        watched.until("requested in the chat")
        watched.approve()
        case = watched.reach(flow.IncidentState.RESOLVED)
    assert case.rollout is not None
    assert case.rollout.revision == "harbour-chat-00043-new"
    assert f"serving {story.head}" in log.read_text("utf-8")


def _nothing(_home: Path) -> None:
    """Leaves things as they are."""


def _empty(home: Path) -> None:
    (home / "watched.yaml").write_text("services: []\n", "utf-8")


def _unknown_command(home: Path) -> None:
    with (home / "watched.yaml").open("a", encoding="utf-8") as file:
        file.write("    deploy_command: [no-such-deployer, '{commit}']\n")


@pytest.mark.parametrize(
    ("spoil", "arguments", "code", "told"),
    [
        (_empty, [], 2, "names no service"),
        (
            _unknown_command,
            [],
            2,
            "deploy_command begins with 'no-such-deployer', which is not a program on this machine",
        ),
        (_nothing, ["--log", "nowhere.json"], 3, "nowhere.json: there is no such file"),
        (lambda home: (home / "clone").rename(home / "gone"), [], 2, "`provenfix watch` reads a clone"),
        (lambda home: (home / "watched.yaml").unlink(), [], 3, "watched.yaml: file not found"),
    ],
)
def test_what_cannot_be_watched_is_told_in_one_sentence(
    tmp_path: Path, spoil: Callable[[Path], object], arguments: list[str], code: int, told: str
) -> None:
    build_incident(tmp_path / "clone")
    (tmp_path / "watched.yaml").write_text(CONFIGURATION.format(repository=tmp_path / "clone"), "utf-8")
    spoil(tmp_path)
    command = [*COMMAND, "--config", str(tmp_path / "watched.yaml"), "--folder", str(tmp_path / "state"), *arguments]
    ended = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)
    assert (ended.returncode, len(ended.stderr.splitlines())) == (code, 1), ended.stderr
    assert told in ended.stderr
