"""A file that is broken as deployed refuses nothing where a handler takes what each of its imports raises."""

from pathlib import Path

import pytest

from shared.adapters.compilers.best_compilers import LocalCompilers
from shared.proof.model.finding import Finding
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
LAZY = """\
import relay
def read():
    try:
        from ledger import total
        first = total()
        second = first + 1
        return second
    except ImportError:
        return 0
    except Exception as error:
        print(error)
    return 1
"""
LOADING = "import relay\ntry:\n    import ledger\nexcept CLASS:\n    ledger = None\n"
FIRST = "except SyntaxError:\n        raise\n    except ImportError:"
IN_HANDLER = "import relay\ntry:\n    relay.x\nexcept Exception:\n    import ledger\n"


def prove(
    folder: Path,
    compilers: LocalCompilers,
    files: dict[str, str | bytes | None],
    later: dict[str, str | bytes | None] | None = None,
) -> Finding:
    story = HistoryBuilder(folder / "repo.git")
    broken = {"ledger.py": broken_source(7)}
    start = {"Dockerfile": DOCKERFILE, "relay.py": valid_source(), **broken, **files}
    story.commit("start", {path: content for path, content in start.items() if content is not None})
    story.commit("break", {"relay.py": broken_source(5)})
    story.commit("fix", {"relay.py": valid_source(2), **(later or {})})
    story.write_repository()
    request = ProofRequest(deployed=story.ids["break"], fallback_python=running_python(), python=running_python())
    return prove_incident(story.path, make_incident("/app/relay.py", make_sighting(5)), compilers, request)


@pytest.mark.parametrize(
    ("name", "files"),
    [
        ("in a function", {"main.py": LAZY}),
        (
            "when it is loaded",
            {"main.py": "import relay\ntry:\n    import ledger\nexcept Exception:\n    ledger = None\n"},
        ),
        ("a bare handler", {"main.py": "import relay\ntry:\n    import ledger\nexcept:\n    ledger = None\n"}),
        (
            "by its class",
            {"main.py": "import relay\ntry:\n    import ledger\nexcept SyntaxError:\n    ledger = None\n"},
        ),
        (
            "a module in it that is none",
            {"main.py": LAZY.replace("from ledger import", "from ledger.totals import")},
        ),
        ("in two files", {"main.py": LAZY + "import other\n", "other.py": LAZY}),
    ],
)
def test_is_neither_a_refusal_nor_the_next_to_fail(
    tmp_path: Path, compilers: LocalCompilers, name: str, files: dict[str, str | bytes | None]
) -> None:
    proof = prove(tmp_path, compilers, files)
    assert proof.target is not None, name
    assert proof.refused_commits == ()
    assert proof.broken is not None
    assert proof.broken.also_broken == ()


@pytest.mark.parametrize(
    ("name", "files"),
    [
        ("nothing takes it", {"main.py": "import relay\ndef read():\n    import ledger\n"}),
        ("another class", {"main.py": LOADING.replace("CLASS", "ImportError")}),
        ("it is raised again", {"main.py": LAZY.replace("print(error)", "raise")}),
        ("it ends the program", {"main.py": LAZY.replace("print(error)", "sys.exit(1)")}),
        ("the first that fits ends it", {"main.py": LAZY.replace("except ImportError:", FIRST)}),
        ("in the handler itself", {"main.py": IN_HANDLER}),
        (
            "a function that a handler is around",
            {"main.py": "import relay\ntry:\n    def read():\n        import ledger\nexcept Exception:\n    pass\n"},
        ),
        ("another file imports it", {"main.py": LAZY + "import other\n", "other.py": "import ledger\n"}),
        ("another import in the file", {"main.py": LAZY + "from ledger import total\n"}),
        ("a text names it", {"main.py": LAZY + "import importlib\nimportlib.import_module('ledger')\n"}),
    ],
)
def test_refuses_where_it_may_reach_the_service(
    tmp_path: Path, compilers: LocalCompilers, name: str, files: dict[str, str | bytes | None]
) -> None:
    proof = prove(tmp_path, compilers, files)
    assert [refused.gate for refused in proof.refused_commits] == ["also_broken"], name
    assert proof.broken is not None
    assert [other.path for other in proof.broken.also_broken] == ["ledger.py"]


def test_does_not_refuse_where_it_is_broken_in_another_way(tmp_path: Path, compilers: LocalCompilers) -> None:
    proof = prove(tmp_path, compilers, {"main.py": LAZY}, {"ledger.py": broken_source(3)})
    assert proof.target is not None
    assert proof.refused_commits == ()


def test_refuses_where_a_later_commit_lets_it_reach_the_service(tmp_path: Path, compilers: LocalCompilers) -> None:
    proof = prove(tmp_path, compilers, {"main.py": LAZY}, {"main.py": "import relay\nimport ledger\n"})
    assert [refused.gate for refused in proof.refused_commits] == ["newly_broken"]
    assert "did not compile at the deployed commit either" in proof.refused_commits[0].detail
    assert "now loaded" not in proof.refused_commits[0].detail


def test_a_new_file_refuses_nothing_where_a_handler_takes_its_error(tmp_path: Path, compilers: LocalCompilers) -> None:
    later: dict[str, str | bytes | None] = {"main.py": LAZY, "ledger.py": broken_source(7)}
    proof = prove(tmp_path, compilers, {"main.py": "import relay\n", "ledger.py": None}, later)
    assert proof.target is not None
    assert proof.refused_commits == ()


def test_a_file_that_may_be_moved_refuses(tmp_path: Path, compilers: LocalCompilers) -> None:
    files: dict[str, str | bytes | None] = {"main.py": "import relay\nimport books.ledger\n", "ledger.py": None}
    later: dict[str, str | bytes | None] = {"main.py": LAZY, "ledger.py": broken_source(7), "books/ledger.py": None}
    proof = prove(tmp_path, compilers, {**files, "books/ledger.py": valid_source()}, later)
    assert [refused.gate for refused in proof.refused_commits] == ["newly_broken"]


def test_refuses_where_it_compiled_as_deployed(tmp_path: Path, compilers: LocalCompilers) -> None:
    proof = prove(tmp_path, compilers, {"main.py": LAZY, "ledger.py": valid_source()}, {"ledger.py": broken_source(3)})
    assert [refused.gate for refused in proof.refused_commits] == ["newly_broken"]
