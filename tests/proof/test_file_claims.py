"""Histories in which a file that the service opens is not in its image: what took it away, what brings it back."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from shared.adapters.compilers.best_compilers import LocalCompilers
from shared.adapters.git.repository import GitRepository
from shared.detection.entry import LogEntry
from shared.detection.incident import Incident
from shared.detection.logged_exception import Frame, LoggedException
from shared.detection.raised_exception import RaisedException
from shared.detection.signal import SignalKind
from shared.proof.claims.claim import Claim, ClaimFamily, ClaimState
from shared.proof.claims.files.file_judge import FileJudge
from shared.proof.claims.importing.image_layout import TracedFiles
from shared.proof.claims.read_claim import read_claim
from shared.proof.claims.service_modules import open_service_modules
from shared.proof.loading.commit_tree import CommitTree
from shared.proof.model.finding import Finding
from shared.proof.model.recommendation import ActionKind
from shared.proof.proof_context import ProofContext, ProofRequest
from shared.proof.prove_exception import prove_exception
from shared.report.report import build_report
from shared.workflow.prover import render_report
from tests.support.evidence_checker import find_unsupported_claims
from tests.support.history_builder import HistoryBuilder, commit_names, running_python

Files = Mapping[str, str | bytes | None]
DOCKERFILE = "FROM python:3.11-slim\nWORKDIR /app\nCOPY . .\nCMD uvicorn pier.main:app\n"
MAIN = "pier/main.py"
OPENING = "import json\n\nTIDES = json.load(open('data/tides.json'))\n"
CONSTANT = (
    "from pathlib import Path\n\nTABLE = Path(__file__).parent.parent / 'data' / 'tides.json'\n"
    "TIDES = TABLE.read_text()\n"
)
RENDERING = (
    "from fastapi.templating import Jinja2Templates\n\npages = Jinja2Templates(directory='pier/templates')\n"
    "START = pages.get_template('start.html')\n"
)
FLASK = (
    "from flask import Flask, render_template\n\napp = Flask(__name__)\n\n\ndef start():\n"
    "    return render_template('start.html')\n"
)
DJANGO = FLASK.replace("'start.html'", "'pier/start.html'")
START: Files = {"Dockerfile": DOCKERFILE, "pier/__init__.py": "", MAIN: OPENING, "data/tides.json": "[]\n"}
PAGES: Files = {"Dockerfile": DOCKERFILE, "pier/__init__.py": "", MAIN: RENDERING, "pier/templates/start.html": "<p>\n"}
BUILDPACK: Files = {"Procfile": "web: python main.py\n", "requirements.txt": "", "main.py": OPENING}


@dataclass(frozen=True, slots=True)
class Story:
    """Commits in their order; `missing` is what the log misses, asked for in `line` of `path`."""

    commits: tuple[tuple[str, Files], ...]
    missing: str = "data/tides.json"
    line: int = 3
    path: str = MAIN
    function: str = "<module>"
    error: str = "FileNotFoundError"
    inner: tuple[str, ...] = ()
    """The files of the frames below it."""
    broken_path: str = MAIN
    attempts: list[str] = field(default_factory=lambda: ["attempt"])


STORIES = {
    "renamed in the tree": Story((
        ("start", START),
        ("break", {"data/tides.json": None, "data/tides-2.json": "[]\n"}),
        ("attempt", {MAIN: OPENING + "# fix: the table is read\n"}),
        ("fix", {MAIN: OPENING.replace("tides.json", "tides-2.json")}),
    )),
    "a constant that an opening uses": Story(
        (
            ("start", {**START, MAIN: CONSTANT}),
            ("break", {"data/tides.json": None, "tables/tides.json": "[]\n"}),
            ("attempt", {MAIN: CONSTANT + "# fix: the table is read\n"}),
            ("fix", {MAIN: CONSTANT.replace("'data'", "'tables'")}),
        ),
        missing="/app/data/tides.json",
        line=4,
        inner=("/usr/local/lib/python3.11/pathlib.py", "/usr/local/lib/python3.11/pathlib.py"),
    ),
    "a line of the ignore file": Story(
        (
            ("start", START),
            ("break", {".dockerignore": ".git\n**/*.json\n"}),
            ("attempt", {"data/tides.json": "[1]\n"}),
            ("fix", {".dockerignore": ".git\n**/*.json\n!data/*.json\n"}),
        ),
        broken_path=".dockerignore",
    ),
    "what gcloud does not upload": Story(
        (
            ("start", {**BUILDPACK, "data/tides.json": "[]\n", "deploy.sh": "gcloud run deploy pier --source .\n"}),
            ("break", {".gcloudignore": ".git\ndata/\n"}),
            ("attempt", {"main.py": OPENING + "# fix: the table is read\n"}),
            ("fix", {".gcloudignore": ".git\n"}),
        ),
        path="main.py",
        broken_path=".gcloudignore",
    ),
    "copies that name folders": Story(
        (
            ("start", START),
            ("break", {"Dockerfile": DOCKERFILE.replace("COPY . .", "COPY pier pier")}),
            ("attempt", {"data/tides.json": "[1]\n"}),
            ("fix", {"Dockerfile": DOCKERFILE.replace("COPY . .", "COPY pier pier\nCOPY data data")}),
        ),
        broken_path="Dockerfile",
    ),
    "upper and lower case": Story((
        ("start", START),
        ("break", {"data/tides.json": None, "data/Tides.json": "[]\n"}),
        ("attempt", {"data/Tides.json": "[1]\n"}),
        ("fix", {"data/Tides.json": None, "data/tides.json": "[1]\n"}),
    )),
    "a template": Story(
        (
            ("start", PAGES),
            ("break", {"pier/templates/start.html": None, "pier/templates/begin.html": "<p>\n"}),
            ("attempt", {"templates/start.html": "<p>\n"}),
            ("fix", {"pier/templates/start.html": "<p>\n"}),
        ),
        missing="start.html",
        line=4,
        error="jinja2.exceptions.TemplateNotFound",
        inner=("/usr/local/lib/python3.11/site-packages/jinja2/loaders.py",),
        attempts=[],  # the loader does not look into the other folder
    ),
    "a template beside the module": Story(
        (
            ("start", {**PAGES, MAIN: FLASK}),
            ("break", {".dockerignore": "*.md\n**/templates\n"}),
            ("attempt", {"pier/templates/start.html": "<div>\n"}),
            ("fix", {".dockerignore": "*.md\n"}),
        ),
        missing="start.html",
        line=7,
        function="start",
        error="jinja2.exceptions.TemplateNotFound",
        inner=("/usr/local/lib/python3.11/site-packages/flask/templating.py",),
        broken_path=".dockerignore",
    ),
    "a template of Django": Story(
        (
            ("start", {**PAGES, MAIN: DJANGO, "pier/templates/pier/start.html": ""}),
            ("break", {"pier/templates/pier/start.html": None}),
            ("attempt", {MAIN: DJANGO + "# fix: pages\n"}),
            ("fix", {"pier/templates/pier/start.html": "<p>\n"}),
        ),
        missing="pier/start.html",
        line=7,
        function="start",
        error="django.template.exceptions.TemplateDoesNotExist",
        inner=("/usr/local/lib/python3.11/site-packages/django/template/loader.py",),
    ),
}  # fmt: skip


UNKNOWN: Mapping[str, tuple[str, Files, Files]] = {
    "made when the service runs": ("/app/data/cache.json", {MAIN: OPENING.replace("tides", "cache")}, {}),
    "below a mounted folder": ("/mnt/data/tides.json", {MAIN: OPENING.replace("'data", "'/mnt/data")}, {}),
    "made by the build": (
        "data/tides.json",
        START,
        {"Dockerfile": DOCKERFILE.replace("CMD", "RUN make tables\nCMD"), "data/tides.json": None},
    ),
    "in a folder that the start command chooses": (
        "data/tides.json",
        {**START, "Dockerfile": DOCKERFILE.replace("CMD ", "CMD cd / && ")},
        {"data/tides.json": None},
    ),
    "brought by a base image of one's own": (
        "data/tides.json",
        {**START, "Dockerfile": DOCKERFILE.replace("python:3.11-slim", "harbour.test/pier/base:3")},
        {"data/tides.json": None},
    ),
}
"""What the log misses, the first commit, and a second one."""


def raise_missing(story: Story, source: str) -> Incident:
    line = source.splitlines()[story.line - 1].strip()
    frames = [Frame(f"/app/{story.path}", story.line, story.function, line)]
    frames += [Frame(path, 100, "open", "return io.open(self)") for path in story.inner]
    is_file = story.error == "FileNotFoundError"
    message = f"[Errno 2] No such file or directory: '{story.missing}'" if is_file else story.missing
    exception = LoggedException(story.error, message, tuple(frames))
    raised = RaisedException(exception, LogEntry(0, f"{story.error}: {message}", None, revision="r1"))
    return Incident(
        "0" * 16, SignalKind.FAILED_START, "pier", "test", "", "", (), (), None, None, 1, dated=False, raised=raised
    )


def build(story: Story, path: Path) -> HistoryBuilder:
    built = HistoryBuilder(path)
    for name, files in story.commits:
        built.commit(name, files)
    built.write_repository()
    return built


def prove(built: HistoryBuilder, incident: Incident, deployed: str) -> Finding:
    with GitRepository(str(built.path)) as repository, LocalCompilers() as compilers:
        request = ProofRequest(fallback_python=running_python())
        given = repository.resolve(deployed)
        context = ProofContext(incident, repository, compilers, request, repository.branch(None), given, lambda _: None)
        finding = prove_exception(context)
    report = build_report(incident, finding)
    assert find_unsupported_claims(report) == []
    assert render_report(report)["body"]
    return finding


@pytest.mark.parametrize("name", STORIES, ids=lambda name: name.replace(" ", "_"))
def test_break_attempt_and_fix(tmp_path: Path, name: str) -> None:
    story = STORIES[name]
    source = next(str(files[story.path]) for _, files in story.commits if story.path in files)
    built = build(story, tmp_path / "pier.git")
    finding = prove(built, raise_missing(story, source), built.ids["break"])
    assert finding.claim is not None, finding.recommendation.detail
    assert finding.broken is not None
    assert (finding.claim.family, finding.broken.path) == ("file", story.broken_path)
    assert not finding.claim.is_witnessed_by_log
    assert finding.introduced is not None
    assert finding.introduced.commit.subject == "break"
    assert commit_names(finding.attempts) == story.attempts
    assert finding.fix is not None
    assert finding.fix.commit.subject == "fix"
    assert finding.recommendation.kind is ActionKind.REDEPLOY


@pytest.mark.parametrize("name", UNKNOWN, ids=lambda name: name.replace(" ", "_"))
def test_what_the_image_has_is_not_guessed(tmp_path: Path, name: str) -> None:
    missing, first, second = UNKNOWN[name]
    story = Story((("start", {**START, **first}), ("break", {"README.md": "", **second})), missing=missing)
    built = build(story, tmp_path / "pier.git")
    quoted = str({**START, **first}[MAIN]).splitlines()[2]
    claim = Claim(ClaimFamily.FILE, MAIN, 3, "FileNotFoundError", "", name=missing, source_text=quoted)
    with GitRepository(str(built.path)) as repository:
        judge = FileJudge(lambda file_name: repository.paths_named(file_name, [built.ids["break"]]))
        modules = open_service_modules(CommitTree(repository, built.ids["break"]), TracedFiles(MAIN), "3.11")
        verdict = judge.judge(claim, modules)
    assert verdict.state is ClaimState.UNKNOWN, verdict.reason


@pytest.mark.parametrize(
    "name", ["/app/.env", "/app/keys/tls.pem", "/app/service-account.json", "/usr/share/zoneinfo/x"]
)
def test_a_file_that_no_commit_should_bring_is_no_claim(name: str) -> None:
    frames = (Frame("/app/pier/main.py", 3, "<module>", "open(path)"),)
    message = f"[Errno 2] No such file or directory: '{name}'"
    assert read_claim(LoggedException("FileNotFoundError", message, frames)) is None


def test_a_program_that_is_missing_is_no_file() -> None:
    frames = (
        Frame("/app/pier/main.py", 3, "<module>", "run(['rsvg'])"),
        Frame("/usr/lib/python3.11/subprocess.py", 9, ""),
    )
    assert (
        read_claim(LoggedException("FileNotFoundError", "[Errno 2] No such file or directory: 'rsvg'", frames)) is None
    )
