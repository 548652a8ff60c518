"""A file that is deleted, or no longer asked for by one importer: a fix only where nothing else still loads it."""

from collections.abc import Mapping
from pathlib import Path

import pytest

from shared.adapters.compilers.best_compilers import LocalCompilers
from shared.adapters.git.repository import GitRepository
from shared.detection.entry import LogEntry
from shared.detection.incident import Incident
from shared.detection.logged_exception import Frame, LoggedException
from shared.detection.raised_exception import RaisedException
from shared.detection.signal import SignalKind
from shared.proof.model.finding import Finding
from shared.proof.proof_context import ProofRequest
from shared.proof.prove import prove
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
IMAGE = "FROM python:3.11\nWORKDIR /app\nCOPY . .\nCMD python main.py\n"
START: dict[str, str | bytes | None] = {
    "Dockerfile": IMAGE,
    "main.py": "import berths\nimport locks\n",
    "berths.py": "import tides\n",
    "locks.py": "import tides\n",
    "tides.py": valid_source(),
}
BROKEN: Files = {"tides.py": broken_source()}
GONE: Files = {"tides.py": None}
DROPPED: Files = {"berths.py": "size = 1\n"}
ALL_DROPPED: Files = {"locks.py": "size = 2\n"}


def build(path: Path, *steps: Files, start: Files = START) -> HistoryBuilder:
    history = HistoryBuilder(path / "repo")
    history.commit("start", start)
    for number, files in enumerate(steps):
        history.commit(f"step {number}", files)
    history.write_repository()
    return history


def prove_syntax_error(history: HistoryBuilder) -> Finding:
    """Of the broken file as `step 0` has it."""
    seen_at = history.committed_at("step 0")
    sighting = make_sighting(5, seen_at=seen_at, source_text="oops = = 1")
    request = ProofRequest(fallback_python=running_python(), deployed=history.ids["step 0"])
    with LocalCompilers() as compilers:
        return prove_incident(history.path, make_incident("tides.py", sighting), compilers, request)


def name_results(history: HistoryBuilder, finding: Finding) -> tuple[str | None, str | None]:
    """The names of the fix and of the target."""
    fix, target = (part.commit.id if part is not None else None for part in (finding.fix, finding.target))
    return history.name_of(fix), history.name_of(target)


@pytest.mark.parametrize(
    ("steps", "expected"),
    [
        ([GONE], (None, None)),
        ([GONE, DROPPED], (None, None)),
        ([GONE, DROPPED, ALL_DROPPED], ("step 3", "step 3")),
        ([{**GONE, **DROPPED, **ALL_DROPPED}], ("step 1", "step 1")),
        ([GONE, {"tides.py": valid_source()}], ("step 2", "step 2")),
        ([{**DROPPED, **ALL_DROPPED}], (None, None)),
        ([{**GONE, **DROPPED, "locks.py": "def moor():\n    import tides\n"}], (None, None)),
        ([{**GONE, **DROPPED, "locks.py": "try:\n    import tides\nexcept ImportError:\n    tides = None\n"}],
         ("step 1", "step 1")),
        ([{**GONE, **DROPPED, **ALL_DROPPED, "tools/chart.py": "import tides\n"}], ("step 1", "step 1")),
    ],
    ids=["gone", "one left", "none left", "all at once", "back", "only dropped", "lazy", "guarded", "not loaded"],
)  # fmt: skip
def test_a_broken_file_that_is_deleted_is_fixed_where_nothing_imports_it(
    tmp_path: Path, steps: list[Files], expected: tuple[str | None, str | None]
) -> None:
    history = build(tmp_path, BROKEN, *steps)
    assert name_results(history, prove_syntax_error(history)) == expected


def prove_claim(history: HistoryBuilder, exception: LoggedException) -> Finding:
    seen_at = history.committed_at("step 0")
    entry = LogEntry(0, f"{exception.error_class}: {exception.message}", seen_at, revision="r1")
    incident = Incident(
        "0" * 16, SignalKind.FAILED_START, "desk", "test", "", "", (), (), seen_at, seen_at, 1, dated=True,
        raised=RaisedException(exception, entry),
    )  # fmt: skip
    request = ProofRequest(fallback_python=running_python(), deployed=history.ids["step 0"])
    with GitRepository(str(history.path)) as repository, LocalCompilers() as compilers:
        return prove(incident, repository, compilers, request, lambda _: None)


NAME_START: Files = {
    **START, "berths.py": "from tides import flow\n", "locks.py": "from tides import flow\n",
    "tides.py": "def flow(): pass\n",
}  # fmt: skip
NO_NAME = LoggedException(
    "ImportError",
    "cannot import name 'flow' from 'tides' (/app/tides.py)",
    (Frame("/app/berths.py", 1, "<module>", "from tides import flow"),),
)
NO_MODULE = LoggedException(
    "ModuleNotFoundError", "No module named 'tides'", (Frame("/app/berths.py", 1, "<module>", "import tides"),)
)
UNNAMED: Files = {"tides.py": "def ebb(): pass\n"}
NAME_BACK: Files = {"tides.py": "def ebb(): pass\ndef flow(): pass\n"}


@pytest.mark.parametrize(
    ("steps", "expected"),
    [
        ([DROPPED], (None, None)),
        ([DROPPED, ALL_DROPPED], ("step 2", "step 2")),
        ([DROPPED, NAME_BACK], ("step 2", "step 2")),
        ([{"berths.py": None}], (None, None)),
        ([{"berths.py": None, "main.py": "import locks\n"}], (None, None)),
        ([{"berths.py": None, "main.py": "", **ALL_DROPPED}], ("step 1", "step 1")),
        ([{**DROPPED, "locks.py": "def moor():\n    from tides import flow\n"}], ("step 1", "step 1")),
        ([{**DROPPED, "main.py": "import berths\ndef moor():\n    import locks\n"}], ("step 1", "step 1")),
        (
            [{**DROPPED, "main.py": "import berths\nfrom importlib import import_module\nimport_module('locks')\n"}],
            (None, None),
        ),
        ([{**DROPPED, "main.py": "import berths\nfor name in ('locks',):\n    __import__(name)\n"}], (None, None)),
        ([{**DROPPED, "main.py": "import berths\n"}], ("step 1", "step 1")),
        ([{**DROPPED, "main.py": "import berths\n"}, {"main.py": START["main.py"]}], ("step 1", "step 1")),
    ],
    ids=[
        "one left",
        "none left",
        "back",
        "deleted",
        "deleted, one left",
        "all deleted",
        "lazy",
        "loaded later",
        "by a text",
        "by a name",
        "not loaded",
        "loaded again",
    ],
)
@pytest.mark.parametrize(
    ("start", "failing", "exception", "back"),
    [(NAME_START, UNNAMED, NO_NAME, NAME_BACK), (START, GONE, NO_MODULE, {"tides.py": valid_source()})],
    ids=["name", "module"],
)
def test_an_import_is_fixed_where_no_loaded_file_asks_in_vain(  # noqa: PLR0917
    tmp_path: Path, start: Files, failing: Files, exception: LoggedException, back: Files, steps: list[Files],
    expected: tuple[str | None, str | None],
) -> None:  # fmt: skip
    if exception is NO_MODULE:
        steps = [_as_plain_import(step, back) for step in steps]
    history = build(tmp_path, failing, *steps, start=start)
    finding = prove_claim(history, exception)
    assert finding.claim is not None
    assert name_results(history, finding) == expected


def _as_plain_import(files: Files, back: Files) -> Files:
    plain = {
        path: text.replace("from tides import flow", "import tides") if isinstance(text, str) else text
        for path, text in files.items()
    }
    return back if files is NAME_BACK else plain


UNDEFINED = LoggedException(
    "NameError", "name 'depth' is not defined", (Frame("/app/berths.py", 1, "<module>", "size = depth"),)
)
ATTRIBUTE = LoggedException(
    "AttributeError",
    "module 'tides' has no attribute 'flow'",
    (Frame("/app/berths.py", 2, "<module>", "size = tides.flow"),),
)


@pytest.mark.parametrize(
    ("source", "exception"), [("size = depth\n", UNDEFINED), ("import tides\nsize = tides.flow\n", ATTRIBUTE)]
)
@pytest.mark.parametrize(
    ("steps", "expected"),
    [
        ([{"berths.py": None}], (None, None)),
        ([{"berths.py": None}, {"main.py": "import locks\n"}], ("step 2", "step 2")),
        ([{"berths.py": None, "main.py": "import locks\n"}], ("step 1", "step 1")),
        ([{"main.py": "import locks\n"}], (None, None)),
    ],
    ids=["importer left", "then none", "none left", "not asked for"],
)
def test_a_failing_file_that_is_deleted_is_fixed_where_nothing_imports_it(
    tmp_path: Path, source: str, exception: LoggedException, steps: list[Files], expected: tuple[str | None, str | None]
) -> None:
    history = build(tmp_path, {"berths.py": source}, *steps)
    finding = prove_claim(history, exception)
    assert finding.claim is not None
    assert name_results(history, finding) == expected
