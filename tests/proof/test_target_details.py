"""What a report shows of a merged fix and of what is loaded at a target: histories in, places and files out."""

import pytest

from shared.adapters.compilers.best_compilers import LocalCompilers
from shared.adapters.git.repository import GitRepository
from shared.proof.gating.loaded_files import LoadedFiles
from shared.proof.judging.compile_verdicts import CompileVerdicts
from shared.proof.model.finding import Fix
from shared.proof.model.ports import Compiler
from shared.proof.proof_context import ProofRequest
from shared.proof.searching.introducing_commit import trace_break
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


def fix_of(story: HistoryBuilder, compilers: LocalCompilers, line: int = 5) -> Fix:
    proof = prove_incident(story.path, make_incident("app.py", make_sighting(line)), compilers)
    assert proof.fix is not None
    return proof.fix


@pytest.mark.parametrize("above", [0, 2, 9])
def test_the_mended_line_is_shown_where_it_stands_by_now(
    story: HistoryBuilder, compilers: LocalCompilers, above: int
) -> None:
    lines = valid_source(2).splitlines(keepends=True)
    mended = "".join([*(f"above_{number} = 1\n" for number in range(above)), *lines[:4], "oops = 1\n", *lines[4:]])
    story.commit("start", {"app.py": valid_source()})
    story.commit("break", {"app.py": broken_source(5)})
    story.commit("mend", {"app.py": mended})
    story.write_repository()
    shown = dict(fix_of(story, compilers).excerpt)
    assert shown[5 + above] == "oops = 1"
    assert list(shown) == list(range(5 + above - 3, 5 + above + 4))


def test_a_file_that_was_asked_for_in_vain_is_loaded_once_it_is_there(story: HistoryBuilder) -> None:
    story.commit(
        "start", {"main.py": "try:\n    import extra\nexcept ImportError:\n    pass\n", "Dockerfile": DOCKERFILE}
    )
    story.commit("aside", {"notes.md": "1\n"})
    story.commit("add", {"extra.py": "step = 1\n"})
    story.commit("change", {"extra.py": "step = 2\n"})
    story.write_repository()
    with GitRepository(str(story.path)) as history:
        loaded = LoadedFiles(history, "main.py")
        states = {name: loaded.get_state(oid) for name, oid in story.ids.items()}
    assert states["aside"] is states["start"]
    assert [sorted(states[name].blobs) for name in ("start", "add", "change")] == [
        ["main.py"], ["extra.py", "main.py"], ["extra.py", "main.py"],
    ]  # fmt: skip
    assert states["add"].blobs["extra.py"] != states["change"].blobs["extra.py"]
    assert loaded.states_computed == 2, "the change edits no import"


def test_the_states_that_were_asked_for_last_are_held(story: HistoryBuilder) -> None:
    for number in range(9):
        story.commit(f"state {number}", {"main.py": f"import step{number}\n", "Dockerfile": DOCKERFILE})
    story.write_repository()
    with GitRepository(str(story.path)) as history:
        loaded = LoadedFiles(history, "main.py")

        def made(*numbers: int) -> int:
            for number in numbers:
                loaded.get_state(story.ids[f"state {number}"])
            return loaded.states_computed

        assert made(0, 1, *[0] * 20, 1) == 2, "what is asked for again takes no other's place"
        assert made(2, 3, 4, 5, 6, 7) == 8
        assert made(0, 1, 2, 3, 4, 5, 6, 7) == 8, "eight are held"
        assert made(0, 8) == 9
        assert made(0) == 9, "it was asked for lately"
        assert made(1) == 10, "it was not"


def test_the_python_is_said_to_stand_where_the_deployed_commit_says_so(
    story: HistoryBuilder, compilers: LocalCompilers
) -> None:
    story.commit("start", {"app.py": valid_source(), ".python-version": f"{running_python()}\n"})
    story.commit("break", {"app.py": broken_source(5)})
    story.commit(
        "mend",
        {"app.py": valid_source(2), ".python-version": None, "Dockerfile": f"FROM python:{running_python()}-slim\n"},
    )
    story.write_repository()
    failing = make_incident("app.py", make_sighting(5))
    source = prove_incident(story.path, failing, compilers).deployed.python_source
    assert ".python-version" in source
    assert "Dockerfile" not in source
    stated = prove_incident(
        story.path, failing, compilers, ProofRequest(python=running_python())
    ).deployed.python_source
    assert ".python-version" not in stated


def test_a_file_without_any_history_has_no_origin(story: HistoryBuilder, compilers: LocalCompilers) -> None:
    story.commit("start", {"app.py": broken_source(5)})
    story.write_repository()
    with GitRepository(str(story.path)) as history:
        verdicts = CompileVerdicts(history, compilers.compiler_for(running_python()), compilers.explainer())
        assert trace_break(history, verdicts, story.ids["start"], "nowhere.py") is None
        origin = trace_break(history, verdicts, story.ids["start"], "app.py")
    assert origin is not None
    assert (origin.first_failing.commit.id, origin.was_added_broken, origin.is_incomplete) == (
        story.ids["start"],
        True,
        False,
    )


def test_the_imports_of_a_file_are_read_once_however_many_states_hold_it(story: HistoryBuilder) -> None:
    story.commit("start", {"main.py": "import extra\n", "Dockerfile": DOCKERFILE})
    story.commit("add", {"extra.py": "step = 1\n"})
    story.commit("change", {"extra.py": "import further\n"})
    story.write_repository()
    with GitRepository(str(story.path)) as repository:
        main = repository.blob_ids([(story.ids["start"], "main.py")])[story.ids["start"], "main.py"]
        history = _Reads(repository)
        loaded = LoadedFiles(history, "main.py")  # type: ignore[arg-type]
        for oid in story.ids.values():
            loaded.get_state(oid)
    assert loaded.states_computed == 3
    assert history.asked.count(main) == 1


@pytest.mark.parametrize(
    ("edited", "text", "computed"),
    [
        ("quay/berths.py", "size = 2\n", 1),
        ("quay/berths.py", "size = 1\nimport os\n", 2),
        ("idle.py", "size = 2\nimport os\n", 1),
        ("start.sh", "#!/bin/sh\nexec python -m quay.berths\n", 2),
        ("setup.py", "from setuptools import setup\nsetup(package_dir={'': 'quay'})\n", 2),
        ("Dockerfile", "FROM python:3.11\nCOPY quay /quay\nCMD python -m quay\n", 2),
    ],
    ids=["no import", "an import", "a file that is not loaded", "a start script", "a project", "the image"],
)
def test_an_edit_that_changes_no_import_leaves_what_is_loaded(
    story: HistoryBuilder, edited: str, text: str, computed: int
) -> None:
    start = {
        "Dockerfile": "FROM python:3.11\nWORKDIR /app\nCOPY . .\nRUN pip install .\nCMD ./start.sh\n",
        "start.sh": "#!/bin/sh\nexec python -m quay\n",
        "setup.py": "from setuptools import setup\nsetup()\n",
        "quay/__main__.py": "from quay import berths\n",
        "quay/__init__.py": "",
        "quay/berths.py": "size = 1\n",
        "idle.py": "",
    }
    story.commit("start", start)
    story.commit("edit", {edited: text})
    story.write_repository()
    with GitRepository(str(story.path)) as history:
        loaded = LoadedFiles(history, "quay/berths.py")
        before, after = (loaded.get_state(story.ids[name]) for name in ("start", "edit"))
        alone = LoadedFiles(history, "quay/berths.py").get_state(story.ids["edit"])
    assert (after.closure, after.blobs) == (alone.closure, alone.blobs)
    assert loaded.states_computed == computed
    assert "idle.py" not in before.blobs


class _Reads:
    """Notes whose contents are read."""

    def __init__(self, history: GitRepository) -> None:
        self._history = history
        self.asked: list[str] = []

    def __getattr__(self, name: str) -> object:
        return getattr(self._history, name)

    def read(self, blob: str) -> bytes | None:
        self.asked.append(blob)
        return self._history.read(blob)


@pytest.mark.parametrize(
    ("ref", "where", "number"),
    [
        ("refs/heads/12/fix", "unmerged_branch", None),
        ("refs/heads/pull/12", "unmerged_branch", None),
        ("refs/pull/12/head", "open_pull_request", 12),
        ("refs/merge-requests/7/head", "open_pull_request", 7),
    ],
)
def test_a_branch_with_a_number_for_a_name_is_no_pull_request(
    story: HistoryBuilder, compilers: LocalCompilers, ref: str, where: str, number: int | None
) -> None:
    story.commit("start", {"app.py": valid_source()})
    story.commit("break", {"app.py": broken_source(5)})
    story.commit("aside", {"app.py": valid_source(2)})
    story.write_repository("break", **{ref: "aside"})
    fix = fix_of(story, compilers)
    assert (fix.where, fix.pull_request, fix.commit.subject) == (where, number, "aside")


@pytest.mark.parametrize(("side", "line"), [("left", 5), ("right", 9)])
@pytest.mark.parametrize("order", [("left", "right"), ("right", "left")])
def test_what_a_merge_of_two_broken_sides_took_over_is_traced_to_its_own_side(
    story: HistoryBuilder, compilers: LocalCompilers, order: tuple[str, str], side: str, line: int
) -> None:
    story.commit("start", {"app.py": valid_source()})
    story.commit("left", {"app.py": broken_source(5)}, "start")
    story.commit("right", {"app.py": broken_source(9)}, "start")
    story.commit("merge", {"app.py": broken_source(line)}, *order)
    story.commit("mend", {"app.py": valid_source(2)})
    story.write_repository()
    proof = prove_incident(
        story.path, make_incident("app.py", make_sighting(line)), compilers, ProofRequest(deployed=story.ids["merge"])
    )
    assert proof.introduced is not None
    assert (proof.introduced.commit.subject, proof.fix and proof.fix.commit.subject) == (side, "mend")


def test_where_the_declared_python_fits_no_former_one_is_tried(
    story: HistoryBuilder, compilers: LocalCompilers
) -> None:
    story.commit("start", {"app.py": valid_source(), "Dockerfile": "FROM python:3.11\n"})
    story.commit("move on", {"Dockerfile": "FROM python:3.12\n"})
    story.commit("break", {"app.py": broken_source(5)})
    story.write_repository()
    asking = _Asking(compilers)
    proof = prove_incident(story.path, make_incident("app.py", make_sighting(5)), asking, ProofRequest())  # type: ignore[arg-type]
    assert proof.deployed.python == "3.12"
    assert "3.11" not in asking.pythons


class _Asking:
    """Notes which Pythons a compiler is asked for."""

    def __init__(self, compilers: LocalCompilers) -> None:
        self._compilers = compilers
        self.explainer = compilers.explainer
        self.pythons: list[str] = []

    def compiler_for(self, python: str) -> Compiler:
        self.pythons.append(python)
        return self._compilers.compiler_for(python)
