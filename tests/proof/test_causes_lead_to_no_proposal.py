"""No failure of the table of causes leads to a proposal: whatever its class, no proof carries one."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from shared.config.settings import read_settings
from shared.detection.causes.cause import PROFILES, CauseClass
from shared.local_sources import open_local_compilers, open_local_history
from shared.proof.model.ports import Compilers, History
from shared.proof.model.recommendation import ActionKind, Reason
from shared.proof.proof_context import ProofRequest
from shared.report.issue.body import format_issue_title, render_issue_body
from shared.report.report import Report, report_incidents
from shared.report.report_json import report_to_json
from tests.support.cause_table import SAMPLES, CauseSample, make_sample_entries
from tests.support.evidence_checker import extract_figures, find_unsupported_claims
from tests.support.history_builder import HistoryBuilder, running_python
from tests.support.tied_logs import incidents_of

_FILES = {
    "Dockerfile": "FROM python:3.11-slim\nWORKDIR /app\nCOPY . .\nCMD python main.py\n",
    "main.py": '"""The ferry."""\n\nimport ferry.berths\n\n\nBERTHS = ferry.berths\n',
    "ferry/__init__.py": "",
    "ferry/settings.py": "URL = 1\n",
    "ferry/berths.py": "".join(f"LINE_{number} = {number}\n" for number in range(60)),
}


@pytest.fixture(scope="module")
def repository(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A service whose files are as sound as files can be."""
    history = HistoryBuilder(tmp_path_factory.mktemp("ferry") / "repository.git")
    history.commit("berths", _FILES)
    history.write_repository()
    return history.path


@pytest.fixture(scope="module")
def proof_ports(repository: Path) -> Iterator[tuple[History, Compilers]]:
    with open_local_history(str(repository)) as history, open_local_compilers(read_settings()) as compilers:
        yield history, compilers


def report_of(sample: CauseSample, ports: tuple[History, Compilers]) -> Report:
    request = ProofRequest(fallback_python=running_python())
    [report] = report_incidents(incidents_of(make_sample_entries(sample)), *ports, request, lambda _: None)
    return report


@pytest.mark.parametrize("sample", SAMPLES, ids=lambda sample: sample.name)
def test_nothing_is_proposed_and_the_next_step_is_told(
    sample: CauseSample, proof_ports: tuple[History, Compilers]
) -> None:
    report = report_of(sample, proof_ports)
    proof, profile = report.proof, PROFILES[sample.cause_class]
    assert (proof.recommendation.kind, proof.target, proof.rollback) == (ActionKind.NONE, None, None)
    cause = report_to_json(report)["cause"]
    assert isinstance(cause, dict)
    assert (cause["class"], cause["mends"], bool(cause["evidence"])) == (sample.cause_class, profile.mends, True)
    if sample.cause_class is not CauseClass.UNKNOWN:
        assert profile.mends in "".join(why.answer for why in report.whys)
    body = render_issue_body(report)
    assert ("Who can act" in body) is (sample.cause_class is not CauseClass.UNKNOWN)
    assert format_issue_title(report)
    quoted = {figure for _, figure in extract_figures(" ".join(sample.texts))}  # `once`, `zero` in an exception's words
    assert [claim for claim in find_unsupported_claims(report) if claim.about not in quoted] == []


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("key", Reason.CLOSE_1011_UNPROVEN),
        ("environ", Reason.NO_DEPLOYMENT_MENDS),
        ("redis", Reason.NO_DEPLOYMENT_MENDS),
        ("own module", Reason.FAILED_START_UNPROVEN),
        ("sentence alone", Reason.FAILED_START_WITHOUT_CAUSE),
        ("close alone", Reason.CLOSE_1011_WITHOUT_CAUSE),
        ("gemini live", Reason.CLOSED_BY_OTHER_END),
        ("keepalive", Reason.KEEPALIVE_TIMEOUT),
        ("memory", Reason.NO_DEPLOYMENT_MENDS),
    ],
)
def test_the_reason_names_what_kind_of_answer_it_is(
    name: str, reason: Reason, proof_ports: tuple[History, Compilers]
) -> None:
    sample = next(sample for sample in SAMPLES if sample.name == name)
    assert report_of(sample, proof_ports).proof.recommendation.reason is reason
