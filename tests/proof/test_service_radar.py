"""The radar of one service: a failure of what serves that the branch ends, by the image that is the service's."""

from pathlib import Path

import pytest

from shared.adapters.compilers.best_compilers import LocalCompilers
from shared.adapters.git.repository import GitRepository
from shared.proof.undeployed_fixes import RadarRequest, ServiceRadar, find_service_radar
from tests.support.history_builder import HistoryBuilder, broken_source, running_python, valid_source

PYTHON = f"FROM python:{running_python()}-slim\nWORKDIR /app\nCOPY . .\n"


def write_two_services(story: HistoryBuilder, image: str = PYTHON) -> None:
    """`desk` loads what is broken and fixed later; `quay` never does. Two images, one repository."""
    story.commit(
        "start",
        {
            "desk/Dockerfile": f"{image}CMD python desk/main.py\n",
            "desk/main.py": "import desk.forms\n",
            "desk/__init__.py": "",
            "desk/forms.py": broken_source(5),
            "quay/Dockerfile": f"{image}CMD python quay/main.py\n",
            "quay/main.py": valid_source(),
        },
    )
    story.commit("other", {"notes.md": "1\n"})
    story.commit("fix", {"desk/forms.py": valid_source(1)})
    story.commit("later", {"notes.md": "2\n"})
    story.write_repository()


def look(story: HistoryBuilder, compilers: LocalCompilers, name: str, deployed: str = "start") -> ServiceRadar:
    with GitRepository(str(story.path)) as history:
        return find_service_radar(history, compilers, RadarRequest(story.ids[deployed], name))


def test_the_fix_of_a_failure_nobody_has_hit_is_found_with_what_ships(
    story: HistoryBuilder, compilers: LocalCompilers
) -> None:
    write_two_services(story)
    seen = look(story, compilers, "desk")
    (entry,) = seen.fixes
    assert (entry.alarm.path, entry.alarm.line) == ("desk/forms.py", 5)
    assert entry.fix is not None
    assert (story.name_of(entry.fix.id), entry.commits_shipped, seen.undeployed.commits_ahead) == ("fix", 2, 3)


@pytest.mark.parametrize(("name", "deployed"), [("quay", "start"), ("desk", "fix"), ("desk", "later")])
def test_where_the_service_has_no_such_failure_nothing_is_found(
    story: HistoryBuilder, compilers: LocalCompilers, name: str, deployed: str
) -> None:
    write_two_services(story)
    seen = look(story, compilers, name, deployed)
    assert (seen.fixes, seen.doubtful, seen.reason) == ((), 0, "")


def test_where_nobody_knows_which_image_it_is_nothing_is_certain(
    story: HistoryBuilder, compilers: LocalCompilers
) -> None:
    write_two_services(story)
    seen = look(story, compilers, "harbour")
    assert (seen.fixes, seen.doubtful) == ((), 1)


def test_without_a_start_file_the_reason_is_named(tmp_path: Path, compilers: LocalCompilers) -> None:
    story = HistoryBuilder(tmp_path / "none.git")
    story.commit("start", {"lib/forms.py": broken_source(5)})
    story.commit("fix", {"lib/forms.py": valid_source(1)})
    story.write_repository()
    seen = look(story, compilers, "desk")
    assert (seen.fixes, bool(seen.reason)) == ((), True)
