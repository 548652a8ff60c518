"""The page without a network: a setting goes in, answers of the application come out, and every read is counted."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode

from functions.local.page.incident_view import IncidentReader
from functions.local.page.site import Site, create_app
from functions.local.page.slack_clicks import ClickSender
from shared.adapters.standins.chat_and_issues import LocalChat, LocalIssues
from shared.ports import Document, Store, StoredDocument
from shared.secret import Secret
from shared.workflow.investigate_incident import investigate_incident
from shared.workflow.record import record_log_entry
from tests.support.harness import Harness

PORT = 8470
HOST = f"127.0.0.1:{PORT}"
READ_ONLY_REASON = "This is to be read only."
SECRET = Secret("0ddba11")


@dataclass
class CountingStore:
    """A store that counts what is read from it."""

    store: Store
    reads: list[str] = field(default_factory=list)

    def create(self, kind: str, key: str, value: Document) -> bool:
        return self.store.create(kind, key, value)

    def read(self, kind: str, key: str) -> StoredDocument | None:
        self.reads.append(f"{kind}/{key}")
        return self.store.read(kind, key)

    def replace(self, kind: str, key: str, value: Document, version: str) -> bool:
        return self.store.replace(kind, key, value, version)

    def find(self, kind: str, field: str, value: str, limit: int = 500) -> Sequence[StoredDocument]:
        self.reads.append(f"{kind}?{field}")
        return self.store.find(kind, field, value, limit)

    def take_reads(self) -> list[str]:
        """Since it was last asked."""
        taken, self.reads = self.reads, []
        return taken


@dataclass(frozen=True)
class PageAnswer:
    status: int
    headers: Mapping[str, str]
    body: str


def propose_on_one_machine(harness: Harness, text: str = "") -> str:
    """An incident with a question, kept by the chat and the issue tracker of one machine."""
    kept = {"chat": LocalChat(harness.store), "issues": LocalIssues(harness.store)}
    world = harness.start_process(kept.get)
    incident = record_log_entry(world, harness.log_entry(text)).incident
    investigate_incident(world, incident)
    return incident


def build_site(harness: Harness, decide: str = "http://127.0.0.1:1/") -> Site:
    """`decide` is where clicks go; "" for a page that is to be read only."""
    shelf = IncidentReader(harness.store, harness.services)
    return Site(shelf, ClickSender(decide, lambda: SECRET)) if decide else Site(shelf, None, READ_ONLY_REASON)


def request_page(
    site: Site,
    path: str,
    form: Mapping[str, str] | None = None,
    headers: Mapping[str, str] | None = None,
    method: str = "",
) -> PageAnswer:
    """One request, as the server hands it over: a GET, or with a form a POST as this page's own browser sends it."""
    body = urlencode(form).encode() if form is not None else b""
    own = {"host": HOST} | ({"origin": f"http://{HOST}", "sec-fetch-site": "same-origin"} if form is not None else {})
    address, _, query = path.partition("?")
    scope: dict[str, object] = {
        "type": "http",
        "method": method or ("GET" if form is None else "POST"),
        "path": address,
        "raw_path": address.encode(),
        "query_string": query.encode(),
        "root_path": "",
        "scheme": "http",
        "http_version": "1.1",
        "headers": [(name.encode(), value.encode()) for name, value in (own | dict(headers or {})).items() if value],
    }
    return asyncio.run(_call_application(site, scope, body))


async def _call_application(site: Site, scope: dict[str, object], body: bytes) -> PageAnswer:
    sent: list[Any] = []
    waiting = [{"type": "http.request", "body": body, "more_body": False}]

    async def receive() -> dict[str, object]:
        return waiting.pop() if waiting else {"type": "http.disconnect"}

    async def send(message: Any) -> None:
        sent.append(message)

    await create_app(site, PORT)(scope, receive, send)
    start = sent[0]
    headers = {name.decode(): value.decode() for name, value in start["headers"]}
    text = b"".join(message.get("body", b"") for message in sent[1:])
    return PageAnswer(int(str(start["status"])), headers, text.decode())
