"""The platform names one commit and the log gives away another: whose word counts, and what may be proposed then."""

import pytest

from shared.adapters.compilers.best_compilers import LocalCompilers
from shared.adapters.git.repository import GitRepository
from shared.proof.model.commit_graph import BranchStates
from shared.proof.model.deployed_version import DeployedSource
from shared.proof.model.finding import Finding
from shared.proof.model.recommendation import ActionKind, Reason
from shared.proof.model.target import CheckStatus
from shared.proof.proof_context import ProofRequest
from shared.proposal.proposal import Proposal
from shared.service import Service
from shared.workflow.prover import NEVER_ON_BRANCH, NOT_ON_BRANCH, find_objection
from tests.support.history_builder import (
    START,
    HistoryBuilder,
    broken_source,
    make_incident,
    make_sighting,
    prove_incident,
    running_python,
    valid_source,
)


def labelled(
    story: HistoryBuilder, compilers: LocalCompilers, label: str, when: str | None = None, line: int = 5
) -> Finding:
    request = ProofRequest(
        deployed=story.ids[label], source=DeployedSource.LABEL, fallback_python=running_python(), wants_alternative=True
    )
    seen = make_sighting(line, seen_at=story.committed_at(when) if when else None)
    return prove_incident(story.path, make_incident("/srv/app.py", seen), compilers, request)


@pytest.mark.parametrize("ref", ["feature", "refs/pull/7/head"])
def test_a_file_that_is_broken_on_another_branch_alone_overrides_nothing(
    story: HistoryBuilder, compilers: LocalCompilers, ref: str
) -> None:
    story.commit("start", {"app.py": valid_source()})
    story.commit("healthy", {"other.py": valid_source(1)})
    story.commit("attack", {"app.py": broken_source(5)}, "start")
    story.write_repository("healthy", **{ref: "attack"})
    proof = labelled(story, compilers, "healthy")
    assert (proof.recommendation.kind, proof.recommendation.reason) == (ActionKind.NONE, Reason.NOT_ON_BRANCH)
    assert (proof.deployed.source, proof.deployed.corroborated) == (DeployedSource.LABEL, False)
    assert proof.deployed.commit is not None
    assert proof.deployed.commit.subject == "healthy"
    assert story.ids["healthy"] in proof.deployed.conflict
    assert (proof.broken, proof.introduced, proof.rollback, proof.alternative_rollback) == (None, None, None, None)


def test_merged_version_never_served_overrides_nothing(story: HistoryBuilder, compilers: LocalCompilers) -> None:
    story.commit("start", {"app.py": valid_source()})
    story.commit("main moves", {"other.py": valid_source(1)}, "start")
    story.commit("side breaks", {"app.py": broken_source(5)}, "start")
    story.commit("side mends", {"app.py": valid_source(2)}, "side breaks")
    story.commit("merge", {"app.py": valid_source(2)}, "main moves", "side mends")
    story.commit("healthy", {"other.py": valid_source(3)})
    story.write_repository()
    proof = labelled(story, compilers, "healthy", "healthy")
    assert (proof.recommendation.kind, proof.recommendation.reason) == (ActionKind.NONE, Reason.NOT_CORROBORATED)
    assert story.ids["side breaks"] in proof.deployed.conflict


@pytest.mark.parametrize("label", ["start", "mend"])
def test_a_state_of_the_branch_overrides_a_label_that_does_not_fit(
    story: HistoryBuilder, compilers: LocalCompilers, label: str
) -> None:
    story.commit("start", {"app.py": valid_source()})
    story.commit("break", {"app.py": broken_source(5)})
    story.commit("mend", {"app.py": valid_source(1)})
    story.write_repository()
    proof = labelled(story, compilers, label, "break")
    assert (proof.recommendation.kind, proof.deployed.source) == (ActionKind.REDEPLOY, DeployedSource.INFERRED)
    assert story.ids[label] in proof.deployed.conflict


@pytest.mark.parametrize("label", ["start", "healthy"])
def test_a_version_that_the_branch_held_only_later_overrides_nothing(
    story: HistoryBuilder, compilers: LocalCompilers, label: str
) -> None:
    story.commit("start", {"app.py": valid_source()})
    story.commit("healthy", {"other.py": valid_source(1)})
    story.commit("break", {"app.py": broken_source(5)})
    story.commit("mend", {"app.py": valid_source(1)})
    story.write_repository()
    proof = labelled(story, compilers, label, "healthy")
    assert (proof.recommendation.kind, proof.recommendation.reason) == (ActionKind.NONE, Reason.NOT_CORROBORATED)
    assert story.ids["break"] in proof.deployed.conflict


def test_broken_work_tree_may_be_deployed_before_its_commit(story: HistoryBuilder, compilers: LocalCompilers) -> None:
    story.commit("start", {"app.py": valid_source()})
    story.commit("break", {"app.py": broken_source(3)})
    story.commit("attempt", {"app.py": broken_source(5)})
    story.commit("mend", {"app.py": valid_source(1)})
    story.write_repository()
    proof = labelled(story, compilers, "break", "break")
    assert (proof.recommendation.kind, proof.deployed.uncommitted_tree) == (ActionKind.REDEPLOY, True)
    assert proof.deployed.commit is not None
    assert proof.deployed.commit.id == story.ids["attempt"]
    assert story.ids["break"] in proof.deployed.conflict


def test_a_later_version_that_the_label_contains_is_an_uncommitted_tree(
    story: HistoryBuilder, compilers: LocalCompilers
) -> None:
    story.commit("start", {"app.py": valid_source()})
    story.commit("break", {"app.py": broken_source(5)})
    story.commit("mend", {"app.py": valid_source(1)})
    story.write_repository()
    proof = labelled(story, compilers, "mend", "start")
    assert (proof.recommendation.kind, proof.deployed.uncommitted_tree) == (ActionKind.REDEPLOY, True)


def test_what_is_gone_back_to_was_a_state_of_the_branch(story: HistoryBuilder, compilers: LocalCompilers) -> None:
    story.commit("start", {"app.py": valid_source()})
    story.commit("side", {"fresh.py": valid_source(1)}, "start")
    story.commit("side breaks", {"app.py": broken_source(5)}, "side")
    story.commit("main moves", {"other.py": valid_source(2)}, "start")
    story.commit("merge", {"app.py": broken_source(5), "fresh.py": valid_source(1)}, "main moves", "side breaks")
    story.write_repository()
    proof = labelled(story, compilers, "merge")
    assert proof.introduced is not None
    assert proof.introduced.commit.subject == "side breaks"
    assert proof.recommendation.kind is ActionKind.ROLLBACK
    assert proof.rollback is not None
    assert proof.rollback.commit.subject == "main moves"


def test_a_target_is_a_state_of_the_branch(story: HistoryBuilder, compilers: LocalCompilers) -> None:
    story.commit("start", {"app.py": valid_source(), "jobs.py": valid_source()})
    story.commit("break", {"app.py": broken_source(5)})
    story.commit("side mends", {"app.py": valid_source(1)}, "break")
    story.commit("main breaks more", {"jobs.py": broken_source(3)}, "break")
    story.commit("merge", {"app.py": valid_source(1), "jobs.py": broken_source(3)}, "main breaks more", "side mends")
    story.write_repository()
    proof = labelled(story, compilers, "break")
    assert proof.fix is not None
    assert proof.fix.commit.subject == "side mends"
    assert proof.target is None  # the fix itself passes every gate, and the branch was never there
    assert proof.recommendation.reason is Reason.NO_TARGET
    assert [refused.commit.subject for refused in proof.refused_commits] == ["merge"]


def test_branch_states_are_its_first_parents(story: HistoryBuilder) -> None:
    story.commit("start", {"app.py": valid_source()})
    story.commit("side", {"fresh.py": valid_source(1)}, "start")
    story.commit("moves", {"other.py": valid_source(2)}, "start")
    story.commit("merge", {"fresh.py": valid_source(1)}, "moves", "side")
    story.commit("aside", {"app.py": valid_source(7)}, "side")
    story.commit("later", {"other.py": valid_source(3)}, "merge")
    story.write_repository(aside="aside")
    with GitRepository(str(story.path)) as history:
        states = BranchStates(history, story.ids["later"])
        own = ("later", "merge", "moves", "start")
        assert [name for name in story.ids if states.was_at(story.ids[name])] == list(reversed(own))
        landed = {name: story.name_of(states.find_landing(oid)) for name, oid in story.ids.items()}
        assert landed == {**{name: name for name in own}, "side": "merge", "aside": None}
        before = {name: [commit.subject for commit in states.states_before(oid, 9)] for name, oid in story.ids.items()}
        assert before == {
            "start": [], "moves": ["start"], "side": ["moves", "start"], "merge": ["moves", "start"],
            "aside": ["start"], "later": ["merge", "moves", "start"],
        }  # fmt: skip
        held = {name: states.find_state_at(story.committed_at(name)) for name in story.ids}
        assert {name: commit.subject for name, commit in held.items() if commit} == {
            "start": "start", "side": "start", "moves": "moves", "merge": "merge", "aside": "merge", "later": "later",
        }  # fmt: skip
        assert states.find_state_at(START.replace(year=2020)) is None


def test_target_must_still_be_a_state_of_the_branch_at_deployment(
    story: HistoryBuilder, compilers: LocalCompilers
) -> None:
    story.commit("start", {"app.py": valid_source()})
    story.commit("break", {"app.py": broken_source(5)})
    story.commit("side mends", {"app.py": valid_source(1)}, "break")
    story.commit("main moves", {"other.py": valid_source(2)}, "break")
    story.commit("merge", {"app.py": valid_source(1), "other.py": valid_source(2)}, "main moves", "side mends")
    story.commit("pushed away", {"app.py": valid_source(3)}, "break")
    story.write_repository("merge", gone="pushed away")
    objections = {name: objection_to(story, compilers, name) for name in ("merge", "side mends", "pushed away")}
    assert objections["merge"] == ""
    assert objections["side mends"] == f"{story.ids['side mends']} {NEVER_ON_BRANCH}"
    assert objections["pushed away"] == f"{story.ids['pushed away']} {NOT_ON_BRANCH}"


def objection_to(story: HistoryBuilder, compilers: LocalCompilers, name: str) -> str:
    proposal = Proposal(
        id="p", incident="i", service="s", kind=ActionKind.REDEPLOY, commit=story.ids[name],
        deployed=story.ids["break"], revision="r1", fix=story.ids["start"], python=running_python(),
        broken=("app.py",), evidence_hash="", expires_at=START,
    )  # fmt: skip
    served = Service("chat", "p", "europe-west1", str(story.path), "C1", branch="main")
    with GitRepository(str(story.path)) as history:
        return find_objection(proposal, served, history, compilers, lambda _: CheckStatus.UNKNOWN)
