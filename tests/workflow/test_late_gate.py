"""The gate before a deployment judges the image that the proof judged: the files of a traceback go with a proposal."""

from dataclasses import replace
from pathlib import Path

import pytest

from shared.adapters.compilers.best_compilers import LocalCompilers
from shared.adapters.git.repository import GitRepository
from shared.proof.model.finding import Finding, LoadedSummary
from shared.proof.model.recommendation import ActionKind
from shared.proof.model.target import CheckStatus
from shared.proof.proof_context import ProofRequest
from shared.proposal.proposal import Proposal
from shared.report.report import Report, build_report
from shared.service import Service
from shared.workflow.investigate_incident import ensure_evidence
from shared.workflow.prover import Prover, find_objection
from shared.workflow.record import record_log_entry
from shared.workflow.records import incident_record, proposals
from tests.support.commit_graph import ScriptedProver
from tests.support.harness import Harness, syntax_error
from tests.support.history_builder import (
    START,
    HistoryBuilder,
    broken_source,
    make_incident,
    make_sighting,
    prove_incident,
    running_python,
    valid_source,
)

TRACEBACK = """Traceback (most recent call last):
  File "/app/main.py", line 1, in <module>
    import handlers
  File "/app/mail_only.py", line 1, in <module>
    import common.core
  File "/app/common/core.py", line 5
    oops = = 1
SyntaxError: invalid syntax"""


def _image(name: str) -> dict[str, str]:
    """A service of a monorepo; both load `common`."""
    copies = f"COPY services/{name} /app\nCOPY libs/common /app/common\n"
    return {
        f"services/{name}/Dockerfile": (
            f"FROM python:{running_python()}-slim\nWORKDIR /app\n{copies}CMD python main.py\n"
        ),
        f"services/{name}/main.py": f"import {name}_only\nimport common.core\n",
        f"services/{name}/{name}_only.py": valid_source(),
    }


@pytest.fixture
def story(tmp_path: Path) -> HistoryBuilder:
    story = HistoryBuilder(tmp_path / "repo.git")
    files = {**_image("chat"), **_image("mail"), "libs/common/__init__.py": "", "libs/common/core.py": valid_source()}
    story.commit("start", files)
    story.commit("break", {"libs/common/core.py": broken_source(5)})
    story.commit("fix", {"libs/common/core.py": valid_source(1)})
    story.commit("breaks mail", {"services/mail/mail_only.py": broken_source(3)}, "fix")
    story.commit(
        "breaks chat", {"services/chat/chat_only.py": broken_source(3), "services/mail/mail_only.py": valid_source(2)}
    )
    return story


def _late(story: HistoryBuilder, compilers: LocalCompilers, name: str, traced: tuple[str, ...]) -> str:
    proposal = Proposal(
        id="p", incident="i", service="s", kind=ActionKind.REDEPLOY,
        commit=story.ids[name], deployed=story.ids["break"],
        revision="r1", fix=story.ids["fix"], python=running_python(), broken=("libs/common/core.py",), evidence_hash="",
        expires_at=START, traced=traced,
    )  # fmt: skip
    served = Service("mail", "p", "europe-west1", str(story.path), "C1", branch="main")
    with GitRepository(str(story.path)) as history:
        return find_objection(proposal, served, history, compilers, lambda _: CheckStatus.UNKNOWN)


def test_what_the_traceback_named_tells_the_late_gate_which_image_counts(
    story: HistoryBuilder, compilers: LocalCompilers
) -> None:
    story.write_repository()
    mail = ("services/mail/mail_only.py",)
    assert "services/mail/mail_only.py" in _late(story, compilers, "breaks mail", mail)
    assert _late(story, compilers, "breaks chat", mail) == ""


def test_the_proof_tells_the_files_that_the_traceback_named(story: HistoryBuilder, compilers: LocalCompilers) -> None:
    story.write_repository()
    seen = make_sighting(5)
    logged = replace(seen, first=replace(seen.first, text=TRACEBACK))
    request = ProofRequest(deployed=story.ids["break"], fallback_python=running_python(), python=running_python())
    proof = prove_incident(story.path, make_incident("/app/common/core.py", logged), compilers, request)
    assert proof.loaded_summary is not None
    assert proof.loaded_summary.image == "services/mail/Dockerfile"
    assert "services/mail/mail_only.py" in proof.loaded_summary.traced


def _with_traced(report: Report, traced: tuple[str, ...]) -> Report:
    loading = LoadedSummary("what Dockerfile starts", "", "Dockerfile", is_exact=True, file_count=2, traced=traced)
    proof: Finding = replace(report.proof, loaded_summary=loading)
    return build_report(report.incident, proof)


def test_they_are_stored_with_the_proposal() -> None:
    harness, known, traced = Harness(), ScriptedProver(), ("chat/a.py", "chat/b.py")
    prover: Prover = known.prover()
    context = harness.start_process()
    context = replace(
        context,
        prover=replace(prover, prove_and_report=lambda *asked: _with_traced(prover.prove_and_report(*asked), traced)),
    )
    record = incident_record.require_incident(
        context, record_log_entry(context, harness.log_entry(syntax_error())).incident
    )
    service = harness.services[record.service]
    proposal = proposals.create_proposal(context, service, record, ensure_evidence(context, service, record))
    assert proposal is not None
    assert proposal.traced == traced
