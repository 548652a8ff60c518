"""What a release is made of: Dockerfile, workflow, issue forms, hook and version, as their readers expect them."""

import json
import re
import shlex
import shutil
import subprocess
import sys
import sysconfig
import tomllib
from importlib import metadata
from pathlib import Path
from typing import Any

import pytest
import yaml

from shared.proof.declared.dockerfile_python import find_dockerfile_python, read_instructions
from tests.support.deploy.tools import install_programs

ROOT = Path(__file__).parents[2]
DOCKERFILE = (ROOT / "Dockerfile").read_text("utf-8")
README = (ROOT / "functions/README.md").read_text("utf-8")
WORKFLOWS = sorted((ROOT / ".github/workflows").glob("*.yml"))
FORMS = sorted(path for path in (ROOT / ".github/ISSUE_TEMPLATE").glob("*.yml") if path.name != "config.yml")
SEMANTIC_VERSION = re.compile(r"(0|[1-9]\d*)\.(0|[1-9]\d*)\.(0|[1-9]\d*)(-[0-9A-Za-z.-]+)?")


def read_yaml(path: Path) -> Any:
    return yaml.safe_load(path.read_text("utf-8"))


def list_copies(stage: str) -> list[list[str]]:
    """The words of each COPY of a stage that copies from the checkout."""
    copies, is_in_stage = [], False
    for instruction in read_instructions(DOCKERFILE):
        if instruction.word == "FROM":
            is_in_stage = instruction.rest.endswith(f" AS {stage}")
        elif instruction.word == "COPY" and is_in_stage:
            copies.append(instruction.rest.split())
    return copies


def test_the_files_that_the_image_copies_install_and_run(tmp_path: Path) -> None:
    """The steps of the stage `build`, with the packages of this interpreter in place of the index's."""
    source, target = tmp_path / "source", tmp_path / "installed"
    for *origins, place in list_copies("build"):
        for origin in origins:
            path = source / (place if len(origins) == 1 and place != "./" else origin)
            path.parent.mkdir(parents=True, exist_ok=True)
            if (ROOT / origin).is_dir():
                shutil.copytree(ROOT / origin, path, ignore=shutil.ignore_patterns("__pycache__"))
            else:
                shutil.copy(ROOT / origin, path)
    [line] = re.findall(r"^RUN /opt/provenfix/bin/pip (install .* --no-deps \.)$", DOCKERFILE, re.MULTILINE)
    pip = [sys.executable, "-m", "pip", *shlex.split(line), "--quiet", "--no-build-isolation", "--target", str(target)]
    subprocess.run(pip, cwd=source, check=True, capture_output=True)
    run = "import sys; from provenfix.command import main; sys.argv = ['provenfix', '--version']; main()"
    paths = f"{target}:{sysconfig.get_path('purelib')}"
    ended = subprocess.run(
        [sys.executable, "-S", "-c", run], cwd=tmp_path, env={"PYTHONPATH": paths}, capture_output=True, check=False
    )
    assert (ended.returncode, ended.stdout.split()[0]) == (0, b"provenfix"), ended.stderr.decode()


def test_the_image_is_of_a_python_that_the_package_takes_and_runs_without_rights() -> None:
    python = find_dockerfile_python(DOCKERFILE)
    assert python is not None
    assert python.version == "3.13"
    words = [(instruction.word, instruction.rest) for instruction in read_instructions(DOCKERFILE)]
    assert ("USER", "10001") in words
    assert [word for word, _ in words][-2:] == ["ENTRYPOINT", "CMD"]


def lint_dockerfile(path: Path) -> list[str]:
    """The rules of hadolint and BuildKit that it breaks. No image is looked up, so no network is used."""
    ignored = ("tally/*", "hadolint/DL3057")  # style; and a health check, which an image of a command does not need
    command: list[str | Path] = [
        install_programs("tally") / "tally",
        "lint",
        "--no-config",
        "--slow-checks",
        "off",
        "--format",
        "json",
    ]
    run: list[str | Path] = [*command, *(word for rule in ignored for word in ("--ignore", rule)), path]
    ended = subprocess.run(run, capture_output=True, check=False)
    assert ended.returncode in {0, 1}, ended.stderr.decode()
    answer = json.loads(ended.stdout)
    assert answer["files_scanned"] == 1
    return [violation["rule"] for file in answer["files"] for violation in file["violations"]]


def test_the_dockerfile_breaks_no_rule_of_the_linter() -> None:
    assert lint_dockerfile(ROOT / "Dockerfile") == []


def test_the_linter_finds_what_is_planted(tmp_path: Path) -> None:
    planted = "FROM python\nRUN apt-get update && apt-get install git\nRUN cd /x && sudo echo $a\nCMD python x\n"
    (tmp_path / "Dockerfile").write_text(planted, "utf-8")
    assert {"hadolint/DL3006", "hadolint/DL3014", "hadolint/DL3004"} <= {*lint_dockerfile(tmp_path / "Dockerfile")}


def test_what_the_image_copies_reaches_the_build() -> None:
    kept = [line[1:] for line in (ROOT / ".dockerignore").read_text("utf-8").splitlines() if line.startswith("!")]
    copied = [origin for *origins, _ in list_copies("build") for origin in origins]
    assert sorted(kept) == sorted(copied)
    assert all((ROOT / origin).exists() for origin in copied)


def test_the_light_lock_pins_what_the_full_one_pins() -> None:
    light, full = (_read_lock(name) for name in ("requirements-light.txt", "requirements.txt"))
    assert light.items() <= full.items()
    clients = {"google-auth", "google-cloud-logging", "google-cloud-pubsub", "pygithub", "slack-sdk", "grpcio"}
    assert clients <= full.keys()
    assert not clients & light.keys()


def _read_lock(name: str) -> dict[str, str]:
    return dict(re.findall(r"^([a-z0-9._-]+)==(\S+)", (ROOT / name).read_text("utf-8"), re.MULTILINE))


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.name)
def test_every_action_is_pinned_by_commit_and_says_its_version(path: Path) -> None:
    uses = re.findall(r"uses: (\S+)(.*)", path.read_text("utf-8"))
    assert uses
    assert [name for name, _ in uses if not re.fullmatch(r"[\w./-]+@[0-9a-f]{40}", name)] == []
    assert [comment for _, comment in uses if not re.fullmatch(r" # v\d+\.\d+\.\d+", comment)] == []


def test_a_release_is_built_attested_and_published_without_a_token() -> None:
    workflow = read_yaml(ROOT / ".github/workflows/release.yml")
    assert workflow["permissions"] == {"contents": "read"}
    build, publish = workflow["jobs"]["build"], workflow["jobs"]["publish"]
    assert publish["needs"] == "build"
    assert publish["permissions"] == {"id-token": "write"}  # nothing but the identity that PyPI trusts
    assert "secrets." not in (ROOT / ".github/workflows/release.yml").read_text("utf-8")
    names = [step.get("uses", step.get("name", "")).partition("@")[0] for step in build["steps"]]
    assert (
        names.index("Build") < names.index("actions/attest-build-provenance") < names.index("actions/upload-artifact")
    )


@pytest.mark.parametrize("path", FORMS, ids=lambda path: path.name)
def test_an_issue_form_has_what_the_host_asks_for(path: Path) -> None:
    form = read_yaml(path)
    assert {"name", "description", "body"} <= form.keys()
    ids = [field["id"] for field in form["body"]]
    assert len(ids) == len(set(ids))
    assert all(field["type"] in {"input", "textarea", "dropdown", "checkboxes"} for field in form["body"])
    assert all(field["attributes"]["label"] for field in form["body"])
    assert any(field.get("validations", {}).get("required") for field in form["body"])


def test_the_version_is_semantic_and_written_once() -> None:
    version = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]["version"]
    assert SEMANTIC_VERSION.fullmatch(version)
    assert metadata.version("provenfix") == version
    assert f"rev: v{version}" in README
    assert re.search(rf"^## {re.escape(version)}\b", (ROOT / "CHANGELOG.md").read_text("utf-8"), re.MULTILINE)
    sources = [*(ROOT / "functions").rglob("*.py"), *(ROOT / "shared").rglob("*.py")]
    assert [path for path in sources if "__version__" in path.read_text("utf-8")] == []


def test_the_hook_that_the_readme_shows_exists() -> None:
    [shown] = re.findall(r"```text\n(# \.pre-commit-config\.yaml\n.*?)```", README, re.DOTALL)
    [repository] = yaml.safe_load(shown)["repos"]
    hooks = {hook["id"] for hook in read_yaml(ROOT / ".pre-commit-hooks.yaml")}
    assert {hook["id"] for hook in repository["hooks"]} <= hooks
