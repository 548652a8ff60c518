"""The apps at Slack and GitHub ask for exactly what the adapters' calls need, in words that the two know."""

import json
import re

import yaml

from shared.adapters.github.webhook import PUSH_EVENTS
from tests.support.deploy.grants import read_access_table
from tests.support.deploy.terraform import CONFIGURATION, ROOT, TerraformFolder
from tests.support.npm import install_packages

ALSO = {"channels:history": {"groups:history", "metadata.message:read"}}
"""What goes with a scope: the same calls in private channels, and the metadata that they look for."""
_RANK = {"read": 1, "write": 2}


def _slack() -> dict[str, dict[str, object]]:
    told: dict[str, dict[str, object]] = yaml.safe_load((CONFIGURATION / "manifests/slack.yaml").read_text("utf-8"))
    return told


def test_slacks_scopes_are_those_of_the_calls() -> None:
    told = _slack()
    asked = told["oauth_config"]["scopes"]
    assert isinstance(asked, dict)
    needed = {scope for scopes in read_access_table()["slack"].values() for scope in scopes}
    needed |= {more for scope in needed for more in ALSO.get(scope, ())}
    assert set(asked) == {"bot"}  # no user's token
    assert sorted(asked["bot"]) == sorted(needed)


def test_slack_tells_of_clicks_and_of_nothing_else() -> None:
    settings = _slack()["settings"]
    assert settings["interactivity"] == {"is_enabled": True, "request_url": "${decide_url}"}
    assert settings["socket_mode_enabled"] == "${socket_mode}"
    assert not {"event_subscriptions", "incoming_webhooks"} & set(settings)


def test_githubs_permissions_are_those_of_the_calls_and_known_to_github() -> None:
    told = json.loads((CONFIGURATION / "manifests/github-app.json").read_text("utf-8"))
    needed = {"metadata": "read"}
    for permissions in read_access_table()["github"].values():
        for name, level in permissions.items():
            needed[name] = max(level, needed.get(name, "read"), key=_RANK.__getitem__)
    # The output adds this one where a workflow deploys a service, and only there.
    assert told["default_permissions"] | {"actions": "write"} == needed
    assert "actions" not in told["default_permissions"]
    (described,) = (install_packages("github") / "@octokit/openapi/generated").glob("api.github.com.json")
    known = json.loads(described.read_text("utf-8"))["components"]["schemas"]["app-permissions"]["properties"]
    for name, level in needed.items():
        assert level in known[name]["enum"], name
    assert told["public"] is False


def test_githubs_events_are_those_that_the_webhook_reads() -> None:
    told = json.loads((CONFIGURATION / "manifests/github-app.json").read_text("utf-8"))
    code = (ROOT / "shared/adapters/github/webhook.py").read_text("utf-8")
    read = {*re.findall(r'kind == "(\w+)"', code), *PUSH_EVENTS}
    assert sorted(told["default_events"]) == sorted(read)


def test_the_app_may_start_workflows_only_where_one_deploys(one: TerraformFolder, three: TerraformFolder) -> None:
    told = json.loads((CONFIGURATION / "manifests/github-app.json").read_text("utf-8"))
    for here, more in ((one, {}), (three, {"actions": "write"})):
        made = json.loads(here.show_json()["values"]["outputs"]["github_manifest"]["value"])
        assert made["default_permissions"] == told["default_permissions"] | more
        assert made["default_events"] == told["default_events"]
        assert made["public"] is False


def test_terraform_fills_in_the_addresses(one: TerraformFolder) -> None:
    outputs = one.show_json()["values"]["outputs"]
    slack = yaml.safe_load(outputs["slack_manifest"]["value"])
    assert slack["settings"]["interactivity"]["request_url"] == outputs["decide_url"]["value"]
    github = json.loads(outputs["github_manifest"]["value"])
    assert github["hook_attributes"] == {"url": outputs["github_url"]["value"], "active": True}
