"""The first apply, and a removal, on a platform that is late and refuses: what would fail only in a real project."""

import json
import re
import shutil
from math import ceil
from pathlib import Path

import pytest

from shared.config.loader import parse_configuration
from shared.config.settings import list_services, read_all_settings
from shared.filters.rendering import SERVICES_PER_SINK, list_sinks, render_sink_filter
from tests.support.deploy.delayed_platform import KEY_AGENTS
from tests.support.deploy.deployment import (
    ONE_SERVICE,
    PLAN_SUMMARY,
    PROJECT,
    THREE_SERVICES,
    Resource,
    apply_deployment,
    prepare_deployment,
    read_state,
)
from tests.support.deploy.grants import granted_by_state
from tests.support.deploy.rules import find_breaches
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
    functions = ("record", "investigate", "redeploy", "check", "schedule", "verify", "decide", "github")
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
    changed = {each["address"]: each["change"] for each in changes if "update" in each["change"]["actions"]}
    sink = changed['google_logging_project_sink.sink["shop-prod signals"]']
    assert ('"voice"' in sink["before"]["filter"], '"voice"' in sink["after"]["filter"]) == (True, False)
    removed = {each["address"] for each in changes if "delete" in each["change"]["actions"]}
    assert any("voice" in address for address in removed)
    assert {address for address in removed if "_sink" in address} == set()
    assert {address for address in removed if address.startswith("google_pubsub_topic_iam_member")} == set()


def test_the_same_service_in_two_regions_is_two(tmp_path: Path) -> None:
    """Each with its grants, under the ids that the functions give them; one sink takes the entries of both."""
    (line,) = re.findall(r"  - \{name: chat.*\n", ONE_SERVICE)
    config = ONE_SERVICE.replace(line, line + line.replace("europe-west1", "us-central1"))
    here = prepare_deployment(tmp_path, config)
    here.run_checked("plan", "-input=false", "-no-color", f"-out={PLAN_SUMMARY}")
    changes = {each["address"]: each["change"] for each in here.show_json(PLAN_SUMMARY)["resource_changes"]}
    ids = {service.id for service in list_services(parse_configuration(config))}
    assert ids == {"shop-prod.chat.europe-west1", "shop-prod.chat.us-central1"}
    granted = {address for address in changes if address.startswith("google_cloud_run_v2_service_iam_member.watched[")}
    assert {address.partition('["')[2].partition(" ")[0] for address in granted} == ids
    rendered = changes['google_logging_project_sink.sink["shop-prod signals"]']["after"]["filter"]
    assert re.findall(r'location="([a-z0-9-]+)"', rendered) == ["europe-west1", "us-central1"]


def test_more_services_than_a_project_may_have_sinks_are_watched(tmp_path: Path) -> None:
    """Two a service would be 260, against the 200 that a project may have."""
    (line,) = re.findall(r"  - \{name: chat.*\n", ONE_SERVICE)
    config = ONE_SERVICE.replace(line, "".join(line.replace("chat,", f"chat-{number:03},", 1) for number in range(130)))
    here = prepare_deployment(tmp_path, config)
    here.run_checked("apply", "-auto-approve", "-input=false", "-no-color", "-target=google_logging_project_sink.sink")
    sinks = [one for one in read_state(here) if one.type == "google_logging_project_sink"]
    named = [name for one in sinks for name in re.findall(r'"(chat-\d+)"', one.values["filter"])]
    assert sorted(named) == sorted(2 * [f"chat-{number:03}" for number in range(130)])
    assert len(sinks) == 2 * ceil(130 / SERVICES_PER_SINK)


def test_a_folder_delivers_for_all_projects_in_it(tmp_path: Path) -> None:
    """Two sinks and two grants for it, and one for the canary, however many services are watched."""
    state = apply_deployment(prepare_deployment(tmp_path, THREE_SERVICES, sink_folder="123456789012"))
    sinks = [one for one in state if one.address.startswith("google_logging_folder_sink.sink[")]
    (version,) = (one for one in state if one.type == "google_secret_manager_secret_version")
    file = tmp_path / "deployed.yaml"
    file.write_text(version.values["secret_data"], "utf-8")
    settings = read_all_settings({"PROVENFIX_CONFIG": str(file), "PROVENFIX_PROJECT": PROJECT})
    expected = {sink.key: sink for sink in list_sinks(settings.services.values(), settings.sink_folder)}
    own = sorted(name.removeprefix(f"{PROJECT}.") for name in settings.own_functions)
    assert {one.key for one in sinks} == set(expected)
    for one in sinks:
        sink = expected[one.key]
        assert one.values["filter"] == render_sink_filter(sink.kind, sink.services, PROJECT, own)
        assert (one.values["folder"], one.values["include_children"]) == ("folders/123456789012", True)
    writers = {grant.member for grant in granted_by_state(state) if grant.member.startswith("log writer of ")}
    assert writers == {"log writer of folder-123456789012", "log writer of shop-ops"}
    assert find_breaches(state) == []
    projects = [one.values["name"] for one in state if one.type == "google_logging_project_sink"]
    assert projects == ["provenfix-canary"]


def test_a_service_on_an_older_python_is_judged_by_ruff_and_told(tmp_path: Path) -> None:
    here = prepare_deployment(tmp_path, ONE_SERVICE.replace('"3.11"', '"3.9"'))
    told = here.run_checked("plan", "-input=false", "-no-color", f"-out={PLAN_SUMMARY}")
    assert "Cloud Functions deploys no function of these Pythons any more" in re.sub(r"[\s│]+", " ", told)
    planned = json.dumps(here.show_json(PLAN_SUMMARY)["planned_values"])
    assert "provenfix-compile-" not in planned


KEY = "projects/shop-keys/locations/europe-west1/keyRings/provenfix/cryptoKeys/state"


def test_what_is_kept_is_kept_under_a_key_of_ones_own(tmp_path: Path) -> None:
    """Everything that has room for a key names it; the stand-in refuses what is made before its agent may use it."""
    state = apply_deployment(prepare_deployment(tmp_path, ONE_SERVICE, kms_key=KEY))
    with_key = {one.type for one in state if KEY in json.dumps(one.values) and not one.type.endswith("_iam_member")}
    assert with_key == set(KEY_AGENTS)
    assert all(KEY in json.dumps(one.values) for one in state if one.type in KEY_AGENTS)
    agents = {one.values["member"].partition("@")[2] for one in state if one.type == "google_kms_crypto_key_iam_member"}
    assert agents == {f"{agent}.iam.gserviceaccount.com" for agent in KEY_AGENTS.values()}


def test_a_key_that_is_not_granted_in_time_stops_the_apply(source: Path, tmp_path: Path) -> None:
    _without(source, "kms.tf", "120s", "0s")
    here = prepare_deployment(tmp_path, ONE_SERVICE, source, kms_key=KEY)
    ran = here.run("apply", "-auto-approve", "-input=false", "-no-color", "-target=google_firestore_database.state")
    assert ran.code == 1
    assert "Permission denied on the key" in re.sub(r"[\s│]+", " ", ran.told)


def test_functions_reach_everything_through_a_connector_where_one_is_named(tmp_path: Path) -> None:
    connector = "projects/shop-ops/locations/europe-west1/connectors/egress"
    here = prepare_deployment(tmp_path, ONE_SERVICE, vpc_connector=connector)
    here.run_checked("plan", "-input=false", "-no-color", f"-out={PLAN_SUMMARY}")
    changes = {each["address"]: each["change"]["after"] for each in here.show_json(PLAN_SUMMARY)["resource_changes"]}
    for address, planned in changes.items():
        if address.startswith("google_cloudfunctions2_function.function["):
            (service,) = planned["service_config"]
            assert (service["vpc_connector"], service["vpc_connector_egress_settings"]) == (connector, "ALL_TRAFFIC")
        if address.startswith("google_cloud_run_v2_service.public["):
            (access,) = planned["template"][0]["vpc_access"]
            assert (access["connector"], access["egress"]) == (connector, "ALL_TRAFFIC")


def test_it_is_told_where_nobody_is(tmp_path: Path) -> None:
    """A channel of another kind than e-mail is one, too."""
    sentence = "set alert_emails or notification_channels"
    here = prepare_deployment(tmp_path, ONE_SERVICE)
    assert sentence in re.sub(r"[\s│]+", " ", here.run_checked("plan", "-input=false", "-no-color"))
    channel = "projects/shop-ops/notificationChannels/41"
    told = here.run_checked(
        "plan", "-input=false", "-no-color", f'-var=notification_channels=["{channel}"]', f"-out={PLAN_SUMMARY}"
    )
    assert sentence not in re.sub(r"[\s│]+", " ", told)
    policies = [
        each["change"]["after"]
        for each in here.show_json(PLAN_SUMMARY)["resource_changes"]
        if each["type"] == "google_monitoring_alert_policy"
    ]
    assert policies
    assert all(policy["notification_channels"] == [channel] for policy in policies)


def test_with_socket_mode_and_without_webhooks_nothing_is_reached_from_outside(tmp_path: Path) -> None:
    """Slack's clicks come over a connection that `decide` keeps open, by its platform's own probes alone."""
    signed = "signing_secret: {secret: projects/shop-ops/secrets/slack-signing-secret/versions/1}"
    by_socket = "socket_mode: true\n  app_token: {secret: projects/shop-ops/secrets/slack-app-token/versions/1}"
    config = re.sub(r"\n  webhook_secret: .*", "", ONE_SERVICE.replace(signed, by_socket))
    state = apply_deployment(prepare_deployment(tmp_path, config))
    (decide,) = [one.values for one in state if one.type == "google_cloud_run_v2_service"]
    assert (decide["ingress"], decide["invoker_iam_disabled"]) == ("INGRESS_TRAFFIC_INTERNAL_ONLY", False)
    (template,) = decide["template"]
    (container,) = template["containers"]
    assert {"name": "FUNCTION_TARGET", "value": "decide_socket"}.items() <= next(
        each for each in container["env"] if each["name"] == "FUNCTION_TARGET"
    ).items()
    assert container["resources"][0]["cpu_idle"] is False
    assert len(container["startup_probe"]) == len(container["liveness_probe"]) == 1
    assert [(each["min_instance_count"], each["max_instance_count"]) for each in template["scaling"]] == [(1, 1)]
    functions = [one.values for one in state if one.type == "google_cloudfunctions2_function"]
    inside = {
        one["service_config"][0]["ingress_settings"] for one in functions if one["name"] != "provenfix-compile-py311"
    }
    assert inside == {"ALLOW_INTERNAL_ONLY"}
    readers = {one.key for one in state if one.address.startswith("google_secret_manager_secret_iam_member.reader")}
    assert "decide slack.app_token" in readers
    assert not [key for key in readers if "signing_secret" in key or "webhook" in key]


def test_a_signed_click_comes_to_a_service_that_anybody_reaches(one_state: list[Resource]) -> None:
    public = {one.key: one.values for one in one_state if one.type == "google_cloud_run_v2_service"}
    assert {(one["ingress"], one["invoker_iam_disabled"]) for one in public.values()} == {("INGRESS_TRAFFIC_ALL", True)}
    readers = {one.key for one in one_state if one.address.startswith("google_secret_manager_secret_iam_member.reader")}
    assert "decide slack.signing_secret" in readers
    assert "decide slack.app_token" not in readers
