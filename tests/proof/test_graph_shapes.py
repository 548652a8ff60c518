"""One history for each shape in which files break and are fixed, and what must be proven of it."""

import re
from pathlib import Path

import pytest

from shared.adapters.compilers.best_compilers import LocalCompilers
from shared.adapters.git.repository import GitRepository
from shared.errors import UsageError
from shared.proof.proof_context import ProofRequest
from shared.proof.prove import prove
from tests.support.graph_shapes import SHAPES
from tests.support.graph_shapes.proving import fix_subject, prove_break, target_subject
from tests.support.history_builder import (
    HistoryBuilder,
    broken_source,
    make_incident,
    make_sighting,
    prove_incident,
    running_python,
    valid_source,
)


@pytest.mark.parametrize("name", SHAPES)
def test_every_shape_is_proven(name: str, story: HistoryBuilder, compilers: LocalCompilers) -> None:
    SHAPES[name](story, compilers)


def test_names_that_a_mended_file_was_given_later_cost_nothing(tmp_path: Path, compilers: LocalCompilers) -> None:
    started = []
    for moves in (0, 5):
        story = HistoryBuilder(tmp_path / f"moved-{moves}.git")
        story.commit("start", {"app.py": valid_source()})
        story.commit("break", {"app.py": broken_source(5)})
        story.commit("mend", {"app.py": valid_source(1)})
        for move in range(moves):
            old = f"m{move - 1}.py" if move else "app.py"
            story.commit(f"move {move}", {old: None, f"m{move}.py": valid_source(1)})
        story.write_repository()
        request = ProofRequest(deployed=story.ids["break"], fallback_python=running_python())
        with GitRepository(str(story.path)) as history:
            proof = prove(make_incident("app.py", make_sighting(5)), history, compilers, request, lambda _: None)
            started.append(history.processes_started)
        assert fix_subject(proof) == "mend"
        assert target_subject(proof) == list(story.names)[-1]
    assert started[0] == started[1]


@pytest.mark.parametrize("root", ["nosuch", "../..", "/etc", "app.py/"])
def test_a_source_root_without_any_source_is_refused(
    story: HistoryBuilder, compilers: LocalCompilers, root: str
) -> None:
    story.commit("start", {"svc/app.py": valid_source()})
    story.commit("break", {"svc/app.py": broken_source(5)})
    story.write_repository()
    with pytest.raises(UsageError, match=re.escape(f"--source-root {root}")):
        prove_incident(
            story.path, make_incident("app.py", make_sighting(5)), compilers, ProofRequest(source_roots=(root,))
        )


@pytest.mark.parametrize(
    "ignore", [{".dockerignore": "*\n"}, {".gcloudignore": "*.py\n"}, {"svc/.dockerignore": "jobs.py\n"}]
)
def test_an_ignore_file_that_no_build_can_have_read_does_not_count(
    story: HistoryBuilder, compilers: LocalCompilers, ignore: dict[str, str | bytes | None]
) -> None:
    story.commit("start", {"svc/app.py": valid_source(), "svc/jobs.py": valid_source(), **ignore})
    story.commit("break", {"svc/app.py": broken_source(5)})
    story.commit("mend", {"svc/app.py": valid_source(1)})
    story.commit("break the other", {"svc/jobs.py": broken_source(3)})
    story.write_repository()
    assert target_subject(prove_break(story, compilers)) == "mend"
