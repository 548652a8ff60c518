"""A storm of one defect, through the whole stack: how many entries goes in, what was stored of them comes out.

The incident's own entries are repeated and shuffled: copies of one entry, and entries of their own with the same text.
"""

import json
import random
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from functions.demo.build_repository import ExampleRepository, build_incident
from functions.demo.incident_log import Shape, render_log
from functions.local import topology
from functions.local.server_process import FUNCTIONS_FILE
from functions.local.stack import RunningStack, StackOptions, run_stack
from functions.local.stack_folder import override_environ
from shared.config.settings import read_settings
from shared.ports import StoredDocument
from shared.state_stores import create_dead_letters, create_store
from shared.workflow import flow

_SEED = 20_260_512
_POLL_SECONDS = 0.1
CHANNEL = "C0HARBOUR1"
APPROVER = "U0HARBOUR1"
SIGNING_SECRET = "of these tests alone"
SERVICE = "harbour-prod.harbour-chat"
_CONFIGURATION = """\
version: 1
services:
  - name: {service}
    project: harbour-prod
    region: europe-west1
    repository: {repository}
    channel: {channel}
    approvers: [{approver}]
slack:
  signing_secret: {{env: HARBOUR_SIGNING_SECRET}}
"""


def storm_configuration(story: ExampleRepository) -> str:
    """A `provenfix.yaml` that watches the service of the incident."""
    return _CONFIGURATION.format(service=story.service, repository=story.path, channel=CHANNEL, approver=APPROVER)


@dataclass(slots=True)
class Storm:
    """A stack that watches the service of the incident, and the entries that it logged."""

    stack: RunningStack
    repository: Path
    entries: tuple[Mapping[str, object], ...]
    ticks: int = 0
    """How many were published."""

    def publish_entries(self, count: int) -> None:
        """Publishes `count` entries of the incident, shuffled; a third of them are copies of other ones."""
        chance = random.Random(_SEED)
        chosen = [dict(chance.choice(self.entries)) for _ in range(count)]
        for number, entry in enumerate(chosen):
            if number % 3:
                entry["insertId"] = f"storm{number:08x}"
        self.stack.bus.publish_raw(flow.LOG_ENTRIES, [json.dumps(entry).encode() for entry in chosen])

    def tick(self) -> None:
        """What Cloud Scheduler does once a minute."""
        self.ticks += 1
        self.stack.bus.publish_raw(flow.TICK, [b"{}"])

    def handled_count(self, function: str) -> int:
        """How many messages a function has handled: one line in its log for each."""
        return (self.stack.folder / f"{function}.log").read_bytes().count(b'{"severity": ')

    def handled_outcomes(self, function: str) -> list[str]:
        """The outcomes of all that a function has handled, from its log."""
        text = (self.stack.folder / f"{function}.log").read_text("utf-8")
        lines = text[: text.rfind("\n") + 1].splitlines()
        return [json.loads(line)["provenfix"]["outcome"] for line in lines if line.startswith("{")]

    def wait_for(self, condition: Callable[[], bool], seconds: float) -> None:
        """Returns once it is true; fails at the deadline, or when a function has ended."""
        deadline = time.monotonic() + seconds
        while not condition():
            self.stack.check_running()
            assert time.monotonic() < deadline, {name: self.handled_outcomes(name)[-3:] for name in self.stack.ports}
            time.sleep(_POLL_SECONDS)


@dataclass(frozen=True, slots=True)
class Leftovers:
    """What the storm left behind."""

    incidents: tuple[StoredDocument, ...]
    """Those that are not explained by another one."""
    issues: tuple[StoredDocument, ...]
    messages: tuple[StoredDocument, ...]
    dead: int


@contextmanager
def run_storm_stack(folder: Path, *, embedded: bool, source: Path = FUNCTIONS_FILE) -> Iterator[Storm]:
    """Starts the stack on free ports, with the functions of `source`."""
    story = build_incident(folder / "service")
    config = folder / "provenfix.yaml"
    config.write_text(storm_configuration(story), "utf-8")
    environment = {"PROVENFIX_CONFIG": str(config), "HARBOUR_SIGNING_SECRET": SIGNING_SECRET}
    text = render_log(story, Shape.GCLOUD)
    with run_stack(StackOptions(folder / "stack", embedded, environment=environment, functions_file=source)) as stack:
        _keep_log(stack, text)
        yield Storm(stack, story.path, tuple(json.loads(text)))


def _keep_log(stack: RunningStack, text: str) -> None:
    """What is published stands in the log as well: there the functions look what a close is tied to."""
    with override_environ(stack.environment):
        folder = read_settings().local_folder
    assert folder is not None
    (folder / "logs").mkdir(parents=True, exist_ok=True)
    (folder / "logs" / "00001.json").write_text(text, "utf-8")


def read_leftovers(storm: Storm) -> Leftovers:
    """Reads it from the store, and from the dead letters."""
    repository = str(storm.repository)
    with override_environ(storm.stack.environment):
        settings = read_settings()
        opened, letters = create_store(settings), create_dead_letters(settings, topology.DEAD_LETTERS)
        leftovers = Leftovers(
            incidents=tuple(
                stored
                for stored in opened.find("incidents", "service", SERVICE)
                if stored.value["state"] != flow.IncidentState.ABSORBED
            ),
            issues=tuple(opened.find("local-issues", "repository", repository)),
            messages=tuple(opened.find("local-messages", "channel", CHANNEL)),
            dead=len(letters.list_waiting()),
        )
        letters.close()
    return leftovers
