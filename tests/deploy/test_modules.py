"""The folder as a module: of the examples, and of the root module that `provenfix setup` writes."""

import json
import re
import shutil
from pathlib import Path

from functions.setup.answers import Answers, WatchedService
from functions.setup.configuration import (
    render_configuration,
    render_github_manifest,
    render_root_module,
    render_slack_manifest,
)
from functions.setup.plan import function_url, list_secrets
from functions.setup.ports import Place
from functions.setup.state import SetupState, StepRecord
from functions.setup.step import StepName
from shared.config.loader import read_configuration
from tests.support.deploy.deployment import PLAN_SUMMARY, PROJECT, REGION
from tests.support.deploy.terraform import CONFIGURATION, ROOT, TerraformFolder

EXAMPLES = ("one-service", "many-services", "shared-registry")
ANSWERS = Answers(
    project=PROJECT, watched_project="shop-prod", services=(WatchedService("chat", REGION),), region=REGION,
    repositories={"chat": "acme/chat"}, channel="C024BE91L", approvers=("U024BE7LH",), email="oncall@acme.example",
)  # fmt: skip
READ_ONLY = Answers(
    project=PROJECT, watched_project="shop-prod", services=(WatchedService("chat", REGION),), region=REGION,
    repositories={"chat": "acme/chat"}, read_only="issue",
)  # fmt: skip


def _state(answers: Answers) -> SetupState:
    versions = {name: f"projects/{PROJECT}/secrets/{name}/versions/1" for name in list_secrets(answers).values()}
    steps = {
        StepName.SLACK_APP: StepRecord("", versions | {"team": "T024BE7LD"}),
        StepName.GITHUB_APP: StepRecord("", versions | {"id": "1234567"}),
        StepName.GITHUB_INSTALLATION: StepRecord("", {"installation": "7654321"}),
    }
    return SetupState(answers, steps)


def _prepare(folder: Path) -> TerraformFolder:
    """A checkout with small zips, not initialised."""
    (folder / "shared").symlink_to(ROOT / "shared")
    (folder / "Makefile").touch()
    (folder / "build").mkdir()
    for name in ("functions", "compile"):
        (folder / f"build/{name}.zip").write_bytes(name.encode())
    return TerraformFolder(folder)


def _plan_setup(folder: Path, answers: Answers) -> list[dict[str, object]]:
    """What Terraform would do, by the files that a setup writes; its state stays on this machine."""
    here = _prepare(folder)
    paths = Place(folder / "state", folder / "provenfix.yaml", folder)
    paths.config.write_text(render_configuration(answers, _state(answers)), "utf-8")
    paths.root.mkdir(parents=True)
    (paths.root / "main.tf.json").write_text(render_root_module(answers, paths), "utf-8")
    (paths.root / "backend_override.tf.json").write_text('{"terraform": {"backend": {"local": {}}}}', "utf-8")
    here.run_checked(f"-chdir={paths.root}", "init", "-input=false", "-no-color")
    here.run_checked(f"-chdir={paths.root}", "plan", "-input=false", "-no-color", f"-out={PLAN_SUMMARY}")
    shown = json.loads(here.run_checked(f"-chdir={paths.root}", "show", "-json", PLAN_SUMMARY))
    return [one for one in shown["resource_changes"] if one["mode"] == "managed"]


def _actions(change: dict[str, object]) -> list[str]:
    held = change["change"]
    assert isinstance(held, dict)
    return list(held["actions"])


def test_a_setup_applies_once_and_takes_over_the_secrets_that_it_has_filled(tmp_path: Path) -> None:
    changes = _plan_setup(tmp_path, ANSWERS)
    assert all("delete" not in _actions(one) for one in changes)
    imported = {one["address"] for one in changes if "create" not in _actions(one)}
    assert imported == {
        f'module.provenfix.google_secret_manager_secret.secret["{key}"]' for key in list_secrets(ANSWERS)
    }


def test_read_only_makes_nothing_that_may_deploy_or_is_reached_from_outside(tmp_path: Path) -> None:
    changes = _plan_setup(tmp_path, READ_ONLY)
    addresses = [str(one["address"]) for one in changes]
    assert not [one for one in addresses if "public" in one or "redeploy" in one]
    after = json.dumps(changes)
    for forbidden in ("run.services.update", "iam.serviceAccountUser", "cloudbuild.builds.create", "slack-"):
        assert forbidden not in after, forbidden
    functions = {one for one in addresses if ".google_cloudfunctions2_function.function[" in one}
    assert {one.rpartition('["')[2] for one in functions} == {'record"]', 'investigate"]', 'schedule"]', 'verify"]'}


def test_each_example_is_valid(tmp_path: Path) -> None:
    """One init for all: they use the same module and the same providers."""
    here = _prepare(tmp_path)
    initialised = here.folder / "examples" / EXAMPLES[0]
    here.run_checked(f"-chdir={initialised}", "init", "-backend=false", "-input=false", "-no-color")
    for name in EXAMPLES:
        folder = here.folder / "examples" / name
        if folder != initialised:
            shutil.copytree(initialised / ".terraform", folder / ".terraform", symlinks=True)
            shutil.copy(initialised / ".terraform.lock.hcl", folder)
        told = json.loads(here.run_checked(f"-chdir={folder}", "validate", "-json"))
        assert (told["valid"], told["warning_count"]) == (True, 0), name
        assert read_configuration(CONFIGURATION / "examples" / name / "provenfix.yaml").services


def test_the_module_configures_no_provider_and_names_every_project() -> None:
    """A module with a provider of its own can neither be removed nor depend on anything."""
    text = "\n".join(file.read_text("utf-8") for file in CONFIGURATION.glob("*.tf"))
    assert not re.search(r'^provider "', text, re.M)
    assert "required_providers" in text


def test_the_apps_of_a_setup_are_those_of_terraform(one: TerraformFolder) -> None:
    """Registered before the apply, by the addresses that the services will have."""
    outputs = one.show_json()["values"]["outputs"]
    urls = {function: outputs[f"{function}_url"]["value"] for function in ("decide", "github")}
    number = urls["decide"].partition(".")[0].rpartition("-")[2]
    assert urls == {function: function_url(ANSWERS, number, function) for function in urls}
    paths = Place(Path(), Path(), ROOT)
    assert render_slack_manifest(paths, urls["decide"]) == outputs["slack_manifest"]["value"]
    manifest = render_github_manifest(ANSWERS, paths, urls["github"])
    assert manifest | {"name": "provenfix"} == json.loads(outputs["github_manifest"]["value"])
