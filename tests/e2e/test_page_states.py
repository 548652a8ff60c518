"""The page in each state of an incident, on three widths, light and dark: what it says first, and what axe finds.

The application answers in this process; the browser gets its pages, its style and its script without a server.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Literal

import pytest
from playwright.sync_api import Page, Route, expect

from functions.local.page.decision_bar import describe_present_state
from functions.local.page.site import PAGE_FOLDER
from shared.adapters.standins.chat_and_issues import LocalChat, LocalIssues
from shared.proof.model.recommendation import ActionKind, Reason
from shared.proposal.decision import Click, ClickKind
from shared.proposal.rollout import WATCH_DURATION, ProbeResult
from shared.proposal.states import IncidentState
from shared.workflow.decide import handle_click
from shared.workflow.records.incident_record import INCIDENTS
from shared.workflow.records.proposals import PROPOSALS
from tests.support.drivers import (
    MINUTE,
    open_incident,
    propose_deployment,
    read_documents,
    read_incident,
    redeploy_approved,
    run_tick,
)
from tests.support.e2e.browser import RecordedBrowser, accessibility_violations, open_browser
from tests.support.harness import APPROVER, FixedContext, Harness, Tap, watched_service
from tests.support.page_client import HOST, build_site, request_page

FILES = {"page.css": "text/css", "page.js": "text/javascript", "mark.svg": "image/svg+xml"}
Scheme = Literal["light", "dark"]
WIDTHS = ((1280, 800), (768, 1024), (390, 844))
SCHEMES: tuple[Scheme, ...] = ("light", "dark")


@dataclass
class ShownHarness(Harness):
    """Chat and issue tracker are those of one machine, so that the page shows them."""

    kept: dict[str, object] = field(default_factory=dict)

    def start_process(self, tap: Tap = lambda _, port: port) -> FixedContext:
        self.kept = self.kept or {"chat": LocalChat(self.store), "issues": LocalIssues(self.store)}
        return super().start_process(lambda name, port: tap(name, self.kept.get(name, port)))


def _press_approve(harness: Harness, incident: str) -> None:
    proposal = PROPOSALS.decode(read_documents(harness, "proposals")[f"{incident}-1"])
    service = harness.services["shore.tide"]
    click = Click(
        ClickKind.APPROVE, proposal=proposal.id, incident=incident, commit=proposal.commit,
        evidence_hash=proposal.evidence_hash, user=APPROVER, user_name="nora", channel=service.channel,
        team=service.team, token="t1",
    )  # fmt: skip
    handle_click(harness.start_process(), click)


def _deploy(harness: Harness) -> str:
    incident = propose_deployment(harness)
    _press_approve(harness, incident)
    redeploy_approved(harness)
    run_tick(harness, 2 * MINUTE)
    return incident


def _watch(harness: Harness) -> str:
    incident = _deploy(harness)
    for _ in range(3):
        run_tick(harness)
    return incident


def _verify(harness: Harness) -> str:
    incident = _watch(harness)
    harness.logs.request_counts[harness.cloud.operations[0].revision] = 480
    run_tick(harness, WATCH_DURATION + MINUTE)
    return incident


def _roll_back(harness: Harness) -> str:
    incident = _deploy(harness)
    harness.probe.result = ProbeResult(ok=False, detail="closed with 1011")
    for _ in range(2):
        run_tick(harness)
    return incident


def _report(harness: Harness) -> str:
    harness.prover.kind, harness.prover.reason = ActionKind.NONE, Reason.DYNAMIC_CODE
    return propose_deployment(harness)


STATES: dict[IncidentState, Callable[[Harness], str]] = {
    IncidentState.OPENED: open_incident,
    IncidentState.PROPOSED: propose_deployment,
    IncidentState.DEPLOYING: _deploy,
    IncidentState.WATCHING: _watch,
    IncidentState.RESOLVED: _verify,
    IncidentState.ROLLED_BACK: _roll_back,
    IncidentState.REPORTED: _report,
}


@dataclass
class DrawnPage:
    """A page as the application answered it, with all that it loads."""

    answers: dict[str, tuple[str, str]]
    present: str
    """The sentence on how the service fares now."""
    asks: bool

    def serve(self, page: Page) -> None:
        page.route("**/*", self._answer)
        page.goto(f"http://{HOST}/")

    def _answer(self, route: Route) -> None:
        path = route.request.url.removeprefix(f"http://{HOST}")
        if path in self.answers:
            kind, body = self.answers[path]
            route.fulfill(status=200, content_type=kind, body=body)
        else:
            route.abort()


@pytest.fixture(scope="module")
def pages() -> dict[IncidentState, DrawnPage]:
    """Made before a browser runs an event loop in this thread."""
    return {state: _draw(state) for state in STATES}


@pytest.fixture(scope="module")
def browser(pages: dict[IncidentState, DrawnPage]) -> Iterator[RecordedBrowser]:  # noqa: ARG001  # they come first
    with open_browser() as opened:
        yield opened


def _draw(state: IncidentState) -> DrawnPage:
    service = watched_service(traffic_steps=(10, 50, 100), runbook_url="https://wiki.invalid/tide")
    harness = ShownHarness({"shore.tide": service})
    incident = STATES[state](harness)
    record = INCIDENTS.decode(read_incident(harness, incident))
    assert record.state is state
    html = request_page(build_site(harness), f"/incidents/{incident}").body
    files = {
        f"/static/{name}": (kind, (PAGE_FOLDER / "static" / name).read_text("utf-8")) for name, kind in FILES.items()
    }
    answers = {**files, "/": ("text/html; charset=utf-8", html)}
    return DrawnPage(answers, describe_present_state(record), state is IncidentState.PROPOSED)


def test_two_whys_are_shown_and_the_others_are_folded(
    pages: dict[IncidentState, DrawnPage], browser: RecordedBrowser
) -> None:
    with browser.open_page() as page:
        pages[IncidentState.PROPOSED].serve(page)
        shown = page.locator("ol.whys > li")
        assert [item.is_visible() for item in shown.all()] == [True, True, *[False] * (shown.count() - 2)]
        assert shown.count() > 2
        page.locator("#more-whys > summary").click()
        assert all(item.is_visible() for item in shown.all())


@pytest.mark.parametrize("scheme", SCHEMES)
@pytest.mark.parametrize(("width", "height"), WIDTHS)
@pytest.mark.parametrize("state", STATES)
def test_the_state_is_in_the_first_viewport_and_axe_finds_nothing(  # noqa: PLR0917  # fixtures and cases
    pages: dict[IncidentState, DrawnPage],
    browser: RecordedBrowser,
    state: IncidentState,
    width: int,
    height: int,
    scheme: Scheme,
) -> None:
    drawn = pages[state]
    with browser.open_page(viewport={"width": width, "height": height}, color_scheme=scheme) as page:
        drawn.serve(page)
        paper = page.evaluate("getComputedStyle(document.body).backgroundColor.match(/[0-9]+/g).map(Number)")
        assert (max(paper) < 64) == (scheme == "dark")
        expect(page.locator("#decision-title")).to_contain_text(drawn.present)
        expect(page.locator("#decision")).to_be_in_viewport(ratio=1)
        for name in ("Approve", "Deny"):
            buttons = page.locator("#actions > .buttons").get_by_role("button", name=name)
            expect(buttons).to_have_count(1 if drawn.asks else 0)
            if drawn.asks:
                expect(buttons).to_be_in_viewport(ratio=1)
        assert page.evaluate("document.documentElement.scrollWidth <= document.documentElement.clientWidth")
        assert accessibility_violations(page) == []
