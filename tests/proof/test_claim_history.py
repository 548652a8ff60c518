"""A claim through real histories: deployed, introduced, attempts, fix, target. The judge is as simple as can be.

It reads `from PATH import NAME` and asks whether the module's text has `NAME = `; a module that says `dynamic` is not
decidable. What the search does with such answers must not depend on who gives them.
"""

from collections.abc import Collection
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path

import pytest

from shared.adapters.compilers.best_compilers import LocalCompilers
from shared.adapters.git.repository import GitRepository
from shared.detection.entry import LogEntry
from shared.detection.incident import Incident
from shared.detection.logged_exception import Frame, LoggedException
from shared.detection.raised_exception import RaisedException
from shared.detection.signal import SignalKind
from shared.proof.claims.claim import Claim, ClaimFamily, ClaimState, ClaimVerdict
from shared.proof.claims.judges import build_tools
from shared.proof.claims.ports import ClaimJudge, ServiceModules
from shared.proof.claims.prove_claim import ClaimTools
from shared.proof.model.deployed_version import DeployedSource
from shared.proof.model.finding import Finding
from shared.proof.model.recommendation import ActionKind, Reason
from shared.proof.proof_context import ProofContext, ProofRequest
from shared.proof.prove_exception import prove_exception
from shared.report.report import build_report
from shared.workflow.prover import render_report
from tests.support.evidence_checker import find_unsupported_claims
from tests.support.history_builder import BODY, START, HistoryBuilder, commit_names, running_python

IMPORTER = f"{BODY}from quay.berths import find_berth\n"
LINE = IMPORTER.count("\n")
MODULE = f"{BODY}find_berth = None\n"
RENAMED = f"{BODY}locate_berth = None\n"


@dataclass
class TextJudge:
    """Judges by the text alone; `judged` counts."""

    families: Collection[ClaimFamily] = (ClaimFamily.IMPORT_NAME,)
    judged: list[str] = field(default_factory=list)

    def judge(self, claim: Claim, modules: ServiceModules) -> ClaimVerdict:
        self.judged.append(claim.path)
        lines = (modules.tree.read(claim.path) or b"").decode().splitlines()
        asking = [number for number, line in enumerate(lines, 1) if f"import {claim.name}" in line]
        path = f"{claim.module.replace('.', '/')}.py"
        text = (modules.tree.read(path) or b"").decode() if modules.tree.blob(path) else ""
        if not asking:
            return ClaimVerdict(ClaimState.HOLDS, "nothing asks for it")
        if "dynamic" in text:
            return ClaimVerdict(ClaimState.UNKNOWN, f"{path} is dynamic")
        if f"{claim.name} =" in text:
            return ClaimVerdict(ClaimState.HOLDS, f"{path} has it")
        return ClaimVerdict(ClaimState.FAILS, f"{path} lacks it", asking, "text")


def raise_import_error(line: int = LINE, at: int | None = None, path: str = "/app/main.py") -> Incident:
    """A failed start, logged `at` minutes after the first commit."""
    seen_at = None if at is None else START + timedelta(minutes=at)
    frames = (Frame(path, line, "<module>", "from quay.berths import find_berth"),)
    message = "cannot import name 'find_berth' from 'quay.berths' (/app/quay/berths.py)"
    exception = LoggedException("ImportError", message, frames)
    raised = RaisedException(exception, LogEntry(0, f"ImportError: {message}", seen_at, revision="r1"))
    return Incident(
        "0" * 16, SignalKind.FAILED_START, "desk", "test", "", "", (), (), seen_at, seen_at, 1, dated=True,
        raised=raised,
    )  # fmt: skip


def prove(
    history: HistoryBuilder, incident: Incident, monkeypatch: pytest.MonkeyPatch, judge: ClaimJudge, deployed: str = ""
) -> Finding:
    def tools(context: ProofContext, raised: RaisedException) -> ClaimTools:
        return ClaimTools({ClaimFamily.IMPORT_NAME: judge}, {}, build_tools(context, raised).open_modules)

    monkeypatch.setattr("shared.proof.prove_exception.build_tools", tools)
    with GitRepository(str(history.path)) as repository, LocalCompilers() as compilers:
        request = ProofRequest(fallback_python=running_python())
        given = repository.resolve(deployed) if deployed else None
        context = ProofContext(incident, repository, compilers, request, repository.branch(None), given, lambda _: None)
        finding = prove_exception(context)
    report = build_report(incident, finding)
    assert find_unsupported_claims(report) == []

    assert render_report(report)["body"]
    return finding


@pytest.fixture
def history(tmp_path: Path) -> HistoryBuilder:
    history = HistoryBuilder(tmp_path / "quay")
    history.commit("first", {"main.py": IMPORTER, "quay/__init__.py": "", "quay/berths.py": MODULE})
    history.commit("rename", {"quay/berths.py": RENAMED})
    return history


def test_introduction_attempt_fix_and_target(history: HistoryBuilder, monkeypatch: pytest.MonkeyPatch) -> None:
    history.commit("fix the import", {"quay/berths.py": f"{RENAMED}# the name was wrong\n"})
    history.commit("tidy up", {"quay/berths.py": f"{RENAMED}find_berth = locate_berth\n"})
    history.commit("later", {"README.md": "harbour\n"})
    history.write_repository()
    judge = TextJudge()
    finding = prove(history, raise_import_error(at=1), monkeypatch, judge)
    assert history.name_of(finding.deployed.commit.id if finding.deployed.commit else None) == "rename"
    assert finding.deployed.source is DeployedSource.INFERRED
    assert finding.introduced is not None
    assert finding.introduced.commit.subject == "rename"
    assert commit_names(finding.attempts) == ["fix the import"]
    assert finding.fix is not None
    assert finding.fix.commit.subject == "tidy up"
    assert finding.target is not None
    assert finding.target.commit.subject == "later"
    assert finding.recommendation.kind is ActionKind.REDEPLOY
    assert finding.claim is not None
    assert not finding.claim.is_witnessed_by_log
    assert len(judge.judged) < 12  # commits with the same inputs are not judged again


def test_a_log_that_came_after_the_fix_was_merged_is_about_an_older_state(
    history: HistoryBuilder, monkeypatch: pytest.MonkeyPatch
) -> None:
    history.commit("mend", {"quay/berths.py": f"{RENAMED}find_berth = locate_berth\n"})
    history.write_repository()
    finding = prove(history, raise_import_error(at=500), monkeypatch, TextJudge())
    assert finding.deployed.commit is not None
    assert finding.deployed.commit.subject == "rename"
    assert finding.fix is not None
    assert finding.fix.commit.subject == "mend"


def test_an_importer_that_was_renamed_is_followed_and_still_fails(
    history: HistoryBuilder, monkeypatch: pytest.MonkeyPatch
) -> None:
    history.commit("move", {"main.py": None, "app.py": IMPORTER})
    history.commit("mend", {"app.py": IMPORTER.replace("find_berth", "locate_berth")})
    history.write_repository()
    finding = prove(history, raise_import_error(at=1), monkeypatch, TextJudge())
    assert finding.fix is not None
    assert finding.fix.commit.subject == "mend"
    assert finding.fix.path == "app.py"


def test_the_introduction_is_found_behind_a_rename(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    history = HistoryBuilder(tmp_path / "quay")
    history.commit("first", {"start.py": IMPORTER, "quay/__init__.py": "", "quay/berths.py": MODULE})
    history.commit("rename", {"quay/berths.py": RENAMED})
    history.commit("move", {"start.py": None, "main.py": IMPORTER})
    history.write_repository()
    finding = prove(history, raise_import_error(), monkeypatch, TextJudge())
    assert finding.introduced is not None
    assert finding.introduced.commit.subject == "rename"
    assert finding.rollback is not None
    assert finding.rollback.commit.subject == "first"
    assert finding.recommendation.kind is ActionKind.ROLLBACK


def test_what_is_unknown_is_never_a_fix(history: HistoryBuilder, monkeypatch: pytest.MonkeyPatch) -> None:
    history.commit("make it dynamic", {"quay/berths.py": "dynamic = 1\n"})
    history.write_repository()
    finding = prove(history, raise_import_error(at=1), monkeypatch, TextJudge())
    assert finding.fix is None
    assert finding.target is None


def test_a_fix_on_a_side_branch_that_forked_before_comes_in_with_its_merge(
    history: HistoryBuilder, monkeypatch: pytest.MonkeyPatch
) -> None:
    history.commit("side", {"quay/berths.py": f"{MODULE}side = 1\n"}, "first")
    history.commit("merge", {"quay/berths.py": f"{RENAMED}find_berth = 1\nside = 1\n"}, "rename", "side")
    history.write_repository()
    finding = prove(history, raise_import_error(at=1), monkeypatch, TextJudge())
    assert finding.fix is not None
    assert finding.fix.commit.subject == "merge"


def test_the_log_is_the_witness_where_the_code_does_not_decide(
    history: HistoryBuilder, monkeypatch: pytest.MonkeyPatch
) -> None:
    history.commit("dynamic", {"quay/berths.py": "dynamic = 1\n"})
    history.commit("readme", {"README.md": "harbour\n"})
    history.commit("dynamic again", {"quay/berths.py": "dynamic = 2\n"})
    history.commit("mend", {"quay/berths.py": MODULE})
    history.write_repository()
    finding = prove(history, raise_import_error(at=3), monkeypatch, TextJudge(), deployed=history.ids["dynamic"])
    assert finding.claim is not None
    assert finding.claim.is_witnessed_by_log
    assert finding.fix is not None
    assert finding.fix.commit.subject == "mend"
    assert commit_names(finding.attempts) == ["dynamic"]  # the deployed one; of what is unknown nothing is said


def test_a_given_commit_at_which_it_holds_is_contradicted(
    history: HistoryBuilder, monkeypatch: pytest.MonkeyPatch
) -> None:
    history.write_repository()
    finding = prove(history, raise_import_error(at=1), monkeypatch, TextJudge(), deployed=history.ids["first"])
    assert finding.deployed.commit is not None
    assert finding.deployed.commit.subject == "rename"
    assert finding.deployed.conflict


def test_another_line_than_the_logged_one_is_no_corroboration(
    history: HistoryBuilder, monkeypatch: pytest.MonkeyPatch
) -> None:
    history.write_repository()
    finding = prove(history, raise_import_error(line=3, at=1), monkeypatch, TextJudge())
    assert finding.broken is None
    assert finding.recommendation.kind is ActionKind.NONE
    assert finding.recommendation.reason is not Reason.FIX_NOT_DEPLOYED


def test_a_fix_that_is_only_on_a_branch_is_named_and_not_proposed(
    history: HistoryBuilder, monkeypatch: pytest.MonkeyPatch
) -> None:
    history.commit("later", {"README.md": "harbour\n"})
    history.commit("mend on a branch", {"quay/berths.py": MODULE})
    history.write_repository(head="later", **{"refs/pull/7/head": "mend on a branch"})
    finding = prove(history, raise_import_error(at=1), monkeypatch, TextJudge())
    assert finding.fix is not None
    assert finding.fix.pull_request == 7
    assert finding.recommendation.reason is Reason.FIX_IN_PULL_REQUEST


def test_a_failure_that_only_moved_to_another_file_is_not_proposed(
    history: HistoryBuilder, monkeypatch: pytest.MonkeyPatch
) -> None:
    start = f"{BODY}import harbour\n"
    history.commit("move the import", {"main.py": start, "harbour.py": "from quay.berths import find_berth\n"})
    history.write_repository()
    finding = prove(history, raise_import_error(at=1), monkeypatch, TextJudge())
    assert (finding.fix, finding.target) == (None, None)


def test_a_fix_that_is_undone_before_its_branch_is_merged_is_none(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    history = HistoryBuilder(tmp_path / "repo")
    history.commit("start", {"main.py": IMPORTER, "quay/berths.py": MODULE})
    history.commit("rename", {"quay/berths.py": RENAMED})
    history.commit("side", {"quay/berths.py": MODULE})
    history.commit("undone", {"quay/berths.py": f"{RENAMED}side = 1\n"})
    history.commit("other", {"NOTES.md": "x"}, "rename")
    history.commit("merge", {"quay/berths.py": f"{RENAMED}side = 1\n"}, "other", "undone")
    history.commit("mended", {"quay/berths.py": f"{MODULE}side = 1\n"})
    history.write_repository()
    finding = prove(history, raise_import_error(at=1), monkeypatch, TextJudge(), history.ids["rename"])
    assert finding.fix is not None
    assert history.name_of(finding.fix.commit.id) == "mended"


@dataclass
class BuildReader(TextJudge):
    """Knows nothing where the build is dynamic."""

    def judge(self, claim: Claim, modules: ServiceModules) -> ClaimVerdict:
        verdict = super().judge(claim, modules)
        if b"dynamic" in (modules.tree.read("cloudbuild.yaml") or b""):
            return ClaimVerdict(ClaimState.UNKNOWN, "the build is dynamic")
        return verdict


def test_what_only_makes_the_code_decidable_is_no_fix(history: HistoryBuilder, monkeypatch: pytest.MonkeyPatch) -> None:
    """Which commit fixed it while nothing could be known stays open; the one that followed changed nothing of it."""
    history.commit("dynamic build", {"cloudbuild.yaml": "dynamic\n"})
    history.commit("fix", {"quay/berths.py": f"{RENAMED}find_berth = 1\n"})
    history.commit("plain build", {"cloudbuild.yaml": "plain\n"})
    history.commit("later", {"README.md": "harbour\n"})
    history.write_repository()
    finding = prove(history, raise_import_error(at=1), monkeypatch, BuildReader())
    assert finding.introduced is not None
    assert finding.introduced.commit.subject == "rename"
    assert finding.fix is None


def test_a_change_after_what_could_not_be_known_is_a_fix(
    history: HistoryBuilder, monkeypatch: pytest.MonkeyPatch
) -> None:
    history.commit("make it dynamic", {"quay/berths.py": "dynamic = 1\n"})
    history.commit("fix", {"quay/berths.py": f"{RENAMED}find_berth = 1\n"})
    history.write_repository()
    finding = prove(history, raise_import_error(at=1), monkeypatch, TextJudge())
    assert finding.fix is not None
    assert finding.fix.commit.subject == "fix"


def test_a_fix_that_the_branch_took_in_later_is_not_the_one_that_ended_the_failure(
    history: HistoryBuilder, monkeypatch: pytest.MonkeyPatch
) -> None:
    history.commit("side fix", {"quay/berths.py": f"{RENAMED}find_berth = 2\n"})
    history.commit("notes", {"README.md": "harbour\n"}, "rename")
    history.commit("fix", {"quay/berths.py": f"{RENAMED}find_berth = 1\n"})
    history.commit("more notes", {"README.md": "harbours\n"})
    history.commit("merge", {"quay/berths.py": f"{RENAMED}find_berth = 3\n"}, "more notes", "side fix")
    history.write_repository()
    finding = prove(history, raise_import_error(at=1), monkeypatch, TextJudge())
    assert finding.fix is not None
    assert finding.fix.commit.subject == "fix"
    assert finding.target is not None
    assert finding.target.commit.subject == "merge"
