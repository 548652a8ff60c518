"""Gates judge the files that a service loads, and nothing else: histories in, targets, refusals and counts out."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from shared.adapters.compilers.best_compilers import LocalCompilers
from shared.adapters.git.objects import ObjectStore
from shared.adapters.git.repository import GitRepository
from shared.proof.gating.gates import Gates
from shared.proof.gating.loaded_files import LoadedFiles
from shared.proof.model.finding import Finding
from shared.proof.model.recommendation import ActionKind, Reason
from shared.proof.proof_context import ProofRequest
from tests.support.history_builder import (
    HistoryBuilder,
    broken_source,
    make_incident,
    make_sighting,
    prove_incident,
    running_python,
    valid_source,
)

DOCKERFILE = 'FROM python:3.11-slim\nWORKDIR /app\nCOPY . .\nCMD ["python", "main.py"]\n'
START = {"Dockerfile": DOCKERFILE, "main.py": "import relay\nimport ledger\n", "ledger.py": valid_source(1)}


def prove(story: HistoryBuilder, compilers: LocalCompilers, deployed: str = "break") -> Finding:
    request = ProofRequest(deployed=story.ids[deployed], fallback_python=running_python(), python=running_python())
    return prove_incident(story.path, make_incident("/app/relay.py", make_sighting(5)), compilers, request)


def target(story: HistoryBuilder, proof: Finding) -> str | None:
    return story.name_of(proof.target.commit.id if proof.target else None)


@pytest.fixture
def story(tmp_path: Path) -> HistoryBuilder:
    story = HistoryBuilder(tmp_path / "repo.git")
    story.commit("start", START | {"relay.py": valid_source(), "scripts/never.py": "print 'one'\n"})
    story.commit("break", {"relay.py": broken_source(5)})
    story.commit("fix", {"relay.py": valid_source(2)})
    return story


def test_a_script_that_is_never_loaded_does_not_stand_in_the_way(
    story: HistoryBuilder, compilers: LocalCompilers
) -> None:
    story.write_repository()
    proof = prove(story, compilers)
    assert proof.recommendation.kind is ActionKind.REDEPLOY
    assert target(story, proof) == "fix"
    assert proof.broken is not None
    assert proof.broken.also_broken == ()
    assert proof.loaded_summary is not None
    assert proof.loaded_summary.is_exact
    assert proof.loaded_summary.image == "Dockerfile"
    assert [(other.path, other.line) for other in proof.loaded_summary.not_loaded] == [("scripts/never.py", 1)]


def test_a_script_that_breaks_later_is_told_and_refuses_nothing(
    story: HistoryBuilder, compilers: LocalCompilers
) -> None:
    story.commit("later", {"scripts/tool.py": broken_source(2), "jobs/other.py": b"\xff\xfea\x00"})
    story.write_repository()
    proof = prove(story, compilers)
    assert target(story, proof) == "later"
    assert proof.loaded_summary is not None
    assert {other.path for other in proof.loaded_summary.not_loaded} == {
        "scripts/never.py",
        "scripts/tool.py",
        "jobs/other.py",
    }


@pytest.mark.parametrize("content", [b"\xff\xfea\x00", b"version https://git-lfs.github.com/spec/v1\n", b"(" * 400])
def test_what_no_python_loads_refuses_where_it_is_loaded(
    story: HistoryBuilder, compilers: LocalCompilers, content: bytes
) -> None:
    story.commit("later", {"ledger.py": content})
    story.write_repository()
    proof = prove(story, compilers)
    assert target(story, proof) == "fix"
    assert [refused.gate for refused in proof.refused_commits] == ["newly_broken"]


def test_a_loaded_file_that_failed_as_deployed_is_also_broken(tmp_path: Path, compilers: LocalCompilers) -> None:
    story = HistoryBuilder(tmp_path / "repo.git")
    story.commit("start", START | {"relay.py": valid_source(), "ledger.py": broken_source(7)})
    story.commit("break", {"relay.py": broken_source(5)})
    story.commit("fix", {"relay.py": valid_source(2)})
    story.write_repository()
    proof = prove(story, compilers)
    assert proof.broken is not None
    assert [(other.path, other.line) for other in proof.broken.also_broken] == [("ledger.py", 7)]
    assert proof.target is None
    assert [refused.gate for refused in proof.refused_commits] == ["also_broken"]
    assert proof.recommendation.reason is Reason.NO_TARGET


@pytest.mark.parametrize(
    ("files", "words"),
    [
        ({"ledger.py": broken_source(3)}, "ledger.py, line 3 compiles at the deployed commit"),
        (
            {"main.py": "import relay, extra\n", "extra.py": broken_source(3)},
            "extra.py, line 3 is new since the deployed",
        ),
        ({"main.py": "import relay\nimport scripts.never\n"}, "did not compile at the deployed commit"),
        ({"ledger.py": b"a = '\0'\n"}, "ledger.py"),
    ],
)
def test_a_refusal_says_since_when_a_file_fails(
    story: HistoryBuilder, compilers: LocalCompilers, files: dict[str, str | bytes | None], words: str
) -> None:
    story.commit("later", files)
    story.write_repository()
    (refused,) = prove(story, compilers).refused_commits
    assert refused.gate == "newly_broken"
    assert words in refused.detail
    assert "None" not in refused.detail


def test_long_broken_file_that_is_not_loaded_hides_no_newer_target(
    story: HistoryBuilder, compilers: LocalCompilers
) -> None:
    """The commits in between hold the very file that refuses the newest, and do not load it."""
    for number in range(40):
        story.commit(f"between {number}", {"notes.md": f"{number}\n"})
    story.commit("load", {"main.py": "import relay\nimport scripts.never\n"})
    story.commit("after", {"notes.md": "done\n"})
    story.write_repository()
    proof = prove(story, compilers)
    assert target(story, proof) == "between 39"
    assert [story.name_of(refused.commit.id) for refused in proof.refused_commits] == ["after", "load"]


@contextmanager
def counting(monkeypatch: pytest.MonkeyPatch) -> Iterator[dict[str, int]]:
    """Objects read, and gates run."""
    counts = {"read": 0, "failed": 0}
    read, failed = ObjectStore.read, Gates.find_failure

    def reading(self: ObjectStore, oid: str) -> tuple[str, bytes] | None:
        counts["read"] += 1
        return read(self, oid)

    def failing(self: Gates, commit: str, already: frozenset[str]) -> object:
        counts["failed"] += 1
        return failed(self, commit, already)

    monkeypatch.setattr(ObjectStore, "read", reading)
    monkeypatch.setattr(Gates, "find_failure", failing)
    yield counts


def long_story(tmp_path: Path, candidates: int, last: dict[str, str | bytes | None]) -> HistoryBuilder:
    story = HistoryBuilder(tmp_path / f"{candidates}.git")
    story.commit(
        "start",
        START
        | {"relay.py": valid_source()}
        | {f"other/part_{number}.py": valid_source(number) for number in range(30)},
    )
    story.commit("break", {"relay.py": broken_source(5)})
    story.commit("fix", {"relay.py": valid_source(2)})
    story.commit("first", last)
    for number in range(candidates):
        story.commit(f"c{number}", {f"other/part_{number % 30}.py": valid_source(100 + number)})
    story.write_repository()
    return story


def test_candidates_that_load_the_same_cost_no_gate(
    tmp_path: Path, compilers: LocalCompilers, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One broken blob refuses all newer commits: it is asked for, and nothing else of them is."""
    compiled = {}
    for candidates in (20, 500):
        story = long_story(tmp_path, candidates, {"ledger.py": broken_source(4)})
        with counting(monkeypatch) as counts:
            proof = prove(story, compilers)
        assert target(story, proof) == "fix"
        assert proof.refused_commits[0].gate == "newly_broken"
        compiled[candidates] = (
            proof.versions_compiled - proof.loaded_summary.others_checked if proof.loaded_summary else -1
        )
        assert counts["failed"] == 2
        assert counts["read"] < 200
        monkeypatch.undo()
    assert compiled[500] == compiled[20]


def test_a_state_is_made_once_for_all_commits_that_load_the_same(tmp_path: Path) -> None:
    story = long_story(tmp_path, 100, {})
    with GitRepository(str(story.path)) as history:
        loaded = LoadedFiles(history, "relay.py")
        states = {id(loaded.get_state(story.ids[f"c{number}"])) for number in range(100)}
    assert len(states) == 1
    assert loaded.states_computed == 1


def test_the_search_ends_and_says_what_it_left(tmp_path: Path, compilers: LocalCompilers) -> None:
    """Every commit breaks another file, so that each costs a full run."""
    story = HistoryBuilder(tmp_path / "repo.git")
    names = [f"part_{number}" for number in range(80)]
    imports = "".join(f"import {name}\n" for name in ("relay", *names))
    story.commit(
        "start",
        START | {"main.py": imports, "relay.py": valid_source()} | {f"{name}.py": valid_source() for name in names},
    )
    story.commit("break", {"relay.py": broken_source(5)})
    story.commit("fix", {"relay.py": valid_source(2), "part_0.py": broken_source(3)})
    for number in range(1, 80):
        story.commit(
            f"c{number}", {f"part_{number - 1}.py": valid_source(), f"part_{number}.py": broken_source(3, number)}
        )
    story.write_repository()
    proof = prove(story, compilers)
    assert proof.target is None
    assert proof.unchecked_commits == 30
    assert re.findall(r"\b30\b", proof.recommendation.detail)


def test_a_rollback_is_a_state_that_the_branch_was_in(tmp_path: Path, compilers: LocalCompilers) -> None:
    """What came in by a merge was never deployed."""
    story = HistoryBuilder(tmp_path / "repo.git")
    story.commit("start", START | {"relay.py": valid_source()})
    story.commit("own", {"notes.md": "1\n"})
    story.commit("side", {"relay.py": valid_source(3)}, "start")
    story.commit("merge", {"relay.py": broken_source(5)}, "own", "side")
    story.commit("break", {"notes.md": "2\n"})
    story.write_repository()
    proof = prove(story, compilers)
    assert proof.rollback is not None
    assert story.name_of(proof.rollback.commit.id) == "own"
