"""A stack that is killed piece by piece: services that fail go in, incidents that were closed come out, whatever died.

Every service is real and has a repository of its own. Moments are counted in steps of the incidents, so that they are
the same ones on a slow machine.
"""

import os
import random
import signal
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from functions.demo import Flavour, Role, build_incident
from functions.demo.scenario import ScenarioName
from functions.demo.setup import load_progress
from functions.demo.ws_client import visit_service
from functions.local.page.slack_clicks import ClickSender
from functions.local.server_process import LOOPBACK, build_page_server, build_platform_server, find_free_port
from functions.local.stack import RunningStack, StackOptions, run_stack
from functions.local.stack_folder import override_environ
from functions.local.supervisor import Supervisor
from functions.local.topology import SLACK_FUNCTION
from shared.adapters.slack.interaction import APPROVE
from shared.adapters.sqlite.sqlite_queue import SqliteQueue
from shared.adapters.standins.process_platform import SERVICES_KIND as SERVICES
from shared.adapters.standins.process_platform import ManualRevision, ProcessPlatform, RevisionSource
from shared.adapters.system import SystemClock
from shared.config.settings import read_settings
from shared.detection.signal import SignalKind
from shared.errors import InputError, Reject
from shared.ports import Store
from shared.secret import Secret
from shared.service import Service
from shared.state_stores import create_store
from shared.workflow import flow
from shared.workflow.records import incident_record
from shared.workflow.records.incident_record import IncidentRecord

TIMEOUT_SECONDS = 120.0
APPROVER = "U0TESS"
SECRET = Secret("of these tests alone")
LONGEST_WAIT = "6"
_POLL_SECONDS = 0.05
_VISIT_SECONDS = 1.0
_ENTRY = """\
  - name: {name}
    project: quay
    region: europe-west6
    repository: {repository}
    channel: {channel}
    approvers: [{approver}]
    probe_url: ws://127.0.0.1:{port}/ws
"""


@dataclass(frozen=True, slots=True)
class FailingService:
    """A service that is to fail, and the commit that it is deployed at."""

    service: Service
    port: int
    broken: str


@dataclass(slots=True)
class Chaos:
    """`killed` names what was killed so far."""

    stack: RunningStack
    store: Store
    platform: ProcessPlatform
    subjects: Sequence[FailingService]
    clicker: ClickSender
    killed: list[str] = field(default_factory=list)
    due: float = 0.0
    ticks: int = 0
    """Since the last kill. In earnest a minute lies between two of them, in which what was killed is up again."""

    def play(self, subjects: Sequence[FailingService], kills: int, chance: random.Random) -> None:
        """Breaks these services, kills at as many random moments, and returns once all incidents are at rest."""
        for subject in subjects:
            made = ManualRevision(f"{subject.service.name}-00001-old", RevisionSource(subject.broken))
            self.platform.deploy_by_hand(subject.service, made)
        moments = sorted(chance.randrange(6 * len(subjects)) for _ in range(kills))
        deadline = time.monotonic() + TIMEOUT_SECONDS
        while True:
            records = [case for subject in subjects if (case := self.incident_of(subject)) is not None]
            due = moments and sum(len(case.history) for case in records) >= moments[0] and self._is_recovered()
            if due and self._kill(subjects, chance):
                moments.pop(0)
            if not moments and len(records) == len(subjects) and not any(case.active for case in records):
                return
            self._run_round(subjects, records)
            assert time.monotonic() < deadline, [(case.id, case.state, case.history) for case in records]

    def incident_of(self, subject: FailingService) -> IncidentRecord | None:
        """The incident of a service; fails where it has two."""
        records = [
            incident_record.INCIDENTS.decode(stored.value)
            for stored in self.store.find(incident_record.KIND, "service", subject.service.id)
        ]
        errors = [case for case in records if case.kind is SignalKind.SYNTAX_ERROR]
        assert len(errors) <= 1, errors
        return errors[0] if errors else None

    def outside_counts(self, subject: FailingService) -> tuple[int, int, int]:
        """How many issues, messages and deployments of provenfix there are of a service."""
        deployed = self.store.read(SERVICES, subject.service.id)
        assert deployed is not None
        revisions = deployed.value["revisions"]
        assert isinstance(revisions, dict)
        return (
            len(self.store.find("local-issues", "repository", subject.service.repository)),
            len(self.store.find("local-messages", "channel", subject.service.channel)),
            sum(bool(revision["marker"]) for revision in revisions.values()),
        )

    def _run_round(self, subjects: Sequence[FailingService], records: Sequence[IncidentRecord]) -> None:
        """What the supervisor, the scheduler, the approver and the visitors do."""
        self.stack.supervisor.restart_ended()
        for case in records:
            posted = self.store.read("local-messages", case.message) if case.message else None
            if case.state is flow.IncidentState.PROPOSED and posted is not None:
                self._approve(next(subject for subject in subjects if subject.service.id == case.service), case)
        if time.monotonic() >= self.due:
            self.due = time.monotonic() + _VISIT_SECONDS
            answered = [_service_answers(subject) for subject in subjects]
            if all(answered) and self._tick_is_done():
                self.stack.bus.publish_raw(flow.TICK, [b"{}"])
                self.ticks += 1
        time.sleep(_POLL_SECONDS)

    def _approve(self, subject: FailingService, case: IncidentRecord) -> None:
        posted = self.store.read("local-messages", case.message)
        assert posted is not None
        try:
            self.clicker.press_button(subject.service, case.message, posted.value, APPROVE, APPROVER)
        except Reject:  # decided meanwhile
            return

    def _is_recovered(self) -> bool:
        """Whether a tick has seen the stack whole again: two probes in a row that fail are rightly a rollback."""
        return self.ticks > 0 and self._tick_is_done()

    def _tick_is_done(self) -> bool:
        """Whether no tick is under way."""
        queue = self.stack.bus
        assert isinstance(queue, SqliteQueue)
        return not any(queue.oldest_age(topic) for topic in flow.REPEATED_TOPICS)

    def _kill(self, subjects: Sequence[FailingService], chance: random.Random) -> bool:
        """One process of the stack, or of a service, or one that they have started; False where none of it runs now."""
        name = chance.choice([*self.stack.supervisor.running, "a service"])
        if name == "a service":
            wanted = chance.choice([subject.service.name for subject in subjects])
            processes = list(_processes_with_environment(f"K_SERVICE={wanted}"))
        else:
            _, running = self.stack.supervisor.running[name]
            processes = [running.pid, *_children(running.pid)]
        if not processes:
            return False
        os.kill(chance.choice(processes), signal.SIGKILL)
        self.killed.append(name)
        self.ticks = 0
        return True


@contextmanager
def run_chaos_stack(folder: Path, count: int) -> Iterator[Chaos]:
    """A stack that watches `count` services, of which none is deployed yet."""
    subjects = [_subject(folder, number) for number in range(count)]
    config = folder / "provenfix.yaml"
    entries = [
        _ENTRY.format(
            name=subject.service.name,
            repository=subject.service.repository,
            channel=subject.service.channel,
            approver=APPROVER,
            port=subject.port,
        )
        for subject in subjects
    ]
    config.write_text("services:\n" + "".join(entries) + "slack: {signing_secret: {env: QUAY_SECRET}}\n", "utf-8")
    environment = {
        "PROVENFIX_CONFIG": str(config),
        "PROVENFIX_EMBEDDED": str(folder),
        "PROVENFIX_PROJECT": "quay",
        "PROVENFIX_PLATFORM": "served",
        "PROVENFIX_LONGEST_WAIT": LONGEST_WAIT,
        "QUAY_SECRET": SECRET.reveal(),
    }
    with ExitStack() as ending:
        ending.enter_context(override_environ(environment))
        tended = Supervisor(folder, ending)
        tended.start_servers([build_platform_server(folder, subjects[0].port, environment)])
        wanted = StackOptions(
            folder,
            embedded=True,
            environment=environment,
            extra_servers=lambda ports: [
                build_page_server(folder, find_free_port(), ports[SLACK_FUNCTION], environment)
            ],
        )
        stack = ending.enter_context(run_stack(wanted))
        stack.supervisor.running |= tended.running
        opened = create_store(read_settings())
        clicker = ClickSender(f"http://{LOOPBACK}:{stack.ports[SLACK_FUNCTION]}/", lambda: SECRET)
        yield Chaos(stack, opened, ProcessPlatform(opened, SystemClock()), subjects, clicker)


def _subject(folder: Path, number: int) -> FailingService:
    notes = load_progress(folder, ScenarioName.INCIDENT, {})
    flavour = Flavour.EVERYWHERE if number % 2 else notes.flavour  # as on a machine without the Python of the story
    story = build_incident(folder / f"chat{number}.git", python=notes.python, flavour=flavour)
    port = find_free_port()
    service = Service(
        f"chat{number}",
        "quay",
        "europe-west6",
        str(story.path),
        f"C0CHAT{number}",
        approvers=(APPROVER,),
        probe_url=f"ws://127.0.0.1:{port}/ws",
    )
    return FailingService(service, port, story.commits[Role.REFACTORING])


def _service_answers(subject: FailingService) -> bool:
    try:
        visit_service(subject.port)
    except InputError:  # what serves it was killed; the next visit comes soon
        return False
    return True


def _children(process: int) -> list[int]:
    """All descendants that still run."""
    try:
        told = Path(f"/proc/{process}/task/{process}/children").read_text("ascii").split()
    except OSError:
        return []
    return [descendant for child in map(int, told) for descendant in (child, *_children(child))]


def _processes_with_environment(variable: str) -> Iterator[int]:
    for process_folder in Path("/proc").iterdir():
        try:
            if process_folder.name.isdigit() and variable.encode() in (process_folder / "environ").read_bytes().split(
                b"\0"
            ):
                yield int(process_folder.name)
        except OSError:  # it has ended meanwhile, or belongs to another user
            continue
