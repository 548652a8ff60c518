"""What a person does with the page, in a real browser, against real processes: looks, approves, denies, lets it expire.

One stack for all of it, with four services that fail the same way; one of them is a user's who wants to get at the
reader. A time that would take hours is turned on in the store, as if it had passed.
"""

import json
import re
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Literal

import pytest
from playwright.sync_api import Page, expect

from functions.demo.build_repository import ExampleRepository, build_incident
from functions.demo.incident_log import OutputLine, Shape, create_log_entries, render_log
from functions.local.server_process import CODE_ROOT, Server, find_free_port, run_server, wait_until_ready
from functions.local.stack import RunningStack, StackOptions, run_stack
from functions.local.stack_folder import override_environ
from shared.config.settings import read_settings
from shared.ports import Store
from shared.proposal.decision import ANSWER_TEXTS, ClickResult
from shared.proposal.state_words import INCIDENT_WORDS
from shared.proposal.states import IncidentState
from shared.state_stores import create_store
from shared.text.timestamps import format_rfc3339
from shared.workflow import flow
from shared.workflow.records import incident_record
from shared.workflow.records.radars import RADARS, Radar, RadarEntry
from tests.support.e2e.browser import RecordedBrowser, accessibility_violations, open_browser
from tests.support.history_builder import START, HistoryBuilder, broken_source, valid_source

CHANNEL, APPROVER, STRANGER = "C0HARBOUR1", "U0HARBOUR1", "U0STRANGER"
DEADLINE = 120.0
DESK, QUAY, PIER, REEF = "harbour-desk", "harbour-quay", "harbour-pier", "harbour-reef"
_SERVICE = """\
  - name: {name}
    project: harbour-prod
    region: europe-west1
    repository: {repository}
    channel: {channel}
    approvers: [{approver}]
"""
_SCRIPT = "<script>window.ran=1</script>"
_PICTURE = "<img src=x onerror=window.ran=2>"
_SVG = "<svg/onload=window.ran=3>"
_LINK = "[free](javascript:window.ran=4) <a href='javascript:window.ran=5'>x</a>"
HOSTILE = (_SCRIPT, _PICTURE, _SVG, _LINK, "</code></pre><style>*{display:none}</style>", "javascript:window.ran=6")


@dataclass(frozen=True, slots=True)
class Stage:
    """A stack that watches four services, each with an open question; the page, and a browser in front of it."""

    stack: RunningStack
    address: str
    eyes: RecordedBrowser
    store: Store
    again: Callable[[], None]
    """Kills the page's process and starts another one."""

    def incident(self, service: str) -> Mapping[str, Any]:
        """The one that is about a syntax error."""
        found = self.store.find(incident_record.KIND, "service", f"harbour-prod.{service}")
        [only] = [stored.value for stored in found if stored.value["kind"] == "syntax_error"]
        return only

    def url(self, service: str) -> str:
        return f"{self.address}/incidents/{self.incident(service)['id']}"

    def tick(self) -> None:
        """What Cloud Scheduler does once a minute."""
        self.stack.bus.publish_raw(flow.TICK, [b"{}"])

    def wait_for(self, condition: Callable[[], bool], *, ticking: bool = False) -> None:
        deadline = time.monotonic() + DEADLINE
        while not condition():
            self.stack.check_running()
            assert time.monotonic() < deadline, [
                stored.value["state"] for stored in self.store.find(incident_record.KIND, "opened_by", "record")
            ]
            if ticking:
                self.tick()
            time.sleep(0.2)

    def turn(self, kind: str, key: str, changes: Callable[[Mapping[str, Any]], Mapping[str, object]]) -> None:
        """Writes a document as it will be once time has passed."""
        while True:
            stored = self.store.read(kind, key)
            assert stored is not None
            if self.store.replace(kind, key, {**stored.value, **changes(stored.value)}, stored.version):
                return


@pytest.fixture(scope="module")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    folder = tmp_path_factory.mktemp("page")
    with open_browser() as browser, _standing(folder) as (stack, address, again), override_environ(stack.environment):
        opened = create_store(read_settings())
        here = Stage(stack, address, browser, opened, again)
        here.wait_for(lambda: all(_is(here, name, "proposed") for name in (DESK, QUAY, PIER, REEF)))
        yield here


def _is(here: Stage, service: str, state: str) -> bool:
    found = here.store.find(incident_record.KIND, "service", f"harbour-prod.{service}")
    return any(stored.value["state"] == state for stored in found)


@contextmanager
def _standing(folder: Path) -> Iterator[tuple[RunningStack, str, Callable[[], None]]]:
    story, trap = build_incident(folder / "service"), _trap(folder / "trap")
    repositories = {DESK: story.path, QUAY: story.path, PIER: story.path, REEF: trap.path}
    services = [
        _SERVICE.format(name=name, repository=path, channel=CHANNEL, approver=APPROVER)
        for name, path in repositories.items()
    ]
    config = folder / "provenfix.yaml"
    secret = "slack:\n  signing_secret: {env: HARBOUR_SIGNING_SECRET}\n"
    config.write_text(f"version: 1\nservices:\n{''.join(services)}{secret}", "utf-8")
    environment = {"PROVENFIX_CONFIG": str(config), "HARBOUR_SIGNING_SECRET": "of these tests alone"}
    logged = _logged(story)
    (folder / "stack" / "logs").mkdir(parents=True)
    (folder / "stack" / "logs" / "1.json").write_text(json.dumps(logged), "utf-8")
    with run_stack(StackOptions(folder / "stack", embedded=True, environment=environment)) as stack:
        decide, port = f"http://127.0.0.1:{stack.ports['decide']}/", find_free_port()
        command = [sys.executable, "-m", "functions.local.page", "--folder", str(stack.folder)]
        command += ["--port", str(port), "--decide", decide]
        server = Server("page", command, port, environment | {"PYTHONPATH": str(CODE_ROOT)})
        with ExitStack() as ending:
            pages: list[subprocess.Popen[bytes]] = []

            def again() -> None:
                for page in pages:
                    page.kill()
                    page.wait()
                pages[:] = [ending.enter_context(run_server(server, stack.folder))]
                wait_until_ready(server, pages[0], stack.folder)

            again()
            stack.bus.publish_raw(flow.LOG_ENTRIES, [json.dumps(entry).encode() for entry in logged])
            yield stack, f"http://127.0.0.1:{port}", again


def _trap(path: Path) -> HistoryBuilder:
    """A repository whose every text wants to be more than text."""
    story = HistoryBuilder(path)
    name = f"app/{_PICTURE.replace(' ', '_')}.py"
    lines = broken_source(5).splitlines()
    lines[3] = f"step_4 = '''{_SCRIPT}{_SVG}</code>'''"
    story.commit("base", {name: valid_source(), "Dockerfile": "FROM python:3.11-slim\n"})
    story.commit(f"{_SCRIPT} breaks", {name: "\n".join(lines)})
    story.commit(f"{_SVG} {_LINK} tries", {name: "\n".join([*lines[:2], f"# {_SCRIPT}", *lines[3:]])})
    story.commit(f"{_PICTURE} mends", {name: valid_source(1)})
    story.write_repository()
    return story


def _logged(story: ExampleRepository) -> list[dict[str, Any]]:
    usual = json.loads(render_log(story, Shape.GCLOUD))
    found = [_of(entry, name, number) for number, name in enumerate((DESK, QUAY, PIER)) for entry in usual]
    at = START + timedelta(hours=1)
    place = f'  File "/app/app/{_PICTURE.replace(" ", "_")}.py", line 5'
    error = f"{place}\n    oops = = 1\n           ^\nSyntaxError: invalid syntax"
    texts = [error, f"{' '.join(HOSTILE)} connection closed: received 1011 (internal error)"]
    hostile = [
        OutputLine(at + timedelta(seconds=number), f"{REEF}-1", text, "ERROR") for number, text in enumerate(texts)
    ]
    return [*found, *(entry | {"insertId": f"6b{entry['insertId']}"} for entry in create_log_entries(hostile, REEF))]


def _of(entry: dict[str, Any], service: str, place: int) -> dict[str, Any]:
    """The same, logged by another service."""
    labels = {**entry["resource"]["labels"], "service_name": service}
    return {
        **entry,
        "insertId": f"{place}{entry['insertId']}",
        "resource": {**entry["resource"], "labels": labels},
    }


def milestone(page: Page, name: str) -> Any:
    """One of the milestones."""
    return page.get_by_role("list", name="Milestones").get_by_role("listitem").filter(has_text=name)


def state(page: Page, expected: IncidentState) -> None:
    """Waits until the page says so by itself: it is never reloaded."""
    expect(page.locator("#head .state")).to_have_text(INCIDENT_WORDS[expected].label)


def test_from_the_list_to_approve_to_verified_by_keyboard(stage: Stage) -> None:
    with stage.eyes.open_page() as page:
        page.goto(stage.address)
        expect(page.locator("#live")).to_have_text("Live")
        card = page.get_by_role("listitem").filter(has_text=DESK).filter(has_text="SyntaxError")
        expect(card).to_contain_text(INCIDENT_WORDS[IncidentState.PROPOSED].label)
        card.get_by_role("link").press("Enter")
        state(page, IncidentState.PROPOSED)
        expect(milestone(page, "Approved")).to_contain_text("not yet")
        page.get_by_role("button", name="Approve").press("Enter")
        confirm = page.get_by_role("dialog", name="Redeploy this service?")
        expect(confirm).to_contain_text(f"{DESK} in harbour-prod")
        assert accessibility_violations(page) == []
        confirm.get_by_role("button", name="Redeploy").press("Enter")
        expect(page.get_by_text(ANSWER_TEXTS[ClickResult.APPROVED])).to_be_visible()
        stage.wait_for(lambda: _is(stage, DESK, "watching"), ticking=True)
        state(page, IncidentState.WATCHING)
        expect(page.locator("#slack")).to_contain_text(INCIDENT_WORDS[IncidentState.WATCHING].label)
        expect(page.get_by_role("button", name="Approve")).to_have_count(0)
        _a_day_passes(stage, DESK)
        stage.wait_for(lambda: _is(stage, DESK, "resolved"), ticking=True)
        state(page, IncidentState.RESOLVED)
        for name in ("Proposed", "Approved", "Deployed", "Verified"):
            expect(milestone(page, name)).to_contain_text("after")
        expect(page.locator("#issue")).to_contain_text("Closed")
        expect(page.locator("#timeline svg")).to_contain_text("verified")


def _a_day_passes(stage: Stage, service: str) -> None:
    """With traffic: one request that the new revision has answered."""
    case = stage.incident(service)
    since = datetime.now(UTC) - timedelta(hours=25)
    revision = case["rollout"]["revision"]
    [request] = create_log_entries([OutputLine(datetime.now(UTC), revision, "GET /", "INFO", "requests")], service)
    (stage.stack.folder / "logs" / "2.json").write_text(json.dumps([request]), "utf-8")
    stage.turn(
        incident_record.KIND, case["id"], lambda now: {"rollout": {**now["rollout"], "since": format_rfc3339(since)}}
    )


def test_non_approver_is_refused_and_denial_needs_a_reason(stage: Stage) -> None:
    with stage.eyes.open_page() as page:
        page.goto(stage.url(QUAY))
        page.get_by_label("Click as").select_option(STRANGER)
        page.get_by_role("button", name="Approve").click()
        page.get_by_role("button", name="Redeploy").click()
        expect(page.get_by_text(ANSWER_TEXTS[ClickResult.FOREIGN_USER])).to_be_visible()
        assert stage.incident(QUAY)["state"] == "proposed"
        page.get_by_label("Click as").select_option(APPROVER)
        page.get_by_role("button", name="Deny").click()
        dialog = page.get_by_role("dialog", name="Deny")
        expect(dialog.get_by_label("Why should this commit not be deployed?")).to_be_focused()
        assert accessibility_violations(page) == []
        dialog.get_by_role("textbox").fill("The <b>migration</b> comes first")
        dialog.get_by_role("button", name="Deny").click()
        stage.wait_for(lambda: _is(stage, QUAY, "denied"), ticking=True)
        state(page, IncidentState.DENIED)
        expect(page.locator("#slack")).to_contain_text("The <b>migration</b> comes first")
        expect(page.get_by_role("button", name="Deny")).to_have_count(0)


def test_what_nobody_decides_expires_before_everybodys_eyes(stage: Stage) -> None:
    with stage.eyes.open_page() as page:
        page.goto(stage.url(PIER))
        state(page, IncidentState.PROPOSED)
        expect(page.locator("#live")).to_have_text("Live")
        page.get_by_role("button", name="Approve").click()
        past = format_rfc3339(datetime.now(UTC) - timedelta(minutes=1))
        stage.turn("proposals", stage.incident(PIER)["proposal"], lambda _: {"expires_at": past})
        stage.wait_for(lambda: _is(stage, PIER, "expired"), ticking=True)
        state(page, IncidentState.EXPIRED)
        expect(page.locator("#news")).to_have_text(INCIDENT_WORDS[IncidentState.EXPIRED].label)
        expect(milestone(page, "Approved")).to_contain_text("never")
        page.get_by_role("button", name="Redeploy").click()  # what was being answered is not taken away
        expect(page.get_by_text("no longer shows this button. Nothing was sent.")).to_be_visible()
        expect(page.locator("#slack")).to_contain_text("can no longer be approved")
        expect(page.get_by_role("button", name="Approve")).to_have_count(0)


def test_a_dialog_that_is_closed_lets_the_page_catch_up(stage: Stage) -> None:
    with stage.eyes.open_page() as page:
        page.goto(stage.url(REEF))
        expect(page.locator("#live")).to_have_text("Live")
        page.get_by_role("button", name="Approve").click()
        case = stage.incident(REEF)
        stored = stage.store.read("local-messages", case["message"])
        assert stored is not None
        body: Any = stored.value["body"]
        silent = {**body, "blocks": [block for block in body["blocks"] if block["type"] != "actions"]}
        stage.turn("local-messages", case["message"], lambda _: {"body": silent})
        stage.turn(incident_record.KIND, case["id"], lambda now: {"history": [*now["history"], now["history"][-1]]})
        expect(
            page.locator("#timeline tbody tr").filter(has_text=INCIDENT_WORDS[IncidentState.PROPOSED].event)
        ).to_have_count(2)
        page.get_by_role("button", name="Cancel").press("Enter")
        expect(page.get_by_role("button", name="Approve")).to_have_count(0)
        stage.turn("local-messages", case["message"], lambda _: {"body": body})
        expect(page.get_by_role("button", name="Approve")).to_be_visible()


def test_what_others_have_written_stays_text(stage: Stage) -> None:
    with stage.eyes.open_page() as page:
        page.goto(stage.url(REEF))
        expect(page.locator("#live")).to_have_text("Live")
        for each in page.locator("details").all():
            each.evaluate("each => { each.open = true; }")
        shown = page.locator("main").inner_text()
        for text in (_SCRIPT, _SVG, _PICTURE.replace(" ", "_"), "javascript:"):
            assert text in shown.replace("\u200b", "")
        assert page.evaluate("window.ran") is None
        inside = "main :is(script, img, style, iframe, object, [onload], [onerror], [style], a[href^='javascript' i])"
        assert page.locator(inside).count() == 0
        assert page.locator("main svg").count() == 1
        assert accessibility_violations(page) == []


def _write_radar(stage: Stage) -> None:
    """What a look has found, for one of the services."""
    now = datetime.now(UTC)
    entry = RadarEntry(
        "import_name", "desk/forms/of/visitors.py", 12, "ImportError", "cannot import name 'find_berth'", "5" * 40,
        "Call the function by its new name", now, 3,
    )  # fmt: skip
    key = f"harbour-prod.{DESK}"
    radar = Radar(key, now, now, f"{DESK}-00007-old", "6" * 40, "7" * 40, 9, (entry, entry), further=1, newly_broken=1)
    stage.store.create(RADARS.kind, key, RADARS.encode(key, radar))


@pytest.mark.parametrize(("width", "height"), [(1280, 800), (768, 1024), (390, 844)])
def test_every_page_is_readable_by_everybody(stage: Stage, width: int, height: int) -> None:
    _write_radar(stage)
    with stage.eyes.open_page(viewport={"width": width, "height": height}, color_scheme="light") as page:
        for place in ("/", "/times", "/radar", f"/incidents/{stage.incident(REEF)['id']}", stage.url(DESK), "/nowhere"):
            page.goto(place if place.startswith("http") else stage.address + place)
            assert accessibility_violations(page) == [], place
            across = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
            assert across <= 0, f"{place} has to be scrolled sideways"
            fits = "[...document.querySelectorAll('.wide')].every(each => each.scrollWidth <= each.clientWidth)"
            assert place != "/times" or page.evaluate(fits), "figures are out of sight"
            page.evaluate("document.querySelector('#live').textContent = 'Not live, trying again'")
            bar = "[...document.querySelectorAll('.brand, .bar nav a')].map(each => each.clientHeight)"
            assert max(page.evaluate(bar)) < 40, f"{place} breaks the words of its bar"


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize(("width", "height"), [(1280, 800), (768, 1024), (390, 844)])
def test_what_to_do_is_in_sight_at_first_and_after_scrolling(
    stage: Stage, width: int, height: int, scheme: Literal["light", "dark"]
) -> None:
    with stage.eyes.open_page(viewport={"width": width, "height": height}, color_scheme=scheme) as page:
        page.goto(stage.url(REEF))
        expect(page.locator("#live")).to_have_text("Live")
        paper = page.evaluate("getComputedStyle(document.body).backgroundColor.match(/[0-9]+/g).map(Number)")
        assert (max(paper) < 64) == (scheme == "dark")
        assert accessibility_violations(page) == []
        for y in (0, 900):
            page.evaluate(f"window.scrollTo(0, {y})")
            for name in ("Approve", "Deny"):
                expect(page.get_by_role("button", name=name)).to_be_in_viewport(ratio=1)
        for part in ("Failing", "CI unknown", "nothing is deployed"):
            expect(page.locator("#decision")).to_contain_text(part)
        picture = page.screenshot(path=CODE_ROOT / "build" / "page" / f"{width}-{scheme}.png", full_page=True)
        assert len(picture) > 20_000


def test_times_are_relative_in_the_zone_of_the_reader_and_move(stage: Stage) -> None:
    with stage.eyes.open_page(timezone_id="Europe/Zurich") as page:
        page.goto(stage.url(REEF))
        since = page.locator("#decision time[data-form=lasting]")
        expect(since).to_have_text(re.compile(r"^for \d+ (second|minute|hour|day)s?$"))
        assert re.search(r"\bGMT\+[12]$|\bCES?T$", since.get_attribute("title") or "")
        expect(page.locator("#zone")).to_contain_text("Europe/Zurich")
        before = since.inner_text()
        since.evaluate("each => each.setAttribute('datetime', new Date(Date.now() - 7_200_000).toISOString())")
        expect(since).to_have_text("for 2 hours")
        assert before != "for 2 hours"


def test_it_can_be_read_and_decided_without_a_script(stage: Stage) -> None:
    with stage.eyes.open_page(java_script_enabled=False) as page:
        page.goto(stage.url(REEF))
        page.get_by_label("Click as").select_option(STRANGER)
        page.get_by_role("button", name="Approve").click()
        page.get_by_role("button", name="Redeploy").click()
        expect(page.get_by_text(ANSWER_TEXTS[ClickResult.FOREIGN_USER])).to_be_visible()


def test_a_page_that_was_killed_comes_back_to_life_under_its_readers_eyes(stage: Stage) -> None:
    with stage.eyes.open_page() as page:
        page.goto(stage.url(REEF))
        expect(page.locator("#live")).to_have_text("Live")
        forms = page.locator("#actions input[name=token]")
        before = forms.input_value()
        stage.again()
        expect(forms).not_to_have_value(before)
        expect(page.locator("#live")).to_have_text("Live")
        page.get_by_label("Click as").select_option(STRANGER)
        page.get_by_role("button", name="Approve").click()
        page.get_by_role("button", name="Redeploy").click()
        expect(page.get_by_text(ANSWER_TEXTS[ClickResult.FOREIGN_USER])).to_be_visible()


def test_nothing_has_left_loopback_and_nothing_has_gone_wrong(stage: Stage) -> None:
    assert stage.eyes.log.hosts == {"127.0.0.1"}
    expected = (
        "404",
        "ERR_CONNECTION_REFUSED",
        "ERR_INCOMPLETE_CHUNKED_ENCODING",
    )  # a page that is not there, or killed
    assert [each for each in stage.eyes.log.errors if not any(told in each for told in expected)] == []
