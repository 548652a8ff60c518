"""A commit without a module that a loaded file still imports is no target."""

from collections import Counter
from collections.abc import Mapping
from pathlib import Path

import pytest

from functions.demo.fast_import import run_git
from shared.adapters.compilers.best_compilers import LocalCompilers
from shared.adapters.git.repository import GitRepository
from shared.proof.gating.gates import GateFailure, Gates
from shared.proof.gating.loaded_files import LoadedFiles
from shared.proof.model.finding import Finding
from shared.proof.model.missing_import import ImportDoubt, MissingImport
from shared.proof.model.recommendation import ActionKind, Reason
from shared.proof.proof_context import ProofRequest
from shared.report.report import build_report
from shared.report.report_json import report_to_json
from tests.support.evidence_checker import find_unsupported_claims
from tests.support.history_builder import (
    HistoryBuilder,
    broken_source,
    make_incident,
    make_sighting,
    prove_incident,
    running_python,
    valid_source,
)

Files = Mapping[str, str | bytes | None]
DOCKERFILE = 'FROM python:3.11-slim\nWORKDIR /app\nCOPY . .\nCMD ["python", "main.py"]\n'
START: Files = {"Dockerfile": DOCKERFILE, "main.py": "import os\nimport relay\n", "relay.py": valid_source()}

LEDGER: Files = {**START, "main.py": "import os\nimport relay\nimport ledger\n", "ledger.py": valid_source(1)}


def build_history(tmp_path: Path, *, start: Files, drop: Files, failing: str = "relay.py") -> HistoryBuilder:
    """A history whose failing file is dropped after it broke."""
    story = HistoryBuilder(tmp_path / "repo.git")
    story.commit("start", start)
    story.commit("break", {failing: broken_source(5)})
    story.commit("drop", drop)
    return story


def prove(
    story: HistoryBuilder, compilers: LocalCompilers, path: str = "/app/relay.py", roots: tuple[str, ...] = ()
) -> Finding:
    request = ProofRequest(
        deployed=story.ids["break"], fallback_python=running_python(), python=running_python(), source_roots=roots
    )
    return prove_incident(story.path, make_incident(path, make_sighting(5)), compilers, request)


def find_missing(story: HistoryBuilder, failing: str = "relay.py", roots: tuple[str, ...] = ()) -> list[MissingImport]:
    """What the last commit misses of the deployed one."""
    story.write_repository()
    with GitRepository(str(story.path)) as history:
        loaded = LoadedFiles(history, failing, (), roots, story.ids["break"])
        return list(loaded.get_state(story.ids[list(story.names)[-1]]).closure.missing_imports)


def list_positions(missing: list[MissingImport]) -> list[tuple[str, int, str, ImportDoubt | None]]:
    return [(entry.path, entry.line, entry.module, entry.doubt) for entry in missing]


def test_a_deletion_that_leaves_an_import_behind_is_no_fix(tmp_path: Path, compilers: LocalCompilers) -> None:
    story = build_history(tmp_path, start=START, drop={"relay.py": None})
    story.write_repository()
    proof = prove(story, compilers)
    assert (proof.fix, proof.target) == (None, None)
    assert proof.recommendation.reason is Reason.EARLIER_COMMIT_GOOD
    assert story.name_of(proof.rollback.commit.id if proof.rollback else None) == "start"


def test_a_fix_that_deletes_another_module_is_no_target(tmp_path: Path, compilers: LocalCompilers) -> None:
    story = build_history(tmp_path, start=LEDGER, drop={"relay.py": valid_source(2), "ledger.py": None})
    story.write_repository()
    proof = prove(story, compilers)
    assert proof.target is None
    assert proof.recommendation.kind is not ActionKind.REDEPLOY
    assert proof.recommendation.reason is Reason.NO_TARGET
    (refused,) = proof.refused_commits
    assert refused.gate == "missing_module"
    assert "main.py, line 3 " in refused.detail


def test_a_deletion_with_its_import_is_a_target(tmp_path: Path, compilers: LocalCompilers) -> None:
    story = build_history(tmp_path, start=START, drop={"relay.py": None, "main.py": "import os\n"})
    story.write_repository()
    proof = prove(story, compilers)
    assert proof.target is not None
    assert proof.target.commit.id == story.ids["drop"]
    assert proof.refused_commits == ()


def test_the_commit_that_takes_the_import_out_is_the_target(tmp_path: Path, compilers: LocalCompilers) -> None:
    story = build_history(tmp_path, start=START, drop={"relay.py": None})
    story.commit("mend", {"main.py": "import os\n"})
    story.commit("after", {"notes.md": "done\n"})
    story.commit("again", {"main.py": "import os\nimport relay\n"})
    story.write_repository()
    proof = prove(story, compilers)
    assert story.name_of(proof.target.commit.id if proof.target else None) == "after"
    assert [(story.name_of(refused.commit.id), refused.gate) for refused in proof.refused_commits] == [
        ("again", "missing_module")
    ]


def test_another_module_that_went_with_the_fix_refuses_as_well(tmp_path: Path, compilers: LocalCompilers) -> None:
    """Not the failing file is gone, but one beside it, which was not even loaded as deployed."""
    start = {**START, "ledger.py": valid_source(1)}
    story = build_history(tmp_path, start=start, drop={"relay.py": valid_source(2)})
    story.commit("later", {"ledger.py": None, "main.py": "import os\nimport relay\nimport ledger\n"})
    story.write_repository()
    proof = prove(story, compilers)
    assert story.name_of(proof.target.commit.id if proof.target else None) == "drop"
    assert [(refused.gate, "main.py, line 3 " in refused.detail) for refused in proof.refused_commits] == [
        ("missing_module", True)
    ]


@pytest.mark.parametrize(
    "drop",
    [
        {"relay.py": None, "relay/__init__.py": valid_source(2)},
        {"relay.py": None, "relay/pipe.py": valid_source(2)},
        {
            "relay.py": None,
            "src/relay.py": valid_source(2),
            "Dockerfile": DOCKERFILE.replace("CMD", "ENV PYTHONPATH=src\nCMD"),
        },
        {"relay.py": None, "main.py": "try:\n    import relay\nexcept ImportError:\n    relay = None\n"},
        {"relay.py": None, "main.py": "try:\n    import relay\nexcept Exception:\n    relay = None\n"},
        {"relay.py": None, "main.py": "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    import relay\n"},
        {"relay.py": None, "main.py": "import contextlib\nwith contextlib.suppress(ImportError):\n    import relay\n"},
        {"relay.py": None, "main.py": "import os\n", "tools/never.py": "import relay\n"},
    ],
)
def test_what_python_would_find_or_reckons_with_is_not_missing(tmp_path: Path, drop: Files) -> None:
    assert find_missing(build_history(tmp_path, start=START, drop=drop)) == []


def test_a_module_of_the_standard_library_takes_the_place_of_a_dropped_one(tmp_path: Path) -> None:
    start = {"Dockerfile": DOCKERFILE, "main.py": "import queue\n", "queue.py": valid_source()}
    assert (
        find_missing(build_history(tmp_path, start=start, drop={"queue.py": None}, failing="queue.py"), "queue.py")
        == []
    )


@pytest.mark.parametrize(
    ("main", "line", "module"),
    [
        ("import app.relay\n", 1, "app.relay"),
        ("import os\nfrom app.relay import send\n", 2, "app.relay"),
        ("from app import relay\n", 1, "app.relay"),
        ("from app import api\n", 0, ""),
    ],
)
@pytest.mark.parametrize("package", [True, False])
def test_a_module_of_a_package_is_missed_by_whatever_names_it(
    tmp_path: Path, main: str, line: int, module: str, *, package: bool
) -> None:
    """With an `__init__.py` and as a namespace package, whose folder is gone with its last file."""
    start = {"Dockerfile": DOCKERFILE, "main.py": main, "app/relay.py": valid_source()}
    start |= {"app/__init__.py": "", "app/api.py": ""} if package else {}
    story = build_history(tmp_path, start=start, drop={"app/relay.py": None}, failing="app/relay.py")
    expected = [("main.py", line, module, None)] if line else []
    assert list_positions(find_missing(story, "app/relay.py")) == expected


@pytest.mark.parametrize("text", ["from .relay import send\n", "from . import relay\n", "from ..app import relay\n"])
def test_a_relative_import_is_followed_along_its_chain(tmp_path: Path, text: str) -> None:
    start = {
        "Dockerfile": DOCKERFILE, "main.py": "from svc.app import api\n", "svc/__init__.py": "",
        "svc/app/__init__.py": "", "svc/app/api.py": f"\n\n{text}", "svc/app/relay.py": valid_source(),
    }  # fmt: skip
    story = build_history(tmp_path, start=start, drop={"svc/app/relay.py": None}, failing="svc/app/relay.py")
    ((path, line, _, doubt),) = list_positions(find_missing(story, "svc/app/relay.py"))
    assert (path, line, doubt) == ("svc/app/api.py", 3, None)


def test_a_renamed_file_is_missed_where_one_importer_was_left(tmp_path: Path, compilers: LocalCompilers) -> None:
    start = {**START, "main.py": "import api\nimport relay\n", "api.py": "from relay import step_1\n"}
    drop = {"relay.py": None, "pipe.py": valid_source(), "main.py": "import api\nimport pipe\n"}
    story = build_history(tmp_path, start=start, drop=drop)
    story.commit("mend", {"api.py": "from pipe import step_1\n"})
    story.write_repository()
    proof = prove(story, compilers)
    assert story.name_of(proof.target.commit.id if proof.target else None) == "mend"
    story.commit("back", {"api.py": "from relay import step_1\n"})
    assert list_positions(find_missing(story)) == [("api.py", 1, "relay", None)]


@pytest.mark.parametrize(
    ("drop", "doubt"),
    [
        ({"main.py": "def run():\n    import relay\n"}, ImportDoubt.MAY_NOT_RUN),
        ({"main.py": "import os\nif os.environ.get('RELAY'):\n    import relay\n"}, ImportDoubt.MAY_NOT_RUN),
        ({"main.py": "def run():\n    import api\n", "api.py": "import relay\n"}, ImportDoubt.MAY_NOT_RUN),
        ({"main.py": "try:\n    import api\nexcept ImportError:\n    pass\n", "api.py": "import relay\n"},
         ImportDoubt.MAY_NOT_RUN),
        ({"main.py": "import sys\nsys.path.append('/opt/shared')\nimport relay\n"}, ImportDoubt.PATH_CHANGED),
        ({"main.py": "import sys, api\nsys.modules['relay'] = api\nimport relay\n", "api.py": ""},
         ImportDoubt.IMPORT_HOOK),
        ({"requirements.txt": "httpx==0.28\nrelay>=2\n"}, ImportDoubt.DEPENDENCY),
        ({"requirements/base.txt": "python_relay==1.0\n"}, ImportDoubt.DEPENDENCY),
        ({"pyproject.toml": "[project]\nname = 'x'\ndependencies = ['relay~=1.0']\n"}, ImportDoubt.DEPENDENCY),
        ({"Dockerfile": DOCKERFILE.replace("CMD", "RUN pip install relay==2.0\nCMD")}, ImportDoubt.DEPENDENCY),
        ({"Dockerfile": DOCKERFILE.replace("CMD", "RUN python make.py --out relay.py\nCMD")}, ImportDoubt.GENERATED),
        ({".gitignore": "/relay.py\n"}, ImportDoubt.GENERATED),
        ({"requirements.txt": "relaying==1\nhttpx==0.28  # as relayed\n"}, None),
        ({"pyproject.toml": "[project]\nname = 'relay'\ndependencies = ['httpx']\n"}, None),
    ],
)  # fmt: skip
def test_what_may_let_the_import_succeed_is_told_and_refuses_nothing(
    tmp_path: Path, drop: Files, doubt: ImportDoubt | None
) -> None:
    missing = find_missing(build_history(tmp_path, start=START, drop={**drop, "relay.py": None}))
    assert [entry.doubt for entry in missing] == [doubt]


@pytest.mark.parametrize(
    ("package", "doubt"),
    [
        ("", None),
        ("relay = object()\n", ImportDoubt.ATTRIBUTE),
        ("def __getattr__(name):\n    return 1\n", ImportDoubt.ATTRIBUTE),
    ],
)
def test_a_name_that_the_package_gives_itself_needs_no_module(
    tmp_path: Path, package: str, doubt: ImportDoubt | None
) -> None:
    start = {
        "Dockerfile": DOCKERFILE, "main.py": "from app import relay\n", "app/__init__.py": "",
        "app/relay.py": valid_source(),
    }  # fmt: skip
    story = build_history(
        tmp_path, start=start, drop={"app/relay.py": None, "app/__init__.py": package}, failing="app/relay.py"
    )
    assert [entry.doubt for entry in find_missing(story, "app/relay.py")] == [doubt]


ROOTED: Files = {"src/main.py": "import relay\n", "src/relay.py": valid_source(), "tools/never.py": "import relay\n"}


def test_configured_source_roots_are_held_to_it_as_well(tmp_path: Path, compilers: LocalCompilers) -> None:
    start = {**ROOTED, "src/main.py": "import relay\nimport ledger\n", "src/ledger.py": valid_source(1)}
    dropped = {"src/relay.py": valid_source(2), "src/ledger.py": None}
    story = build_history(tmp_path, start=start, drop=dropped, failing="src/relay.py")
    story.write_repository()
    proof = prove(story, compilers, "/app/src/relay.py", ("src",))
    assert proof.target is None
    assert [(refused.gate, "src/main.py, line 2 " in refused.detail) for refused in proof.refused_commits] == [
        ("missing_module", True)
    ]


@pytest.mark.parametrize(
    "drop", [{"src/lib/relay.py": valid_source()}, {"src/relay/__init__.py": ""}, {"relay.py": valid_source()}]
)
def test_a_module_in_any_folder_of_the_roots_is_not_missing(tmp_path: Path, drop: Files) -> None:
    story = build_history(tmp_path, start={**ROOTED, "src/lib/other.py": ""}, drop={**drop, "src/relay.py": None},
                 failing="src/relay.py")  # fmt: skip
    assert find_missing(story, "src/relay.py", ("src",)) == []


def test_without_a_start_command_it_is_told_and_refuses_nothing(tmp_path: Path, compilers: LocalCompilers) -> None:
    """Nobody can say whether the importing file is loaded at all."""
    story = build_history(tmp_path, start=ROOTED, drop={"src/relay.py": None}, failing="src/relay.py")
    story.write_repository()
    proof = prove(story, compilers, "/app/src/relay.py")
    assert story.name_of(proof.target.commit.id if proof.target else None) == "drop"
    assert proof.loaded_summary is not None
    assert not proof.loaded_summary.is_exact
    assert list_positions(list(proof.loaded_summary.missing_imports)) == [
        ("src/main.py", 1, "relay", ImportDoubt.START_UNREAD),
        ("tools/never.py", 1, "relay", ImportDoubt.START_UNREAD),
    ]


def test_a_doubt_is_in_the_report_with_evidence_of_its_own(tmp_path: Path, compilers: LocalCompilers) -> None:
    start = {**LEDGER, "main.py": "import relay\ndef run():\n    import ledger\n"}
    story = build_history(tmp_path, start=start, drop={"relay.py": valid_source(2), "ledger.py": None})
    story.write_repository()
    report = build_report(make_incident("/app/relay.py", make_sighting(5)), prove(story, compilers))
    loading = report_to_json(report)["loading"]
    assert isinstance(loading, dict)
    assert loading["missing_imports"] == [
        {"path": "main.py", "line": 3, "module": "ledger", "was": "ledger.py", "doubt": "may_not_run"}
    ]
    assert f"{story.ids['drop']}:main.py" in {evidence.ref for evidence in report.evidence}
    assert find_unsupported_claims(report) == []


def test_a_buildpack_start_is_followed_though_the_failing_file_is_gone(
    tmp_path: Path, compilers: LocalCompilers
) -> None:
    start = {"requirements.txt": "httpx\n", "main.py": "import relay\n", "relay.py": valid_source()}
    story = build_history(tmp_path, start=start, drop={"relay.py": None})
    story.write_repository()
    assert prove(story, compilers).fix is None


def test_of_several_images_the_one_that_misses_the_file_counts(tmp_path: Path, compilers: LocalCompilers) -> None:
    """The worker copies the failing file as well, and never imports it."""
    start = {
        "Dockerfile": DOCKERFILE.replace("main.py", "worker.py"), "worker.py": "", "api.py": "import relay\n",
        "deploy/api.Dockerfile": DOCKERFILE.replace("main.py", "api.py"), "relay.py": valid_source(),
    }  # fmt: skip
    story = build_history(tmp_path, start=start, drop={"relay.py": None})
    story.write_repository()
    assert prove(story, compilers).fix is None


def test_a_link_in_the_place_of_the_module_refuses_nothing(tmp_path: Path) -> None:
    story = build_history(tmp_path, start=START, drop={"relay.py": None, "pipe.py": valid_source()})
    story.write_repository()
    run_git([f"--git-dir={story.path}", "read-tree", "main"])
    target = run_git([f"--git-dir={story.path}", "hash-object", "-w", "--stdin"], b"pipe.py").decode().strip()
    run_git([f"--git-dir={story.path}", "update-index", "--add", "--cacheinfo", f"120000,{target},relay.py"])
    tree = run_git([f"--git-dir={story.path}", "write-tree"]).decode().strip()
    who = ["-c", "user.name=Robin Vale", "-c", "user.email=robin@vale.example"]
    made = run_git([f"--git-dir={story.path}", *who, "commit-tree", tree, "-p", "main", "-m", "link"])
    commit = made.decode().strip()
    with GitRepository(str(story.path)) as history:
        loaded = LoadedFiles(history, "relay.py", (), (), story.ids["break"])
        assert [entry.doubt for entry in loaded.get_state(commit).closure.missing_imports] == [ImportDoubt.LINK]


@pytest.mark.parametrize("count", [20, 200])
def test_the_cost_does_not_grow_with_the_candidates(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, compilers: LocalCompilers, count: int
) -> None:
    """However many commits lack the module: the newest and the oldest of them are put to the gates."""
    story = build_history(tmp_path, start=LEDGER, drop={"relay.py": valid_source(2), "ledger.py": None})
    for number in range(count):
        story.commit(f"later {number}", {"notes.md": f"{number}\n"})
    story.write_repository()
    runs: Counter[str] = Counter()
    failed = Gates.find_failure

    def counted(gates: Gates, commit: str, already: frozenset[str]) -> GateFailure | None:
        runs[commit] += 1
        return failed(gates, commit, already)

    monkeypatch.setattr(Gates, "find_failure", counted)
    proof = prove(story, compilers)
    assert proof.target is None
    assert {refused.gate for refused in proof.refused_commits} == {"missing_module"}
    assert proof.unchecked_commits == 0
    assert sum(runs.values()) == 2


def test_an_older_commit_that_declares_a_dependency_instead_is_found(tmp_path: Path, compilers: LocalCompilers) -> None:
    """The importing file is the same in all of them, and no file of the module's name lies anywhere."""
    story = build_history(tmp_path, start=START, drop={"relay.py": None, "requirements.txt": "relay==2.0\n"})
    story.commit("still", {"notes.md": "1\n"})
    story.commit("undeclared", {"requirements.txt": "httpx\n"})
    story.commit("after", {"notes.md": "2\n"})
    story.write_repository()
    proof = prove(story, compilers)
    assert story.name_of(proof.target.commit.id if proof.target else None) == "still"
    assert [story.name_of(refused.commit.id) for refused in proof.refused_commits] == ["after", "undeclared"]
