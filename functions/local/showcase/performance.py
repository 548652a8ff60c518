"""The whole loop on one machine, told while it happens: a scenario goes in, whether it came to its end comes out.

A service that really fails, the five functions, the page; whoever dies on the way is started again. What a person does
(approve, merge) a person does, or this does it in their place and says so.
"""

import json
import secrets
import time
from collections.abc import Callable, Mapping
from contextlib import ExitStack, suppress
from dataclasses import dataclass, field
from pathlib import Path

from functions.local.page.clicks import Clicker
from functions.local.platform.journal import sink_takes
from functions.local.showcase.build import SERVICE
from functions.local.showcase.envelope import LOCATION, PROJECT
from functions.local.showcase.narration import clock, proof, sentence
from functions.local.showcase.scenario import PLOTS, Plot, Scenario
from functions.local.showcase.staging import Say, Staging, choice, notes_of
from functions.local.showcase.storm import storm
from functions.local.showcase.visitors import Visitors, visiting
from functions.local.stack import served
from functions.local.stack.place import led_to
from functions.local.stack.plan import CALLED
from functions.local.stack.process import LOOPBACK, free_port, is_free
from functions.local.stack.standing import Standing, Wanted, standing
from functions.local.stack.tending import Tended
from shared.adapters.local.served_platform import ServedPlatform
from shared.adapters.local.sqlite_queue import SqliteQueue
from shared.adapters.machine import SystemClock
from shared.adapters.slack.interaction import APPROVE
from shared.domain.service import Service
from shared.domain.signal import SignalKind
from shared.errors import Reject, Unreadable
from shared.ports import Document, Store
from shared.secret import Secret
from shared.settings import read_settings
from shared.steps import cases, flow
from shared.steps.case import Case, read_case
from shared.steps.evidence import KIND as EVIDENCE
from shared.steps.flow import State
from shared.wiring import local_logs, store

LONGEST_WAIT = 6.0
TICK_SECONDS = 1.0
_TURN_SECONDS = 0.1
_SAMPLE = 200
_AGAIN_SECONDS = 3.0
"""After this long a click that was not heard is repeated."""
_SECRET = "PROVENFIX_DEMO_SIGNING_SECRET"  # noqa: S105  # the name of a variable
_CHANNEL, _APPROVER = "C0HARBOUR", "U0MIRA"
_CONFIGURATION = """\
version: 1
services:
  - name: {service}
    project: {project}
    region: {region}
    repository: {repository}
    channel: {channel}
    approvers: [{approver}]
    probe_url: ws://127.0.0.1:{port}/ws
    daily_cap: 100
slack:
  signing_secret: {{env: {secret}}}
"""


@dataclass(frozen=True, slots=True)
class Asked:
    """What is to be performed. `page_port` 0 takes a free one."""

    folder: Path
    scenario: Scenario
    page_port: int
    auto_approve: bool
    say: Say
    show: Callable[[str], None]
    """Takes the page's address once it can be looked at."""


@dataclass(slots=True)
class Performance:
    """A running stack and all that has been told of it."""

    asked: Asked
    service: Service
    stack: Standing
    staging: Staging
    store: Store
    clicker: Clicker
    visitors: Visitors
    page: str
    """The address of the page."""
    told: set[tuple[str, int]] = field(default_factory=set)
    visit: str = ""
    due: float = 0.0
    clicked: float = 0.0
    merged: bool = False

    def until_over(self) -> Case:
        """Returns the incident once it is at rest, and no entry waits any more. Raises Unreadable."""
        while True:
            case = self._turn()
            if case is not None and not case.active and not self._waiting():
                return case
            time.sleep(_TURN_SECONDS)

    def until_interrupted(self) -> None:
        """Goes on, for whoever looks at the page; Ctrl-C is no failure any more."""
        with suppress(KeyboardInterrupt):
            while True:
                self._turn()
                time.sleep(_TURN_SECONDS)

    def _turn(self) -> Case | None:
        for name in self.stack.tended.revive():
            self.asked.say(f"{name} had ended; it was started again.")
        self._tick()
        case = self.case()
        if case is not None:
            self._tell(case)
            self._act(case)
        self._look()
        return case

    def _waiting(self) -> bool:
        """Whether a storm is still being dealt with."""
        return self.staging.plot.storm > 0 and self._lies_there(flow.LOG_ENTRIES)

    def _lies_there(self, topic: str) -> bool:
        queue = self.stack.bus
        return isinstance(queue, SqliteQueue) and queue.age(topic) > 0

    def case(self) -> Case | None:
        """The incident that this is about."""
        found = [read_case(each.value) for each in self.store.find(cases.KIND, "service", self.service.id)]
        errors = [case for case in found if case.kind is SignalKind.SYNTAX_ERROR]
        return max(errors, key=lambda case: case.generation) if errors else None

    def _tick(self) -> None:
        """Never before the last one is done with: in earnest a minute lies between two of them."""
        if time.monotonic() >= self.due and not self._lies_there(flow.TICK):
            self.due = time.monotonic() + TICK_SECONDS
            self.stack.bus.put(flow.TICK, [b"{}"])

    def _tell(self, case: Case) -> None:
        for number, step in enumerate(case.history):
            if (case.id, number) not in self.told:
                self.told.add((case.id, number))
                self.asked.say(sentence(case, step, self._evidence(case)))
                if step["state"] == State.PROPOSED.value:
                    self._show_question(case)

    def _show_question(self, case: Case) -> None:
        for line in proof(self._evidence(case)):
            self.asked.say(f"  {line}")
        if not self.asked.auto_approve:
            self.asked.say(f"Now it is your turn: approve or deny at {self.page} (or end it with Ctrl-C).")

    def _evidence(self, case: Case) -> Document:
        stored = self.store.read(EVIDENCE, case.evidence)
        return stored.value if stored else {}

    def _act(self, case: Case) -> None:
        """What people do."""
        plot = self.staging.plot
        if case.state is State.UNFIXED and plot.pull_request and not self.merged:
            self.merged = True
            self.asked.say("A person reads the issue and merges the pull request.")
            self.staging.merge()
        if case.state is State.PROPOSED and self.asked.auto_approve and time.monotonic() >= self.clicked:
            self.clicked = time.monotonic() + _AGAIN_SECONDS
            self._approve(case)

    def _approve(self, case: Case) -> None:
        """The button is the message's own, and the request the one that the chat would send."""
        posted = self.store.read("local-messages", case.message)
        if posted is None:
            return
        try:
            _, answered = self.clicker.press(self.service, case.message, posted.value, APPROVE, _APPROVER)
        except Reject:
            return  # the message has changed just now: the next turn sees why
        self.asked.say(f"Pressing Approve (--auto-approve), with the request that the chat would sign: {answered.text}")

    def _look(self) -> None:
        last = self.visitors.last
        seen = last.told if last else ""
        if seen and seen != self.visit:
            self.visit = seen
            self.asked.say(f"A visitor's socket {seen}.")


def perform(asked: Asked) -> bool:
    """Whether the scenario came to the end that it is about. Everything is ended on every way out."""
    page = asked.page_port or free_port()
    if not is_free(page):
        raise Unreadable(f"Port {page} is taken, and the page needs it: end what listens there, or give another --port")
    plot, notes = PLOTS[asked.scenario], notes_of(asked.folder, read_settings().interpreters)
    asked.say(f"Scenario “{asked.scenario}”. {plot.about}")
    asked.say(choice(notes))
    secret, port = Secret(secrets.token_hex(16)), free_port()
    service = _service(asked.folder, port)
    environment = _environment(asked.folder, service, port, secret)
    with ExitStack() as ending:
        ending.enter_context(led_to(environment))
        opened = store(read_settings())
        platform = ServedPlatform(opened, SystemClock())
        tended = Tended(asked.folder, ending)
        tended.start([served.platform(asked.folder, port, environment)])
        staging = Staging(asked.folder, service, port, plot, platform, asked.say, notes)
        staging.play()
        asked.say(_waits())
        wanted = Wanted(
            asked.folder,
            embedded=True,
            environment=environment,
            beside=lambda ports: [served.page(asked.folder, page, ports[CALLED], environment)],
        )
        stack = ending.enter_context(standing(wanted))
        stack.tended.running |= tended.running
        visitors = ending.enter_context(visiting(port))
        _blow(asked, service, plot, stack)
        address = f"http://{LOOPBACK}:{page}/"
        asked.show(address)
        clicker = Clicker(f"http://{LOOPBACK}:{stack.ports[CALLED]}/", lambda: secret)
        performance = Performance(asked, service, stack, staging, opened, clicker, visitors, address)
        ended = _ended(asked, plot, performance.until_over())
        if not asked.auto_approve:
            asked.say(f"The page stays at {address} until you end this with Ctrl-C.")
            performance.until_interrupted()
        return ended


def _ended(asked: Asked, plot: Plot, case: Case) -> bool:
    asked.say("The clock: " + ", ".join(clock(case)) + ".")
    by_person = case.state in {State.DENIED, State.EXPIRED, State.MUTED}
    if case.state is not plot.ends and not by_person:
        asked.say(f"It ended as {case.state.value}, and should have ended as {plot.ends.value}: {case.ending_why}")
    return case.state is plot.ends or by_person


def _blow(asked: Asked, service: Service, plot: Plot, stack: Standing) -> None:
    """All at once: into the log, and through the sink."""
    if not plot.storm:
        return
    logs = local_logs(read_settings())
    entries = list(storm([each for each in logs.raw(service, _SAMPLE) if sink_takes(each)], plot.storm))
    logs.write(entries)
    stack.bus.put(flow.LOG_ENTRIES, [json.dumps(each).encode() for each in entries])
    logs.close()
    asked.say(f"{len(entries):,} entries of this failure were logged at once.")


def _service(folder: Path, port: int) -> Service:
    return Service(
        name=SERVICE,
        project=PROJECT,
        region=LOCATION,
        repository=str(folder.resolve() / "repository.git"),
        channel=_CHANNEL,
        approvers=(_APPROVER,),
        probe_url=f"ws://127.0.0.1:{port}/ws",
    )


def _environment(folder: Path, service: Service, port: int, secret: Secret) -> Mapping[str, str]:
    """What leads every process of the stack to it; the file of the configuration is written."""
    file = folder / "provenfix.yaml"
    text = _CONFIGURATION.format(
        service=service.name,
        project=service.project,
        region=service.region,
        repository=service.repository,
        channel=service.channel,
        approver=_APPROVER,
        port=port,
        secret=_SECRET,
    )
    file.write_text(text, "utf-8")
    return {
        "PROVENFIX_CONFIG": str(file.resolve()),
        "PROVENFIX_EMBEDDED": str(folder.resolve()),
        "PROVENFIX_PROJECT": "provenfix-local",
        "PROVENFIX_PLATFORM": "served",
        "PROVENFIX_LONGEST_WAIT": str(LONGEST_WAIT),
        # What a process that is killed cannot clean up is gone with the folder.
        "TMPDIR": str(_made(folder / "scratch")),
        _SECRET: secret.reveal(),
    }


def _made(folder: Path) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    return folder.resolve()


def _waits() -> str:
    return (
        f"Starting the five functions. What takes longer in earnest (2 minutes for a lone 1011, 12 for a lease, 24 "
        f"hours of watching) is cut to {LONGEST_WAIT:g} seconds here, and the tick comes every second."
    )
