"""An issue's whole life: on a GitHub that nobody here wrote, and on one that loses answers, lags behind and refuses."""

from collections.abc import Iterator

import pytest

from shared.adapters.github.client import GitHubClient, Timing
from shared.adapters.github.credentials import FixedToken
from shared.adapters.github.issues import GitHubCollaborators, GitHubIssues, format_label
from shared.errors import Reject
from shared.ports import WRONG_LABEL, IssueState
from shared.report.incident_status import render_status_block
from shared.secret import Secret
from shared.service import Service
from tests.support.github.clients import SleepingClock, TokenEndpoint, open_client, open_installation_client
from tests.support.github.emulator import TOKEN, run_github_emulator
from tests.support.github.issue_tracker import USER, IssueTracker
from tests.support.github.server import REPOSITORY, FakeGitHub, FakeRequest, FakeResponse, Handler, serve_fake

SERVICE = Service("chat", "acme-prod", "europe-west1", REPOSITORY, "C0CHAT")
MARK = "<!-- provenfix:incident=1f2e -->"


@pytest.fixture(scope="module")
def emulated(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with run_github_emulator(tmp_path_factory.mktemp("emulate")) as address:
        yield address


@pytest.fixture(params=["emulate", "fake"])
def github(request: pytest.FixtureRequest) -> Iterator[GitHubClient]:
    clock = SleepingClock()
    pace = Timing(clock, clock.sleep)
    if request.param == "emulate":
        yield GitHubClient(FixedToken(lambda: Secret(TOKEN)), pace, request.getfixturevalue("emulated"))
        return
    with serve_fake(FakeGitHub(extra_routes=[IssueTracker(clock.now)])) as fake:
        yield GitHubClient(FixedToken(lambda: Secret("github_pat_x")), pace, fake.address)


def test_an_issue_is_opened_found_commented_closed_and_opened_again(github: GitHubClient) -> None:
    issues, mark = GitHubIssues(github), MARK
    assert issues.find(SERVICE, mark) is None
    body = f"{mark}\nIt fails."
    opened = issues.open(SERVICE, mark, "chat: SyntaxError in relay.py", body, ("signal:syntax_error",))
    assert issues.find(SERVICE, mark) == opened
    labels = frozenset({"provenfix", "service:chat", "environment:acme-prod", "signal:syntax_error"})
    assert issues.state(SERVICE, opened.number) == IssueState(is_open=True, labels=labels, body=body)
    note = "<!-- provenfix:incident=1f2e part=deployed -->"
    assert not issues.has_comment(SERVICE, opened.number, note)
    issues.comment(SERVICE, opened.number, note, f"{note}\nDeployed.")
    assert issues.has_comment(SERVICE, opened.number, note)
    for _ in range(2):
        issues.close(SERVICE, opened.number)
        assert not issues.state(SERVICE, opened.number).is_open
    assert issues.find(SERVICE, mark) == opened
    for _ in range(2):
        issues.reopen(SERVICE, opened.number)
        assert issues.state(SERVICE, opened.number).is_open


def test_how_things_stand_is_edited_and_what_people_wrote_stays(github: GitHubClient) -> None:
    issues, mark = GitHubIssues(github), "<!-- provenfix:incident=2a -->"
    first, second = (
        render_status_block(words, urgent=False, milestones=()) for words in ("It fails.", "It is mended.")
    )
    number = issues.open(SERVICE, mark, "Title", f"{mark}\n{first}\n\n- [ ] Pin Python").number
    ticked = f"{mark}\n{first}\n\n- [x] Pin Python"
    github.send_json("PATCH", f"/repos/{REPOSITORY}/issues/{number}", {"body": ticked})
    for _ in range(2):
        issues.update_status_section(SERVICE, number, second)
        assert issues.state(SERVICE, number).body == ticked.replace("It fails.", "It is mended.")
    before = github.requests_sent
    issues.update_status_section(SERVICE, number, second)
    assert github.requests_sent == before + 1  # looked at, and not written again


@pytest.mark.parametrize(
    ("title", "becomes"),
    [("tide: SyntaxError in a.py: fix merged, not deployed", "tide: SyntaxError in a.py: mended"), ("Ours", "Ours")],
)
def test_the_title_follows_unless_a_person_has_given_it_another_one(
    github: GitHubClient, title: str, becomes: str
) -> None:
    issues, mark = GitHubIssues(github), "<!-- provenfix:incident=2b -->"
    part = render_status_block("It fails.", urgent=False, milestones=())
    number = issues.open(SERVICE, mark, title, f"{mark}\n{part}").number
    issues.update_status_section(SERVICE, number, part, "tide: SyntaxError in a.py: mended")
    found = github.find_json(f"/repos/{REPOSITORY}/issues/{number}")
    assert found is not None
    assert found["title"] == becomes


@pytest.mark.parametrize("body", ["somebody emptied it", "", f"x\n{'y' * 65_500}\n"])
def test_a_body_without_its_part_or_without_room_is_left_alone(github: GitHubClient, body: str) -> None:
    issues, part = GitHubIssues(github), render_status_block("It is mended.", urgent=True, milestones=())
    number = issues.open(SERVICE, "<!-- b -->", "Title", "<!-- b -->").number
    begun = "<!-- provenfix:state --><!-- /provenfix:state -->" if len(body) > 1000 else ""
    github.send_json("PATCH", f"/repos/{REPOSITORY}/issues/{number}", {"body": begun + body})
    issues.update_status_section(SERVICE, number, part)
    assert issues.state(SERVICE, number).body == begun + body


def test_rewritten_issue_is_found_by_its_marker(github: GitHubClient) -> None:
    issues, earlier, later = (
        GitHubIssues(github),
        "<!-- provenfix:incident=3c-1 -->",
        "<!-- provenfix:incident=3c-2 -->",
    )
    opened = issues.open(SERVICE, earlier, "It fails", earlier)
    issues.close(SERVICE, opened.number)
    ticked = f"{earlier}\n- [x] Pin Python\n"
    github.send_json("PATCH", f"/repos/{REPOSITORY}/issues/{opened.number}", {"body": ticked})
    issues.replace_content(SERVICE, opened.number, "It fails again", f"{later}\n- [ ] Pin Python\n- [ ] Again")
    issues.reopen(SERVICE, opened.number)
    assert issues.find(SERVICE, later) == opened
    assert issues.find(SERVICE, earlier) is None
    assert issues.state(SERVICE, opened.number).body == f"{later}\n- [x] Pin Python\n- [ ] Again"


def test_the_labels_by_which_people_act_are_made_once(github: GitHubClient) -> None:
    issues = GitHubIssues(github)
    issues.create_labels(SERVICE)
    made = github.get_json(f"/repos/{REPOSITORY}/labels/provenfix%3Awrong")
    assert (made["name"], bool(made["description"])) == ("provenfix:wrong", True)
    before = github.requests_sent
    issues.create_labels(SERVICE)
    assert github.requests_sent == before + 2  # both are looked for, none is made


def test_a_text_that_only_quotes_a_marker_is_not_taken_for_it(github: GitHubClient) -> None:
    """A user who makes a service log a marker puts it into the excerpts of its issue."""
    issues, mark, other = GitHubIssues(github), "<!-- provenfix:incident=4d -->", "<!-- provenfix:incident=5e -->"
    quoted = f"{mark}\n> `{other}`\n\n## What the log says\n\n```text\n{other}\n```\n"
    number = issues.open(SERVICE, mark, "Title", quoted).number
    assert issues.find(SERVICE, other) is None
    note = "<!-- provenfix:incident=4d part=deployed -->"
    issues.comment(SERVICE, number, mark, f"{mark}\n\nIt says `{note}`.")
    assert not issues.has_comment(SERVICE, number, note)


def test_an_issue_whose_labels_were_dropped_is_found_all_the_same() -> None:
    board = IssueTracker(SleepingClock().now, drops_labels=True)
    with serve_fake(FakeGitHub(extra_routes=[board])) as fake:
        issues = GitHubIssues(open_client(fake.address))
        opened = issues.open(SERVICE, MARK, "Title", MARK)
        for _ in range(5):
            issues.open(SERVICE, "<!-- other -->", "Title", "<!-- other -->")
        assert issues.state(SERVICE, opened.number).labels == frozenset()
        assert issues.find(SERVICE, MARK) == opened


def test_an_issue_that_has_not_changed_is_not_sent_again() -> None:
    """`emulate` knows no ETags."""
    board = IssueTracker(SleepingClock().now)
    told: list[int] = []

    def noted(asked: FakeRequest, answer: Handler) -> FakeResponse:
        given = answer(asked)
        told.append(given.status)
        return given

    with serve_fake(FakeGitHub(extra_routes=[board], interceptor=noted)) as fake:
        github = open_client(fake.address)
        issues = GitHubIssues(github)
        number = issues.open(SERVICE, MARK, "Title", MARK).number
        seen = [issues.state(SERVICE, number) for _ in range(3)]
        assert (told[1:], len({*seen})) == ([200, 304, 304], 1)
        board.issues[number].value["labels"] = [{**board.issues[number].value["labels"][0], "name": WRONG_LABEL}]
        assert issues.state(SERVICE, number).labels == {WRONG_LABEL}
        issues.close(SERVICE, number)
        assert not issues.state(SERVICE, number).is_open
        assert told[4:] == [200, 200, 200]


def test_a_deleted_issue_is_closed_and_stays_as_it_is() -> None:
    gone = FakeResponse(410, {"message": "This issue was deleted", "documentation_url": ""})
    with serve_fake(
        FakeGitHub(extra_routes=[lambda asked: gone if asked.path.endswith("/issues/7") else None])
    ) as fake:
        issues = GitHubIssues(open_client(fake.address))
        assert issues.state(SERVICE, 7) == IssueState(is_open=False, labels=frozenset())
        issues.update_status_section(SERVICE, 7, render_status_block("It is mended.", urgent=False, milestones=()))
        assert [each.method for each in fake.requests] == ["GET", "GET"]


@pytest.mark.parametrize(
    ("name", "taken"),
    [
        ("environment:production", "environment:production"),
        ("environment:a, b", "environment:a b"),
        ("environment:two\nlines\x00", "environment:two lines"),
        ("service:" + "x" * 63, "service:" + "x" * 41 + "…"),
    ],
)
def test_a_label_is_what_github_takes(name: str, taken: str) -> None:
    assert format_label(name) == taken
    assert len(format_label(name)) <= 50


def test_a_label_set_by_a_person_is_seen(github: GitHubClient) -> None:
    issues = GitHubIssues(github)
    opened = issues.open(SERVICE, "<!-- wrong -->", "Another", "<!-- wrong -->\n")
    github.send_json("POST", f"/repos/{REPOSITORY}/issues/{opened.number}/labels", {"labels": [WRONG_LABEL]})
    assert WRONG_LABEL in issues.state(SERVICE, opened.number).labels


def test_what_could_not_be_found_again_is_not_sent(github: GitHubClient) -> None:
    before = github.requests_sent
    with pytest.raises(Reject, match="marker"):
        GitHubIssues(github).open(SERVICE, MARK, "Title", "without")
    assert github.requests_sent == before


def test_a_repository_that_is_not_there_is_refused(github: GitHubClient) -> None:
    elsewhere = Service("chat", "acme-prod", "europe-west1", "acme/nowhere", "C0CHAT")
    with pytest.raises(Reject, match="404"):
        GitHubIssues(github).open(elsewhere, MARK, "Title", MARK)


@pytest.mark.parametrize(
    ("permission", "may"), [("admin", True), ("write", True), ("triage", False), ("read", False), ("none", False)]
)
def test_who_may_write_to_the_repository_may_instruct(permission: str, may: bool) -> None:  # noqa: FBT001
    """Not on `emulate`: its answer lacks what GitHub's description demands."""
    told = {"permission": permission, "role_name": permission, "user": {**USER, "role_name": permission}}

    def answer(asked: FakeRequest) -> FakeResponse | None:
        return FakeResponse(200, told) if asked.path == f"/repos/{REPOSITORY}/collaborators/nora/permission" else None

    with serve_fake(FakeGitHub(extra_routes=[answer])) as fake:
        people = GitHubCollaborators(open_client(fake.address))
        assert people.has_write_access(SERVICE, "nora") is may
        assert not any(people.has_write_access(SERVICE, stranger) for stranger in ("nobody-here", "é", "nora?x=1"))


def test_copied_marker_does_not_make_content_the_apps() -> None:
    """Every user reads markers: one who copied a marker ahead of us could have the incident in an issue of theirs."""
    clock = SleepingClock()
    board, person = IssueTracker(clock.now), {**USER, "login": "mallory", "type": "User"}
    with serve_fake(FakeGitHub(extra_routes=[board, TokenEndpoint(clock)])) as fake:
        issues = GitHubIssues(open_installation_client(fake.address, clock))
        theirs = issues.open(SERVICE, MARK, "copied", f"{MARK}\nIt fails.")
        board.issues[theirs.number].value["user"] = person
        assert issues.find(SERVICE, MARK) is None
        ours = issues.open(SERVICE, MARK, "chat", f"{MARK}\nIt fails.")
        assert issues.find(SERVICE, MARK) == ours
        note = "<!-- provenfix:incident=1f2e part=approved -->"
        issues.comment(SERVICE, ours.number, note, f"{note}\nApproved.")
        board.comments[ours.number][0].value["user"] = person
        assert not issues.has_comment(SERVICE, ours.number, note)
