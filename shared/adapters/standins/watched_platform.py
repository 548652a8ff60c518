"""A platform of which only the log is seen: revisions are those that log, and a deployment is a command of the service.

In: the service's log, and the command that its configuration names. Without a command nothing is ever deployed. The
command is run once for a marker, whatever dies: one that was begun and never ended counts as failed.
"""

import os
import subprocess
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import cast

from shared.adapters.sqlite.sqlite_logs import SqliteLogs
from shared.errors import Reject, Retry
from shared.ports import CHANGED_BY_HAND, Clock, Store, StoredDocument
from shared.proof.model.target import NO_IMAGE_NEEDED, ImageCheck
from shared.proposal.rollout import CommitClaim, Deployment, DeploymentProgress, Revision, ServiceState
from shared.service import Service
from shared.text.escaping import to_one_line, truncate
from shared.text.redaction import redact
from shared.text.timestamps import format_rfc3339

DEPLOYMENTS_KIND = "local-deployments"
COMMAND_TIMEOUT = timedelta(minutes=8)
"""A function runs for nine minutes at most, and something has to be written afterwards."""
_REVISION_TIMEOUT = timedelta(minutes=10)
"""How long after the command the log may take to show a revision that was not there before."""
_LONG_AGO = datetime(2000, 1, 1, tzinfo=UTC)
_ALL_TRAFFIC = 100
_MAX_OUTPUT_LENGTH = 300
_HIDDEN_VARIABLES = frozenset(("PYTHONPATH", "PYTHONUNBUFFERED"))
"""Set for the functions: a command that is Python must not find our modules."""


class WatchedPlatform:
    """Implements `shared.ports.Revisions` and `shared.ports.Deployer`."""

    def __init__(self, store: Store, logs: SqliteLogs, clock: Clock) -> None:
        self._store = store
        self._logs = logs
        self._clock = clock

    def get_service_state(self, service: Service) -> ServiceState:
        """The revision that has logged last, as if it had all traffic, which nobody has seen; its name is the etag."""
        seen = self._logs.list_revisions(service)
        name, first = (seen[-1][0], seen[-1][1]) if seen else (f"{service.name}-not-seen-yet", _LONG_AGO)
        return ServiceState(self._build_revision(service, name, first), {name: _ALL_TRAFFIC}, name, is_observed=False)

    def get_traffic(self, service: Service) -> Mapping[str, int]:
        """See `shared.ports.Revisions`."""
        return dict(self.get_service_state(service).traffic)

    def get_revision(self, service: Service, name: str) -> Revision | None:
        """See `shared.ports.Revisions`."""
        return next(
            (
                self._build_revision(service, revision, first)
                for revision, first, _ in self._logs.list_revisions(service)
                if revision == name
            ),
            None,
        )

    def find(self, service: Service, marker: str) -> str | None:
        """See `shared.ports.Deployer`."""
        return (
            marker if self._store.read(DEPLOYMENTS_KIND, _build_deployment_key(service, marker)) is not None else None
        )

    def check_image(self, service: Service, commit: str) -> ImageCheck:
        """See `shared.ports.Deployer`: the commit's files are what runs."""
        del service, commit
        return NO_IMAGE_NEEDED

    def start(self, service: Service, marker: str, commit: str, etag: str) -> str:
        """See `shared.ports.Deployer`. Returns when the command has ended."""
        if not service.deploy_command:
            raise Reject("read_only", f"no deploy_command is configured for {service.name}; nothing was deployed")
        if self.get_service_state(service).etag != etag:
            raise Reject("stale", f"{self.get_service_state(service).etag} serves, not {etag}")
        key = _build_deployment_key(service, marker)
        begun: dict[str, object] = {"service": service.id, "commit": commit, "at": format_rfc3339(self._clock.now())}
        if not self._store.create(
            DEPLOYMENTS_KIND, key, {**begun, "ended": "", "failed": "", "before": self._revision_names(service)}
        ):
            return marker
        failed = _run_command(_fill_command(service, commit))
        stored = self._require_deployment(service, marker)
        ended = {**stored.value, "ended": format_rfc3339(self._clock.now()), "failed": failed}
        if not self._store.replace(DEPLOYMENTS_KIND, key, ended, stored.version):
            raise Retry(f"{DEPLOYMENTS_KIND}/{key} was changed by another process")
        return marker

    def state(self, service: Service, operation: str) -> Deployment:
        """Done once a revision logs that did not before the command."""
        value = self._require_deployment(service, operation).value
        now = self._clock.now()
        if not value["ended"]:
            over = now > datetime.fromisoformat(str(value["at"])) + COMMAND_TIMEOUT + timedelta(minutes=1)
            detail = "The command was interrupted. Check what it did before you run it again."
            return (
                Deployment(DeploymentProgress.FAILED, detail=detail) if over else Deployment(DeploymentProgress.RUNNING)
            )
        if value["failed"]:
            return Deployment(DeploymentProgress.FAILED, detail=str(value["failed"]))
        new = [name for name in self._revision_names(service) if name not in cast("Sequence[str]", value["before"])]
        if new:
            return Deployment(DeploymentProgress.DONE, new[-1])
        if now < datetime.fromisoformat(str(value["ended"])) + _REVISION_TIMEOUT:
            return Deployment(DeploymentProgress.RUNNING)
        minutes = round(_REVISION_TIMEOUT.total_seconds() / 60)
        return Deployment(DeploymentProgress.FAILED, detail=f"No new revision has logged within {minutes} minutes.")

    def shift_traffic(self, service: Service, revision: str, percent: int) -> None:  # noqa: ARG002  # as the port has it
        """The command gives the traffic; what serves can be seen, and not be changed."""
        serving = self.get_service_state(service).revision.name
        if revision != serving:
            reason = f"{serving} serves, and provenfix does not control the traffic of {service.name}"
            raise Reject(CHANGED_BY_HAND, reason)

    def _build_revision(self, service: Service, name: str, first: datetime) -> Revision:
        """Built from what the last command before its first entry has deployed; unknown where there was none."""
        deployed = [
            stored.value
            for stored in self._store.find(DEPLOYMENTS_KIND, "service", service.id)
            if name not in cast("Sequence[str]", stored.value["before"])
            and datetime.fromisoformat(str(stored.value["at"])) <= first
            and not stored.value["failed"]
        ]
        if not deployed:
            return Revision(name, None, first)
        commit = str(max(deployed, key=lambda value: str(value["at"]))["commit"])
        return Revision(name, commit, first, claims=(CommitClaim("label", commit, "the deploy command"),))

    def _revision_names(self, service: Service) -> list[str]:
        return [name for name, _, _ in self._logs.list_revisions(service)]

    def _require_deployment(self, service: Service, marker: str) -> StoredDocument:
        stored = self._store.read(DEPLOYMENTS_KIND, _build_deployment_key(service, marker))
        if stored is None:
            raise Reject("no_such_operation", marker)
        return stored


def _build_deployment_key(service: Service, marker: str) -> str:
    return f"{service.id}.{marker}"


def _fill_command(service: Service, commit: str) -> list[str]:
    values: Mapping[str, str] = {
        "{commit}": commit,
        "{service}": service.name,
        "{project}": service.project,
        "{region}": service.region,
    }
    words = list(service.deploy_command)
    for name, value in values.items():
        words = [word.replace(name, value) for word in words]
    return words


def _run_command(command: Sequence[str]) -> str:
    """Why it failed, in one sentence; "" where it did not. What it prints goes no further than its last line."""
    try:
        done = subprocess.run(
            command,
            env={name: value for name, value in os.environ.items() if name not in _HIDDEN_VARIABLES},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            timeout=COMMAND_TIMEOUT.total_seconds(),
            check=False,
        )
    except subprocess.TimeoutExpired:
        return f"{command[0]} did not end within {COMMAND_TIMEOUT.total_seconds():g} seconds."
    except OSError as error:
        return f"{command[0]} could not be started: {error.strerror}."
    if not done.returncode:
        return ""
    lines = [line for line in done.stdout.decode("utf-8", "replace").splitlines() if line.strip()]
    words = truncate(to_one_line(redact(lines[-1])), _MAX_OUTPUT_LENGTH) if lines else "it printed nothing"
    return f"{command[0]} ended with {done.returncode}: {words}."
