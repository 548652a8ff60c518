"""A push becomes a check run on its commit: through the webhook, without a clone, with at most twenty requests."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from shared.adapters.compilers.best_compilers import LocalCompilers
from shared.workflow.commit_checks import check_push
from shared.workflow.ledger import RETRY_DELAY
from shared.workflow.records import sound_states
from tests.support.github.server import REPOSITORY, FakeRequest, FakeResponse, Handler
from tests.support.harness import watched_service
from tests.support.history_builder import HistoryBuilder, running_python
from tests.support.push_checks import PushOutside, open_push_outside

MAX_REQUESTS = 20
DOCKERFILE = "FROM python:3.11-slim\nWORKDIR /srv\nCOPY . .\nCMD uvicorn quay.main:app\n"
MAIN = "from quay.cranes import lift\n\napp = lift\n"
CRANES = "def lift(load):\n    return load\n"


def write_story(path: Path) -> HistoryBuilder:
    """start, broken (a renamed function), worse (an undefined name on top), fixed; `feature` leaves start."""
    story = HistoryBuilder(path)
    boats = {f"quay/boats/b{number}.py": f"LENGTH = {number}\n" for number in range(40)}
    story.commit(
        "start",
        {
            "Dockerfile": DOCKERFILE,
            "quay/__init__.py": "",
            "quay/main.py": MAIN,
            "quay/cranes.py": CRANES,
            "quay/boats/__init__.py": "",
            "tools/report.py": "x = 1\n",
            **boats,
        },
    )
    story.commit("harmless", {"quay/boats/b3.py": "LENGTH = 4\n"})
    story.commit("broken", {"quay/cranes.py": CRANES.replace("lift", "hoist")})
    story.commit("unrelated", {"quay/boats/b4.py": "LENGTH = 5\n"})
    story.commit("fixed", {"quay/main.py": MAIN.replace("lift", "hoist")})
    story.commit("script", {"tools/report.py": "x = (\n"})
    story.commit("feature", {"quay/main.py": MAIN + "print(misspelt)\n"}, "start")
    story.commit("old", {"README.md": "Quay.\n"}, "broken")
    story.write_repository("script", feature="feature", old="old")
    return story


@pytest.fixture
def outside(tmp_path: Path, compilers: LocalCompilers) -> Iterator[PushOutside]:
    with open_push_outside(write_story(tmp_path / "repo.git"), compilers) as opened:
        yield opened


def test_a_commit_that_breaks_is_red_on_its_line_with_at_most_twenty_requests(outside: PushOutside) -> None:
    run = outside.push("broken", before="harmless")
    assert run is not None
    assert outside.count_requests() <= MAX_REQUESTS
    assert (run["name"], run["head_sha"], run["conclusion"]) == (
        "provenfix / tide",
        outside.story.ids["broken"],
        "failure",
    )
    [annotation] = run["output"]["annotations"]
    assert (annotation["path"], annotation["start_line"]) == ("quay/main.py", 1)


def test_what_breaks_nothing_is_green(outside: PushOutside) -> None:
    for commit, before in (("harmless", "start"), ("script", "fixed")):  # no service loads the script
        run = outside.push(commit, before=before)
        assert run is not None
        assert run["conclusion"] == "success"
        assert "annotations" not in run["output"]
        assert outside.count_requests() <= MAX_REQUESTS


def test_a_branch_is_compared_with_its_last_sound_state(outside: PushOutside) -> None:
    pushes = (("harmless", "start"), ("broken", "harmless"), ("unrelated", "broken"), ("fixed", "unrelated"))
    conclusions = [run["conclusion"] for commit, before in pushes if (run := outside.push(commit, before=before))]
    assert conclusions == ["success", "failure", "failure", "success"]


def test_two_deliveries_make_one_check_run(outside: PushOutside) -> None:
    assert outside.push("broken", before="harmless") is not None
    assert outside.push("broken", before="harmless") is None
    assert len(outside.board.runs) == 1


def test_a_pull_request_is_compared_with_where_it_left_the_branch(outside: PushOutside) -> None:
    run = outside.open_pull_request("feature", base="script")
    assert run is not None
    assert run["conclusion"] == "failure"
    assert outside.count_requests() <= MAX_REQUESTS
    # It left a broken branch, and breaks nothing itself.
    run = outside.open_pull_request("old", base="script")
    assert run is not None
    assert run["conclusion"] == "success"


def test_a_pull_request_of_a_fork_is_checked_the_same_way(outside: PushOutside) -> None:
    run = outside.open_pull_request("feature", base="script", repo={"full_name": "somebody/chat"})
    assert run is not None
    assert (run["head_sha"], run["conclusion"]) == (outside.story.ids["feature"], "failure")


def test_forks_get_so_many_checks_a_day(outside: PushOutside, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sound_states, "MAX_FORK_CHECKS", 1)
    for commit in ("feature", "old"):
        outside.open_pull_request(commit, base="script", repo=None)  # the fork was deleted
    assert [run["head_sha"] for run in outside.board.runs] == [outside.story.ids["feature"]]
    assert outside.open_pull_request("script", base="script") is not None


@pytest.mark.parametrize(
    ("kind", "event"),
    [
        ("push", {"ref": "refs/tags/v1", "before": "0" * 40, "after": "1" * 40}),
        ("push", {"ref": "refs/heads/main", "before": "1" * 40, "after": "0" * 40, "deleted": True}),
        ("push", {"ref": "refs/heads/other", "before": "0" * 40, "after": "1" * 40}),
        ("pull_request", {"action": "labeled"}),
        ("push", {"ref": "refs/heads/main", "before": "0" * 40, "after": "1" * 40, "repository": None}),
    ],
)
def test_other_events_lead_to_nothing(outside: PushOutside, kind: str, event: dict[str, object]) -> None:
    status = outside.send(kind, event)
    assert status == (400 if event.get("repository", 0) is None else 204)
    assert outside.harness.bus.waiting == []


def test_a_commit_that_is_not_there_is_neutral_with_the_reason(outside: PushOutside) -> None:
    run = outside.push("broken", after="1" * 40)
    assert run is not None
    assert run["conclusion"] == "neutral"


def test_a_repository_that_takes_too_many_requests_is_neutral(
    tmp_path: Path, compilers: LocalCompilers, monkeypatch: pytest.MonkeyPatch
) -> None:
    story = write_story(tmp_path / "repo.git")
    monkeypatch.setattr(check_push, "MAX_REQUESTS", 3)
    with open_push_outside(story, compilers) as outside:
        run = outside.push("broken", before="harmless")
        assert run is not None
        assert run["conclusion"] == "neutral"
        assert outside.count_requests() == 4


def test_a_service_of_a_thousand_files_takes_at_most_twenty_requests(tmp_path: Path, compilers: LocalCompilers) -> None:
    story = HistoryBuilder(tmp_path / "repo.git")
    parts = {f"quay/f{number // 50}/p{number}.py": f"DEPTH = {number}\n" for number in range(1_000)}
    packages = {f"quay/f{number}/__init__.py": "" for number in range(20)}
    imports = "".join(f"from quay.f{number // 50} import p{number}\n" for number in range(1_000))
    main = f"from quay.cranes import lift\n{imports}\napp = lift\n"
    start = {"Dockerfile": DOCKERFILE, "quay/__init__.py": "", "quay/main.py": main, "quay/cranes.py": CRANES}
    story.commit("start", {**start, **packages, **parts})
    story.commit("broken", {"quay/cranes.py": CRANES.replace("lift", "hoist"), "quay/f7/p360.py": "DEPTH = 0\n"})
    story.write_repository()
    with open_push_outside(story, compilers) as outside:
        run = outside.push("broken", before="start")
        assert run is not None
        assert [each["path"] for each in run["output"]["annotations"]] == ["quay/main.py"]
        assert outside.count_requests() <= MAX_REQUESTS


def test_what_takes_too_long_is_neutral(outside: PushOutside, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(check_push, "MAX_SECONDS", -1.0)
    run = outside.push("broken", before="harmless")
    assert run is not None
    assert run["conclusion"] == "neutral"


def test_an_answer_that_is_lost_makes_no_second_check_run(outside: PushOutside) -> None:
    def lose(asked: FakeRequest, handler: Handler) -> FakeResponse:
        told = handler(asked)
        if not asked.path.endswith("/check-runs") or asked.method != "POST":
            return told
        outside.fake.interceptor = None
        return FakeResponse(told.status, lost_by="reset")

    outside.fake.interceptor = lose
    event = {"ref": "refs/heads/main", "before": "0" * 40, "after": outside.story.ids["broken"]}
    assert outside.send("push", event) == 204
    [(_, message)] = outside.harness.bus.waiting
    assert outside.check(message) == 503
    outside.harness.clock.advance(RETRY_DELAY)
    assert outside.check(message) == 204
    assert len(outside.board.runs) == 1


def test_a_service_that_does_not_want_it_is_left_alone(tmp_path: Path, compilers: LocalCompilers) -> None:
    story = write_story(tmp_path / "repo.git")
    service = watched_service(repository=REPOSITORY, python=running_python(), check_pushes=False)
    with open_push_outside(story, compilers, service) as outside:
        assert outside.push("broken", before="harmless") is None


def two_images(path: Path) -> HistoryBuilder:
    """Two services in one repository; a commit breaks one of them."""
    story = HistoryBuilder(path)
    dockerfile = "FROM python:3.11-slim\nWORKDIR /srv\nCOPY {name} {name}\nCMD uvicorn {name}.main:app\n"
    files = {
        f"{name}/Dockerfile" if name == "gull" else "Dockerfile": dockerfile.format(name=name)
        for name in ("gull", "heron")
    }
    modules = {
        f"{name}/{module}": "app = print\n" for name in ("gull", "heron") for module in ("main.py", "__init__.py")
    }
    story.commit("start", {**files, **modules})
    story.commit("broken", {"gull/main.py": "app = printt\n"})
    story.write_repository()
    return story


@pytest.mark.parametrize(
    ("name", "source_roots", "conclusion"),
    [("gull", (), "failure"), ("heron", (), "success"), ("tide", (), "neutral"), ("tide", ("heron",), "success")],
)
def test_a_break_in_another_image_of_the_repository_is_not_the_services_own(
    tmp_path: Path, compilers: LocalCompilers, name: str, source_roots: tuple[str, ...], conclusion: str
) -> None:
    service = watched_service(name, repository=REPOSITORY, python=running_python(), source_roots=source_roots)
    with open_push_outside(two_images(tmp_path / "repo.git"), compilers, service) as outside:
        run = outside.push("broken", before="start")
        assert run is not None
        assert run["conclusion"] == conclusion


def test_two_environments_of_a_service_have_a_check_run_each(tmp_path: Path, compilers: LocalCompilers) -> None:
    here, there = (
        watched_service(repository=REPOSITORY, python=running_python(), project=project)
        for project in ("shore", "shore-test")
    )
    with open_push_outside(write_story(tmp_path / "repo.git"), compilers, here, there) as outside:
        outside.push("broken", before="harmless")
        assert [run["name"] for run in outside.board.runs] == [
            "provenfix / tide (shore)",
            "provenfix / tide (shore-test)",
        ]


def test_a_syntax_error_on_an_assumed_python_is_not_definite(tmp_path: Path, compilers: LocalCompilers) -> None:
    story = HistoryBuilder(tmp_path / "repo.git")
    story.commit("start", {"main.py": "app = print\n"})
    story.commit("broken", {"main.py": "app = = print\n"})
    story.write_repository()
    with open_push_outside(story, compilers, watched_service(repository=REPOSITORY)) as outside:
        run = outside.push("broken", before="start")
        assert run is not None
        assert run["conclusion"] == "neutral"
