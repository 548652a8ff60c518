"""Mistakes planted into a copy of the configuration are reported, by Terraform where it can know, or by the rules."""

import re
import shutil
from pathlib import Path

import pytest

from shared.config.loader import parse_configuration
from tests.support.deploy.deployment import ONE_SERVICE, apply_deployment, prepare_deployment
from tests.support.deploy.grants import granted_by_state, needed_by_table, read_access_table
from tests.support.deploy.rules import Rule, RuleBreach, find_breaches
from tests.support.deploy.terraform import CONFIGURATION

_GENEROUS = """
resource "google_project_iam_member" "generous" {
  project = var.project
  role    = "roles/editor"
  member  = google_service_account.function["record"].member
}
"""


@pytest.mark.parametrize(
    ("file", "right", "wrong", "told"),
    [
        ("topics.tf", "message_retention_duration = ", "retention = ", 'argument named "retention" is not expected'),
        ("topics.tf", '  name .*?\n', "", 'argument "name" is required'),
        ("tick.tf", "retry_count = 0", 'retry_count = "often"', "a number is required"),
        ("tick.tf", 'topic["tick"].id', 'topic["tick"].number', 'exported attribute named "number"'),
        ("functions.tf", '"ALLOW_INTERNAL_ONLY"', '"INSIDE"', "ingress_settings: INSIDE is not one of ALLOW_ALL, "),
        ("alerts.tf", '"COMPARISON_GT"', '"GREATER"', "condition_threshold.comparison: GREATER is not one of"),
        ("firestore.tf", '"FIRESTORE_NATIVE"', '"NATIVE"', "google_firestore_database.type: NATIVE is not one of"),
    ],
)  # fmt: skip
def test_terraform_refuses(file: str, right: str, wrong: str, told: str, tmp_path: Path) -> None:
    """Unknown and missing arguments, types, references; and values that the provider's documentation does not list."""
    here = prepare_deployment(tmp_path, ONE_SERVICE, _planted(tmp_path / "source", {file: (right, wrong)}))
    ran = here.run("plan", "-input=false", "-no-color", "-refresh=false")
    assert ran.code == 1
    assert told in re.sub(r"[\s│╷╵]+", " ", ran.told)


@pytest.mark.parametrize(
    ("right", "wrong", "told"),
    [
        (
            "signing_secret: {secret: projects/shop-ops/secrets/slack-signing-secret/versions/1}",
            "signing_secret: {env: SIGNING_SECRET}",
            "provenfix.yaml must refer to Slack's secrets with {secret: projects/P/secrets/S/versions/V}",
        ),
        (
            "token: {secret: projects/shop-ops/secrets/github-token/versions/1}",
            "token: {env: GITHUB_TOKEN}",
            "provenfix.yaml must refer to GitHub's secrets with {secret: projects/P/secrets/S/versions/V}",
        ),
        (
            "token: {secret: projects/shop-ops/secrets/github-token/versions/1}\n",
            "address: https://github.com\n",
            "provenfix.yaml must refer to github.token or to github.app.private_key",
        ),
        (
            "github-webhook-secret",
            "slack-signing-secret",
            "Two keys of provenfix.yaml refer to the same secret",
        ),
        (
            "channel: C024BE91L",
            "channel: C024BE91L, chat_app: T024BE7LD",
            "A service in provenfix.yaml names a Slack workspace or app by something else than its id",
        ),
        (
            "channel: C024BE91L",
            "channel: C024BE91L, team: acme",
            "A service in provenfix.yaml names a Slack workspace or app by something else than its id",
        ),
        (
            "name: chat, project: shop-prod",
            "name: provenfix-record, project: shop-ops",
            "One of the watched services is a function of provenfix itself",
        ),
    ],
)
def test_a_file_that_cannot_work_in_the_cloud_is_told(right: str, wrong: str, told: str, tmp_path: Path) -> None:
    assert right in ONE_SERVICE
    here = prepare_deployment(tmp_path, ONE_SERVICE.replace(right, wrong))
    ran = here.run("plan", "-input=false", "-no-color")
    assert ran.code == 1
    assert told in re.sub(r"[\s│╷╵]+", " ", ran.told)


def test_the_rules_tell_what_terraform_cannot_know(tmp_path: Path) -> None:
    """Each of these deploys without a complaint and then fails silently."""
    source = _planted(
        tmp_path / "source",
        {
            "dead_letters.tf": (r'resource "google_pubsub_subscription" "dead_letters" \{.*?\n\}\n', ""),
            "sinks.tf": (r'resource "google_pubsub_topic_iam_member" "sink" \{.*?\n\}\n', ""),
            "functions.tf": (r"service_account_email +=[^\n]*\n", ""),
            "subscriptions.tf": (r'resource "google_cloud_run_v2_service_iam_member" "push" \{.*?\n\}\n', ""),
        },
    )
    for name in ("alerts.tf", "dashboard.tf"):  # they watch what was taken out
        (source / name).unlink()
    (source / "generous.tf").write_text(_GENEROUS, "utf-8")
    subscriptions = source / "subscriptions.tf"
    subscriptions.write_text(subscriptions.read_text().replace("google_cloud_run_v2_service_iam_member.push, ", ""))
    state = apply_deployment(prepare_deployment(tmp_path, ONE_SERVICE, source))

    found = find_breaches(state)
    for subscription in ("record", "investigate", "redeploy"):
        address = f'google_pubsub_subscription.push["{subscription}"]'
        assert RuleBreach(Rule.LETTERS_READ, address, "provenfix-dead-letters") in found
        assert RuleBreach(Rule.PUSH_LET_IN, address) in found
    assert RuleBreach(Rule.OWN_ACCOUNT, 'google_cloudfunctions2_function.function["record"]') in found
    sink = 'google_logging_project_sink.sink["shop-prod signals"]'
    assert RuleBreach(Rule.SINK_PUBLISHES, sink, "provenfix-log-entries") in found

    left_over = granted_by_state(state) - needed_by_table(read_access_table(), parse_configuration(ONE_SERVICE))
    assert {(grant.member, grant.role) for grant in left_over} == {("provenfix-record@shop-ops", "roles/editor")}
    missing = {
        grant.thing
        for grant in needed_by_table(read_access_table(), parse_configuration(ONE_SERVICE)) - granted_by_state(state)
    }
    assert "topic shop-ops/provenfix-tick" in missing  # of the sink of revisions
    assert "service shop-ops/europe-west1/provenfix-verify" in missing


def _planted(source: Path, mistakes: dict[str, tuple[str, str]]) -> Path:
    """A copy of the configuration in which, in each file, a text or a pattern was replaced."""
    shutil.copytree(CONFIGURATION, source / "terraform", ignore=shutil.ignore_patterns(".terraform*"))
    for name, (right, wrong) in mistakes.items():
        file = source / "terraform" / name
        before = file.read_text("utf-8")
        after = before.replace(right, wrong) if right in before else re.sub(right, wrong, before, flags=re.S)
        assert after != before, (name, right)
        file.write_text(after, "utf-8")
    return source / "terraform"
