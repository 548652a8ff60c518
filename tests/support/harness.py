"""The whole outside in one place, and processes that start and end in it: a test takes its context from here."""

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from shared.detection.entry import LogEntry
from shared.ports import (
    Bus,
    Chat,
    CheckRuns,
    Clock,
    Deployer,
    IdGenerator,
    Issues,
    LinkBuilder,
    Logs,
    Pager,
    Probe,
    Revisions,
    Store,
)
from shared.proof.model.ports import Compilers, History
from shared.proposal.decision import Click, ClickKind
from shared.proposal.proposal import Message
from shared.pushes import CheckRunWriter
from shared.service import Service
from shared.workflow.context import NoLinkBuilder, Throttle
from shared.workflow.prover import Prover
from tests.support.chat import FakeChat, FakePager
from tests.support.check_runs import FakeCheckRuns
from tests.support.clock import CountedIds, FakeClock
from tests.support.cloud_run import FakeCloudRun
from tests.support.commit_graph import FakeHistories, ScriptedProver, commit_id
from tests.support.issues import FakeIssues
from tests.support.logs import FakeChecks, FakeLogs, FakeProbe
from tests.support.memory import ClaimGuard, MemoryBus, MemoryStore

Tap = Callable[[str, object], object]
"""Takes a port's name and the port, gives what the process uses instead."""

OLD_REVISION = "tide-00007-old"
APPROVER = "U-NORA"
SECOND_APPROVER = "U-OLE"


def watched_service(name: str = "tide", **changes: object) -> Service:
    """A watched service with one approver."""
    given: dict[str, object] = {
        "name": name,
        "project": "shore",
        "region": "europe-west6",
        "repository": f"harbour/{name}",
        "channel": f"C-{name.upper()}",
        "traffic_steps": (100,),
        "approvers": (APPROVER,),
        "probe_url": f"wss://{name}.invalid/ws",
        "check_revisions": False,
    }
    return Service(**(given | changes))  # type: ignore[arg-type]


@dataclass(frozen=True, slots=True)
class FixedContext:
    """Implements `shared.workflow.context.Context` with ports that are given; `dataclasses.replace` exchanges them."""

    store: Store
    bus: Bus
    clock: Clock
    ids: IdGenerator
    logs: Logs
    open_history: Callable[[Service], AbstractContextManager[History]]
    compilers: Compilers
    issues: Issues
    chat: Chat
    pager: Pager
    revisions: Revisions
    deployer: Deployer
    probe: Probe
    checks: CheckRuns
    check_runs: CheckRunWriter
    link_builder: LinkBuilder
    is_kill_switch_on: Callable[[str], bool]
    prover: Prover
    services: Mapping[str, Service]
    own_functions: frozenset[str] = frozenset()
    throttle: Throttle = field(default_factory=Throttle)

    def open_limited_history(self, service: Service, requests: int, seconds: float) -> AbstractContextManager[History]:
        """The same history: these tests count no requests."""
        del requests, seconds
        return self.open_history(service)

    def limit_wait(self, usual_wait: timedelta) -> timedelta:
        """No wait is shortened: the tests turn the clock."""
        return usual_wait


@dataclass
class Harness:
    """Everything that outlives a process."""

    services: Mapping[str, Service] = field(default_factory=lambda: {"shore.tide": watched_service()})
    clock: FakeClock = field(default_factory=FakeClock)
    store: Store = field(default_factory=MemoryStore)
    bus: MemoryBus = field(default_factory=lambda: MemoryBus(require_claim=ClaimGuard(strict=True)))
    logs: FakeLogs = field(default_factory=FakeLogs)
    chat: FakeChat = field(default_factory=FakeChat)
    pager: FakePager = field(default_factory=FakePager)
    probe: FakeProbe = field(default_factory=FakeProbe)
    checks: FakeChecks = field(default_factory=FakeChecks)
    check_runs: FakeCheckRuns = field(default_factory=FakeCheckRuns)
    prover: ScriptedProver = field(default_factory=ScriptedProver)
    histories: FakeHistories = field(default_factory=FakeHistories)
    ids: CountedIds = field(default_factory=CountedIds)
    kill_switch: bool = False
    issues: FakeIssues = field(init=False)
    cloud: FakeCloudRun = field(init=False)

    def __post_init__(self) -> None:
        self.issues = FakeIssues(self.clock)
        self.cloud = FakeCloudRun(self.clock)
        for service in self.services.values():
            self.cloud.deploy_manually(service, f"{service.name}-00007-old", commit_id("attempt"))

    def start_process(self, tap: Tap = lambda _, port: port) -> FixedContext:
        """A new process: nothing of an earlier one's memory is left."""
        ports: dict[str, object] = {
            "store": self.store,
            "bus": self.bus,
            "logs": self.logs,
            "open_history": self.histories,
            "issues": self.issues,
            "chat": self.chat,
            "pager": self.pager,
            "revisions": self.cloud,
            "deployer": self.cloud,
            "probe": self.probe,
            "checks": self.checks,
            "check_runs": self.check_runs,
            "link_builder": NoLinkBuilder(),
            "is_kill_switch_on": lambda _: self.kill_switch,
        }
        tapped = {name: tap(name, port) for name, port in ports.items()}
        return FixedContext(
            clock=self.clock,
            ids=self.ids,
            compilers=_NoCompilers(),  # type: ignore[arg-type]
            services=self.services,
            own_functions=frozenset({"shore.provenfix-record"}),
            prover=self.prover.prover(),
            **tapped,  # type: ignore[arg-type]
        )

    def log_entry(self, text: str = "", revision: str = "", at: datetime | None = None, name: str = "tide") -> LogEntry:
        """What the service logs now; kept in its log as well. Without a text: the syntax error of every test."""
        entry = LogEntry(
            position=len(self.logs.kept),
            text=text or syntax_error(),
            timestamp=at or self.clock.now(),
            severity="ERROR",
            log_name="projects/shore/logs/run.googleapis.com%2Fstderr",
            insert_id=f"i{len(self.logs.kept)}",
            project="shore",
            service=name,
            revision=revision or f"{name}-00007-old",
            instance="0a1b",
        )
        self.logs.kept.append(entry)
        return entry


class _NoCompilers:
    """Nothing is compiled where the prover knows the answer."""


def syntax_error(path: str = "/app/chat/greeting.py", line: int = 7) -> str:
    """As Python logs it."""
    return f'  File "{path}", line {line}\n    oops = = 1\n           ^\nSyntaxError: invalid syntax'


def button_click(message: Message, kind: ClickKind = ClickKind.APPROVE, **changes: str) -> Click:
    """A press of one of the message's buttons, by the approver, where it was posted."""
    given = {
        "proposal": message.proposal,
        "incident": message.incident,
        "commit": message.commit,
        "evidence_hash": message.evidence_hash,
        "user": APPROVER,
        "user_name": "nora",
        "channel": "C-TIDE",
        "team": "T-SHORE",
        "token": "t1",
    }
    return Click(kind=kind, **(given | changes))
