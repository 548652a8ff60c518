"""Failed starts whose target is missing, in histories: what broke them, tried and fixed, and what stays unknown."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path

import pytest

from shared.proof.model.recommendation import ActionKind
from tests.support.failed_starts import ProvenStart, prove_start, write_log
from tests.support.history_builder import HistoryBuilder
from tests.support.start_samples import GUNICORN, HEADER

Files = Mapping[str, str | bytes | None]
DOCKERFILE = (
    "FROM python:3.11-slim\nWORKDIR /srv\nCOPY requirements.txt .\nRUN pip install -r requirements.txt\nCOPY . .\n"
    'CMD ["uvicorn", "quay.main:app", "--port", "8080"]\n'
)
LINE = 6
MAIN = "from quay import tides\n\napp = tides.make()\n"
START: Files = {
    "Dockerfile": DOCKERFILE,
    "requirements.txt": "uvicorn==0.30.0\nfastapi==0.110.0\n",
    "quay/__init__.py": "",
    "quay/main.py": MAIN,
    "quay/tides.py": "def make():\n    return lambda scope: None\n",
    "notes": "1",
}
MOVED: Files = {
    **dict.fromkeys(("quay/__init__.py", "quay/main.py", "quay/tides.py")),
    "src/quay/__init__.py": "",
    "src/quay/main.py": MAIN,
    "src/quay/tides.py": START["quay/tides.py"],
}
UVICORN = 'ERROR:    Error loading ASGI app. Could not import module "quay.main".'
ATTRIBUTE = 'ERROR:    Error loading ASGI app. Attribute "app" not found in module "quay.main".'
GUNICORN_TRACEBACK = f"{HEADER}{GUNICORN}ModuleNotFoundError: No module named 'quay'"
GUNICORN_ATTRIBUTE = "Failed to find attribute 'application' in 'wsgi'."


def with_command(command: str, dockerfile: str = DOCKERFILE) -> str:
    """The Dockerfile with another start command, on the same line."""
    return dockerfile.partition("CMD")[0] + command + "\n"


@dataclass(frozen=True, slots=True)
class Story:
    """Commits in their order after `start`; `break` is deployed, and `fix` is expected to be the fix."""

    text: str
    commits: tuple[tuple[str, Files], ...]
    start: Files = field(default_factory=lambda: START)
    place: tuple[str, int] = ("Dockerfile", LINE)
    attempts: tuple[str, ...] = ()


WSGI: Files = {
    "Dockerfile": with_command("CMD exec gunicorn --bind :$PORT --workers 1 wsgi"),
    "requirements.txt": "gunicorn\n",
    "wsgi.py": "application = 1\n",
}
SCRIPT = "#!/bin/sh\nset -e\nalembic upgrade head\nexec uvicorn quay.main:app --port ${PORT:-8080}\n"
SCRIPTED: Files = {
    **START,
    "Dockerfile": with_command('ENTRYPOINT ["./start.sh"]'),
    "start.sh": SCRIPT,
}
STORIES = {
    "base image of its own": Story(
        UVICORN,
        (
            ("break", MOVED),
            (
                "fix",
                {
                    "Dockerfile": DOCKERFILE.replace("python:3.11-slim", "quay/base:4").replace(
                        "quay.main", "src.quay.main"
                    )
                },
            ),
        ),
        {**START, "Dockerfile": DOCKERFILE.replace("python:3.11-slim", "quay/base:4")},
    ),
    "moved package": Story(
        UVICORN,
        (
            ("break", MOVED),
            ("docs", {"notes": "2"}),
            ("attempt", {"Dockerfile": with_command('CMD ["uvicorn", "src.main:app"]')}),
            ("fix", {"Dockerfile": with_command('CMD ["uvicorn", "--app-dir", "src", "quay.main:app"]')}),
        ),
        attempts=("attempt",),
    ),
    "moved package behind gunicorn": Story(
        GUNICORN_TRACEBACK,
        (("break", MOVED), ("fix", {"Dockerfile": with_command("CMD gunicorn --chdir src quay.main:app")})),
        {**START, "Dockerfile": with_command("CMD gunicorn quay.main:app")},
    ),
    "moved package, moved back": Story(
        UVICORN,
        (
            ("break", MOVED),
            ("fix", {**dict.fromkeys(MOVED), **{path: START[path] for path in START if path.startswith("quay/")}}),
        ),
    ),
    "renamed module": Story(
        UVICORN,
        (
            ("break", {"quay/main.py": None, "quay/server.py": MAIN}),
            ("fix", {"Dockerfile": DOCKERFILE.replace("quay.main", "quay.server")}),
        ),
    ),
    "removed attribute": Story(
        ATTRIBUTE,
        (
            ("break", {"quay/main.py": "from quay import tides\n\ndef create_app():\n    return tides.make()\n"}),
            ("attempt", {"quay/main.py": "from quay import tides\n\ndef create_app():\n    return tides.make\n"}),
            ("fix", {"Dockerfile": with_command("CMD uvicorn quay.main:create_app --factory")}),
        ),
        attempts=("attempt",),
    ),
    "removed attribute, defined again": Story(
        ATTRIBUTE,
        (
            ("break", {"quay/main.py": "application = 1\n"}),
            ("fix", {"quay/main.py": "application = 1\napp = application\n"}),
        ),
    ),
    "ignored by Docker": Story(
        UVICORN,
        (
            ("break", {".dockerignore": ".git\nquay/main.py\n"}),
            ("fix", {".dockerignore": ".git\n"}),
        ),
        place=(".dockerignore", 2),
    ),
    "another working directory": Story(
        UVICORN,
        (
            (
                "break",
                {"Dockerfile": DOCKERFILE.replace("COPY . .\n", "COPY . /srv\nWORKDIR /srv/web\n")},
            ),
            ("fix", {"Dockerfile": DOCKERFILE}),
        ),
        place=("Dockerfile", LINE + 1),
    ),
    "mistyped command": Story(
        UVICORN.replace("quay.main", "quay.mian"),
        (
            ("break", {"Dockerfile": DOCKERFILE.replace("quay.main", "quay.mian")}),
            ("attempt", {"Dockerfile": DOCKERFILE.replace("quay.main", "quay.mein")}),
            ("fix", {"Dockerfile": DOCKERFILE}),
        ),
        attempts=("attempt",),
    ),
    "gunicorn's own name": Story(
        GUNICORN_ATTRIBUTE,
        (("break", {"wsgi.py": "app = 1\n"}), ("fix", {"Dockerfile": with_command("CMD gunicorn wsgi:app")})),
        WSGI,
    ),
    "Python file": Story(
        "python: can't open file '/srv/main.py': [Errno 2] No such file or directory",
        (
            ("break", {"main.py": None, "quay/main.py": "print(1)\n"}),
            ("fix", {"Dockerfile": with_command("CMD python quay/main.py")}),
        ),
        {"Dockerfile": with_command("CMD python main.py"), "requirements.txt": "", "main.py": "print(1)\n"},
    ),
    "Python module": Story(
        "/usr/local/bin/python: No module named quay.main",
        (
            ("break", {"quay/main.py": None, "quay/serve.py": "print(1)\n"}),
            ("fix", {"Dockerfile": with_command("CMD python -m quay.serve")}),
        ),
        {
            "Dockerfile": with_command("CMD python -m quay.main"),
            "requirements.txt": "",
            "quay/__init__.py": "",
            "quay/main.py": "print(1)\n",
        },
    ),
    "package without a main": Story(
        "/usr/local/bin/python: No module named quay.__main__; 'quay' is a package and cannot be directly executed",
        (("break", {"quay/__main__.py": None}), ("fix", {"quay/__main__.py": "print(2)\n"})),
        {
            "Dockerfile": with_command("CMD python -m quay"),
            "requirements.txt": "",
            "quay/__init__.py": "",
            "quay/__main__.py": "print(1)\n",
        },
    ),
    "script that starts it": Story(
        UVICORN,
        (("break", MOVED), ("fix", {"start.sh": SCRIPT.replace("uvicorn ", "uvicorn --app-dir src ")})),
        SCRIPTED,
        place=("start.sh", 4),
    ),
    "worker of celery": Story(
        "Usage: celery [OPTIONS] COMMAND [ARGS]...\n\nError: Invalid value for '-A' / '--app': \n"
        "Unable to load celery application.\nThe module worker was not found.",
        (
            ("break", {"worker.py": None, "jobs.py": "app = 1\n"}),
            ("fix", {"Dockerfile": with_command("CMD celery -A jobs worker")}),
        ),
        {"Dockerfile": with_command("CMD celery -A worker worker"), "requirements.txt": "", "worker.py": "app = 1\n"},
    ),
    "Procfile": Story(
        UVICORN,
        (("break", MOVED), ("fix", {"Procfile": "web: uvicorn --app-dir src quay.main:app --port $PORT\n"})),
        {**START, "Dockerfile": None, "Procfile": "web: uvicorn quay.main:app --port $PORT\n"},
        place=("Procfile", 1),
    ),
}


def tell(path: Path, start: Files, *commits: tuple[str, Files]) -> HistoryBuilder:
    """A history that begins with `start`."""
    built = HistoryBuilder(path / "repo")
    built.commit("start", start)
    for name, files in commits:
        built.commit(name, files)
    built.write_repository()
    return built


def prove_story(path: Path, story: Story, deployed: str | None, *, as_json: bool = False) -> ProvenStart:
    history = tell(path, story.start, *story.commits)
    seen_at = history.committed_at("break") + timedelta(seconds=1)
    log = write_log(path / "log.json", seen_at, story.text, as_json=as_json)
    return prove_start(history, log, deployed)


@pytest.mark.parametrize("deployed", [None, "break"], ids=["inferred", "given"])
@pytest.mark.parametrize("name", STORIES, ids=lambda name: name.replace(" ", "_"))
def test_break_attempts_fix_and_target_of_a_story(tmp_path: Path, name: str, deployed: str | None) -> None:
    story = STORIES[name]
    proven = prove_story(tmp_path, story, deployed)
    finding = proven.finding
    assert finding.broken is not None, finding.recommendation.detail
    assert (proven.deployed, proven.introduced, proven.fix) == ("break", "break", "fix")
    assert (finding.broken.path, finding.broken.fault.line) == story.place
    assert proven.attempts == story.attempts
    assert (finding.recommendation.kind, proven.target) == (ActionKind.REDEPLOY, "fix")
    assert finding.claim is not None
    assert finding.claim.family == "start_target"


def test_a_json_payload_tells_the_same(tmp_path: Path) -> None:
    proven = prove_story(tmp_path, STORIES["moved package"], "break", as_json=True)
    assert (proven.introduced, proven.fix, proven.attempts) == ("break", "fix", ("attempt",))


def test_a_revert_is_the_fix(tmp_path: Path) -> None:
    reverted = {path: START.get(path) for path in MOVED}
    story = Story(UVICORN, (("break", MOVED), ("fix", reverted), ("later", {"notes": "3"})))
    proven = prove_story(tmp_path, story, "break")
    assert (proven.introduced, proven.fix, proven.target) == ("break", "fix", "later")


def test_without_a_fix_the_state_before_is_the_rollback(tmp_path: Path) -> None:
    proven = prove_story(tmp_path, Story(UVICORN, (("break", MOVED), ("docs", {"notes": "2"}))), "break")
    assert (proven.introduced, proven.fix, proven.rollback) == ("break", None, "start")
    assert proven.finding.recommendation.kind is ActionKind.ROLLBACK


def test_a_fix_on_another_branch_is_named_and_not_proposed(tmp_path: Path) -> None:
    history = HistoryBuilder(tmp_path / "repo")
    history.commit("start", START)
    history.commit("break", MOVED)
    history.commit("proposed", {"Dockerfile": with_command("CMD uvicorn --app-dir src quay.main:app")}, "break")
    history.write_repository("break", repair="proposed")
    log = write_log(tmp_path / "log.json", history.committed_at("break") + timedelta(seconds=1), UVICORN)
    proven = prove_start(history, log, "break")
    assert (proven.fix, proven.target) == ("proposed", None)
    assert proven.finding.fix is not None
    assert proven.finding.fix.where == "unmerged_branch"


def test_a_target_that_loses_its_module_again_is_refused(tmp_path: Path) -> None:
    fixed = {"Dockerfile": with_command('CMD ["uvicorn", "--app-dir", "src", "quay.main:app"]')}
    story = Story(UVICORN, (("break", MOVED), ("fix", fixed), ("again", {"Dockerfile": DOCKERFILE})))
    proven = prove_story(tmp_path, story, "break")
    assert (proven.fix, proven.target) == ("fix", "fix")
    assert [refused.gate for refused in proven.finding.refused_commits] == ["incident_file"]


def test_the_dockerfile_whose_image_lacks_the_target_is_the_place(tmp_path: Path) -> None:
    """Two images start the same target: one of them holds it."""
    other = "FROM python:3.11-slim\nWORKDIR /srv\nCOPY src /srv\nCMD uvicorn quay.main:app\n"
    story = Story(UVICORN, (("break", {**MOVED, "batch.Dockerfile": other}), ("fix", {"Dockerfile": other})))
    proven = prove_story(tmp_path, story, "break")
    assert proven.finding.claim is not None
    assert proven.finding.claim.path == "Dockerfile"
    assert proven.fix == "fix"


NESTED = "web/Dockerfile"
UNKNOWN: Mapping[str, tuple[Files, Files]] = {
    "two images that lack it": ({**START, "batch.Dockerfile": DOCKERFILE}, MOVED),
    "a target in a variable": (
        {**START, "Dockerfile": with_command("CMD uvicorn ${TARGET:-quay.main:app}")},
        MOVED,
    ),
    "a folder in a variable": (
        {**START, "Dockerfile": with_command("CMD cd $PLACE && uvicorn quay.main:app")},
        MOVED,
    ),
    "a module that is there": (START, {"notes": "2"}),
    "another target than the log's": (
        {**START, "Dockerfile": DOCKERFILE.replace("quay.main", "quay.server"), "quay/server.py": MAIN},
        MOVED,
    ),
    "another program than the log's": (
        {**START, "Dockerfile": with_command("CMD hypercorn quay.main:app")},
        MOVED,
    ),
    "no Dockerfile": ({path: text for path, text in START.items() if path != "Dockerfile"}, MOVED),
    "a module that a command makes": (
        {**START, "Dockerfile": DOCKERFILE.replace("CMD", "RUN cp -r src/quay quay\nCMD")},
        MOVED,
    ),
    "an installed project": (
        {
            **START,
            "Dockerfile": DOCKERFILE.replace("CMD", "RUN pip install .\nCMD"),
            "pyproject.toml": '[project]\nname = "quay"\nversion = "1"\n',
        },
        MOVED,
    ),
    "a package that changes its path": (
        {**START, "quay/__init__.py": "__path__.append('/opt')\n"},
        {"quay/main.py": None},
    ),
}


@pytest.mark.parametrize("name", UNKNOWN, ids=lambda name: name.replace(" ", "_"))
def test_what_is_not_certain_is_not_proven(tmp_path: Path, name: str) -> None:
    start, changed = UNKNOWN[name]
    proven = prove_story(tmp_path, Story(UVICORN, (("break", changed), ("docs", {"notes": "9"})), start), "break")
    assert proven.finding.broken is None
    assert proven.finding.recommendation.kind is ActionKind.NONE


LATER: Mapping[str, Files] = {
    "the Dockerfile is gone": {"Dockerfile": None},
    "the Dockerfile is elsewhere": {"Dockerfile": None, "docker/Dockerfile": DOCKERFILE},
    "a variable names the target": {"Dockerfile": with_command("CMD uvicorn $TARGET")},
    "a script that is not there": {"Dockerfile": with_command('CMD ["./start.sh"]')},
    "another base image": {"Dockerfile": DOCKERFILE.replace("python:3.11-slim", "quay/base:4")},
    "a command that is no server": {"Dockerfile": with_command("CMD sleep 100")},
    "a package more": {"requirements.txt": "uvicorn==0.30.0\nfastapi==0.110.0\nquay==3.0\n"},
}


@pytest.mark.parametrize("name", LATER, ids=lambda name: name.replace(" ", "_"))
def test_what_is_not_certain_is_no_fix(tmp_path: Path, name: str) -> None:
    proven = prove_story(tmp_path, Story(UVICORN, (("break", MOVED), ("maybe", LATER[name]))), "break")
    assert (proven.introduced, proven.fix, proven.target, proven.attempts) == ("break", None, None, ())
    assert proven.finding.recommendation.kind is ActionKind.ROLLBACK


def test_a_dockerfile_beside_the_procfile_leaves_the_start_open(tmp_path: Path) -> None:
    story = STORIES["Procfile"]
    later = ("fix", {**dict(story.commits[1][1]), "Dockerfile": with_command("CMD python x.py")})
    proven = prove_story(tmp_path, Story(story.text, (story.commits[0], later), story.start), "break")
    assert (proven.introduced, proven.fix) == ("break", None)


def test_a_given_commit_that_holds_the_target_contradicts_the_log(tmp_path: Path) -> None:
    proven = prove_story(tmp_path, STORIES["moved package"], "start")
    assert proven.finding.broken is None
    assert proven.finding.recommendation.kind is ActionKind.NONE


@pytest.mark.parametrize(
    "text",
    [
        'ImportError: quoted: ERROR:    Error loading ASGI app. Could not import module "quay.main". in a ticket',
        'user wrote: Error loading ASGI app. Could not import module "quay.main".',
    ],
)
def test_a_sentence_that_is_quoted_proves_nothing(tmp_path: Path, text: str) -> None:
    proven = prove_story(tmp_path, Story(text, STORIES["moved package"].commits), "break")
    assert proven.finding.broken is None
