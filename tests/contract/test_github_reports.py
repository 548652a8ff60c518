"""One history, read by git and through GitHub's API: the same proof, field by field, and few requests."""

from pathlib import Path

import pytest
from hypothesis import HealthCheck, assume, given, settings

from shared.adapters.compilers.best_compilers import LocalCompilers
from shared.adapters.git.repository import GitRepository
from shared.adapters.github import commit_graph
from shared.adapters.github.checks import GitHubChecks
from shared.adapters.github.credentials import GitHubHost
from shared.adapters.github.history import open_history
from shared.adapters.github.links import GitHubLinkBuilder
from shared.detection.incident import Incident
from shared.proof.model.finding import Finding
from shared.proof.proof_context import ProofRequest
from shared.proof.prove import prove
from shared.service import Service
from tests.support import random_histories
from tests.support.github.clients import open_api_history, open_client
from tests.support.github.git_backend import GitBackend
from tests.support.github.server import REPOSITORY, FakeGitHub, serve_fake
from tests.support.graph_shapes import SHAPES
from tests.support.graph_shapes import proving as shape_proving
from tests.support.history_builder import (
    HistoryBuilder,
    broken_source,
    make_incident,
    make_sighting,
    running_python,
    valid_source,
)

SERVICE = Service("chat", "acme-prod", "europe-west1", REPOSITORY, "C0CHAT")


def both(
    repository: Path, failing: Incident, compilers: LocalCompilers, request: ProofRequest | None = None
) -> Finding:
    """The proof as git has it, once GitHub has given the same."""
    asked = request or ProofRequest(fallback_python=running_python())
    with GitRepository(str(repository)) as local, open_api_history(repository) as remote:
        proofs = [prove(failing, history, compilers, asked, lambda _: None) for history in (local, remote)]
    assert proofs[1] == proofs[0]
    return proofs[0]


@pytest.mark.parametrize("name", SHAPES)
def test_every_shape_of_history_gives_the_same_proof(
    name: str, compilers: LocalCompilers, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shape_proving, "prove_incident", both)
    SHAPES[name](HistoryBuilder(tmp_path / "repo.git"), compilers)


HIDDEN = {"merge_that_takes_the_side_without_the_break_is_the_fix"}
"""A long history is asked for what shaped the file as it is; the dropped side of a merge is not part of that."""


@pytest.mark.parametrize("name", sorted(SHAPES.keys() - HIDDEN))
def test_a_history_that_is_too_long_to_be_walked_gives_the_same_proof(
    name: str, compilers: LocalCompilers, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(commit_graph, "MAX_WALK_COMMITS", 0)
    monkeypatch.setattr(shape_proving, "prove_incident", both)
    SHAPES[name](HistoryBuilder(tmp_path / "repo.git"), compilers)


@settings(max_examples=12, deadline=None, suppress_health_check=list(HealthCheck), derandomize=True)
@given(drawn=random_histories.histories())
def test_random_histories_give_the_same_proof(compilers: LocalCompilers, drawn: random_histories.DrawnHistory) -> None:
    assume(drawn.deployed >= 0)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(random_histories, "prove_incident", both)
        for given_commit in (True, False):
            random_histories.prove_drawn(drawn, compilers, given_commit=given_commit)


def hundred_versions(path: Path) -> HistoryBuilder:
    """`app/relay.py` in a hundred versions; most commits touch another file as well, and images and tests change."""
    story = HistoryBuilder(path)
    story.commit(
        "start",
        {"app/relay.py": valid_source(), "app/other.py": valid_source(), "Dockerfile": "FROM python:3.11-slim\n"},
    )
    for number in range(1, 99):
        source = broken_source(3 + number % 20, number) if 40 <= number < 95 else valid_source(number)
        files: dict[str, str | bytes | None] = {"app/relay.py": source}
        if number % 3 == 0:
            files["app/other.py"] = valid_source(number)
        if number % 5 == 0:
            files["tests/test_relay.py"] = f"relays = {number}\n"
        if number == 60:
            files["Dockerfile"] = "FROM python:3.11-slim\nCOPY . .\n"
        story.commit(f"c{number}", files)
    story.commit("last", {"app/relay.py": valid_source(100)})
    return story


@pytest.mark.parametrize("longest_walk", [commit_graph.MAX_WALK_COMMITS, 50], ids=["walked", "too long to be walked"])
def test_a_hundred_versions_take_at_most_eight_requests(
    longest_walk: int, compilers: LocalCompilers, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(commit_graph, "MAX_WALK_COMMITS", longest_walk)
    story = hundred_versions(tmp_path / "repo.git")
    story.write_repository()
    failing = make_incident("/srv/app/relay.py", make_sighting(5, seen_at=story.committed_at("c63")))
    fake = FakeGitHub(GitBackend(story.path))
    with serve_fake(fake), GitRepository(str(story.path)) as local:
        github = open_client(fake.address)
        checks = GitHubChecks(github)
        request = ProofRequest(
            fallback_python=running_python(), checks=lambda commit: checks.get_status(SERVICE, commit)
        )
        expected = prove(failing, local, compilers, request, lambda _: None)
        fake.requests.clear()
        with open_history(github, REPOSITORY) as remote:
            # As `gather_evidence` does: how the branch stands, the proof, and what an issue links to.
            checks.get_status(SERVICE, remote.branch(None).head)
            assert prove(failing, remote, compilers, request, lambda _: None) == expected
        assert expected.target is not None
        assert expected.fix is not None
        commits = [expected.fix.commit.id, expected.target.commit.id]
        links = GitHubLinkBuilder(github, GitHubHost(fake.address)).build_links(SERVICE, commits)
    assert [each.commit for each in links.origins] == commits
    assert len(fake.requests) <= 8, [(each.path, str(each.body)[:300]) for each in fake.requests]


def test_refused_candidates_take_no_tree_each(compilers: LocalCompilers, tmp_path: Path) -> None:
    """Three hundred candidates hold the file that refuses the newest; what they hold is asked for by the hundred."""
    story = HistoryBuilder(tmp_path / "repo.git")
    start = {"Dockerfile": 'FROM python:3.11\nWORKDIR /app\nCOPY . .\nCMD ["python", "main.py"]\n'}
    start |= {"main.py": "import relay, ledger\n", "ledger.py": valid_source(1), "relay.py": valid_source()}
    story.commit("start", start)
    story.commit("break", {"relay.py": broken_source(5)})
    story.commit("fix", {"relay.py": valid_source(2)})
    story.commit("worse", {"ledger.py": broken_source(4)})
    for number in range(300):
        story.commit(f"c{number}", {f"other/part_{number % 30}.py": valid_source(100 + number)})
    story.write_repository()
    failing, request = (
        make_incident("/app/relay.py", make_sighting(5)),
        ProofRequest(python=running_python(), deployed=story.ids["break"]),
    )
    fake = FakeGitHub(GitBackend(story.path))
    with (
        serve_fake(fake),
        GitRepository(str(story.path)) as local,
        open_history(open_client(fake.address), REPOSITORY) as far,
    ):
        proof = prove(failing, far, compilers, request, lambda _: None)
        assert proof == prove(failing, local, compilers, request, lambda _: None)
    assert proof.target is not None
    assert story.name_of(proof.target.commit.id) == "fix"
    assert len([each for each in fake.requests if "/git/trees/" in each.path]) <= 2
    assert len(fake.requests) <= 22, [(each.path, str(each.body)[:300]) for each in fake.requests]
