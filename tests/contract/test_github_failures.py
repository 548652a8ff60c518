"""GitHub at its worst, with the ledger between: whatever is lost, late or refused, there is one issue, one comment."""
# ruff: noqa: ARG001  # a trouble takes what it may need

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from http.server import BaseHTTPRequestHandler

import jwt
import pytest

from shared.adapters.github.issues import GitHubIssues
from shared.detection.signal import SignalKind
from shared.errors import Reject, Retry
from shared.ports import Document, IssueRef
from shared.report.incident_status import render_status_block
from shared.workflow import effects
from shared.workflow.context import Context
from shared.workflow.effects import IssueContent, IssueStatusUpdate, format_marker
from shared.workflow.flow import IncidentState
from shared.workflow.ledger import run_once
from shared.workflow.records.incident_record import IncidentRecord
from tests.support.clock import FakeClock
from tests.support.github.clients import SleepingClock, TokenEndpoint, make_app, open_client, open_installation_client
from tests.support.github.issue_tracker import IssueTracker
from tests.support.github.server import (
    REPOSITORY,
    FakeGitHub,
    FakeRequest,
    FakeResponse,
    FakeServer,
    Handler,
    Interceptor,
    serve_fake,
)
from tests.support.harness import Harness, watched_service

MARK = format_marker("1f2e")
NOTE = format_marker("1f2e", "deployed")
AGAIN = format_marker("1f2e-2")
WATCHED = watched_service(repository=REPOSITORY)
BUSY = 7
"""Issues that others open between two attempts."""


def lost_after_commit(asked: FakeRequest, answer: Handler) -> FakeResponse:
    answer(asked)
    return FakeResponse(502, {"message": "Server Error"})


def reset_after_commit(asked: FakeRequest, answer: Handler) -> FakeResponse:
    answer(asked)
    return FakeResponse(0, lost_by="reset")


def silent_after_commit(asked: FakeRequest, answer: Handler) -> FakeResponse:
    answer(asked)
    return FakeResponse(0, lost_by="closed")


def refused(asked: FakeRequest, answer: Handler) -> FakeResponse:
    told = {"message": "You have exceeded a secondary rate limit."}
    return FakeResponse(403, told, {"Retry-After": "600"})


def spent(asked: FakeRequest, answer: Handler) -> FakeResponse:
    return FakeResponse(
        403, {"message": "API rate limit exceeded"}, {"X-RateLimit-Remaining": "0", "X-RateLimit-Reset": "1"}
    )


def expired(asked: FakeRequest, answer: Handler) -> FakeResponse:
    return FakeResponse(401, {"message": "Bad credentials", "documentation_url": "https://docs.github.com/rest"})


def unavailable(asked: FakeRequest, answer: Handler) -> FakeResponse:
    return FakeResponse(503, {"message": "Service unavailable"})


TROUBLES = [lost_after_commit, reset_after_commit, silent_after_commit, refused, spent, expired, unavailable]


@dataclass
class Sometimes:
    """Lets the first `times` matching requests run into trouble."""

    trouble: Interceptor
    verb: str
    times: int
    met: int = field(default=0)

    def __call__(self, asked: FakeRequest, answer: Handler) -> FakeResponse:
        if asked.method == self.verb and "access_tokens" not in asked.path and self.met < self.times:
            self.met += 1
            return self.trouble(asked, answer)
        return answer(asked)


def until_done(harness: Harness, act: Callable[[], object], board: IssueTracker) -> int:
    """Redelivers as the queue does, a minute later each time, while others open issues. The number of deliveries."""
    for delivery in range(1, 60):
        try:
            act()
        except Retry:
            harness.clock.advance(timedelta(minutes=1))
            for _ in range(BUSY if delivery == 1 else 0):
                board(FakeRequest("POST", f"/repos/{REPOSITORY}/issues", {}, {}, {"title": "Other", "body": "Other."}))
        else:
            return delivery
    raise AssertionError("it never ended")


@pytest.mark.parametrize("times", [1, 3])
@pytest.mark.parametrize("verb", ["POST", "GET", "PATCH"])
@pytest.mark.parametrize("trouble", TROUBLES)
def test_there_is_one_issue_and_one_comment(trouble: Interceptor, verb: str, times: int) -> None:
    setting = Harness(services={"shore.tide": WATCHED})
    board = IssueTracker(setting.clock.now, list_delay=timedelta(minutes=10))
    fake = FakeGitHub(extra_routes=[board, TokenEndpoint(setting.clock)], interceptor=Sometimes(trouble, verb, times))
    with serve_fake(fake):

        def world() -> Context:
            github = open_installation_client(fake.address, setting.clock)
            return setting.start_process(lambda name, port: GitHubIssues(github) if name == "issues" else port)

        found: list[IssueRef] = []
        until_done(setting, lambda: found.append(opened(world())), board)
        assert board.with_marker(MARK) == [found[-1].number]
        fake.interceptor = Sometimes(trouble, verb, times)
        number = found[-1].number
        until_done(setting, lambda: comment(world(), number), board)
        said = [kept for kept in board.comments[number] if NOTE in kept.value["body"]]
        assert len(said) == 1
        fake.interceptor = Sometimes(trouble, verb, times)
        until_done(setting, lambda: edited(world(), number), board)
        fake.interceptor = Sometimes(trouble, verb, times)
        until_done(setting, lambda: effects.close_issue(world(), WATCHED, number, "1f2e"), board)
        fake.interceptor = Sometimes(trouble, verb, times)
        until_done(setting, lambda: taken_back(world(), number), board)
    left = board.issues[number].value
    assert (left["state"], left["title"], left["body"]) == ("open", "It fails again", f"{AGAIN}\nBody")
    assert board.with_marker(AGAIN) == [number]
    assert set(board.labels) == {"provenfix", "provenfix:wrong"}


def opened(world: Context) -> IssueRef:
    """As `shared.workflow.effects` opens it."""
    part = render_status_block("It fails.", urgent=False, milestones=())
    return effects.open_issue(world, WATCHED, IssueContent("1f2e", "It fails", part), ("signal:syntax_error",))


def edited(world: Context, number: int) -> None:
    """The labels are made, and the body says how it stands."""
    effects.create_labels(world, WATCHED)
    case = IncidentRecord(
        id="1f2e", fingerprint="1f2e", generation=1, state=IncidentState.PROPOSED, service=WATCHED.id,
        kind=SignalKind.SYNTAX_ERROR, error_class="SyntaxError", path="a.py", revisions=(), entries=(), opened_by="",
        opened_at=world.clock.now(), last_seen=world.clock.now(), issue=IssueRef(number, "https://code.invalid"),
    )  # fmt: skip
    revised = IssueStatusUpdate(render_status_block("Mended.", urgent=False, milestones=()))
    effects.update_issue_status(world, WATCHED, case, "mended", lambda: revised)
    assert "Mended." in world.issues.state(WATCHED, number).body


def taken_back(world: Context, number: int) -> None:
    """A later incident takes the issue over: it is rewritten, and open again."""
    paper = IssueContent("1f2e-2", "It fails again", "Body")
    effects.reuse_issue(world, WATCHED, IssueRef(number, "https://code.invalid"), paper)


def comment(world: Context, number: int) -> None:
    """One comment, through the ledger."""

    def do() -> Document:
        world.issues.comment(WATCHED, number, NOTE, f"{NOTE}\nDeployed.")
        return {}

    run_once(
        world, "comment.1f2e.deployed", do, lambda: {} if world.issues.has_comment(WATCHED, number, NOTE) else None
    )


def test_token_is_renewed_before_expiry_and_when_refused() -> None:
    clock = FakeClock()
    desk = TokenEndpoint(clock)
    board = IssueTracker(clock.now)
    fake = FakeGitHub(extra_routes=[board, desk])
    with serve_fake(fake):
        issues = GitHubIssues(open_installation_client(fake.address, clock))
        assert issues.find(WATCHED, MARK) is None
        assert len(desk.issued_tokens) == 1
        clock.advance(timedelta(minutes=49))
        assert issues.find(WATCHED, MARK) is None
        assert len(desk.issued_tokens) == 1
        clock.advance(timedelta(minutes=2))
        assert issues.find(WATCHED, MARK) is None
        assert len(desk.issued_tokens) == 2
        fake.interceptor = Sometimes(expired, "GET", 1)
        assert issues.find(WATCHED, MARK) is None
        assert len(desk.issued_tokens) == 3
    claims = jwt.decode(desk.signed_requests[-1], options={"verify_signature": False})
    assert claims["iss"] == make_app().id
    assert claims["iat"] <= clock.now().timestamp() < claims["exp"] <= claims["iat"] + 600
    sent = {each.headers["authorization"] for each in fake.requests if "access_tokens" not in each.path}
    assert sent == {f"Bearer {token}" for token in desk.issued_tokens}


def test_a_read_waits_as_long_as_it_is_told_and_no_longer_than_a_minute() -> None:
    clock = SleepingClock()
    for told, slept in ({"Retry-After": "7"}, [7.0]), ({"Retry-After": "61"}, []):
        fake = FakeGitHub(extra_routes=[IssueTracker(clock.now)], interceptor=Sometimes(limited(told), "GET", 1))
        clock.pauses.clear()
        with serve_fake(fake):
            issues = GitHubIssues(open_client(fake.address, clock))
            if slept:
                assert issues.find(WATCHED, MARK) is None
            else:
                with pytest.raises(Retry, match="429"):
                    issues.find(WATCHED, MARK)
        assert clock.pauses == slept


def test_a_spent_limit_is_waited_for_until_its_reset() -> None:
    clock = SleepingClock()
    reset = str(int(clock.current_time.timestamp()) + 20)
    told = limited({"X-RateLimit-Remaining": "0", "X-RateLimit-Reset": reset})
    fake = FakeGitHub(extra_routes=[IssueTracker(clock.now)], interceptor=Sometimes(told, "GET", 1))
    with serve_fake(fake):
        assert GitHubIssues(open_client(fake.address, clock)).find(WATCHED, MARK) is None
    assert clock.pauses == [21.0]


def test_a_write_is_sent_once_whatever_becomes_of_it() -> None:
    for trouble in TROUBLES:
        clock = SleepingClock()
        fake = FakeGitHub(extra_routes=[IssueTracker(clock.now)], interceptor=Sometimes(trouble, "POST", 9))
        with serve_fake(fake), pytest.raises((Retry, Reject)):
            GitHubIssues(open_client(fake.address, clock)).open(WATCHED, MARK, "Title", MARK)
        assert len(fake.requests) == 1
        assert clock.pauses == []


def test_a_refused_token_is_renewed_once_and_the_change_is_sent_with_the_new_one() -> None:
    clock = FakeClock()
    for refusals, outcome in ((1, None), (2, Retry)):
        tokens, tracker = TokenEndpoint(clock), IssueTracker(clock.now)
        fake = FakeGitHub(extra_routes=[tracker, tokens], interceptor=Sometimes(expired, "POST", refusals))
        with serve_fake(fake):
            issues = GitHubIssues(open_installation_client(fake.address, clock))
            if outcome is None:
                assert issues.open(WATCHED, MARK, "Title", MARK).number == 1
            else:
                with pytest.raises(outcome, match="401"):
                    issues.open(WATCHED, MARK, "Title", MARK)
        changes = [request for request in fake.requests if "access_tokens" not in request.path]
        sent = [request.headers["authorization"] for request in changes]
        assert sent == [f"Bearer {token}" for token in tokens.issued_tokens]
        assert (len(sent), len(tracker.issues)) == (2, 0 if outcome else 1)


def limited(headers: Mapping[str, str]) -> Interceptor:
    def trouble(asked: FakeRequest, answer: Handler) -> FakeResponse:
        return FakeResponse(429, {"message": "Too many requests"}, headers)

    return trouble


@pytest.mark.parametrize(("error", "is_silent"), [(ConnectionResetError, True), (ValueError, False)])
def test_the_fake_says_nothing_of_a_client_that_left(
    error: type[Exception], *, is_silent: bool, capsys: pytest.CaptureFixture[str]
) -> None:
    def fail() -> None:
        raise error("gone")

    with FakeServer(("127.0.0.1", 0), BaseHTTPRequestHandler) as server:
        try:
            fail()
        except error:
            server.handle_error(None, ("127.0.0.1", 1))
    assert (capsys.readouterr().err == "") is is_silent
