"""The radar through GitHub's API, by the function `check`: what it finds, and how many requests that costs."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from shared.adapters.compilers.best_compilers import LocalCompilers
from shared.workflow.commit_checks.check_radar import MAX_REQUESTS
from shared.workflow.commit_checks.watch_radar import build_radar_message
from shared.workflow.records.radars import Radar, load_radar
from tests.support.github.server import REPOSITORY
from tests.support.harness import watched_service
from tests.support.history_builder import HistoryBuilder, running_python
from tests.support.push_checks import PushOutside, open_push_outside

MAIN = "from quay.cranes import lift\n\napp = lift\n"
CRANES = "def lift(load):\n    return load\n"
SERVICE = watched_service(repository=REPOSITORY, python=running_python(), radar=True)


@pytest.fixture
def outside(tmp_path: Path, compilers: LocalCompilers) -> Iterator[PushOutside]:
    """`broken` renamed a function that `fixed` calls by its new name; thirty commits stand around them."""
    story = HistoryBuilder(tmp_path / "repo.git")
    dockerfile = f"FROM python:{running_python()}-slim\nWORKDIR /srv\nCOPY . .\nCMD uvicorn quay.main:app\n"
    boats = {f"quay/boats/b{number}.py": f"LENGTH = {number}\n" for number in range(40)}
    files = {"Dockerfile": dockerfile, "quay/__init__.py": "", "quay/main.py": MAIN, "quay/cranes.py": CRANES}
    story.commit("start", {**files, "quay/boats/__init__.py": "", **boats})
    story.commit("broken", {"quay/cranes.py": CRANES.replace("lift", "hoist")})
    for number in range(15):
        story.commit(f"before {number}", {f"quay/boats/b{number}.py": "LENGTH = 77\n"})
    story.commit("fixed", {"quay/main.py": MAIN.replace("lift", "hoist")})
    for number in range(15):
        story.commit(f"after {number}", {f"quay/boats/b{number}.py": "LENGTH = 78\n"})
    story.write_repository()
    with open_push_outside(story, compilers, SERVICE) as opened:
        yield opened


def look(outside: PushOutside, deployed: str) -> tuple[Radar, int]:
    """What is stored after one look, and the requests that it took."""
    outside.harness.cloud.deploy_manually(SERVICE, f"tide-{deployed.replace(' ', '-')}", outside.story.ids[deployed])
    outside.fake.requests.clear()
    assert outside.check(build_radar_message(SERVICE)) == 204
    return load_radar(outside.harness.start_process(), SERVICE), outside.count_requests()


def test_the_fix_is_found_within_the_requests_of_one_look(outside: PushOutside) -> None:
    radar, count = look(outside, "broken")
    assert radar.reason == ""
    (entry,) = radar.entries
    assert outside.story.name_of(entry.fix) == "fixed"
    assert (entry.commits_shipped, radar.commits_ahead) == (16, 31)
    assert count <= MAX_REQUESTS
    again, cost = look(outside, "broken")
    assert again.entries == radar.entries
    assert cost <= 3, "nothing has changed: the head is asked for, and no file"


def test_what_is_fixed_already_is_nothing(outside: PushOutside) -> None:
    radar, count = look(outside, "fixed")
    assert (radar.entries, radar.reason) == ((), "")
    assert count <= MAX_REQUESTS


def test_a_look_that_costs_too_much_ends_and_says_so(outside: PushOutside, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("shared.workflow.commit_checks.check_radar.MAX_REQUESTS", 4)
    radar, count = look(outside, "broken")
    assert (radar.entries, count) == ((), 4)
    assert "4 requests" in radar.reason
