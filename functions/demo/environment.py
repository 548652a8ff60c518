"""The demo's service, its configuration, and the environment that leads the stack to its folder."""

from collections.abc import Mapping
from pathlib import Path

from functions.demo.build_repository import SERVICE
from functions.demo.incident_log import LOCATION, PROJECT
from functions.local.private_files import write_private
from shared.secret import Secret
from shared.service import Service

MAX_WAIT_SECONDS = 6.0
APPROVER = "U0MIRA"
_SIGNING_SECRET_VARIABLE = "PROVENFIX_DEMO_SIGNING_SECRET"  # noqa: S105  # the name of a variable
_CHANNEL = "C0HARBOUR"
_CONFIGURATION = """\
version: 1
services:
  - name: {service}
    project: {project}
    region: {region}
    repository: {repository}
    channel: {channel}
    channel_name: {channel_name}
    approvers: [{approver}]
    probe_url: ws://127.0.0.1:{port}/ws
    daily_cap: 100
    trial: {trial}
slack:
  signing_secret: {{env: {secret}}}
"""


def create_service(folder: Path, port: int, *, trial: bool = False) -> Service:
    """The service of the incident, reached on a port of the loopback; `trial`: whether a fix may be tried."""
    return Service(
        name=SERVICE,
        project=PROJECT,
        region=LOCATION,
        repository=str(folder.resolve() / "repository.git"),
        channel=_CHANNEL,
        channel_name="harbour-alerts",
        approvers=(APPROVER,),
        probe_url=f"ws://127.0.0.1:{port}/ws",
        trial=trial,
    )


def write_configuration(folder: Path, service: Service, port: int, secret: Secret) -> Mapping[str, str]:
    """What leads every process of the stack to it; the file of the configuration is written."""
    file = folder / "provenfix.yaml"
    text = _CONFIGURATION.format(
        service=service.name,
        project=service.project,
        region=service.region,
        repository=service.repository,
        channel=service.channel,
        channel_name=service.channel_name,
        approver=APPROVER,
        port=port,
        secret=_SIGNING_SECRET_VARIABLE,
        trial=str(service.trial).lower(),
    )
    write_private(file, text)
    return {
        "PROVENFIX_CONFIG": str(file.resolve()),
        "PROVENFIX_EMBEDDED": str(folder.resolve()),
        "PROVENFIX_PROJECT": "provenfix-local",
        "PROVENFIX_PLATFORM": "served",
        "PROVENFIX_LONGEST_WAIT": str(MAX_WAIT_SECONDS),
        # What a process that is killed cannot clean up is gone with the folder.
        "TMPDIR": str(_create_folder(folder / "scratch")),
        _SIGNING_SECRET_VARIABLE: secret.reveal(),
    }


def _create_folder(folder: Path) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    return folder.resolve()


def describe_short_waits() -> str:
    """Returns one sentence about what is shorter than in the cloud."""
    return (
        f"Starting the functions. In the cloud some waits are longer (2 minutes for a lone 1011, 12 for a lease, "
        f"24 hours of watching); here they take {MAX_WAIT_SECONDS:g} seconds, and the tick comes every second."
    )
