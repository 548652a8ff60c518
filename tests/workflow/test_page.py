"""The page's own rules: whom it answers, what it reads, what it sends, and that nothing that it shows can act."""

import asyncio
import json
import re
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from html.parser import HTMLParser
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from functions.local.page.incident_view import IncidentReader
from functions.local.page.markdown import render_markdown
from functions.local.page.site import STALE_PAGE, Site
from functions.local.page.slack_clicks import BUTTON_GONE, ClickResponse
from functions.local.page.stream import ChangeFeed
from functions.local.page.views import create_badge
from shared.adapters.slack.interaction import APPROVE, DENY, is_dialog_answer, parse_click
from shared.adapters.slack.signature import verify_signature
from shared.adapters.standins.chat_and_issues import DIALOGS_KIND, LocalChat
from shared.errors import Retry
from shared.proposal.decision import ClickKind
from shared.workflow.flow import IncidentState
from shared.workflow.record import record_log_entry
from shared.workflow.records.radars import Radar, RadarEntry, store_look
from tests.support.function_clients import FailingStore
from tests.support.harness import APPROVER, Harness, watched_service
from tests.support.history_builder import START
from tests.support.hostile_texts import HOSTILE_TEXTS
from tests.support.page_client import (
    READ_ONLY_REASON,
    SECRET,
    CountingStore,
    PageAnswer,
    build_site,
    propose_on_one_machine,
    request_page,
)


class _ElementCheck(HTMLParser):
    """Which elements are still open, and the text so far."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.texts: list[str] = []

    def handle_starttag(self, tag: str, attrs: object) -> None:  # noqa: ARG002  # the name is HTMLParser's
        if tag not in {"br", "hr"}:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.texts.append(data)


class TestWhomItAnswers:
    @pytest.mark.parametrize(
        "host", ["evil.example", "evil.example:8470", "127.0.0.1", "127.0.0.1:80", "localhost:8471", "", "[::1]:8470"]
    )
    def test_only_the_own_address_is_answered(self, harness: Harness, host: str) -> None:
        assert request_page(build_site(harness), "/", headers={"host": host}).status == 421

    def test_both_local_names_are_answered(self, harness: Harness) -> None:
        assert request_page(build_site(harness), "/", headers={"host": "localhost:8470"}).status == 200

    @pytest.mark.parametrize(
        "headers",
        [
            {"origin": "https://evil.example"},
            {"origin": "null"},
            {"origin": ""},
            {"origin": "http://127.0.0.1:9999"},
            {"sec-fetch-site": "cross-site"},
            {"sec-fetch-site": "same-site"},
        ],
    )
    def test_form_of_another_site_is_refused(self, harness: Harness, headers: dict[str, str]) -> None:
        here = build_site(harness)
        form = {"token": here.token.text, "user": APPROVER, "action": APPROVE}
        assert request_page(here, f"/incidents/{propose_on_one_machine(harness)}/press", form, headers).status == 403

    @pytest.mark.parametrize("path", ["/", "/times", "/radar", "/static/page.js", "/changes"])
    @pytest.mark.parametrize(
        "headers",
        [
            {"origin": "https://evil.example"},
            {"origin": "null"},
            {"sec-fetch-site": "cross-site", "sec-fetch-mode": "no-cors", "sec-fetch-dest": "image"},
            {"sec-fetch-site": "same-site", "sec-fetch-mode": "cors", "sec-fetch-dest": "empty"},
            {"sec-fetch-site": "cross-site", "sec-fetch-mode": "navigate", "sec-fetch-dest": "iframe"},
        ],
    )
    def test_no_other_site_reads_it_or_holds_a_stream_open(
        self, harness: Harness, headers: dict[str, str], path: str
    ) -> None:
        here = build_site(harness)
        assert request_page(here, path, headers=headers).status == 403
        assert here.changes.streams == 0

    def test_a_link_may_lead_to_it_but_not_to_its_stream(self, harness: Harness) -> None:
        followed = {"sec-fetch-site": "cross-site", "sec-fetch-mode": "navigate", "sec-fetch-dest": "document"}
        assert request_page(build_site(harness), "/", headers=followed).status == 200
        assert request_page(build_site(harness), "/changes", headers=followed).status == 403

    @pytest.mark.parametrize("token", ["", "x", "ü"])
    def test_form_without_its_token_is_refused(self, harness: Harness, token: str) -> None:
        form = {"token": token, "user": APPROVER, "action": APPROVE}
        answer = request_page(build_site(harness), f"/incidents/{propose_on_one_machine(harness)}/press", form)
        assert answer.status == 403
        assert STALE_PAGE in answer.body

    @pytest.mark.parametrize("method", ["PUT", "DELETE", "PATCH", "POST"])
    def test_other_methods_are_refused(self, harness: Harness, method: str) -> None:
        assert request_page(build_site(harness), "/", {}, method=method).status == 405

    def test_every_answer_forbids_whatever_is_not_its_own(self, harness: Harness) -> None:
        for path in ("/", "/nowhere", "/static/page.js", "/static/../site.py", "/times"):
            policy = request_page(build_site(harness), path).headers["content-security-policy"]
            assert policy.startswith("default-src 'none'; script-src 'self'; style-src 'self';")
            assert "unsafe" not in policy
        assert request_page(build_site(harness), "/static/../site.py").status == 404
        assert request_page(build_site(harness), "/", headers={"host": "x"}).headers["x-frame-options"] == "DENY"

    def test_an_endless_form_is_cut_off(self, harness: Harness) -> None:
        many = {str(number): "x" for number in range(30)}
        assert (
            request_page(build_site(harness), f"/incidents/{propose_on_one_machine(harness)}/press", many).status == 400
        )
        assert (
            request_page(
                build_site(harness), f"/incidents/{propose_on_one_machine(harness)}/press", {"token": "x" * 70_000}
            ).status
            == 413
        )


class TestWhatItSays:
    def test_before_the_first_incident_no_table_is_empty(self, harness: Harness) -> None:
        told = request_page(build_site(harness), "/times").body
        assert 'class="empty"' in told
        assert "<table" not in told

    @pytest.mark.parametrize("place", ["/", "/times", ""])
    def test_a_close_that_nothing_explains_yet_has_a_name_that_people_use(self, harness: Harness, place: str) -> None:
        entry = harness.log_entry("connection closed: received 1011 (internal error)")
        incident = record_log_entry(harness.start_process(), entry).incident
        told = request_page(build_site(harness), place or f"/incidents/{incident}").body
        assert "WebSocket closed with 1011" in told
        assert "close_1011" not in told
        assert "unknown file" not in told


class TestRadar:
    def test_a_service_that_nobody_has_looked_at_says_so(self, harness: Harness) -> None:
        told = request_page(build_site(harness), "/radar").body
        assert 'class="empty"' in told
        assert "<table" not in told

    def test_what_was_found_is_shown_and_runs_nothing(self) -> None:
        harness = Harness({"shore.tide": watched_service(radar=True)})
        found = RadarEntry(
            "syntax", "chat/<b>.py", 7, "SyntaxError", "<script>x</script>", "5" * 40, "<img src=x>", START, 2
        )
        radar = Radar(
            "shore.tide", START, START, "tide-00007-old", "6" * 40, "7" * 40, 3, (found,), further=1, newly_broken=1
        )
        store_look(harness.start_process(), harness.services["shore.tide"], radar)
        told = request_page(build_site(harness), "/radar").body
        for shown in ("6" * 12, "5" * 12, "7" * 12, "2 of 3", "&lt;script&gt;"):
            assert shown in told
        assert "<script>x" not in told
        assert "<img" not in told

    def test_what_is_unknown_is_not_shown_as_nothing(self) -> None:
        harness = Harness({"shore.tide": watched_service(radar=True)})
        radar = Radar(looked_at=START, revision="tide-00007-old", reason="the platform names no commit of it")
        store_look(harness.start_process(), harness.services["shore.tide"], radar)
        assert "the platform names no commit of it" in request_page(build_site(harness), "/radar").body


class TestWhatItReads:
    def test_a_list_is_one_read_for_each_service(self, harness: Harness) -> None:
        propose_on_one_machine(harness)
        store = CountingStore(harness.store)
        assert len(IncidentReader(store, harness.services).list_incidents().records) == 1
        assert store.take_reads() == ["incidents?service"]

    def test_an_incident_is_seven_reads_at_first_and_then_five(self, harness: Harness) -> None:
        incident = propose_on_one_machine(harness)
        store = CountingStore(harness.store)
        shelf = IncidentReader(store, harness.services)
        first = shelf.read_incident(incident)
        assert first is not None
        assert len(store.take_reads()) == 7
        assert first.report["schema"] == "provenfix.report/1"
        assert shelf.read_incident(incident) == first
        assert [read.partition("/")[0] for read in store.take_reads()] == [
            "incidents", "decisions", "local-messages", "local-issues", "local-replies?message",
        ]  # fmt: skip

    def test_its_sign_changes_with_every_document_that_it_shows(self, harness: Harness) -> None:
        incident = propose_on_one_machine(harness)
        shelf = IncidentReader(harness.store, harness.services)
        seen = {shelf.read_etag(incident)}
        for kind, key in (
            ("incidents", incident),
            ("local-messages", f"C-TIDE/{incident}-1"),
            ("local-issues", "harbour/tide#1"),
        ):
            stored = harness.store.read(kind, key)
            assert stored is not None
            harness.store.replace(kind, key, {**stored.value, "touched": kind}, stored.version)
            seen.add(shelf.read_etag(incident))
        harness.store.create("decisions", f"{incident}-1", {"state": "approved"})
        assert len(seen | {shelf.read_etag(incident)}) == 5

    def test_a_hundred_open_pages_ask_the_store_no_more_than_one(self, harness: Harness) -> None:
        incident = propose_on_one_machine(harness)
        store = CountingStore(harness.store)
        shelf, now = IncidentReader(store, harness.services), [0.0]
        heard = asyncio.run(_listening(shelf, incident, now, pages=100, seconds=3))
        assert heard == 100
        assert len(store.take_reads()) == 1 + 4 * 5  # what never changes, and four looks of five reads

    def test_page_drawn_by_another_process_is_told_to_reload(self, harness: Harness) -> None:
        incident = propose_on_one_machine(harness)
        signs = {
            build_site(harness).page_etag(IncidentReader(harness.store, harness.services).read_etag(incident))
            for _ in range(2)
        }
        assert len(signs) == 2

    def test_a_store_that_is_away_changes_nothing(self, harness: Harness) -> None:
        signs = ChangeFeed(now=lambda: 0.0)

        def away() -> str:
            raise Retry("away")

        assert asyncio.run(signs.latest_etag("x", away)) == ""
        del harness

    def test_a_report_that_cannot_be_read_is_told_to_be_so(self, harness: Harness) -> None:
        incident = propose_on_one_machine(harness)
        stored = harness.store.read("reports", incident)
        assert stored is not None
        report: Any = stored.value["report"]
        harness.store.replace("reports", incident, {**stored.value, "report": {**report, "fix": "x"}}, stored.version)
        answer = request_page(build_site(harness), f"/incidents/{incident}")
        assert answer.status == 500
        assert "unreadable_document" in answer.body

    def test_a_store_that_is_away_is_told_to_be_so(self, harness: Harness) -> None:
        harness.store = FailingStore(harness.store, lambda: Retry("locked"))  # type: ignore[assignment]
        answer = request_page(build_site(harness), "/")
        assert (answer.status, "locked" in answer.body) == (503, True)

    def test_what_is_no_incident_hides_no_other(self, harness: Harness) -> None:
        incident = propose_on_one_machine(harness)
        harness.store.create("incidents", "broken", {"service": "shore.tide", "state": "nonsense"})
        stored = harness.store.read("incidents", incident)
        assert stored is not None
        torn = {**stored.value, "id": "torn", "history": [{"state": "opened", "at": "never"}]}
        harness.store.create("incidents", "torn", torn)
        assert "/incidents/torn" not in request_page(build_site(harness), "/times").body
        assert f"/incidents/{incident}" in request_page(build_site(harness), "/").body
        assert request_page(build_site(harness), "/incidents/broken").status == 404


async def _listening(shelf: IncidentReader, incident: str, now: list[float], pages: int, seconds: int) -> int:
    """How many pages got the first sign; the clock is turned by hand, a second whenever all have looked."""
    turn = asyncio.Event()
    waiting = 0

    async def pause(_: float) -> None:
        nonlocal waiting, turn
        waiting += 1
        mine = turn
        if waiting == pages:
            waiting, turn = 0, asyncio.Event()
            now[0] += 1.0
            mine.set()
        await mine.wait()

    signs = ChangeFeed(1.0, lambda: now[0], pause)

    async def listen() -> int:
        told = 0
        events = signs.stream_events(incident, lambda: shelf.read_etag(incident), "")
        async for event in events:
            told += event.startswith(b"event: changed")
            if told and now[0] == 0.0:
                break
        await events.aclose()  # type: ignore[attr-defined]  # a generator
        return told

    async def look() -> None:
        for _ in range(seconds + 1):
            await signs.latest_etag(incident, lambda: shelf.read_etag(incident))
            await pause(1.0)

    told = sum(await asyncio.gather(*(listen() for _ in range(pages))))
    await asyncio.gather(*(look() for _ in range(pages)))
    assert signs.streams == 0
    return told


def told_after(here: Site, answer: PageAnswer) -> ClickResponse:
    """What the page keeps for the user who has clicked."""
    query = parse_qs(urlsplit(answer.headers["location"]).query)
    told = here.find_answer(query["told"][0])
    assert told is not None
    return told


class TestWhatItSends:
    def test_a_click_is_what_slack_sends(self, harness: Harness) -> None:
        incident = propose_on_one_machine(harness)
        with _deciding(b'{"text": "Approved."}') as (address, received):
            here = build_site(harness, address)
            form = {"token": here.token.text, "user": APPROVER, "action": APPROVE}
            answer = request_page(here, f"/incidents/{incident}/press", form)
            shown = request_page(here, answer.headers["location"].partition("#")[0])
        assert answer.status == 303
        assert "Approved." in shown.body
        [(headers, body)] = received
        assert headers["Content-Type"] == "application/x-www-form-urlencoded"
        assert verify_signature(headers, body, SECRET, float(headers["X-Slack-Request-Timestamp"])) is None
        click = parse_click(body)
        assert click is not None
        assert (click.kind, click.user, click.channel) == (ClickKind.APPROVE, APPROVER, "C-TIDE")
        assert (click.incident, click.message) == (incident, f"C-TIDE/{incident}-1")

    def test_a_button_that_the_message_does_not_show_is_not_pressed(self, harness: Harness) -> None:
        incident = propose_on_one_machine(harness)
        with _deciding(b"") as (address, received):
            here = build_site(harness, address)
            form = {"token": here.token.text, "user": APPROVER, "action": "provenfix_roll_back"}
            answer = request_page(here, f"/incidents/{incident}/press", form)
            told = told_after(here, answer)
            assert (told.status, told.text) == (409, BUTTON_GONE)
            assert told.text in request_page(here, answer.headers["location"].partition("#")[0]).body
        assert received == []

    def test_a_denial_opens_the_dialog_and_its_answer_is_signed_too(self, harness: Harness) -> None:
        incident = propose_on_one_machine(harness)
        with _deciding(b"", _opens(harness)) as (address, received):
            here = build_site(harness, address)
            form = {"token": here.token.text, "user": APPROVER, "action": DENY}
            place = request_page(here, f"/incidents/{incident}/press", form).headers["location"]
            assert "dialog=" in place
            shown = request_page(here, place.partition("#")[0]).body
            action = shown.partition('action="/dialogs/')[2].partition('"')[0]
            typed = {"token": here.token.text, "incident": incident, "reason": "No <b>"}
            request_page(here, f"/dialogs/{action}", typed)
        headers, body = received[-1]
        assert verify_signature(headers, body, SECRET, float(headers["X-Slack-Request-Timestamp"])) is None
        assert is_dialog_answer(body)
        click = parse_click(body)
        assert click is not None
        assert (click.kind, click.reason, click.user, click.incident) == (ClickKind.DENY, "No <b>", APPROVER, incident)

    def test_what_a_dialog_objects_to_is_shown_in_it(self, harness: Harness) -> None:
        incident = propose_on_one_machine(harness)
        objection = b'{"response_action": "errors", "errors": {"reason": "Too late <b>"}}'
        with _deciding(b"", _opens(harness)) as (address, _), _deciding(objection) as (objecting, _):
            form = {"token": "", "user": APPROVER, "action": DENY}
            here = build_site(harness, address)
            place = request_page(here, f"/incidents/{incident}/press", form | {"token": here.token.text}).headers[
                "location"
            ]
            dialog = place.partition("dialog=")[2].partition("#")[0]
            there = build_site(harness, objecting)
            typed = {"token": there.token.text, "incident": incident, "reason": ""}
            answer = request_page(there, f"/dialogs/{dialog}", typed)
            assert "Too late &lt;b&gt;" in request_page(there, answer.headers["location"].partition("#")[0]).body

    def test_a_function_that_is_away_is_told_to_the_person(self, harness: Harness) -> None:
        incident, here = propose_on_one_machine(harness), build_site(harness)
        answer = request_page(
            here, f"/incidents/{incident}/press", {"token": here.token.text, "user": APPROVER, "action": APPROVE}
        )
        told = told_after(here, answer)
        assert (told.status, "ConnectionRefusedError" in told.text) == (503, True)
        assert told.text in request_page(here, answer.headers["location"].partition("#")[0]).body

    def test_a_page_to_be_read_only_sends_nothing(self, harness: Harness) -> None:
        incident, here = propose_on_one_machine(harness), build_site(harness, decide="")
        assert READ_ONLY_REASON in request_page(here, f"/incidents/{incident}").body
        form = {"token": here.token.text, "user": APPROVER, "action": APPROVE}
        assert request_page(here, f"/incidents/{incident}/press", form).status == 403

    @pytest.mark.parametrize("user", ["", "U 1", "<b>", "x" * 100])
    def test_a_user_is_an_id(self, harness: Harness, user: str) -> None:
        here = build_site(harness)
        form = {"token": here.token.text, "user": user, "action": APPROVE}
        assert request_page(here, f"/incidents/{propose_on_one_machine(harness)}/press", form).status == 400


def _opens(harness: Harness) -> Callable[[bytes], None]:
    """What the function does with a denial: the chat opens its dialog."""

    def open_dialog(body: bytes) -> None:
        click = parse_click(body)
        assert click is not None
        if not is_dialog_answer(body):
            LocalChat(harness.store).open_reason_dialog(click)
            assert harness.store.read(DIALOGS_KIND, click.token) is not None

    return open_dialog


@contextmanager
def _deciding(
    answer: bytes, then: Callable[[bytes], None] | None = None
) -> Iterator[tuple[str, list[tuple[Any, bytes]]]]:
    """A function on loopback that answers every click so; its address, and what it was sent."""
    received: list[tuple[Any, bytes]] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            received.append((self.headers, body))
            if then is not None:
                then(body)
            self.send_response(200)
            self.send_header("Content-Length", str(len(answer)))
            self.end_headers()
            self.wfile.write(answer)

        def log_message(self, *_: object) -> None:
            """Tests are quiet."""

    server = HTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/", received
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


class TestWhatItShows:
    def test_the_message_is_the_one_that_slack_would_get(self, harness: Harness) -> None:
        incident = propose_on_one_machine(harness)
        stored = harness.store.read("local-messages", f"C-TIDE/{incident}-1")
        assert stored is not None
        body: Any = stored.value["body"]
        told = request_page(build_site(harness), f"/incidents/{incident}").body
        [buttons] = [block for block in body["blocks"] if block["type"] == "actions"]
        for button in buttons["elements"]:
            assert f'value="{button["action_id"]}"' in told
        assert body["blocks"][0]["text"]["text"] in told

    @pytest.mark.parametrize("state", IncidentState)
    def test_every_state_has_words(self, state: IncidentState) -> None:
        assert create_badge(state).words

    def test_other_incidents_are_told_to_be_unknown(self, harness: Harness) -> None:
        for path in ("/incidents/x", "/incidents/%3Cscript%3E", "/incidents/a%2Fb"):
            answer = request_page(build_site(harness), path)
            assert answer.status == 404
            assert "<script>" not in answer.body.replace('<script src="/static/page.js" defer></script>', "")

    @pytest.mark.parametrize("text", HOSTILE_TEXTS)
    def test_markdown_of_an_issue_can_do_nothing(self, text: str) -> None:
        html = str(render_markdown(f"# Title\n\n{text}\n\n| a |\n| --- |\n| {text.replace(chr(10), ' ')} |\n"))
        tags = {tag.partition(">")[0].partition(" ")[0].strip("/").lower() for tag in html.split("<")[1:]}
        assert tags <= {
            "a", "blockquote", "br", "code", "details", "div", "em", "h3", "h4", "hr", "li", "ol", "p", "pre", "s",
            "strong", "sub", "summary", "table", "tbody", "td", "th", "thead", "tr", "ul",
        }  # fmt: skip
        links = [each.partition('"')[0] for each in html.split('href="')[1:]]
        assert all(link.lower().startswith("https://") for link in links)

    def test_a_folded_section_and_small_print_are_shown_as_on_github(self) -> None:
        text = "<details>\n<summary>A &amp; B</summary>\n\n- one <sub>small; *e1*</sub>\n\n</details>\n\nafter\n"
        html = str(render_markdown(text))
        assert "<details>\n<summary>A &amp; B</summary>" in html
        assert "<li>one <sub>small; <em>e1</em></sub></li>" in html
        assert html.count("<details>") == html.count("</details>") == 1

    def test_tasks_have_boxes(self) -> None:
        html = str(render_markdown("- [ ] one\n- [x] two\n\n[ ] three\n"))
        assert "<li>☐ one</li>\n<li>☑ two</li>" in html
        assert "<p>[ ] three</p>" in html

    @pytest.mark.parametrize(
        ("text", "shown"),
        [
            ("<details>\n<summary>open</summary>\n\nfor ever", "open for ever"),
            ("</details>\n\nx", "x"),
            ("a </sub> b", "a b"),
            ("a <sub> b", "a b"),
            ("</sub><sub>", ""),
            ("<details>\n<summary><b>x</b></summary>\n\n</details>", "<b>x</b>"),
            ("<details open>\n\n</details>", "<details open>"),
            ("> <!-- x\n\nafter", "after"),
            ("a <script>b\n\nc", "a <script>b c"),
        ],
    )
    def test_html_ends_inside_the_issue_and_hides_nothing(self, text: str, shown: str) -> None:
        found = _ElementCheck()
        found.feed(str(render_markdown(text)))
        found.close()
        assert found.open == []
        assert " ".join("".join(found.texts).split()) == shown

    @pytest.mark.parametrize(
        ("text", "html"),
        [
            ("[x](https://a.example/?b&c)", '<a href="https://a.example/?b&amp;c" rel="noreferrer nofollow">x</a>'),
            ("[x](http://a.example)", "[x](http://a.example)"),
            ("[x](//a.example)", "[x](//a.example)"),
            ("![x](https://a.example/p.png)", '!<a href="https://a.example/p.png" rel="noreferrer nofollow">x</a>'),
        ],
    )
    def test_only_https_links_are_links(self, text: str, html: str) -> None:
        assert str(render_markdown(text)) == f"<p>{html}</p>\n"

    def test_no_element_carries_an_attribute_that_the_page_does_not_set(self) -> None:
        """An alignment is an inline style, which the page's policy refuses."""
        html = str(render_markdown("| a | |\n|:-:|---|\n| c | d |\n\n```py\nx\n```\n\n3. x\n"))
        assert set(re.findall(r" ([a-z]+)=", html)) == {"class", "start", "tabindex"}
        assert "<th>a</th>\n<td></td>" in html

    def test_markers_are_not_shown_and_a_diagram_is_told_to_be_one(self) -> None:
        html = str(
            render_markdown(
                "<!-- provenfix:incident=1 -->\n# T\n\n```mermaid\nsequenceDiagram\n```\n\na <b>x</b> <!-- y -->\n"
            )
        )
        assert "provenfix:incident" not in html
        assert "y" not in html.rpartition("x")[2].replace("py", "")
        assert "<details><summary>Diagram" in html
        assert "&lt;b&gt;x&lt;/b&gt;" in html


def test_the_dialog_is_kept_for_the_click_that_asked(harness: Harness) -> None:
    incident = propose_on_one_machine(harness)
    with _deciding(b"", _opens(harness)) as (address, received):
        here = build_site(harness, address)
        request_page(here, f"/incidents/{incident}/press", {"token": here.token.text, "user": APPROVER, "action": DENY})
    payload = json.loads(parse_qs(received[0][1].decode())["payload"][0])
    kept = harness.store.read(DIALOGS_KIND, payload["trigger_id"])
    assert kept is not None
    assert kept.value["user"] == APPROVER
