"""Which Python counts is said by the image whose closure counts, and asking for it lists one tree: histories in."""

from collections import Counter

import pytest

from shared.adapters.compilers.best_compilers import LocalCompilers
from shared.adapters.git.repository import GitRepository
from shared.proof.declared.deployed_python import find_deployed_python
from shared.proof.gating.target_python import DeclarationReader
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

OTHER = "3.12" if running_python() != "3.12" else "3.11"
START = {
    "Dockerfile": f"FROM python:{running_python()}-slim\nWORKDIR /app\nCOPY . .\nCMD python main.py\n",
    "main.py": "",
}


def _image(python: str, command: str) -> str:
    return f"FROM python:{python}-slim\nWORKDIR /app\nCOPY . /app\nCMD {command}\n"


def test_the_image_that_is_named_counts_before_the_nearest() -> None:
    files = {"api/Dockerfile": "FROM python:3.9\n", "deploy/api.Dockerfile": "FROM python:3.11\n"}
    assert find_deployed_python(files, "api/main.py") == ("3.9", "api/Dockerfile: FROM python:3.9")
    assert find_deployed_python(files, "api/main.py", "deploy/api.Dockerfile") == (
        "3.11", "deploy/api.Dockerfile: FROM python:3.11",
    )  # fmt: skip
    assert find_deployed_python(files, "api/main.py", "Procfile") == find_deployed_python(files, "api/main.py")


@pytest.mark.parametrize("nearest", [running_python(), OTHER])
def test_the_report_names_the_image_whose_closure_was_chosen(
    story: HistoryBuilder, compilers: LocalCompilers, nearest: str
) -> None:
    """Beside the failing file lies a Dockerfile that starts something else, on the same Python or another one."""
    files = {
        "deploy/web.Dockerfile": _image(running_python(), "python api/main.py"),
        "api/Dockerfile": _image(nearest, "python tool.py"),
        "api/main.py": "import relay\n",
        "api/tool.py": "",
        "api/relay.py": valid_source(),
    }
    story.commit("start", files)
    story.commit("break", {"api/relay.py": broken_source(5)})
    story.commit("mend", {"api/relay.py": valid_source(1)})
    story.write_repository()
    request = ProofRequest(deployed=story.ids["break"], fallback_python="3.8")
    proof = prove_incident(story.path, make_incident("/app/api/relay.py", make_sighting(5)), compilers, request)
    assert proof.loaded_summary is not None
    assert proof.loaded_summary.image == "deploy/web.Dockerfile"
    assert proof.deployed.python == running_python()
    assert "deploy/web.Dockerfile: " in proof.deployed.python_source
    assert "api/Dockerfile" not in proof.deployed.python_source


def test_asking_every_commit_lists_one_tree(story: HistoryBuilder, monkeypatch: pytest.MonkeyPatch) -> None:
    story.commit("c0", START | {"a/setup.cfg": "", "b/c/deep.py": ""})
    for number in range(1, 40):
        story.commit(f"c{number}", {"b/c/deep.py": f"mark = {number}\n"})
    story.commit("moves on", {"Dockerfile": START["Dockerfile"].replace(running_python(), OTHER)})
    story.commit("goes", {"Dockerfile": None, ".python-version": "3.9\n"})
    story.write_repository()
    listed: Counter[str] = Counter()
    with GitRepository(str(story.path)) as history:
        tree = history.tree

        def counted(commit: str) -> object:
            listed[commit] += 1
            return tree(commit)

        monkeypatch.setattr(history, "tree", counted)
        declared = DeclarationReader(history)
        names = [f"c{number}" for number in range(40)]
        assert {_find_version(declared, story.ids[name]) for name in names} == {running_python()}
        assert _find_version(declared, story.ids["moves on"]) == OTHER
        assert _find_version(declared, story.ids["goes"]) == "3.9"
        assert _find_version(declared, story.ids["c3"]) == running_python()
    assert sum(listed.values()) == 1
    assert declared.files_read < 6


def _find_version(declared: DeclarationReader, commit: str) -> str:
    fact = declared.find_fact(commit, "main.py")
    return fact.version if fact is not None else ""


def test_what_a_tree_declares_is_the_same_however_it_was_reached(story: HistoryBuilder) -> None:
    story.commit("start", START | {"a/pyproject.toml": "[project]\n"})
    story.commit("folder comes", {"svc/Dockerfile": "FROM python:3.9\n", "svc/app.py": ""})
    story.commit("folder becomes file", {"svc/Dockerfile": None, "svc/app.py": None, "a/pyproject.toml": None})
    story.write_repository()
    with GitRepository(str(story.path)) as history:
        walked = DeclarationReader(history)
        for name in ("start", "folder comes", "folder becomes file", "start", "folder becomes file", "folder comes"):
            assert walked.read_files(story.ids[name]) == DeclarationReader(history).read_files(story.ids[name])
