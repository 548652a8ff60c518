"""The checks before a deployment are those of the proof: a late objection where a gate fails."""

from collections.abc import Mapping
from pathlib import Path

import pytest

from shared.adapters.compilers.best_compilers import LocalCompilers
from shared.adapters.git.repository import GitRepository
from shared.proof.model.recommendation import ActionKind
from shared.proof.model.target import CheckStatus
from shared.proposal.proposal import Proposal
from shared.service import Service
from shared.workflow.prover import find_objection
from tests.support.history_builder import START as EPOCH
from tests.support.history_builder import HistoryBuilder, broken_source, running_python, valid_source

OTHER = "3.9"
MATCH = "match 1:\n    case 1:\n        pass\n"
START = {
    "Dockerfile": f"FROM python:{running_python()}-slim\nWORKDIR /app\nCOPY . .\nCMD python main.py\n",
    "main.py": "import relay\n",
    "relay.py": valid_source(),
}


def object_to(tmp_path: Path, compilers: LocalCompilers, target: Mapping[str, str | None], *, known: bool) -> str:
    story = HistoryBuilder(tmp_path / "repo.git")
    story.commit("start", START)
    story.commit("break", {"relay.py": broken_source(5)})
    story.commit("fix", {"relay.py": valid_source(1), **target})
    story.write_repository()
    proposal = Proposal(
        id="p", incident="i", service="s", kind=ActionKind.REDEPLOY, commit=story.ids["fix"],
        deployed=story.ids["break"] if known else "", revision="r1", fix=story.ids["fix"], python=running_python(),
        broken=("relay.py",), evidence_hash="", expires_at=EPOCH,
    )  # fmt: skip
    served = Service("chat", "p", "europe-west1", str(story.path), "C1", branch="main")
    with GitRepository(str(story.path)) as history:
        return find_objection(proposal, served, history, compilers, lambda _: CheckStatus.UNKNOWN)


@pytest.mark.parametrize("known", [True, False])
def test_own_python_is_checked_where_the_deployed_commit_is_known(
    tmp_path: Path, compilers: LocalCompilers, *, known: bool
) -> None:
    target = {"Dockerfile": START["Dockerfile"].replace(running_python(), OTHER), "main.py": f"import relay\n{MATCH}"}
    objection = object_to(tmp_path, compilers, target, known=known)
    assert (f"Python {OTHER}" in objection) is known


@pytest.mark.parametrize("known", [True, False])
def test_a_module_that_is_gone_is_missed_where_the_deployed_commit_is_known(
    tmp_path: Path, compilers: LocalCompilers, *, known: bool
) -> None:
    objection = object_to(tmp_path, compilers, {"relay.py": None}, known=known)
    assert ("main.py, line 1 " in objection) is known


def test_what_passes_every_gate_meets_no_objection(tmp_path: Path, compilers: LocalCompilers) -> None:
    assert object_to(tmp_path, compilers, {}, known=True) == ""
