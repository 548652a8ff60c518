"""Builds the ports from the settings. Only this file, `credentials` and `local_sources` name concrete adapters.

An adapter's module runs when its port is first read, so the imports below cost a process nothing that it does not use.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NoReturn

from shared import credentials, state_stores
from shared.adapters import deploy_methods, probe, system
from shared.adapters.compilers import best_compilers
from shared.adapters.github import checks, client, deployments, history, issues, links, workflow_pipeline
from shared.adapters.google import (
    clients,
    cloud_logging,
    cloud_run_deployer,
    cloud_run_revisions,
    pipeline_deployer,
    request_counts,
)
from shared.adapters.pager import events_v2
from shared.adapters.slack import chat
from shared.adapters.sqlite import sqlite_logs
from shared.adapters.standins import chat_and_issues, log_issues, process_platform, simulated_platform, watched_platform
from shared.config.settings import Platform, Settings
from shared.errors import UsageError
from shared.lazy import lazy_property
from shared.local_sources import open_local_history, open_service_logs
from shared.secret import Secret
from shared.text import redaction
from shared.workflow import context, prover
from shared.workflow.records import kill_switch

if TYPE_CHECKING:
    from collections.abc import Mapping
    from contextlib import AbstractContextManager
    from datetime import timedelta
    from pathlib import Path

    from shared import deployment_records as records
    from shared import ports, pushes
    from shared.proof.model.ports import Compilers, History
    from shared.service import Service

    _Simulated = simulated_platform.SimulatedPlatform
    _LocalPlatform = process_platform.ProcessPlatform | watched_platform.WatchedPlatform | _Simulated


def build_context(settings: Settings) -> context.Context:
    """All ports of a function. Raises UsageError where the settings name no store."""
    redaction.configure_secret_patterns(settings.secret_patterns)
    if settings.sqlite_folder is None:
        state_stores.require_project(settings)
    return CloudPorts(settings) if settings.local_folder is None else LocalPorts(settings, settings.local_folder)


class _Ports:
    """The ports that the cloud and one machine make alike; with those of a subclass they are a `Context`."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self.services: Mapping[str, Service] = settings.services
        self.own_functions = settings.own_functions
        self.throttle = context.Throttle()
        self.clock: ports.Clock = system.SystemClock()
        self.ids: ports.IdGenerator = system.RandomIdGenerator()

    @lazy_property
    def store(self) -> ports.Store:
        return state_stores.create_store(self._settings)

    @lazy_property
    def bus(self) -> ports.Bus:
        return state_stores.create_publisher(self._settings)

    @lazy_property
    def compilers(self) -> Compilers:
        """Interpreters run until the process ends: a function answers many requests."""
        local = best_compilers.LocalCompilers(self._settings.interpreters)
        tokens = credentials.create_identity_tokens(self._settings)
        return best_compilers.DeployedCompilers(self._settings.compilers, tokens, local)

    @lazy_property
    def link_builder(self) -> ports.LinkBuilder:
        return context.NoLinkBuilder()

    @lazy_property
    def prover(self) -> prover.Prover:
        return prover.Prover()

    def is_kill_switch_on(self, service: str) -> bool:
        """See `shared.workflow.context.Context`."""
        return self._settings.kill_switch or kill_switch.is_kill_switch_on(self.store, service)

    def limit_wait(self, usual_wait: timedelta) -> timedelta:
        """See `shared.workflow.context.Context`."""
        return min(usual_wait, self._settings.longest_wait)


class CloudPorts(_Ports):
    """The platform, the code host and the chat. A port that is not configured raises UsageError when it is read."""

    @lazy_property
    def logs(self) -> ports.Logs:
        overrides, token = self._settings.endpoint_overrides, credentials.create_access_tokens(self._settings)
        is_counted = bool(overrides.rest) or not overrides.google
        counts = request_counts.RequestCounts(token, overrides.rest) if is_counted else None
        kept = {service.project: service.log_project for service in self.services.values() if service.log_project}
        return cloud_logging.CloudLogging(self._google, counts=counts, log_projects=kept)

    @lazy_property
    def revisions(self) -> ports.Revisions:
        return cloud_run_revisions.CloudRunRevisions(self._google)

    @lazy_property
    def deployer(self) -> ports.Deployer:
        """By each service's own method; workflows only where there is access to the code host."""
        images = cloud_run_deployer.CloudRunDeployer(self._google)
        trigger = pipeline_deployer.CloudBuildPipeline(self._google)
        deployers: dict[str, ports.Deployer] = {"": images, "image": images}
        deployers["cloud_build"] = self._pipeline_deployer(trigger)
        if credentials.has_code_host(self._settings):
            workflow = workflow_pipeline.WorkflowPipeline(self._github)
            deployers["github_workflow"] = self._pipeline_deployer(workflow)
        return deploy_methods.DeployMethodRouter(deployers)

    @lazy_property
    def probe(self) -> ports.Probe:
        return probe.NetworkProbe(identity_token=self._read_identity_token)

    def _read_identity_token(self, url: str) -> Secret:
        return credentials.create_identity_tokens(self._settings)(url)

    @lazy_property
    def chat(self) -> ports.Chat:
        """Slack; the bot's token is read when something is first said."""
        reference = self._settings.secrets.slack_bot_token
        if reference is None:
            _raise_not_configured("the port 'chat'", "slack.bot_token")
        token = credentials.build_secret_reader(self._settings, reference, "slack.bot_token")
        return chat.SlackChat(token, self._settings.endpoint_overrides.slack)

    @lazy_property
    def pager(self) -> ports.Pager:
        """The webhook; its key is read for the first alert."""
        reference = self._settings.secrets.pager_routing_key
        if reference is None:
            _raise_not_configured("the port 'pager'", "pager.routing_key")
        key = credentials.build_secret_reader(self._settings, reference, "pager.routing_key")
        return events_v2.EventsPager(self._settings.endpoint_overrides.pager or self._settings.pager_url, key)

    @lazy_property
    def issues(self) -> ports.Issues:
        if self._settings.read_only == "log":
            return log_issues.LogIssues(print)
        return issues.GitHubIssues(self._require_code_host("the port 'issues'"))

    @lazy_property
    def checks(self) -> ports.CheckRuns:
        return checks.GitHubChecks(self._require_code_host("the port 'checks'"))

    @lazy_property
    def check_runs(self) -> pushes.CheckRunWriter:
        return checks.GitHubCheckRuns(self._require_code_host("the port 'check_runs'"))

    @lazy_property
    def deployment_records(self) -> records.DeploymentRecords:
        return deployments.GitHubDeployments(self._require_code_host("the port 'deployment_records'"))

    @lazy_property
    def link_builder(self) -> ports.LinkBuilder:
        if not credentials.has_code_host(self._settings):
            return context.NoLinkBuilder()
        builder = links.GitHubLinkBuilder(self._github, credentials.read_github_host(self._settings))
        return cloud_logging.LogLinkBuilder(builder)

    def open_history(self, service: Service) -> AbstractContextManager[History]:
        """See `shared.workflow.context.Context`."""
        return history.open_history(self._require_code_host(f"the repository {service.repository}"), service.repository)

    def open_limited_history(self, service: Service, requests: int, seconds: float) -> AbstractContextManager[History]:
        """See `shared.workflow.context.Context`."""
        github = self._require_code_host(f"the repository {service.repository}").limit(requests, seconds)
        return history.open_history(github, service.repository)

    @lazy_property
    def _google(self) -> clients.GoogleClients:
        address = self._settings.endpoint_overrides.google
        registry = credentials.create_image_registry(self._settings)
        return clients.GoogleClients(clients.open_loopback_channel(address) if address else None, registry)

    @lazy_property
    def _github(self) -> client.GitHubClient:
        return credentials.create_github_client(self._settings, self.clock)

    def _pipeline_deployer(self, pipeline: deploy_methods.Pipeline) -> ports.Deployer:
        return pipeline_deployer.PipelineDeployer(self._google, pipeline, self.clock)

    def _require_code_host(self, what: str) -> client.GitHubClient:
        if not credentials.has_code_host(self._settings):
            _raise_not_configured(what, "github.token")
        return self._github


class LocalPorts(_Ports):
    """The stand-ins of one machine, which keep their state in the store; `folder` is that of the stack."""

    def __init__(self, settings: Settings, folder: Path) -> None:
        super().__init__(settings)
        self._folder = folder

    @lazy_property
    def logs(self) -> ports.Logs:
        if self._settings.platform is Platform.SIMULATED:
            return simulated_platform.FolderLogs(self._folder / "logs")
        return self._service_logs

    @property
    def revisions(self) -> ports.Revisions:
        return self._platform

    @property
    def deployer(self) -> ports.Deployer:
        return self._platform

    @lazy_property
    def probe(self) -> ports.Probe:
        """The services of a local platform listen on loopback, so their probe is quick."""
        if self._settings.platform is Platform.SIMULATED:
            return simulated_platform.NoProbe()
        if self._settings.platform is Platform.WATCHED:
            return probe.NetworkProbe()
        staying = min(probe.ProbeTimeouts().stay_open_seconds, self._settings.longest_wait.total_seconds() / 4)
        return probe.NetworkProbe(probe.ProbeTimeouts(open_timeout=10.0, stay_open_seconds=staying))

    @lazy_property
    def chat(self) -> ports.Chat:
        return chat_and_issues.LocalChat(self.store)

    @lazy_property
    def pager(self) -> ports.Pager:
        return chat_and_issues.LocalPager(self.store)

    @lazy_property
    def issues(self) -> ports.Issues:
        return chat_and_issues.LocalIssues(self.store)

    @lazy_property
    def checks(self) -> ports.CheckRuns:
        return simulated_platform.NoChecks()

    def open_history(self, service: Service) -> AbstractContextManager[History]:
        """See `shared.workflow.context.Context`."""
        return open_local_history(service.repository)

    @lazy_property
    def check_runs(self) -> pushes.CheckRunWriter:
        return simulated_platform.NoCheckRuns()

    @lazy_property
    def deployment_records(self) -> records.DeploymentRecords:
        return simulated_platform.NoDeploymentRecords()

    def open_limited_history(self, service: Service, requests: int, seconds: float) -> AbstractContextManager[History]:
        """See `shared.workflow.context.Context`. A repository of this machine is read without a limit."""
        del requests, seconds
        return self.open_history(service)

    @lazy_property
    def _platform(self) -> _LocalPlatform:
        if self._settings.platform is Platform.PROCESSES:
            return process_platform.ProcessPlatform(self.store, self.clock)
        if self._settings.platform is Platform.WATCHED:
            return watched_platform.WatchedPlatform(self.store, self._service_logs, self.clock)
        return simulated_platform.SimulatedPlatform(self.store, self.clock)

    @lazy_property
    def _service_logs(self) -> sqlite_logs.SqliteLogs:
        return open_service_logs(self._settings)


def _raise_not_configured(what: str, key: str) -> NoReturn:
    raise UsageError(
        f"Nothing is configured for {what}: refer to {key} in provenfix.yaml, "
        "or set PROVENFIX_LOCAL to use the stand-in of one machine."
    )
