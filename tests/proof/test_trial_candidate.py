"""What can be tried where nothing is proven: the newest that passes every gate, and only where that is asked for."""

from dataclasses import replace
from pathlib import Path

import pytest

from shared.adapters.compilers.best_compilers import LocalCompilers
from shared.adapters.git.repository import GitRepository
from shared.detection.incident import Incident
from shared.proof.model.recommendation import ActionKind
from shared.proof.model.target import CheckStatus, TrialCandidate
from shared.proof.proof_context import ProofRequest
from shared.proposal.proposal import Proposal
from shared.service import Service
from shared.workflow.prover import find_objection
from tests.support.history_builder import START, HistoryBuilder, prove_incident, running_python
from tests.support.tied_logs import CLOSED, RAISED, incidents_of, make_log_entries

SOURCE = "import os\n\ndef moor():\n    # the name is misspelt\n    os.enviorn\n"
FIXED = SOURCE.replace("enviorn", "environ")
SYNTAX_ERROR = "def moor(:\n"


def closed_incident() -> Incident:
    """A close to which the log ties an exception of `/app/berth.py`, line 5."""
    [incident] = incidents_of(make_log_entries(("a", RAISED), ("a", CLOSED)))
    return incident


def build_story(tmp_path: Path) -> HistoryBuilder:
    story = HistoryBuilder(tmp_path / "repo.git")
    story.commit("deployed", {"berth.py": SOURCE, "main.py": "import berth\n"})
    return story


def find_candidate(
    story: HistoryBuilder, compilers: LocalCompilers, deployed: str = "deployed", **changes: object
) -> TrialCandidate | None:
    story.write_repository()
    request = ProofRequest(
        deployed=story.ids[deployed] if deployed else None, fallback_python=running_python(), wants_trial=True
    )
    asked = replace(request, **changes)  # type: ignore[arg-type]
    proof = prove_incident(story.path, closed_incident(), compilers, asked)
    assert proof.recommendation.kind is ActionKind.NONE
    return proof.trial_candidate


def test_the_newest_commit_with_the_possible_fix_is_tried(tmp_path: Path, compilers: LocalCompilers) -> None:
    story = build_story(tmp_path)
    story.commit("elsewhere", {"main.py": "import berth\n\n"})
    story.commit("mend", {"berth.py": FIXED})
    story.commit("newest", {"notes.md": "later\n"})
    candidate = find_candidate(story, compilers)
    assert candidate is not None
    assert story.name_of(candidate.target.commit.id) == "newest"
    assert story.name_of(candidate.possible_fix.id) == "mend"
    assert story.name_of(candidate.deployed) == "deployed"
    assert (candidate.python, candidate.traced) == (running_python(), ("berth.py",))
    assert candidate.target.commits_after_deployed == 3
    assert [change.path for change in candidate.target.shipped_changes] == ["berth.py", "main.py", "notes.md"]


def test_a_commit_that_fails_a_gate_is_not_tried(tmp_path: Path, compilers: LocalCompilers) -> None:
    story = build_story(tmp_path)
    story.commit("mend", {"berth.py": FIXED})
    story.commit("break", {"main.py": SYNTAX_ERROR})
    candidate = find_candidate(story, compilers)
    assert candidate is not None
    assert story.name_of(candidate.target.commit.id) == "mend"
    assert [refused.commit.id for refused in candidate.target.refused_commits] == [story.ids["break"]]


@pytest.mark.parametrize("status", [CheckStatus.RED, CheckStatus.PENDING])
def test_red_checks_keep_a_commit_from_being_tried(
    tmp_path: Path, compilers: LocalCompilers, status: CheckStatus
) -> None:
    story = build_story(tmp_path)
    story.commit("mend", {"berth.py": FIXED})
    assert find_candidate(story, compilers, checks=lambda _: status) is None


def test_nothing_is_tried_where_it_is_not_asked_for(tmp_path: Path, compilers: LocalCompilers) -> None:
    story = build_story(tmp_path)
    story.commit("mend", {"berth.py": FIXED})
    assert find_candidate(story, compilers, wants_trial=False) is None


def test_the_frames_tell_what_is_deployed_where_nobody_else_does(tmp_path: Path, compilers: LocalCompilers) -> None:
    story = build_story(tmp_path)
    story.commit("mend", {"berth.py": FIXED})
    candidate = find_candidate(story, compilers, deployed="")
    assert candidate is not None
    assert story.name_of(candidate.deployed) == "deployed"


def test_nothing_is_tried_where_no_later_commit_touches_what_raised(tmp_path: Path, compilers: LocalCompilers) -> None:
    story = build_story(tmp_path)
    story.commit("elsewhere", {"main.py": "import berth\n\n"})
    assert find_candidate(story, compilers) is None


def test_what_is_tried_passes_the_late_gates_and_not_once_it_is_gone(tmp_path: Path, compilers: LocalCompilers) -> None:
    story = build_story(tmp_path)
    story.commit("mend", {"berth.py": FIXED})
    candidate = find_candidate(story, compilers)
    assert candidate is not None
    proposal = Proposal(
        id="p", incident="i", service="s", kind=ActionKind.TRIAL, commit=candidate.target.commit.id,
        deployed=candidate.deployed, revision="r1", fix=candidate.target.commit.id, python=candidate.python, broken=(),
        evidence_hash="", expires_at=START, traced=candidate.traced,
    )  # fmt: skip
    served = Service("chat", "p", "europe-west1", str(story.path), "C1", branch="main")

    def object_to(given: Proposal) -> str:
        with GitRepository(str(story.path)) as history:
            return find_objection(given, served, history, compilers, lambda _: CheckStatus.UNKNOWN)

    assert object_to(proposal) == ""
    assert object_to(replace(proposal, commit=story.ids["deployed"])) != ""
