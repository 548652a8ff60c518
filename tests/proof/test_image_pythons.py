"""A file that fails on the Python of one image may compile on that of another: histories in, breaks and fixes out."""

import json
from collections.abc import Mapping, Sequence

import pytest

from shared.adapters.checkers.ty_checker import TyChecker
from shared.adapters.compilers.best_compilers import LocalCompilers
from shared.adapters.git.repository import GitRepository
from shared.proof.declared.deployed_python import PythonFact, find_deployed_fact
from shared.proof.gating import image_pythons
from shared.proof.model.checker_report import CheckerReport
from shared.proof.model.finding import Finding, PythonChange
from shared.proof.model.recommendation import ActionKind, Reason
from shared.proof.model.target import CheckStatus
from shared.proof.proof_context import ProofRequest
from shared.proposal.proposal import Proposal
from shared.report.issue.body import render_issue_body
from shared.report.links import NO_LINKS
from shared.report.report_json import report_to_json
from shared.report.whys.why import WhyKey
from shared.service import Service
from shared.workflow.prover import find_objection, prove_and_report
from tests.support.history_builder import START as EPOCH
from tests.support.history_builder import (
    HistoryBuilder,
    commit_names,
    make_incident,
    make_sighting,
    prove_incident,
    valid_source,
)

NESTED_QUOTES = 'parts = {"a": 1}\n\nline = f"{parts["a"]}"\n'
"""Legal from Python 3.12 on (PEP 701); before, it fails on line 3."""
NO_BRACKETS = "try:\n    pass\nexcept KeyError, ValueError:\n    pass\n"
"""Legal from Python 3.14 on (PEP 758)."""


def _dockerfile(python: str) -> str:
    return f"FROM python:{python}-slim\nWORKDIR /app\nCOPY . .\nCMD python main.py\n"


def _start(story: HistoryBuilder, python: str, relay: str) -> None:
    story.commit("start", {"Dockerfile": _dockerfile(python), "main.py": "import relay\n", "relay.py": relay})


def _prove(story: HistoryBuilder, compilers: LocalCompilers, deployed: str, logged_python: str = "") -> Finding:
    story.write_repository()
    request = ProofRequest(deployed=story.ids[deployed], python=logged_python or None, fallback_python="3.8")
    return prove_incident(story.path, make_incident("/app/relay.py", make_sighting(3)), compilers, request)


def test_an_image_with_a_newer_python_is_the_fix(story: HistoryBuilder, compilers: LocalCompilers) -> None:
    _start(story, "3.11", valid_source())
    story.commit("break", {"relay.py": NESTED_QUOTES})
    story.commit("attempt", {"relay.py": NESTED_QUOTES + "# fixed\n"})
    story.commit("newer image", {"Dockerfile": _dockerfile("3.12")})
    story.commit("later", {"notes.txt": "1\n"})
    proof = _prove(story, compilers, "break")
    assert proof.introduced is not None
    assert proof.introduced.commit.id == story.ids["break"]
    assert commit_names(proof.attempts) == ["attempt"]
    assert proof.fix is not None
    assert (proof.fix.commit.id, proof.fix.path) == (story.ids["newer image"], "relay.py")
    assert proof.fix.python_change == PythonChange("3.11", "3.12", "Dockerfile, line 1: FROM python:3.12-slim")
    assert proof.target is not None
    assert proof.target.commit.id == story.ids["later"]
    assert proof.recommendation.kind is ActionKind.REDEPLOY


def test_the_report_names_the_python_and_its_line(story: HistoryBuilder, compilers: LocalCompilers) -> None:
    _start(story, "3.12", NESTED_QUOTES)
    story.commit("older image", {"Dockerfile": _dockerfile("3.11")})
    story.commit("newer image", {"Dockerfile": _dockerfile("3.12")})
    story.write_repository()
    request = ProofRequest(deployed=story.ids["older image"], fallback_python="3.8")
    incident = make_incident("/app/relay.py", make_sighting(3))
    with GitRepository(str(story.path)) as history:
        report = prove_and_report(incident, history, compilers, request)
    printed = json.loads(json.dumps(report_to_json(report)))
    older, newer = printed["introduced"]["python_change"], printed["fix"]["python_change"]
    assert older == {"before": "3.12", "after": "3.11", "source": "Dockerfile, line 1: FROM python:3.11-slim"}
    assert newer == {"before": "3.11", "after": "3.12", "source": "Dockerfile, line 1: FROM python:3.12-slim"}
    whys = {why.key: why.answer for why in report.whys}
    facts = [evidence.text for evidence in report.evidence]
    for text in (whys[WhyKey.NOT_DEPLOYED], render_issue_body(report, NO_LINKS)):
        assert "FROM python:3.12-slim" in text
    assert "FROM python:3.11-slim" in whys[WhyKey.INTRODUCED]
    assert sum("FROM python:3.12-slim" in text for text in facts) == 1


def test_an_image_that_went_back_ends_the_fix(story: HistoryBuilder, compilers: LocalCompilers) -> None:
    _start(story, "3.11", valid_source())
    story.commit("break", {"relay.py": NESTED_QUOTES})
    story.commit("newer image", {"Dockerfile": _dockerfile("3.12")})
    story.commit("older image", {"Dockerfile": _dockerfile("3.11")})
    proof = _prove(story, compilers, "break")
    assert proof.fix is not None
    assert proof.fix.commit.id == story.ids["newer image"]
    assert proof.target is not None
    assert proof.target.commit.id == story.ids["newer image"]
    assert [refused.gate for refused in proof.refused_commits] == ["incident_file"]


def test_a_fix_in_the_file_needs_no_other_python(story: HistoryBuilder, compilers: LocalCompilers) -> None:
    _start(story, "3.11", valid_source())
    story.commit("break", {"relay.py": NESTED_QUOTES})
    story.commit("fix", {"relay.py": valid_source(1)})
    story.commit("newer image", {"Dockerfile": _dockerfile("3.12")})
    proof = _prove(story, compilers, "break")
    assert proof.fix is not None
    assert (proof.fix.commit.id, proof.fix.python_change) == (story.ids["fix"], None)
    assert proof.target is not None
    assert proof.target.commit.id == story.ids["newer image"]


def test_a_change_of_file_and_image_is_a_fix_by_the_image(story: HistoryBuilder, compilers: LocalCompilers) -> None:
    """The file still fails on the deployed Python, so that the image decides."""
    _start(story, "3.11", valid_source())
    story.commit("break", {"relay.py": NESTED_QUOTES})
    story.commit("both", {"relay.py": NESTED_QUOTES + "x = 1\n", "Dockerfile": _dockerfile("3.12")})
    proof = _prove(story, compilers, "break")
    assert proof.fix is not None
    assert proof.fix.commit.id == story.ids["both"]
    assert proof.fix.python_change is not None


def test_a_requirement_builds_no_image(story: HistoryBuilder, compilers: LocalCompilers) -> None:
    requirement = '[project]\nname = "relay"\nrequires-python = ">={}"\n'
    story.commit("start", {"pyproject.toml": requirement.format("3.11"), "main.py": "import relay\n"})
    story.commit("break", {"relay.py": NESTED_QUOTES})
    story.commit("newer requirement", {"pyproject.toml": requirement.format("3.12")})
    proof = _prove(story, compilers, "break")
    assert proof.broken is not None
    assert proof.broken.compiles_on
    assert proof.fix is None


def test_an_image_that_did_not_run_fixes_nothing(story: HistoryBuilder, compilers: LocalCompilers) -> None:
    """The service ran on 3.10, and no file says so: nothing is known of what the next image has."""
    _start(story, "3.11", valid_source())
    story.commit("break", {"relay.py": NESTED_QUOTES})
    story.commit("newer image", {"Dockerfile": _dockerfile("3.12")})
    proof = _prove(story, compilers, "break", logged_python="3.10")
    assert proof.deployed.python == "3.10"
    assert proof.fix is None


def test_an_image_with_an_older_python_is_the_break(story: HistoryBuilder, compilers: LocalCompilers) -> None:
    _start(story, "3.12", valid_source())
    story.commit("quotes", {"relay.py": NESTED_QUOTES})
    story.commit("unrelated", {"notes.txt": "1\n"})
    story.commit("older image", {"Dockerfile": _dockerfile("3.11")})
    story.commit("attempt", {"relay.py": NESTED_QUOTES + "# fixed\n"})
    proof = _prove(story, compilers, "attempt")
    assert proof.introduced is not None
    assert proof.introduced.commit.id == story.ids["older image"]
    assert proof.introduced.python_change == PythonChange("3.12", "3.11", "Dockerfile, line 1: FROM python:3.11-slim")
    assert commit_names(proof.attempts) == ["attempt"]
    assert proof.rollback is not None
    assert proof.rollback.commit.id == story.ids["unrelated"]
    assert proof.recommendation.reason is Reason.EARLIER_COMMIT_GOOD


def test_a_file_that_came_broken_stays_the_break(story: HistoryBuilder, compilers: LocalCompilers) -> None:
    """The image had another Python when the file was written, and the file failed on that one, too."""
    _start(story, "3.10", valid_source())
    story.commit("quotes", {"relay.py": NESTED_QUOTES})
    story.commit("newer image", {"Dockerfile": _dockerfile("3.11")})
    proof = _prove(story, compilers, "newer image")
    assert proof.introduced is not None
    assert (proof.introduced.commit.id, proof.introduced.python_change) == (story.ids["quotes"], None)


def test_every_loaded_file_must_compile_on_the_new_python(story: HistoryBuilder, compilers: LocalCompilers) -> None:
    _start(story, "3.11", valid_source())
    story.commit("break", {"relay.py": NESTED_QUOTES})
    story.commit("newer image", {"Dockerfile": _dockerfile("3.12")})
    story.commit("too new", {"main.py": f"import relay\n{NO_BRACKETS}"})
    proof = _prove(story, compilers, "break")
    assert proof.target is not None
    assert proof.target.commit.id == story.ids["newer image"]
    assert [refused.gate for refused in proof.refused_commits] == ["own_python"]


def test_the_gates_do_not_ask_the_python_that_is_left(story: HistoryBuilder, compilers: LocalCompilers) -> None:
    """What a later commit writes for its own image is no reason against it."""
    _start(story, "3.11", valid_source())
    story.commit("break", {"relay.py": "def broken(:\n\nx = 1\n"})
    story.commit("fix", {"relay.py": valid_source(1)})
    story.commit("moves on", {"Dockerfile": _dockerfile("3.12"), "main.py": f"import relay\n{NESTED_QUOTES}"})
    story.write_repository()
    request = ProofRequest(deployed=story.ids["break"], fallback_python="3.8")
    proof = prove_incident(story.path, make_incident("/app/relay.py", make_sighting(1)), compilers, request)
    assert proof.target is not None
    assert proof.target.commit.id == story.ids["moves on"]


@pytest.mark.parametrize(("target", "is_objected"), [("newer image", False), ("older image", True)])
def test_the_last_check_before_a_deployment_judges_by_the_image(
    story: HistoryBuilder, compilers: LocalCompilers, target: str, *, is_objected: bool
) -> None:
    _start(story, "3.11", valid_source())
    story.commit("break", {"relay.py": NESTED_QUOTES})
    story.commit("newer image", {"Dockerfile": _dockerfile("3.12")})
    story.commit("older image", {"Dockerfile": _dockerfile("3.11")})
    story.write_repository()
    proposal = Proposal(
        id="p", incident="i", service="s", kind=ActionKind.REDEPLOY, commit=story.ids[target],
        deployed=story.ids["break"], revision="r1", fix=story.ids["newer image"], python="3.11", broken=("relay.py",),
        evidence_hash="", expires_at=EPOCH,
    )  # fmt: skip
    service = Service("chat", "p", "europe-west1", str(story.path), "C1", branch="main")
    with GitRepository(str(story.path)) as history:
        objection = find_objection(proposal, service, history, compilers, lambda _: CheckStatus.UNKNOWN)
    assert bool(objection) is is_objected


def test_one_walk_reads_the_declarations_of_a_long_branch(
    story: HistoryBuilder, compilers: LocalCompilers, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Commits that touch no declaration and not the file cost nothing."""
    _start(story, "3.11", valid_source())
    story.commit("break", {"relay.py": NESTED_QUOTES})
    for number in range(60):
        story.commit(f"c{number}", {"notes.txt": f"{number}\n"})
    story.commit("newer image", {"Dockerfile": _dockerfile("3.12")})
    texts_read: list[str] = []

    def find_counted(files: Mapping[str, str], path: str, dockerfile: str = "") -> PythonFact | None:
        texts_read.extend(files.values())
        return find_deployed_fact(files, path, dockerfile)

    monkeypatch.setattr(image_pythons, "find_deployed_fact", find_counted)
    proof = _prove(story, compilers, "break")
    assert proof.fix is not None
    assert proof.fix.commit.id == story.ids["newer image"]
    assert texts_read == [_dockerfile("3.11"), _dockerfile("3.12")]


def test_a_version_that_was_sound_on_its_own_image_was_not_what_ran(
    story: HistoryBuilder, compilers: LocalCompilers
) -> None:
    """Nothing names the deployed commit, and the log fits the file since it was written, on another Python."""
    _start(story, "3.12", valid_source())
    story.commit("quotes", {"relay.py": NESTED_QUOTES})
    story.commit("older image", {"Dockerfile": _dockerfile("3.11")})
    story.write_repository()
    proof = prove_incident(
        story.path, make_incident("/app/relay.py", make_sighting(3)), compilers, ProofRequest(fallback_python="3.8")
    )
    assert proof.introduced is not None
    assert proof.introduced.commit.id == story.ids["older image"]
    assert proof.rollback is not None
    assert proof.rollback.commit.id == story.ids["quotes"]


@pytest.mark.parametrize(
    "newer",
    [
        "ARG PY=3.12\nFROM python:${PY}-slim\nCOPY . .\nCMD python main.py\n",
        f"FROM python:3.12-slim@sha256:{'0' * 64}\nCOPY . .\nCMD python main.py\n",
        "FROM python:3.12-slim\nRUN uv sync\nCOPY . .\nCMD python main.py\n",
        "FROM python:3.12-slim\nENV UV_PYTHON=3.11\nCOPY . .\nCMD python main.py\n",
        "FROM python:3.11-slim AS prod\nCOPY . .\nFROM python:3.12-slim\nCOPY . .\nCMD python main.py\n",
        "FROM python:3.11 AS build\nFROM python:3.12-slim\nCOPY --from=build /opt /opt\nCOPY . .\nCMD python main.py\n",
    ],
)
def test_an_image_that_may_run_another_python_fixes_nothing(
    story: HistoryBuilder, compilers: LocalCompilers, newer: str
) -> None:
    _start(story, "3.11", valid_source())
    story.commit("break", {"relay.py": NESTED_QUOTES})
    story.commit("newer image", {"Dockerfile": newer})
    assert _prove(story, compilers, "break").fix is None


@pytest.mark.parametrize(
    "source",
    [
        "import relay\nimport imp\n",
        "import relay\nimport inspect\ninspect.getargspec\n",
        "import sys\nimport relay\nif sys.version_info >= (3, 12):\n    from relay import missing\n",
    ],
)
def test_what_the_new_python_lacks_refuses_a_target(
    story: HistoryBuilder, compilers: LocalCompilers, source: str
) -> None:
    story.commit("start", {"Dockerfile": _dockerfile("3.10"), "main.py": source, "relay.py": valid_source()})
    story.commit("break", {"relay.py": NESTED_QUOTES})
    story.commit("newer image", {"Dockerfile": _dockerfile("3.12")})
    proof = _prove(story, compilers, "break", logged_python="3.10")
    assert proof.fix is not None
    assert proof.target is None
    assert [refused.gate for refused in proof.refused_commits] == ["own_python"]


def test_what_the_checker_does_not_answer_for_the_old_python_is_no_loss(
    story: HistoryBuilder, compilers: LocalCompilers, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It does not know what the image installs: without the other answer that would look like a loss."""
    check = TyChecker.check

    def check_new(
        self: TyChecker, files: Mapping[str, bytes], python: str, roots: Sequence[str], judged: Sequence[str]
    ) -> CheckerReport:
        answer = check(self, files, python, roots, judged)
        return answer if python == "3.12" else CheckerReport("ty", failure_reason="took too long")

    monkeypatch.setattr(TyChecker, "check", check_new)
    _start(story, "3.11", valid_source())
    story.commit("break", {"relay.py": NESTED_QUOTES + "import harbour_client\n"})
    story.commit("newer image", {"Dockerfile": _dockerfile("3.12")})
    proof = _prove(story, compilers, "break")
    assert proof.target is not None
    assert proof.target.commit.id == story.ids["newer image"]
