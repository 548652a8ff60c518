"""An issue's whole life: on a GitHub that nobody here wrote, and on one that loses answers, lags behind and refuses."""

from collections.abc import Iterator

import pytest

from shared.adapters.github.client import GitHub, Pace
from shared.adapters.github.credentials import FixedToken
from shared.adapters.github.issues import GitHubIssues
from shared.adapters.github.people import GitHubPeople
from shared.domain.service import Service
from shared.errors import Reject
from shared.ports import WRONG
from shared.secret import Secret
from tests.fakes.github.board import USER, Board
from tests.fakes.github.emulated import TOKEN, emulating
from tests.fakes.github.opened import Turned, client
from tests.fakes.github.server import REPOSITORY, Asked, FakeGitHub, Told, serving

SERVICE = Service("chat", "acme-prod", "europe-west1", REPOSITORY, "C0CHAT")
MARK = "<!-- provenfix:incident=1f2e -->"


@pytest.fixture(scope="module")
def emulated(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with emulating(tmp_path_factory.mktemp("emulate")) as address:
        yield address


@pytest.fixture(params=["emulate", "fake"])
def github(request: pytest.FixtureRequest) -> Iterator[GitHub]:
    clock = Turned()
    pace = Pace(clock, clock.sleep)
    if request.param == "emulate":
        yield GitHub(FixedToken(lambda: Secret(TOKEN)), pace, request.getfixturevalue("emulated"))
        return
    with serving(FakeGitHub(extra=[Board(clock.now)])) as fake:
        yield GitHub(FixedToken(lambda: Secret("github_pat_x")), pace, fake.address)


def test_an_issue_is_opened_found_commented_closed_and_opened_again(github: GitHub) -> None:
    issues, mark = GitHubIssues(github), MARK
    assert issues.find(SERVICE, mark) is None
    opened = issues.open(SERVICE, mark, "chat: SyntaxError in relay.py", f"{mark}\nIt fails.")
    assert issues.find(SERVICE, mark) == opened
    state = issues.state(SERVICE, opened.number)
    assert state.is_open
    assert state.labels == {"provenfix", "service:chat", "environment:acme-prod"}
    note = "<!-- provenfix:incident=1f2e part=deployed -->"
    assert not issues.commented(SERVICE, opened.number, note)
    issues.comment(SERVICE, opened.number, note, f"{note}\nDeployed.")
    assert issues.commented(SERVICE, opened.number, note)
    for _ in range(2):
        issues.close(SERVICE, opened.number)
        assert not issues.state(SERVICE, opened.number).is_open
    assert issues.find(SERVICE, mark) == opened
    issues.reopen(SERVICE, opened.number)
    assert issues.state(SERVICE, opened.number).is_open


def test_a_label_set_by_a_person_is_seen(github: GitHub) -> None:
    issues = GitHubIssues(github)
    opened = issues.open(SERVICE, "<!-- wrong -->", "Another", "<!-- wrong -->\n")
    github.write("POST", f"/repos/{REPOSITORY}/issues/{opened.number}/labels", {"labels": [WRONG]})
    assert WRONG in issues.state(SERVICE, opened.number).labels


def test_what_could_not_be_found_again_is_not_sent(github: GitHub) -> None:
    before = github.requests
    with pytest.raises(Reject, match="marker"):
        GitHubIssues(github).open(SERVICE, MARK, "Title", "without")
    assert github.requests == before


def test_a_repository_that_is_not_there_is_refused(github: GitHub) -> None:
    elsewhere = Service("chat", "acme-prod", "europe-west1", "acme/nowhere", "C0CHAT")
    with pytest.raises(Reject, match="404"):
        GitHubIssues(github).open(elsewhere, MARK, "Title", MARK)


@pytest.mark.parametrize(
    ("permission", "may"), [("admin", True), ("write", True), ("triage", False), ("read", False), ("none", False)]
)
def test_who_may_write_to_the_repository_may_instruct(permission: str, may: bool) -> None:  # noqa: FBT001
    """Not on `emulate`: its answer lacks what GitHub's description demands."""
    told = {"permission": permission, "role_name": permission, "user": {**USER, "role_name": permission}}

    def answer(asked: Asked) -> Told | None:
        return Told(200, told) if asked.path == f"/repos/{REPOSITORY}/collaborators/nora/permission" else None

    with serving(FakeGitHub(extra=[answer])) as fake:
        people = GitHubPeople(client(fake.address))
        assert people.may_instruct(SERVICE, "nora") is may
        assert not any(people.may_instruct(SERVICE, stranger) for stranger in ("nobody-here", "é", "nora?x=1"))
