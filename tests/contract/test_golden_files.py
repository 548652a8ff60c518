"""The issue and the message of the night's incident, kept as files: to be read by eye, and held to what is made today.

So are the whys of all other shapes (`tests/unit/test_whys.py` compares them).

`python -m tests.contract.test_golden_files` writes them anew.
"""

import json
import re
import sys
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from functions.cli.investigate import investigate_log
from functions.demo import (
    Flavour,
    Shape,
    StartupStoryName,
    build_incident,
    build_startup_incident,
    write_incident_log,
    write_startup_log,
)
from shared.proof.proof_context import ProofRequest
from shared.proposal.proposal import Proposal
from shared.proposal.question import build_question
from shared.report.incident_status import render_status_block
from shared.report.issue.body import format_issue_title, render_issue_body
from shared.report.report import Report
from shared.report.report_json import report_to_json
from shared.service import Service
from shared.text.phrases import short_sha
from shared.workflow.effects import IssueContent
from shared.workflow.flow import IncidentState
from shared.workflow.issue.issue_updates import COMMANDS_HINT, describe_question
from tests.support.github.server import REPOSITORY
from tests.support.history_builder import running_python
from tests.support.hostile_report import hostile_report
from tests.support.hostile_texts import HOSTILE_TEXTS
from tests.support.links import build_links
from tests.support.notices import NAMES, render_notices
from tests.support.proof_samples import SHAPES, build_sample_report
from tests.support.slack.questions import PROPOSAL, SERVICE, render_all_messages
from tests.support.slack.rendering import render_message
from tests.support.slack.type_check import parse_diagrams
from tests.support.whys_listing import render_whys

GOLDEN = Path(__file__).parents[1] / "golden"
_DIAGRAM = re.compile(r"```mermaid\n(.*?)\n```", re.DOTALL)


def of_the_night(folder: Path) -> Report:
    story = build_incident(folder / "repository.git", flavour=Flavour.FSTRING)
    log = write_incident_log(story, folder / "log", Shape.GCLOUD)
    [report] = investigate_log(
        str(story.path),
        str(log),
        ProofRequest(fallback_python=running_python(), wants_alternative=True),
        ("", ""),
        lambda _: None,
    )
    return report


def render_startup_files(folder: Path) -> dict[str, str]:
    """What is kept of the services that do not start: the issue, the message and the report of each."""
    made: dict[str, str] = {}
    for name in StartupStoryName:
        story = build_startup_incident(folder / f"{name}.git", name)
        log = write_startup_log(story, folder / f"{name}.log")
        request = ProofRequest(fallback_python="3.11", wants_alternative=True)
        [report] = investigate_log(str(story.path), str(log), request, ("", ""), lambda _: None)
        made |= {f"startup_{name}_{file}": text for file, text in files(report).items()}
        told = json.dumps(report_to_json(report), indent=2, ensure_ascii=False)
        made[f"startup_{name}_report.json"] = f"{told}\n"
    return made


def files(report: Report) -> dict[str, str]:
    """What is kept, by file name. Which patch release of Python judged is not."""
    assert report.incident.last_seen is not None
    commit = report.proof.target.commit.id if report.proof.target else ""
    proposal = replace(PROPOSAL, commit=commit, expires_at=report.incident.last_seen + timedelta(hours=6))
    service = replace(SERVICE, name=report.incident.service, environment=report.incident.environment)
    sent = json.dumps(
        render_message(service, build_question(report, proposal, f"https://github.com/{REPOSITORY}/issues/12")),
        indent=2,
        ensure_ascii=False,
    )
    told = f"# {format_issue_title(report)}\n\n{issue(report, proposal, service)}"
    made = {"incident.md": told, "message.json": f"{sent}\n"}
    return {name: re.sub(r"cpython-(3\.\d+)\.\d+", r"cpython-\1.x", text) for name, text in made.items()}


def issue(report: Report, proposal: Proposal, service: Service) -> str:
    """As it stands while a decision is awaited."""
    incident, proof = report.incident, report.proof
    assert incident.first_seen is not None
    assert proof.introduced is not None
    assert proof.fix is not None
    assert proof.target is not None
    requests = {proof.introduced.commit.id: 41, proof.fix.commit.id: 44, proof.target.commit.id: 47}
    detected = incident.first_seen + timedelta(seconds=15)
    since = [("failing", incident.first_seen), ("detected", detected), ("proposed", detected + timedelta(seconds=50))]
    commits = (proof.introduced.commit, proof.fix.commit, proof.target.commit)
    logins = {commit.id: commit.author.lower().replace(" ", "-") for commit in commits}
    links = build_links(requests, incident.service, incident.environment, logins)
    part = render_status_block(
        "\n".join(describe_question(proposal, service)),
        urgent=True,
        milestones=since,
        hint=COMMANDS_HINT,
        state=IncidentState.PROPOSED.value,
        commit_link=(short_sha(proposal.commit), links.commit(proposal.commit)),
    )
    body = render_issue_body(report, links)
    return IssueContent(f"{incident.fingerprint}-1", "", f"{part}\n\n{body}").body_with_marker


def test_they_are_what_is_made_today(tmp_path: Path) -> None:
    report = of_the_night(tmp_path)
    assert report.proof.broken is not None
    if not report.proof.broken.checked_by.startswith("cpython-3.11"):
        pytest.skip("the files were made with a real Python 3.11, which this machine lacks")
    for name, text in files(report).items():
        assert text == (GOLDEN / name).read_text("utf-8")


def test_what_nobody_can_deploy_is_told_as_in_the_files_that_are_kept(tmp_path: Path) -> None:
    assert render_notices(tmp_path) == {
        path.name: path.read_text("utf-8") for path in sorted(GOLDEN.glob("notice_*"), key=_by_rendering_order)
    }


def test_services_that_do_not_start_are_told_as_in_the_files_that_are_kept(tmp_path: Path) -> None:
    assert render_startup_files(tmp_path) == {path.name: path.read_text("utf-8") for path in GOLDEN.glob("startup_*")}


def test_the_line_of_the_ignore_file_is_what_broke_and_what_introduced_the_failure() -> None:
    told = json.loads((GOLDEN / "startup_image_report.json").read_text("utf-8"))
    places = [
        (told[part]["path"], told[part][line]) for part, line in (("broken", "line"), ("introduced", "first_line"))
    ]
    assert places == [(".dockerignore", 5), (".dockerignore", 5)]
    assert told["fix"]["path"] == ".dockerignore"


def _by_rendering_order(path: Path) -> tuple[int, bool]:
    return [*NAMES].index(path.stem.removeprefix("notice_")), path.suffix == ".json"


def diagram(report: Report) -> str:
    found = _DIAGRAM.search(render_issue_body(report))
    assert found is not None
    return found[1]


def test_mermaid_itself_takes_every_diagram() -> None:
    sources = [diagram(build_sample_report(shape)) for shape in SHAPES]
    sources += [diagram(hostile_report(payload)) for payload in HOSTILE_TEXTS]
    told = dict(zip(sources, parse_diagrams(sources), strict=True))
    assert {source: answer for source, answer in told.items() if answer != "sequence"} == {}


def test_mermaid_would_object() -> None:
    assert parse_diagrams(["sequenceDiagram\n    bogus !!"])[0].startswith("refused: Parse error")


if __name__ == "__main__":
    with TemporaryDirectory() as made:
        kept = {"whys.md": render_whys(), "messages.txt": render_all_messages(), **render_notices(Path(made))}
        kept |= render_startup_files(Path(made))
        for name, text in {**files(of_the_night(Path(made))), **kept}.items():
            (GOLDEN / name).write_text(text, "utf-8")
            sys.stdout.write(f"{GOLDEN / name}\n")
