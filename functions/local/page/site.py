"""The page's addresses: each request gets a page, or sends a click on to `decide`.

GET  /?q=…&service=…&state=…&page=N  the incidents, all or those that were asked for
GET  /incidents/ID              one incident
GET  /times                     how long it takes from step to step
GET  /changes?of=ID&shown=SIGN  server-sent events: one when what is shown has changed
POST /incidents/ID/press        a button of the message, by its action id
POST /dialogs/TOKEN             a dialog that was opened for a click
"""

import re
import secrets
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import parse_qsl, urlencode

from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response, StreamingResponse
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles
from starlette.types import ASGIApp

from functions.local.page import views
from functions.local.page.guard import FormToken, RequestGuard
from functions.local.page.incident_list import read_query
from functions.local.page.incident_view import IncidentReader, IncidentView
from functions.local.page.radar_view import read_radars
from functions.local.page.slack_clicks import ClickResponse, ClickSender
from functions.local.page.stream import MAX_STREAMS, ChangeFeed
from functions.local.request_origin import check_stream_origin
from shared.errors import Reject, Retry
from shared.service import Service
from shared.workflow.stats import compute_stats

PAGE_FOLDER = Path(__file__).parent
_MAX_ANSWERS = 200
_MAX_FORM_BYTES = 64 * 1024
_MAX_FORM_FIELDS = 20
_LIST_TOPIC = ""
STALE_PAGE = "This page was drawn before provenfix was started again. Go back and reload it."
_ID_PATTERN = re.compile(r"[A-Za-z0-9_.:-]{1,80}")
Form = Mapping[str, str]


@dataclass(slots=True)
class Site:
    """What all requests share. Without a `clicker` the page is to be read only."""

    incidents: IncidentReader
    click_sender: ClickSender | None
    read_only_reason: str = ""
    """A sentence on why nothing can be clicked, where it cannot."""
    changes: ChangeFeed = field(default_factory=ChangeFeed)
    token: FormToken = field(default_factory=FormToken)
    process_id: str = field(default_factory=lambda: secrets.token_hex(4))
    """Of this process: a page that another one has drawn has to be drawn again, since its forms are not taken here."""
    _answers: OrderedDict[str, ClickResponse] = field(default_factory=OrderedDict)

    def page_etag(self, sign: str) -> str:
        """What a page calls the state that it shows."""
        return f"{sign}.{self.process_id}"

    def store_answer(self, answer: ClickResponse) -> str:
        """An answer that only the next page shows, under a key that nobody can guess."""
        key = secrets.token_urlsafe(12)
        self._answers[key] = answer
        while len(self._answers) > _MAX_ANSWERS:
            self._answers.popitem(last=False)
        return key

    def find_answer(self, key: str) -> ClickResponse | None:
        """What was kept."""
        return self._answers.get(key)

    def list_approvers(self, service: Service) -> tuple[str, ...]:
        """Who may decide, as far as the local chat knows."""
        return tuple(dict.fromkeys((*service.approvers, *self.incidents.list_group_members(service.approver_group))))


def create_app(site: Site, port: int) -> ASGIApp:
    """The page, guarded, as it is served on a port of loopback."""
    served = _Handlers(site)
    routes = [
        Route("/", served.incidents),
        Route("/incidents/{incident}", served.incident),
        Route("/incidents/{incident}/press", served.press, methods=["POST"]),
        Route("/dialogs/{token}", served.submit, methods=["POST"]),
        Route("/times", served.times),
        Route("/radar", served.radar),
        Route("/changes", served.changes),
        Mount("/static", StaticFiles(directory=PAGE_FOLDER / "static")),
    ]
    handlers = {HTTPException: served.http_error, Retry: served.store_unavailable, Reject: served.unreadable}
    return RequestGuard(Starlette(routes=routes, exception_handlers=handlers), port)


class _Handlers:
    """One method for each address. What is drawn is read and drawn in a thread: it must not hold up the streams."""

    def __init__(self, site: Site) -> None:
        self._site = site

    def incidents(self, request: Request) -> Response:
        listed = self._site.incidents.list_incidents()
        query = read_query(request.query_params)
        return HTMLResponse(views.render_incident_list(listed, self._site.page_etag(listed.etag), query))

    def times(self, _: Request) -> Response:
        listed = self._site.incidents.list_incidents()
        return HTMLResponse(
            views.render_times(compute_stats(listed.records, cut=listed.cut), self._site.page_etag(listed.etag))
        )

    def radar(self, _: Request) -> Response:
        shelf = self._site.incidents
        radars = read_radars(shelf.store, shelf.services)
        return HTMLResponse(views.render_radars(radars, self._site.page_etag(radars.etag)))

    def incident(self, request: Request) -> Response:
        incident_view = self._site.incidents.read_incident(request.path_params["incident"])
        if incident_view is None:
            raise HTTPException(404, "No such incident is known here.")
        people = self._site.list_approvers(incident_view.service) if incident_view.service else ()
        token = request.query_params.get("dialog", "")
        dialog = self._site.incidents.read_dialog(token) if token else {}
        shown = views.PageState(
            token=self._site.token.text,
            people=people,
            writable=self._site.click_sender is not None,
            why_not=self._site.read_only_reason,
            acting=request.query_params.get("as", ""),
            told=self._site.find_answer(request.query_params.get("told", "")),
            dialog=dialog,
            dialog_token=token if dialog else "",
            etag=self._site.page_etag(incident_view.etag),
        )
        return HTMLResponse(views.render_incident(incident_view, shown))

    async def press(self, request: Request) -> Response:
        form = await self._read_form(request)
        incident_view, clicker = await self._find_incident(request.path_params["incident"])
        assert incident_view.service is not None
        user, action = _read_id_field(form, "user"), _read_id_field(form, "action")
        try:
            trigger, answered = await run_in_threadpool(
                clicker.press_button,
                incident_view.service,
                incident_view.record.message,
                incident_view.message,
                action,
                user,
            )
        except Reject as gone:
            return self._redirect_to_incident(incident_view.record.id, {"as": user}, ClickResponse(409, gone.detail))
        dialog_expected = answered.status == 200 and not answered.text
        dialog_expected = dialog_expected and bool(await run_in_threadpool(self._site.incidents.read_dialog, trigger))
        return self._redirect_to_incident(
            incident_view.record.id, {"as": user} | ({"dialog": trigger} if dialog_expected else {}), answered
        )

    async def submit(self, request: Request) -> Response:
        form = await self._read_form(request)
        token = request.path_params["token"]
        dialog = await run_in_threadpool(self._site.incidents.read_dialog, token)
        view = dialog.get("view")
        if not isinstance(view, Mapping):
            raise HTTPException(404, "This dialog is not open any more.")
        incident_view, clicker = await self._find_incident(_read_id_field(form, "incident"))
        assert incident_view.service is not None
        user = str(dialog.get("user", ""))
        answered = await run_in_threadpool(clicker.submit_dialog, incident_view.service, view, form, user)
        return self._redirect_to_incident(
            incident_view.record.id, {"as": user} | ({"dialog": token} if answered.errors else {}), answered
        )

    async def changes(self, request: Request) -> Response:
        shelf, signs = self._site.incidents, self._site.changes
        if check_stream_origin(request.headers):
            raise HTTPException(403, "Only the page itself may ask for this.")
        if signs.streams >= MAX_STREAMS:
            raise HTTPException(503, "Too many pages are open.")
        incident, shown = request.query_params.get("of", ""), request.query_params.get("shown", "")

        def ask() -> str:
            return self._site.page_etag(shelf.read_etag(incident) if incident else shelf.list_incidents().etag)

        return StreamingResponse(
            signs.stream_events(incident or _LIST_TOPIC, ask, shown), media_type="text/event-stream"
        )

    async def http_error(self, _: Request, error: Exception) -> Response:
        assert isinstance(error, HTTPException)
        return HTMLResponse(views.render_error(error.status_code, error.detail), error.status_code)

    async def store_unavailable(self, _: Request, error: Exception) -> Response:
        return HTMLResponse(views.render_error(503, f"The store does not answer just now: {error}"), 503)

    async def unreadable(self, _: Request, error: Exception) -> Response:
        return HTMLResponse(views.render_error(500, f"What is stored cannot be shown: {error}"), 500)

    async def _read_form(self, request: Request) -> Form:
        body = b""
        async for chunk in request.stream():
            body += chunk
            if len(body) > _MAX_FORM_BYTES:
                raise HTTPException(413, "The form is too long.")
        try:
            form = dict(
                parse_qsl(body.decode("utf-8", "replace"), keep_blank_values=True, max_num_fields=_MAX_FORM_FIELDS)
            )
        except ValueError:
            raise HTTPException(400, "The form has too many fields.") from None
        if not self._site.token.matches(form.get("token")):
            raise HTTPException(403, STALE_PAGE)
        return form

    async def _find_incident(self, incident: str) -> tuple[IncidentView, ClickSender]:
        if self._site.click_sender is None:
            raise HTTPException(403, self._site.read_only_reason)
        incident_view = await run_in_threadpool(self._site.incidents.read_incident, incident)
        if incident_view is None or incident_view.service is None:
            raise HTTPException(404, "No such incident of a watched service is known here.")
        return incident_view, self._site.click_sender

    def _redirect_to_incident(self, incident: str, query: Mapping[str, str], answered: ClickResponse) -> Response:
        """To the incident, so that a reload does not click again."""
        answer = answered if answered.text or answered.errors else _explain_failure(answered)
        more = {**query, **({"told": self._site.store_answer(answer)} if answer else {})}
        return RedirectResponse(f"/incidents/{incident}?{urlencode(more)}#decision", 303)


def _explain_failure(answered: ClickResponse) -> ClickResponse | None:
    if answered.status == 200:
        return None
    return ClickResponse(
        answered.status, f"The click was not taken: the function that decides answered {answered.status}."
    )


def _read_id_field(form: Form, name: str) -> str:
    """A field that holds an id."""
    value = form.get(name, "")
    if not _ID_PATTERN.fullmatch(value):
        raise HTTPException(400, f"The form lacks its field {name}.")
    return value
