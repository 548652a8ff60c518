"""The way of a push from its webhook to the check run, through the functions, against a fake GitHub.

A repository goes in; webhooks are signed as GitHub signs them, and what is published is delivered.
"""

import json
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field, fields
from typing import Any

import functions_framework

from functions.http.runtime import Runtime, open_no_span, set_runtime
from shared.adapters.github.checks import GitHubCheckRuns
from shared.adapters.github.client import GitHubClient
from shared.adapters.github.history import open_history
from shared.adapters.github.webhook import DELIVERY_HEADER, EVENT_HEADER, SIGNATURE_HEADER, sign
from shared.proof.model.ports import Compilers, History
from shared.service import Service
from shared.workflow.prover import Prover
from tests.support.function_clients import EVENT_HEADERS, MAIN, WEBHOOK_SECRET, WEBHOOK_SETTINGS, wrap_message
from tests.support.github.check_runs import CheckRunBoard
from tests.support.github.clients import TokenEndpoint, open_installation_client
from tests.support.github.git_backend import GitBackend
from tests.support.github.server import REPOSITORY, FakeGitHub, serve_fake
from tests.support.harness import FixedContext, Harness, watched_service
from tests.support.history_builder import HistoryBuilder, running_python
from tests.support.memory import MemoryStore

NO_COMMIT = "0" * 40
TOKEN_PATH = "/access_tokens"


@dataclass(frozen=True)
class _GitHubContext(FixedContext):
    """A context whose histories come from the fake GitHub, by a client that counts."""

    github: GitHubClient = field(kw_only=True)

    def open_limited_history(self, service: Service, requests: int, seconds: float) -> AbstractContextManager[History]:
        return open_history(self.github.limit(requests, seconds), service.repository)


@dataclass
class PushOutside:
    """`requests` of one push: those to GitHub, without those for a token."""

    story: HistoryBuilder
    fake: FakeGitHub
    board: CheckRunBoard
    harness: Harness
    clients: Mapping[str, Any]
    delivered: int = 0

    def push(self, commit: str, before: str = "", **event: object) -> dict[str, Any] | None:
        """A push to the deploy branch; the check run that it leads to, None for none. Commits by name."""
        told = {
            "ref": "refs/heads/main",
            "before": self.story.ids[before] if before else NO_COMMIT,
            "after": self.story.ids[commit],
            "deleted": False,
            **event,
        }
        return self.deliver("push", told)

    def open_pull_request(self, commit: str, base: str, **head: object) -> dict[str, Any] | None:
        """A pull request for the deploy branch, opened or brought up to date."""
        told = {
            "action": "synchronize",
            "number": 7,
            "pull_request": {
                "head": {"sha": self.story.ids[commit], "ref": "work", "repo": {"full_name": REPOSITORY}, **head},
                "base": {"sha": self.story.ids[base], "ref": "main"},
            },
        }
        return self.deliver("pull_request", told)

    def deliver(self, kind: str, event: Mapping[str, object], delivery: str = "") -> dict[str, Any] | None:
        """One webhook, and all that it leads to. Returns the check run that is new."""
        self.fake.requests.clear()
        known = len(self.board.runs)
        assert self.send(kind, event, delivery) == 204
        while self.harness.bus.waiting:
            topic, message = self.harness.bus.waiting.pop(0)
            assert topic == "check-requested"
            assert self.check(message) == 204
        return self.board.runs[-1] if len(self.board.runs) > known else None

    def send(self, kind: str, event: Mapping[str, object], delivery: str = "") -> int:
        self.delivered += 1
        about = {"repository": {"full_name": REPOSITORY, "default_branch": "main"}, "sender": {"login": "nora"}}
        body = json.dumps({**about, **event}).encode()
        headers = {
            EVENT_HEADER: kind,
            DELIVERY_HEADER: delivery or f"72d3162e-{self.delivered:04}",
            SIGNATURE_HEADER: sign(body, WEBHOOK_SECRET),
        }
        return int(self.clients["github"].post("/", data=body, headers=headers).status_code)

    def check(self, message: Mapping[str, object]) -> int:
        body = {"message": wrap_message(json.dumps(message).encode()), "subscription": "projects/shore/subscriptions/s"}
        return int(self.clients["check"].post("/", data=json.dumps(body), headers=EVENT_HEADERS).status_code)

    def count_requests(self) -> int:
        return sum(not asked.path.endswith(TOKEN_PATH) for asked in self.fake.requests)


@contextmanager
def open_push_outside(
    story: HistoryBuilder, compilers: Compilers, *services: Service, most_entries: int = 100_000
) -> Iterator[PushOutside]:
    """The functions `github` and `check` on a written history; without services, one that is deployed from it."""
    watched = services or (watched_service(repository=REPOSITORY, python=running_python()),)
    harness = Harness({service.id: service for service in watched}, store=MemoryStore())
    board = CheckRunBoard()
    fake = FakeGitHub(GitBackend(story.path, most_entries), extra_routes=[board, TokenEndpoint(harness.clock)])
    with serve_fake(fake):
        github = open_installation_client(fake.address, harness.clock)
        process = harness.start_process()
        given = {port.name: getattr(process, port.name) for port in fields(process)}
        given |= {"compilers": compilers, "prover": Prover(), "check_runs": _Claimed(GitHubCheckRuns(github), harness)}
        context = _GitHubContext(**given, github=github)
        set_runtime(Runtime(WEBHOOK_SETTINGS, context, lambda: WEBHOOK_SECRET, open_no_span))
        create: Any = functions_framework.create_app
        try:
            clients = {name: create(name, str(MAIN)).test_client() for name in ("github", "check")}
            yield PushOutside(story, fake, board, harness, clients)
        finally:
            set_runtime(None)


@dataclass
class _Claimed:
    """The adapter, which may act under a claim only."""

    adapter: GitHubCheckRuns
    harness: Harness

    def __getattr__(self, name: str) -> Any:
        if name == "create_run":
            self.harness.check_runs.require_claim("write a check run")
        return getattr(self.adapter, name)
