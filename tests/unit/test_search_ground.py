"""The history is walked once, however many versions of Python are tried on it."""

from pathlib import Path

from shared.adapters.compilers.found import FoundCompilers
from shared.adapters.local.git_repository import GitRepository
from shared.domain.finding import Reason
from shared.steps.inquiry import Request
from shared.steps.prove import prove
from tests.unit.stories import Story, broken, good, incident, sighting


def test_further_pythons_cost_no_further_walk(tmp_path: Path, compilers: FoundCompilers) -> None:
    started = []
    for declared in (("3.13",), ("3.10", "3.11", "3.12", "3.13")):
        story = Story(tmp_path / f"{len(declared)}.git")
        story.commit("start", {"app.py": good(), "gone/app.py": good(), "pyproject.toml": ""})
        story.commit("break", {"app.py": broken(5), "gone/app.py": None})
        for python in declared:
            story.commit(python, {"pyproject.toml": f'[project]\nrequires-python = ">={python}"\n'})
        story.commit("aside", {"app.py": broken(7)}, "start")
        story.write(declared[-1], aside="aside")
        with GitRepository(str(story.path)) as history:
            proof = prove(incident("app.py", sighting(20)), history, compilers, Request(), lambda _: None)
            started.append(history.processes_started)
        assert not proof.deployed.corroborated
        assert proof.deployed.python == "3.13"
        assert proof.recommendation.reason is Reason.NOT_CORROBORATED
        assert "app.py" in proof.recommendation.detail
    assert started[0] == started[1]
