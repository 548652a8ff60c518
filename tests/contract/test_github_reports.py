"""One history, read by git and through GitHub's API: the same proof, field by field, and few requests."""

import inspect
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import HealthCheck, assume, given, settings

from shared.adapters.compilers.found import FoundCompilers
from shared.adapters.local.git_repository import GitRepository
from shared.domain.finding import Proof
from shared.domain.incident import Incident
from shared.steps.inquiry import Request
from shared.steps.prove import prove
from tests.fakes.github.opened import through_api
from tests.unit import test_graph_shapes, test_random_histories
from tests.unit.stories import Story, running

SHAPES = {
    name: test
    for name, test in inspect.getmembers(test_graph_shapes, inspect.isfunction)
    if name.startswith("test_") and list(inspect.signature(test).parameters) == ["story", "compilers"]
}


def both(repository: Path, failing: Incident, compilers: FoundCompilers, request: Request | None = None) -> Proof:
    """The proof as git has it, once GitHub has given the same."""
    asked = request or Request(fallback_python=running())
    with GitRepository(str(repository)) as local, through_api(repository) as remote:
        proofs = [prove(failing, history, compilers, asked, lambda _: None) for history in (local, remote)]
    assert proofs[1] == proofs[0]
    return proofs[0]


@pytest.mark.parametrize("name", SHAPES)
def test_every_shape_of_history_gives_the_same_proof(
    name: str, compilers: FoundCompilers, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(test_graph_shapes, "investigated", both)
    test: Callable[[Story, FoundCompilers], None] = SHAPES[name]
    test(Story(tmp_path / "repo.git"), compilers)


@settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck), derandomize=True)
@given(drawn=test_random_histories.histories())
def test_random_histories_give_the_same_proof(compilers: FoundCompilers, drawn: test_random_histories.Drawn) -> None:
    assume(drawn.deployed >= 0)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(test_random_histories, "investigated", both)
        for given_commit in (True, False):
            test_random_histories.prove_drawn(drawn, compilers, given_commit=given_commit)
