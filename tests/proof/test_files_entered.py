"""How many files of the product a reader enters who follows one log entry to its issue."""

import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import FrameType

import functions
import shared
from shared.adapters.compilers.best_compilers import LocalCompilers
from shared.adapters.git.repository import GitRepository
from shared.ports import IssueRef
from shared.proof.model.ports import History
from shared.service import Service
from shared.workflow.investigate_incident import investigate_incident
from shared.workflow.prover import Prover
from shared.workflow.record import record_log_entry
from tests.support.harness import Harness, syntax_error
from tests.support.history_builder import START, HistoryBuilder, broken_source, valid_source
from tests.support.issues import FakeIssues

ROOT = Path(shared.__file__).parents[1]
PACKAGES = tuple(str(Path(str(package.__file__)).parent) + "/" for package in (shared, functions))
LAZY_IMPORTS = "shared/lazy_modules.py"
"""Runs where a module is first used: part of an import."""
CO_OPTIMIZED = 1
"""The flag of a function's code; the code of a module or of a class body lacks it."""
FILES_ENTERED = 143
"""Each is one step, one search, one kind of fact or one section of the issue."""


@dataclass
class CallRecorder:
    """Collects the product's files whose functions are called, in the order of their first call."""

    files: dict[str, str] = field(default_factory=dict)
    """By path the function that was called first."""

    def start(self) -> None:
        sys.setprofile(self._record_event)

    def stop(self) -> None:
        sys.setprofile(None)

    def _record_event(self, frame: FrameType, event: str, _: object) -> None:
        code = frame.f_code
        if event == "call" and code.co_flags & CO_OPTIMIZED and code.co_filename.startswith(PACKAGES):
            path = str(Path(code.co_filename).relative_to(ROOT))
            if path != LAZY_IMPORTS:
                self.files.setdefault(path, code.co_qualname)


@dataclass
class LastStepIssues(FakeIssues):
    """Stops the recorder when an issue is opened."""

    recorder: CallRecorder = field(default_factory=CallRecorder)

    def open(self, service: Service, marker: str, title: str, body: str, labels: Sequence[str] = ()) -> IssueRef:
        self.recorder.stop()
        return super().open(service, marker, title, body, labels)


def test_a_log_entry_enters_few_files_on_its_way_to_the_issue(tmp_path: Path, compilers: LocalCompilers) -> None:
    path = "chat/greeting.py"
    builder = HistoryBuilder(tmp_path / "harbour.git")
    builder.commit("first", {path: valid_source()})
    builder.commit("broken", {path: broken_source(7)})
    builder.commit("fixed", {path: valid_source(1)})
    builder.write_repository()

    @contextmanager
    def open_history(_: Service) -> Iterator[History]:
        with GitRepository(str(builder.path)) as repository:
            yield repository

    harness = Harness()
    recorder = CallRecorder()
    harness.clock.current_time = START.replace(day=2)
    harness.issues = LastStepIssues(harness.clock, recorder=recorder)
    (service,) = harness.services.values()
    harness.cloud.deploy_manually(service, "tide-00008-bad", builder.ids["broken"])
    entry = harness.log_entry(syntax_error(f"/app/{path}"), revision="tide-00008-bad")
    context = replace(harness.start_process(), open_history=open_history, compilers=compilers, prover=Prover())
    try:
        recorder.start()
        recorded = record_log_entry(context, entry)
        investigated = investigate_incident(context, recorded.incident)
    finally:
        recorder.stop()

    assert investigated.name == "proposed"
    assert len(harness.issues.issues) == 1
    entered = [*recorder.files]
    assert entered[0] == "shared/workflow/record.py"
    assert "shared/proof/prove.py" in entered
    lines = [f"{number}. {file}: {function}" for number, (file, function) in enumerate(recorder.files.items(), 1)]
    assert len(entered) <= FILES_ENTERED, "\n".join(lines)
