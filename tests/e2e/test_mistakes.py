"""Mistakes on the command line, in files and in variables: an exit code and a sentence each, nothing on stdout.

The sentences are kept in `tests/golden/mistakes.txt`, to be read by eye; `python -m tests.e2e.test_mistakes` writes
them anew. Mistakes within `provenfix.yaml` have a table of their own in `tests/unit/test_settings.py`.
"""

import os
import re
import shlex
import sys
from pathlib import Path
from tempfile import TemporaryDirectory
from unittest.mock import patch

import pytest

from functions.cli.command_line import COMMANDS
from tests.support.cli_runs import CommandResult, run_provenfix, write_broken_history, write_log

GOLDEN = Path(__file__).parents[1] / "golden" / "mistakes.txt"
_SERVICE = "services:\n  - {name: chat, project: tea-prod, region: europe-west1, channel: C1, repository: "
FILES = {
    "file": b"x",
    "empty.log": b"",
    "cut.log.gz": b"\x1f\x8b\x08\x00broken",
    "broken.yaml": b"services: [\n",
    "list.yaml": b"- a\n",
    "none.yaml": b"version: 1\n",
    "local.yaml": f"{_SERVICE}./repo.git}}\n".encode(),
    "remote.yaml": f"{_SERVICE}tea/chat}}\n".encode(),
    "command.yaml": f"{_SERVICE}./repo.git, deploy_command: [nowhere-deploys]}}\n".encode(),
    "branch.yaml": f"{_SERVICE}./repo.git, branch: nowhere}}\n".encode(),
    "secret.yaml": b"slack: {signing_secret: xoxb-hush}\n",
    "answers.yaml": b"colour: red\n",
    "binary.yaml": b"\xff\xfe\x00",
}
_LOG = "--repo repo.git --log service.log"
MISTAKES: tuple[str, ...] = (
    *("investigat", "--jsn", "--verison", "investigate --jsn", "check --jsn", "dlq lst", "dlq"),
    *("investigate", "investigate --repo repo.git", "investigate --log service.log", "investigate --repo"),
    *(f"investigate --repo repo.git --log {name}" for name in ("nowhere.log", "folder", "''", "cut.log.gz")),
    *(f"investigate --log service.log --repo {name}" for name in ("nowhere", "file", "folder", "''", "acme/chat")),
    "investigate --log service.log --repo https://github.com/acme/chat",
    "investigate --log service.log --repo git@github.com:acme/chat.git",
    *(f"investigate {_LOG} {option}" for option in ("--branch nowhere", "--deployed 123", "--json", "--format xml")),
    *(f"investigate {_LOG} --python {version}" for version in ("2.7", "3.11.7", "4.0", "abc", "''")),
    *(f"investigate {_LOG} --source-root {path}" for path in ("nowhere", "../up", "/abs")),
    *(f"investigate {_LOG} --out {path}" for path in ("folder", "nowhere/report.md")),
    f"investigate {_LOG} extra",
    *(f"check --repo {name}" for name in ("nowhere", "folder", "file", "''", "https://github.com/acme/chat")),
    *("check --repo repo.git --ref nowhere", "check --repo repo.git --ref main --staged"),
    *("check --repo repo.git --python abc", "check --repo repo.git nowhere.py", "check --repo repo.git --rev main"),
    *("check --repo repo.git --start app/relay.py", "check --repo repo.git --format json"),
    *(
        f"check --repo repo.git --baseline main {option}"
        for option in ("--staged", "--ref main", "app/relay.py", "--rev nowhere", "--start nowhere.py", "--format xml")
    ),
    *("check --repo repo.git --baseline nowhere", "check --baseline"),
    *("demo --scenario nowhere", "demo --scenario incidnt", "demo --port 99999", "demo --port x", "demo --folder file"),
    *("demo --browser=yes", "demo extra", "demo --export file", "demo --export repo.git"),
    *(
        f"watch --config {name}.yaml"
        for name in ("nowhere", "broken", "list", "none", "remote", "secret", "command", "branch", "binary")
    ),
    *("watch", "watch --config folder", "watch --config local.yaml --log nowhere.log"),
    *("watch --config local.yaml --log folder", "watch --config local.yaml --port -1"),
    *("up --port 80", "up --port 70000", "up --config nowhere.yaml", "up --embedded --config broken.yaml"),
    *("inject", "inject nowhere.json", "inject folder", "inject service.log", "inject empty.log"),
    *("show", "show --folder nowhere", "show --folder folder", "show a b", "stats", "stats --format xml"),
    *("stats --folder nowhere", "stop", "stop nowhere", "stop --folder nowhere", "resume nowhere", "resume a b"),
    *("doctor --config nowhere.yaml", "doctor --config broken.yaml", "doctor --format xml"),
    *("doctor --config local.yaml", "doctor --config local.yaml --project 'A B'"),
    *(
        "radar",
        "radar --repo nowhere --deployed main",
        "radar --repo repo.git --deployed nowhere",
        "radar --format xml",
    ),
    *("mcp --repo nowhere", "mcp --repo folder", "mcp extra"),
    *("dlq list", "dlq list --folder nowhere", "dlq replay", "dlq replay --all 12", "dlq replay 12"),
    *("dlq drop", "dlq drop 12", "dlq drop --all --folder nowhere"),
    *("explain nowhere", "explain fix_merged_not_deploye", "explain a b", "completion", "completion tcsh"),
    *("setup --region", "setup --project 'A B'", "setup --log-only", "setup --python 2.7", "setup --repository x"),
    *("setup --channel '#ops'", "setup --approver mira", "setup --installation x", "setup extra"),
    *(f"setup --answers {name}.yaml" for name in ("nowhere", "broken", "answers", "list")),
    *("teardown --folder file", "teardown extra"),
    *(
        f"{variable} show"
        for variable in (
            "PROVENFIX_KILL_SWITCH=yess",
            "PROVENFIX_TRACING=maybe",
            "PROVENFIX_OLDEST_HOURS=0",
            "PROVENFIX_PLATFORM=moon",
            "PROVENFIX_LONGEST_WAIT=soon",
            "PROVENFIX_LONGEST_WAIT=5",
            "PROVENFIX_COMPILE_3_11=http://compile.example",
            "PROVENFIX_DOUBLES=slack=https://evil.example",
        )
    ),
    "PROVENFIX_CONFIG=nowhere.yaml stop chat",
)


def write_places(folder: Path) -> None:
    """What the mistakes name, as far as it is there."""
    write_broken_history(folder / "repo.git")
    write_log(folder)
    (folder / "folder").mkdir()
    for name, content in FILES.items():
        (folder / name).write_bytes(content)


def run_mistake(line: str) -> CommandResult:
    """Runs it in the present folder, with the variables that stand before it."""
    words = shlex.split(line)
    variables = dict(word.split("=", 1) for word in words if re.match(r"[A-Z][A-Z_0-9]+=", word))
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("PROVENFIX_", "GOOGLE_"))}
    with patch.dict(os.environ, {**kept, **variables}, clear=True):
        return run_provenfix(*words[len(variables) :])


def describe_mistake(line: str, ended: CommandResult, folder: Path) -> str:
    """As the file keeps it: what was typed, the exit code, the sentence."""
    return f"$ {line}\n{ended.exit_code} {ended.error_line.replace(str(folder), 'FOLDER')}\n"


@pytest.fixture(scope="module")
def places(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("places")
    write_places(folder)
    return folder


@pytest.fixture(scope="module")
def kept() -> dict[str, str]:
    entries = GOLDEN.read_text("utf-8").split("$ ")[1:]
    return {entry.partition("\n")[0]: f"$ {entry}" for entry in entries}


@pytest.mark.parametrize("line", MISTAKES)
def test_a_mistake_is_one_sentence_and_an_exit_code(
    line: str, places: Path, kept: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(places)
    ended = run_mistake(line)
    assert ended.exit_code in {2, 3}
    assert len(ended.error_line) < 400  # nothing on stdout, one line, no traceback
    assert describe_mistake(line, ended, places) == kept[line]


def test_every_command_is_misused_and_no_mistake_is_kept_twice(kept: dict[str, str]) -> None:
    assert len(set(MISTAKES)) == len(MISTAKES) > 91
    assert [*kept] == [*MISTAKES]
    assert {word for line in MISTAKES for word in line.split()} >= set(COMMANDS)


def test_a_sentence_says_no_class_and_no_number_of_an_error(kept: dict[str, str]) -> None:
    told = re.compile(r"\[Errno|\w+Error\b|Traceback|0x[0-9a-f]{6}|Value error|Input should|\(s\)")
    assert [line for line, entry in kept.items() if told.search(entry.partition("\n")[2])] == []


if __name__ == "__main__":
    with TemporaryDirectory() as made:
        root = Path(made).resolve()
        write_places(root)
        os.chdir(root)
        GOLDEN.write_text("".join(describe_mistake(line, run_mistake(line), root) for line in MISTAKES), "utf-8")
        sys.stdout.write(f"{GOLDEN}\n")
