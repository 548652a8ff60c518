"""Says how the owners deploy a commit themselves, where provenfix moves no platform."""

import shlex

from shared.adapters.slack.rich_text import Element, inline_code, literal_text
from shared.service import Service
from shared.text.escaping import truncate

_MAX_COMMAND_LENGTH = 600
COMMAND_NOT_UNDONE = "provenfix does not undo what the command did before it failed."


def describe_manual_deployment(service: Service, commit: str) -> list[Element]:
    """Nothing is changed from here; the command with which a user deploys."""
    return [
        literal_text("provenfix changes nothing. Run: "),
        inline_code(truncate(deploy_command(service, commit), _MAX_COMMAND_LENGTH)),
    ]


def deploy_command(service: Service, commit: str) -> str:
    """By the way in which the configuration says that the service is deployed; a source deployment by default."""
    if service.deploy_method == "cloud_build":
        return _build_trigger_command(service, commit)
    if service.deploy_method == "github_workflow":
        where = ["--repo", service.repository] if not service.repository.startswith(("/", ".", "~")) else []
        ref = ["--ref", service.deploy_ref or service.branch] if service.deploy_ref or service.branch else []
        return _join_for_shell(
            "gh", "workflow", "run", service.deploy_workflow, *where, *ref, "-f", _build_workflow_input(service, commit)
        )
    options = (f"--project={service.project}", f"--region={service.region}")
    checkout = _join_for_shell("git", "-C", service.repository, "checkout", "--detach", commit)
    deploy = _join_for_shell("gcloud", "run", "deploy", service.name, f"--source={service.repository}", *options)
    return f"{checkout} && {deploy}"


def _build_trigger_command(service: Service, commit: str) -> str:
    parts = service.deploy_trigger.split("/")
    named = dict(zip(parts[::2], parts[1::2], strict=False))
    options = (f"--project={named.get('projects', '')}", f"--region={named.get('locations', '')}")
    return _join_for_shell(
        "gcloud", "builds", "triggers", "run", named.get("triggers", ""), *options, f"--sha={commit}"
    )


def _build_workflow_input(service: Service, commit: str) -> str:
    return f"{service.deploy_input}={commit}"


def _join_for_shell(*words: str) -> str:
    return shlex.join(words)
