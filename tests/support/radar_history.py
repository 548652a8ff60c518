"""A service whose fix is merged and not deployed, among unrelated commits, and a look at it by `check`."""

from shared.service import Service
from shared.workflow.commit_checks.watch_service import build_radar_message
from shared.workflow.records.radars import Radar, load_radar
from tests.support.github.server import REPOSITORY
from tests.support.harness import watched_service
from tests.support.history_builder import HistoryBuilder, running_python
from tests.support.push_checks import PushOutside

RADAR_SERVICE: Service = watched_service(repository=REPOSITORY, python=running_python(), radar=True)

_MAIN = "from quay.cranes import lift\n\napp = lift\n"
_CRANES = "def lift(load):\n    return load\n"
_BOATS = 40


def build_radar_history(story: HistoryBuilder, unrelated: int = 15) -> HistoryBuilder:
    """`broken` renamed a function that `fixed` calls by its new name; `unrelated` commits come before and after it."""
    dockerfile = f"FROM python:{running_python()}-slim\nWORKDIR /srv\nCOPY . .\nCMD uvicorn quay.main:app\n"
    boats = {f"quay/boats/b{number}.py": f"LENGTH = {number}\n" for number in range(_BOATS)}
    files = {"Dockerfile": dockerfile, "quay/__init__.py": "", "quay/main.py": _MAIN, "quay/cranes.py": _CRANES}
    story.commit("start", {**files, "quay/boats/__init__.py": "", **boats})
    story.commit("broken", {"quay/cranes.py": _CRANES.replace("lift", "hoist")})
    for number in range(unrelated):
        story.commit(f"before {number}", {f"quay/boats/b{number % _BOATS}.py": f"LENGTH = 7{number}\n"})
    story.commit("fixed", {"quay/main.py": _MAIN.replace("lift", "hoist")})
    for number in range(unrelated):
        story.commit(f"after {number}", {f"quay/boats/b{number % _BOATS}.py": f"LENGTH = 8{number}\n"})
    story.write_repository()
    return story


def look_by_radar(outside: PushOutside, deployed: str) -> tuple[Radar, int]:
    """What is stored after one look at a service that runs a commit, and the requests that it took."""
    revision = f"tide-{deployed.replace(' ', '-')}"
    outside.harness.cloud.deploy_manually(RADAR_SERVICE, revision, outside.story.ids[deployed])
    outside.fake.requests.clear()
    assert outside.check(build_radar_message(RADAR_SERVICE)) == 204
    return load_radar(outside.harness.start_process(), RADAR_SERVICE), outside.count_requests()
