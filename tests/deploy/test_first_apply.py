"""The first apply, and a removal, on a platform that is late and refuses: what would fail only in a real project."""

import json
import re
import shutil
from pathlib import Path

import pytest

from shared.config.loader import parse_configuration
from shared.config.settings import list_services
from tests.support.deploy.deployment import ONE_SERVICE, PLAN_SUMMARY, THREE_SERVICES, prepare_deployment, read_state
from tests.support.deploy.terraform import CONFIGURATION, TerraformFolder

_STRANGERS = """
resource "google_cloud_run_v2_service_iam_member" "strangers" {
  project  = var.project
  location = var.region
  name     = google_cloud_run_v2_service.public["decide"].name
  role     = "roles/run.invoker"
  member   = "allUsers"
}
"""


def _without(source: Path, file: str, pattern: str, instead: str = "") -> None:
    text = (source / file).read_text("utf-8")
    changed = re.sub(pattern, instead, text)
    assert changed != text, pattern
    (source / file).write_text(changed, "utf-8")


@pytest.fixture
def source(tmp_path: Path) -> Path:
    shutil.copytree(CONFIGURATION, tmp_path / "source/terraform", ignore=shutil.ignore_patterns(".terraform*"))
    return tmp_path / "source/terraform"


def test_a_build_whose_grant_is_not_in_effect_yet_fails(source: Path, tmp_path: Path) -> None:
    """So the functions wait: `time_sleep.grants`."""
    _without(source, "compile.tf", r"time_sleep\.grants, ")
    here = prepare_deployment(tmp_path, ONE_SERVICE, source)
    compile_functions = "-target=google_cloudfunctions2_function.compile"
    ran = here.run("apply", "-auto-approve", "-input=false", "-no-color", compile_functions)
    assert ran.code == 1
    assert "a grant takes a while to be in effect" in re.sub(r"[\s│]+", " ", ran.told)


def test_what_is_refused_keeps_nothing_else_from_being_made(source: Path, tmp_path: Path) -> None:
    """A Python that is decommissioned, strangers by their name, and alerts on metrics that nobody knows yet."""
    _without(source, "config.tf", r"\^3\\\\\.1\[0-4\]\$", r"^3\\\\.(9|1[0-4])$")
    _without(source, "alerts.tf", "600s", "0s")
    (source / "strangers.tf").write_text(_STRANGERS, "utf-8")
    here = prepare_deployment(tmp_path, ONE_SERVICE.replace('"3.11"', '"3.9"'), source)
    ran = here.run("apply", "-auto-approve", "-input=false", "-no-color")
    told = re.sub(r"[\s│]+", " ", ran.told)
    assert ran.code == 1
    assert "DEPLOYS_NOT_ALLOWED" in told
    assert "do not belong to a permitted customer" in told
    assert "Cannot find metric that matches type = logging.googleapis.com/user/provenfix/ticks" in told
    made = {
        one.values["name"] for one in read_state(here) if one.type.startswith("google_cloud") and "name" in one.values
    }
    functions = ("record", "investigate", "redeploy", "check", "verify", "decide", "github")
    assert {f"provenfix-{name}" for name in functions} <= made
    assert "google_secret_manager_secret_version.config" in {one.address for one in read_state(here)}


def test_removing_a_service_leaves_the_others_connected(three: TerraformFolder) -> None:
    """All sinks of a project publish as one account: what one of them no longer needs, the others still do."""
    file = three.folder.parent / "provenfix.yaml"
    voice = re.sub(r"  - name: voice\n(?:    .*\n)+", "", THREE_SERVICES)
    assert voice != THREE_SERVICES
    file.write_text(voice, "utf-8")
    try:
        three.run_checked("plan", "-input=false", "-no-color", "-out=removal.plan")
        changes = three.show_json("removal.plan")["resource_changes"]
    finally:
        file.write_text(THREE_SERVICES, "utf-8")
    removed = {each["address"] for each in changes if "delete" in each["change"]["actions"]}
    assert 'google_logging_project_sink.sink["shop-prod.voice signals"]' in removed
    assert {address for address in removed if address.startswith("google_pubsub_topic_iam_member")} == set()


def test_the_same_service_in_two_regions_is_two(tmp_path: Path) -> None:
    """Each with its sinks and grants, under the ids that the functions give them."""
    (line,) = re.findall(r"  - \{name: chat.*\n", ONE_SERVICE)
    config = ONE_SERVICE.replace(line, line + line.replace("europe-west1", "us-central1"))
    here = prepare_deployment(tmp_path, config)
    here.run_checked("plan", "-input=false", "-no-color", f"-out={PLAN_SUMMARY}")
    addresses = {each["address"] for each in here.show_json(PLAN_SUMMARY)["resource_changes"]}
    sinks = {address for address in addresses if address.startswith("google_logging_project_sink.sink[")}
    ids = {service.id for service in list_services(parse_configuration(config))}
    assert ids == {"shop-prod.chat.europe-west1", "shop-prod.chat.us-central1"}
    assert sinks == {
        f'google_logging_project_sink.sink["{id_} {sink}"]' for id_ in ids for sink in ("signals", "revisions")
    }


def test_a_service_on_an_older_python_is_judged_by_ruff_and_told(tmp_path: Path) -> None:
    here = prepare_deployment(tmp_path, ONE_SERVICE.replace('"3.11"', '"3.9"'))
    told = here.run_checked("plan", "-input=false", "-no-color", f"-out={PLAN_SUMMARY}")
    assert "Cloud Functions deploys no function of these Pythons any more" in re.sub(r"[\s│]+", " ", told)
    planned = json.dumps(here.show_json(PLAN_SUMMARY)["planned_values"])
    assert "provenfix-compile-" not in planned
