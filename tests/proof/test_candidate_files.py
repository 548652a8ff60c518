"""The history is walked once, however many versions of Python are tried on it."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from shared.adapters.compilers.best_compilers import LocalCompilers
from shared.adapters.git.repository import GitRepository
from shared.proof.locating.candidate_files import CandidateFiles, SearchArea
from shared.proof.model.commit_graph import BranchStates
from shared.proof.model.recommendation import Reason
from shared.proof.proof_context import ProofRequest
from shared.proof.prove import prove
from tests.support.history_builder import HistoryBuilder, broken_source, make_incident, make_sighting, valid_source


def test_further_pythons_cost_no_further_walk(tmp_path: Path, compilers: LocalCompilers) -> None:
    started = []
    for declared in (("3.13",), ("3.10", "3.11", "3.12", "3.13")):
        story = HistoryBuilder(tmp_path / f"{len(declared)}.git")
        story.commit("start", {"app.py": valid_source(), "gone/app.py": valid_source(), "pyproject.toml": ""})
        story.commit("break", {"app.py": broken_source(5), "gone/app.py": None})
        for python in declared:
            story.commit(python, {"pyproject.toml": f'[project]\nrequires-python = ">={python}"\n'})
        story.commit("aside", {"app.py": broken_source(7)}, "start")
        story.write_repository(declared[-1], aside="aside")
        with GitRepository(str(story.path)) as history:
            proof = prove(
                make_incident("app.py", make_sighting(20)), history, compilers, ProofRequest(), lambda _: None
            )
            started.append(history.processes_started)
        assert not proof.deployed.corroborated
        assert proof.deployed.python == "3.13"
        assert proof.recommendation.reason is Reason.NOT_CORROBORATED
        assert "app.py" in proof.recommendation.detail
    assert started[0] == started[1]


@pytest.mark.parametrize(("branches", "walks"), [({}, 1), ({"aside": "aside"}, 2)])
def test_former_names_are_listed_once_per_group_of_heads(tmp_path: Path, branches: dict[str, str], walks: int) -> None:
    story = HistoryBuilder(tmp_path / "repo.git")
    story.commit("start", {"app.py": valid_source(), "gone/app.py": valid_source()})
    story.commit("aside", {"app.py": broken_source(7)})
    story.commit("remove", {"gone/app.py": None}, "start")
    story.write_repository("remove", **branches)
    with GitRepository(str(story.path)) as repository:
        history: Any = _Named(repository)
        branch = history.branch(None)
        ground = CandidateFiles(
            history, make_incident("app.py", make_sighting(5)), branch, BranchStates(history, branch.head)
        )
        areas = [layer.area for layer in ground.walk_tiers()]
    assert areas == [SearchArea.HEAD, SearchArea.BRANCH_HISTORY, *([SearchArea.OTHER_HEADS] if branches else [])]
    assert history.named_calls == walks


class _Named:
    """Counts how often the names of a file are looked for in a whole history."""

    def __init__(self, history: GitRepository) -> None:
        self._history = history
        self.branch = history.branch
        self.named_calls = 0

    def __getattr__(self, name: str) -> object:
        return getattr(self._history, name)

    def paths_named(self, name: str, tips: Sequence[str]) -> Sequence[str]:
        self.named_calls += 1
        return self._history.paths_named(name, tips)
