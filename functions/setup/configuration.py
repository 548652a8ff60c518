"""provenfix.yaml and Terraform's root module, from the answers and the facts of earlier steps."""

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from functions.setup import plan
from functions.setup.answers import Answers, WatchedService
from functions.setup.ports import Place
from functions.setup.state import SetupState
from functions.setup.step import StepName
from shared.config import loader

_HEADER = (
    "# Written by `provenfix setup`. provenfix.example.yaml shows every key. Secrets are referred to, never held.\n"
)


def render_configuration(answers: Answers, state: SetupState) -> str:
    """The file. Raises ConfigurationError for values that it refuses."""
    document: dict[str, Any] = {"version": 1}
    if answers.read_only:
        document["read_only"] = answers.read_only
    document["services"] = [_service_entry(service, answers, state) for service in answers.services]
    if answers.uses_chat:
        key, name = plan.name_click_secret(answers)
        document["slack"] = {
            **({"socket_mode": True} if answers.socket_mode else {}),
            key.partition(".")[2]: {"secret": state.fact(StepName.SLACK_APP, name)},
            "bot_token": {"secret": state.fact(StepName.SLACK_APP, plan.SLACK_BOT_TOKEN)},
        }
    document["github"] = _github_entry(answers, state)
    text = _HEADER + yaml.safe_dump(document, sort_keys=False, allow_unicode=True, default_flow_style=None, width=120)
    loader.parse_configuration(text)
    return text


def _service_entry(service: WatchedService, answers: Answers, state: SetupState) -> Mapping[str, Any]:
    entry: dict[str, Any] = {
        "name": service.name,
        "project": answers.watched_project,
        "region": service.region,
        "repository": answers.repositories[service.name],
    }
    if not answers.uses_chat:
        return entry
    entry |= {"channel": answers.channel, "approvers": list(answers.approvers)}
    known = {"team": state.fact(StepName.SLACK_APP, "team"), "chat_app": state.fact(StepName.SLACK_CHANNEL, "app")}
    return entry | {key: value for key, value in known.items() if value}


def _github_entry(answers: Answers, state: SetupState) -> Mapping[str, Any]:
    app = answers.github_app or state.fact(StepName.GITHUB_APP, "id")
    installation = answers.installation or int(state.fact(StepName.GITHUB_INSTALLATION, "installation") or 0)
    key = {"secret": state.fact(StepName.GITHUB_APP, plan.GITHUB_APP_KEY)}
    entry: dict[str, Any] = {"app": {"id": app, "installation": installation, "private_key": key}}
    if answers.takes_webhooks:
        entry["webhook_secret"] = {"secret": state.fact(StepName.GITHUB_APP, plan.GITHUB_WEBHOOK_SECRET)}
    return entry


def render_root_module(answers: Answers, paths: Place) -> str:
    """`main.tf.json`: the module beside this code, with the state in a bucket.

    The secrets exist already, because the apps' values are kept in them before anything else is made.
    """
    source = os.path.relpath(paths.checkout / "terraform", paths.root)
    imported = [
        {
            "to": f'module.provenfix.google_secret_manager_secret.secret["{key}"]',
            "id": f"projects/{answers.project}/secrets/{name}",
        }
        for key, name in plan.list_secrets(answers).items()
    ]
    module = {
        "source": source if source.startswith("..") else f"./{source}",
        "project": answers.project,
        "region": answers.region,
        "config": _escape(paths.config.absolute()),
        "bundles": {name: _escape(paths.build / f"{name}.zip") for name in ("functions", "compile")},
        "pythons": list(answers.pythons),
        "alert_emails": [answers.email] if answers.email else [],
        "keep_data": "${var.keep_data}",
    }
    document = {
        "terraform": {"backend": {"gcs": {"bucket": plan.bucket_name(answers), "prefix": "provenfix"}}},
        "variable": {"keep_data": {"type": "bool", "default": True}},
        "provider": {
            "google": {
                "project": answers.project,
                "region": answers.region,
                "default_labels": {"application": "provenfix"},
            }
        },
        "module": {"provenfix": module},
        "import": imported,
        "output": {"config": {"value": "${module.provenfix.config}"}},
    }
    return json.dumps(document, indent=2) + "\n"


def _escape(path: Path) -> str:
    """A path as Terraform reads a string."""
    return str(path).replace("${", "$${").replace("%{", "%%{")


def render_slack_manifest(paths: Place, decide_url: str) -> str:
    """YAML; without an address of `decide` the app uses Socket Mode."""
    text = (paths.checkout / "terraform/manifests/slack.yaml").read_text("utf-8")
    filled = text.replace("${decide_url}", decide_url).replace("${socket_mode}", "false" if decide_url else "true")
    return filled.replace("    request_url: \n", "")


def render_github_manifest(answers: Answers, paths: Place, github_url: str) -> dict[str, Any]:
    """Without the addresses of the registration itself, which its page adds."""
    text = (paths.checkout / "terraform/manifests/github-app.json").read_text("utf-8")
    manifest: dict[str, Any] = json.loads(text.replace("${github_url}", github_url))
    manifest["name"] = f"provenfix-{answers.owner}"[:34]
    if not answers.takes_webhooks:
        manifest["hook_attributes"] = {"url": github_url, "active": False}
        manifest["default_events"] = []
    if answers.read_only:
        manifest["default_permissions"]["checks"] = "read"
        manifest["default_permissions"]["deployments"] = "read"
    if answers.read_only == "log":
        del manifest["default_permissions"]["issues"]
    return manifest
