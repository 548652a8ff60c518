"""`provenfix stop [SERVICE]` and `provenfix resume [SERVICE]`: set the kill switch of one service or of all."""

import getpass
import os
import socket
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated

import typer

from functions.local.stack_folder import load_named_environment, override_environ
from shared import state_stores
from shared.adapters import system
from shared.config.settings import read_all_settings, read_settings
from shared.errors import UsageError
from shared.service import Service
from shared.text.escaping import to_one_line
from shared.workflow.records.kill_switch import ALL_SERVICES, read_switch, set_switch


def run_kill_switch(service: str, folder: Path, *, stopped: bool) -> int:
    """Raises UsageError for a service that is not configured, InputError and Retry if the store cannot be reached."""
    with override_environ(load_named_environment(folder)):
        # Stopping everything works without provenfix.yaml: in an emergency nobody should have to find a file first.
        settings = read_all_settings() if service else read_settings()
        chosen = _find_service_id(settings.services, service) if service else ALL_SERVICES
        opened = state_stores.create_store(settings)
        changed = set_switch(opened, system.SystemClock(), chosen, _get_current_user(), stopped=stopped)
        print(to_one_line(_describe_change(service or "all services", stopped=stopped, changed=changed)))
        switch = read_switch(opened, chosen)
        if switch.by and switch.at:
            print(f"Recorded: by {to_one_line(switch.by)} at {to_one_line(switch.at)}.")
        if not stopped and chosen != ALL_SERVICES and read_switch(opened, ALL_SERVICES).stopped:
            print("All services are still stopped: run `provenfix resume` without a service to resume them.")
        if not stopped and settings.kill_switch:
            print("PROVENFIX_KILL_SWITCH is still on: nothing is deployed until it is off.")
    return 0


def _find_service_id(services: Mapping[str, Service], name: str) -> str:
    ids = [key for key, service in services.items() if name in {key, service.name}]
    if len(ids) == 1:
        return ids[0]
    known = ", ".join(sorted(services)) or "none"
    what = "More than one service is" if ids else "No service is"
    raise UsageError(f"{what} named {name!r}; configured: {known}")


def _describe_change(what: str, *, stopped: bool, changed: bool) -> str:
    if not stopped:
        return f"Deployments of {what} are allowed{'' if changed else ' already'}."
    stopped_now = f"Deployments of {what} are stopped{'' if changed else ' already'}"
    return f"{stopped_now}. A rollout in progress is rolled back."


def _get_current_user() -> str:
    try:
        user = getpass.getuser()
    except (KeyError, OSError):  # in a container a user often has no name
        user = f"uid {os.getuid()}"
    return f"{user}@{socket.gethostname()}"


_ServiceArgument = Annotated[str, typer.Argument(metavar="SERVICE", help="Name or project.name. Default: all.")]
_FolderOption = Annotated[Path, typer.Option(metavar="PATH", help="Stack directory.")]
_DEFAULT_FOLDER = Path(".provenfix")


def stop(service: _ServiceArgument = "", folder: _FolderOption = _DEFAULT_FOLDER) -> int:
    """Stop deployments, and roll back a rollout in progress."""
    return run_kill_switch(service, folder, stopped=True)


def resume(service: _ServiceArgument = "", folder: _FolderOption = _DEFAULT_FOLDER) -> int:
    """Allow deployments again."""
    return run_kill_switch(service, folder, stopped=False)
