"""A light installation: what works without the clients of Google Cloud, GitHub and Slack, and what asks for them."""

import os
import subprocess
import sys
import tomllib
from collections.abc import Sequence
from pathlib import Path

import pytest

from tests.support.cli_runs import write_broken_history, write_log

ROOT = Path(__file__).parents[2]
_BLOCKED = ("google", "grpc", "github", "jwt", "slack_sdk", "mcp", "mcp_types")
_RUN = """
import sys

class Blocker:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in BLOCKED:
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)

BLOCKED = sys.argv[1].split(",")
sys.meta_path.insert(0, Blocker())
sys.argv = ["provenfix", *sys.argv[2:]]
from provenfix.command import main
main()
"""


def run_light(folder: Path, arguments: Sequence[str], **variables: str) -> "subprocess.CompletedProcess[str]":
    """Runs the command as if no extra were installed."""
    command = [sys.executable, "-c", _RUN, ",".join(_BLOCKED), *arguments]
    environment = {**os.environ, **variables}
    return subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False, timeout=60)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("light")
    write_broken_history(made / "repo.git")
    write_log(made)
    return made


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (["check", "--repo", "repo.git", "--ref", "main"], 0),
        (["investigate", "--repo", "repo.git", "--log", "service.log"], 0),
        (["demo", "--export", "example"], 0),
        (["explain"], 0),
    ],
)
def test_what_needs_no_client_works_without(folder: Path, arguments: list[str], code: int) -> None:
    ended = run_light(folder, arguments)
    assert (ended.returncode, "Traceback" in ended.stderr) == (code, False), ended.stderr
    assert ended.stdout


def test_what_needs_one_names_the_extra(folder: Path) -> None:
    ended = run_light(folder, ["show"], PROVENFIX_PROJECT="shore-ops")
    assert (ended.returncode, ended.stdout) == (2, "")
    assert ended.stderr.count("\n") == 1
    assert "provenfix[cloud]" in ended.stderr


def test_the_server_for_agents_names_its_extra(folder: Path) -> None:
    ended = run_light(folder, ["mcp", "--repo", "repo.git"])
    assert (ended.returncode, ended.stdout, ended.stderr.count("\n")) == (2, "", 1)
    assert "provenfix[mcp]" in ended.stderr


def test_the_clients_are_extras_and_nothing_else_is() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    base = " ".join(project["dependencies"])
    extras = project["optional-dependencies"]
    assert set(extras) == {"cloud", "mcp", "signatures", "slack"}
    held = {"cloud": ("google-cloud-logging", "google-cloud-pubsub", "pygithub"), "slack": ("slack-sdk",)}
    for extra, names in (*held.items(), ("mcp", ("mcp",)), ("signatures", ("sigstore",))):
        for name in names:
            assert name not in base
            assert any(requirement.startswith(name) for requirement in extras[extra])
    assert "functions-framework" in base  # the demo serves the functions with it
