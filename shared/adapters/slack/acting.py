"""What follows where no platform is moved from here: a service and a commit go in, words for its people come out."""

import shlex

from shared.adapters.slack.rich_text import Element, command, own
from shared.service import Service
from shared.text.escaping import truncate, break_mentions_and_links, to_one_line

_LONGEST_COMMAND = 600
FAILED_BY_COMMAND = "What the command has done until then is not taken back from here."


def by_command(service: Service) -> str:
    """What an approval does that runs the service's own command."""
    program = truncate(break_mentions_and_links(to_one_line(service.deploy_command[0])), 80)
    probed = f", {truncate(break_mentions_and_links(to_one_line(service.probe_url)), 120)} is probed" if service.probe_url else ""
    return (
        f"Then the deploy_command is run ({program}): it decides what gets traffic. Once the log shows a new revision, "
        f"it is watched for a day{probed}. Nothing is taken back from here: if the failure returns, that is said."
    )


def by_hand(service: Service, commit: str) -> list[Element]:
    """Nothing is changed from here; the command with which a person deploys."""
    return [own("nothing is changed from here. "), command(truncate(command_of(service, commit), _LONGEST_COMMAND))]


def command_of(service: Service, commit: str) -> str:
    """By the way in which the configuration says that the service is deployed; a source deployment by default."""
    if service.deploy_method == "cloud_build":
        return _trigger(service, commit)
    if service.deploy_method == "github_workflow":
        where = ["--repo", service.repository] if not service.repository.startswith(("/", ".", "~")) else []
        ref = ["--ref", service.deploy_ref or service.branch] if service.deploy_ref or service.branch else []
        return _words("gh", "workflow", "run", service.deploy_workflow, *where, *ref, "-f", _input(service, commit))
    place = (f"--project={service.project}", f"--region={service.region}")
    checkout = _words("git", "-C", service.repository, "checkout", "--detach", commit)
    return f"{checkout} && {_words('gcloud', 'run', 'deploy', service.name, f'--source={service.repository}', *place)}"


def _trigger(service: Service, commit: str) -> str:
    parts = service.deploy_trigger.split("/")
    named = dict(zip(parts[::2], parts[1::2], strict=False))
    place = (f"--project={named.get('projects', '')}", f"--region={named.get('locations', '')}")
    return _words("gcloud", "builds", "triggers", "run", named.get("triggers", ""), *place, f"--sha={commit}")


def _input(service: Service, commit: str) -> str:
    return f"{service.deploy_input}={commit}"


def _words(*words: str) -> str:
    return shlex.join(words)
