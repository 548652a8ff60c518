"""A deployment that reaches nobody: `provenfix.yaml` comes in, Terraform's state after an apply goes out.

The stand-in provider invents what the platform would tell, so that whatever refers to it can be judged.
"""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.support.deploy.google_schema import VERSION
from tests.support.deploy.terraform import CONFIGURATION, ROOT, TerraformFolder

PROJECT = "shop-ops"
REGION = "europe-west1"
PLAN_SUMMARY = "made.plan"
"""The file of the plan that was applied."""

_KEEPERS = """
slack:
  signing_secret: {secret: projects/shop-ops/secrets/slack-signing-secret/versions/1}
  bot_token: {secret: projects/shop-ops/secrets/slack-bot-token/versions/1}
github:
  token: {secret: projects/shop-ops/secrets/github-token/versions/1}
  webhook_secret: {secret: projects/shop-ops/secrets/github-webhook-secret/versions/1}
"""
ONE_SERVICE = (
    """
version: 1
services:
  - {name: chat, project: shop-prod, region: europe-west1, repository: acme/chat, channel: C024BE91L, python: "3.11"}
"""
    + _KEEPERS
)
"""One service in one project."""
THREE_SERVICES = """
version: 1
services:
  - name: chat
    project: shop-prod
    region: europe-west1
    repository: acme/chat
    channel: C024BE91L
    python: "3.11"
    deploy_method: github_workflow
    deploy_workflow: deploy.yml
  - name: voice
    project: shop-prod
    region: us-central1
    repository: acme/voice
    channel: C024BE91M
    team: T024BE7LD
    chat_app: A024BE7LD
    proposal_ttl: 2d
    traffic_steps: [10, 100]
    deploy_method: cloud_build
    deploy_trigger: projects/shop-build/locations/global/triggers/deploy-voice
  - name: chat
    project: shop-test
    region: europe-west1
    repository: acme/chat
    channel: C024BE91L
    python: "3.12"
    deploy_method: cloud_build
    deploy_trigger: projects/shop-test/locations/europe-west1/triggers/plain
""" + _KEEPERS.replace(
    "token: {secret: projects/shop-ops/secrets/github-token/versions/1}",
    "app: {id: 1234567, installation: 7654321, private_key: "
    "{secret: projects/shop-ops/secrets/github-app-key/versions/2}}",
)
"""Three services in two projects, one name twice, two Pythons, one service without any; two triggers; a GitHub App."""


@dataclass(frozen=True, slots=True)
class Resource:
    """One resource of a state."""

    address: str
    """`google_pubsub_topic.topic["tick"]`."""
    type: str
    values: Mapping[str, Any]

    @property
    def key(self) -> str:
        """The part in brackets, "" where there is none."""
        return self.address.partition('["')[2].removesuffix('"]')


def prepare_deployment(
    folder: Path, config: str, source: Path = CONFIGURATION, google: str = VERSION, **variables: object
) -> TerraformFolder:
    """A working folder with its configuration file and small zips in place of the real ones; initialised."""
    (folder / "shared").symlink_to(ROOT / "shared")
    (folder / "build").mkdir()
    for name in ("functions", "compile"):
        (folder / f"build/{name}.zip").write_bytes(name.encode())
    (folder / "provenfix.yaml").write_text(config, "utf-8")
    deployment = TerraformFolder(folder, source, google)
    given = {"project": PROJECT, "region": REGION} | variables
    (deployment.folder / "given.auto.tfvars.json").write_text(json.dumps(given), "utf-8")
    return deployment.init()


def apply_deployment(folder: TerraformFolder) -> list[Resource]:
    """What is there after an apply."""
    folder.run_checked("plan", "-input=false", "-no-color", f"-out={PLAN_SUMMARY}")
    folder.run_checked("apply", "-input=false", "-no-color", PLAN_SUMMARY)
    return read_state(folder)


def read_state(folder: TerraformFolder) -> list[Resource]:
    """What is there now; data sources left out."""
    return list(list_resources(folder.show_json()["values"]["root_module"]))


def list_resources(module: Mapping[str, Any]) -> Iterator[Resource]:
    """The resources of a module of `terraform show -json`."""
    for resource in module["resources"]:
        if resource["mode"] == "managed":
            yield Resource(resource["address"], resource["type"], resource["values"])
