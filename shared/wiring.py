"""Settings in, ports out: the only place that names concrete adapters. Each is imported when it is first wanted."""

import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from functools import partial
from typing import TYPE_CHECKING, Any, NoReturn, cast

from shared.config.settings import Platform, Settings
from shared.errors import UsageError
from shared.lazy import Lazy
from shared.secret import Secret, SecretReference, SecretSource

if TYPE_CHECKING:
    from shared.adapters.compilers.best_compilers import LocalCompilers
    from shared.adapters.delivery import DeadLetters
    from shared.adapters.git.repository import GitRepository
    from shared.adapters.git.work_tree import WorkTree
    from shared.adapters.github.client import GitHubClient, Timing
    from shared.adapters.github.credentials import Credentials
    from shared.adapters.google.clients import GoogleClients
    from shared.adapters.google.credentials import MetadataServer
    from shared.adapters.google.pubsub import PubSubBus
    from shared.adapters.logs.log_file import LogFile
    from shared.adapters.sqlite.sqlite_logs import SqliteLogs
    from shared.adapters.sqlite.sqlite_queue import SqliteQueue
    from shared.ports import Bus, CheckRuns, Clock, Collaborators, Deployer, Issues, LinkBuilder, Store
    from shared.proof.model.ports import Compilers, History
    from shared.service import Service
    from shared.workflow.context import Context
    from shared.workflow.prover import Prover

STORE_FILE = "store.sqlite"
QUEUE_FILE = "queue.sqlite"
LOGS_FILE = "logs.sqlite"
"""The files of an embedded stack."""


@contextmanager
def open_local_history(path: str) -> "Iterator[GitRepository]":
    """The history of a repository on this machine."""
    from shared.adapters.git.repository import GitRepository  # noqa: PLC0415

    with GitRepository(path) as repository:
        yield repository


def open_log_file(path: str) -> "LogFile":
    """A log file on this machine; `-` is standard input."""
    from shared.adapters.logs.log_file import LogFile  # noqa: PLC0415

    return LogFile(path)


def find_work_tree(path: str) -> "WorkTree | None":
    """The checkout around a directory, None for a bare repository."""
    from shared.adapters.git.work_tree import WorkTree  # noqa: PLC0415

    return WorkTree.find(path)


@contextmanager
def open_local_compilers(settings: Settings) -> "Iterator[LocalCompilers]":
    """The interpreters of this machine, and ruff."""
    from shared.adapters.compilers.best_compilers import LocalCompilers  # noqa: PLC0415

    with LocalCompilers(settings.interpreters) as compilers:
        yield compilers


def create_store(settings: Settings) -> "Store":
    """Where documents are kept. Raises Misused where the settings name no place."""
    if settings.sqlite_folder is not None:
        from shared.adapters.sqlite.sqlite_store import SqliteStore  # noqa: PLC0415

        return SqliteStore(settings.sqlite_folder / STORE_FILE)
    from shared.adapters.google.firestore_store import FirestoreStore  # noqa: PLC0415

    emulator = settings.firestore_emulator
    return FirestoreStore(
        _require_project(settings), settings.database, emulator=emulator, token=_access_tokens(settings)
    )


def create_bus(settings: Settings) -> "Bus":
    """Where messages are published. Raises Misused where the settings name no place."""
    return create_publisher(settings)


def create_publisher(settings: Settings) -> "PubSubBus | SqliteQueue":
    """The same, for whoever publishes what is not provenfix's own."""
    if settings.sqlite_folder is not None:
        from shared.adapters.sqlite.sqlite_queue import SqliteQueue  # noqa: PLC0415

        return SqliteQueue(settings.sqlite_folder / QUEUE_FILE)
    from shared.adapters.google.pubsub import PubSubBus  # noqa: PLC0415

    emulator = settings.pubsub_emulator
    return PubSubBus(
        _require_project(settings), settings.topic_prefix, emulator=emulator, token=_access_tokens(settings)
    )


def create_dead_letters(settings: Settings, name: str) -> "DeadLetters":
    """What could not be delivered. `name` is that of the subscription, without prefix. Raises Misused as above."""
    if settings.sqlite_folder is not None:
        from shared.adapters.sqlite.sqlite_queue import SqliteQueue  # noqa: PLC0415

        return SqliteQueue(settings.sqlite_folder / QUEUE_FILE)
    from shared.adapters.google.pubsub import PubSubDeadLetters  # noqa: PLC0415

    return PubSubDeadLetters(_require_project(settings), settings.topic_prefix + name)


def build_context(settings: Settings) -> "Context":
    """All ports of a function. Raises Misused where the settings leave out what nothing can work without."""
    from shared.adapters.system import RandomIdGenerator, SystemClock  # noqa: PLC0415
    from shared.text.redaction import configure_secret_patterns  # noqa: PLC0415
    from shared.workflow.context import Context  # noqa: PLC0415
    from shared.workflow.records.kill_switch import is_kill_switch_on  # noqa: PLC0415

    configure_secret_patterns(settings.secret_patterns)
    kept, clock = create_store(settings), SystemClock()
    github = _github_factory(settings, clock)
    return Context(
        store=kept,
        bus=create_bus(settings),
        clock=clock,
        ids=RandomIdGenerator(),
        open_history=_history_opener(settings, github),
        compilers=_create_compilers(settings),
        services=settings.services,
        own_functions=settings.own_functions,
        prover=_create_prover(),
        max_wait=settings.longest_wait,
        is_kill_switch_on=lambda service: settings.kill_switch or is_kill_switch_on(kept, service),
        **(_local_ports(settings, kept, clock) if settings.local_folder else _cloud_ports(settings, github, clock)),
    )


def build_secret_reader(settings: Settings, reference: SecretReference | None, key: str) -> Callable[[], Secret]:
    """What reads a secret when it is first needed, and keeps it. `key` is where provenfix.yaml refers to it.

    Raises Misused, when it is called, where nothing is configured; Retry where it cannot be reached.
    """
    held: list[Secret] = []

    def read() -> Secret:
        if not held:
            held.append(_read_secret(settings, reference, key))
        return held[0]

    return read


def _read_secret(settings: Settings, reference: SecretReference | None, key: str) -> Secret:
    if reference is None:
        raise UsageError(f"{key} is not configured; refer to it in provenfix.yaml.")
    if reference.source is SecretSource.SECRET_MANAGER:
        from shared.adapters.google.credentials import SecretManager  # noqa: PLC0415

        api = settings.endpoint_overrides.rest
        token = _create_metadata_client(settings).access_token
        return (SecretManager(token, api) if api else SecretManager(token)).read(reference.name)
    found = settings.secrets.values.get(reference.name)
    if found is None:
        raise UsageError(f"{key} refers to the environment variable {reference.name}, which is not set.")
    return found


def _access_tokens(settings: Settings) -> Callable[[], Secret]:
    """Access tokens for Google's own APIs: the function's, or those of the person at this machine."""
    if settings.is_deployed or settings.endpoint_overrides.rest:
        return _create_metadata_client(settings).access_token
    from shared.adapters.google.credentials import UserCredentials  # noqa: PLC0415

    return UserCredentials()


def _create_metadata_client(settings: Settings) -> "MetadataServer":
    from shared.adapters.google.credentials import METADATA_HOST, MetadataServer  # noqa: PLC0415

    return MetadataServer(settings.endpoint_overrides.rest.removeprefix("http://") or METADATA_HOST)


def _require_project(settings: Settings) -> str:
    if not settings.project:
        raise UsageError("No project is configured for Firestore and Pub/Sub; set PROVENFIX_PROJECT.")
    return settings.project


def _history_opener(
    settings: Settings, github: "Callable[[], GitHubClient] | None"
) -> "Callable[[Service], AbstractContextManager[History]]":
    if settings.local_folder is not None:
        return lambda service: open_local_history(service.repository)
    if github is None:
        return lambda service: _raise_not_configured(f"the repository {service.repository}", "github.token")

    def opened(service: "Service") -> "AbstractContextManager[History]":
        from shared.adapters.github.history import open_history  # noqa: PLC0415

        return open_history(github(), service.repository)

    return opened


def _github_factory(settings: Settings, clock: "Clock") -> "Callable[[], GitHubClient] | None":
    """The one client of a process, made when it is first needed; None where neither App nor token is configured."""
    if settings.secrets.github_token is None and not settings.code_host.app:
        return None
    made: list[GitHubClient] = []

    def client() -> "GitHubClient":
        if not made:
            from shared.adapters.github.client import GitHubClient, Timing  # noqa: PLC0415
            from shared.adapters.github.credentials import GitHubHost  # noqa: PLC0415

            pace, address = (
                Timing(clock, time.sleep),
                settings.endpoint_overrides.github or GitHubHost(settings.code_host.address).api,
            )
            made.append(GitHubClient(_github_credentials(settings, pace, address), pace, address))
        return made[0]

    return client


def _github_credentials(settings: Settings, pace: "Timing", address: str) -> "Credentials":
    from shared.adapters.github.client import installation_tokens  # noqa: PLC0415
    from shared.adapters.github.credentials import FixedToken, GitHubApp  # noqa: PLC0415

    host, secrets = settings.code_host, settings.secrets
    if not host.app:
        return FixedToken(build_secret_reader(settings, secrets.github_token, "github.token"))
    key = build_secret_reader(settings, secrets.github_app_key, "github.app.private_key")
    return installation_tokens(GitHubApp(host.app, key, host.installation), pace, address)


def create_people(settings: Settings) -> "Collaborators":
    """Who may instruct the functions at an issue. Raises Misused, when it is asked, where no token is configured."""
    from shared.adapters.github.issues import GitHubCollaborators  # noqa: PLC0415
    from shared.adapters.system import SystemClock  # noqa: PLC0415

    github = _github_factory(settings, SystemClock())
    if github is None:
        raise UsageError("github.app or github.token is not configured; write one of them into provenfix.yaml.")
    return GitHubCollaborators(github())


def _code_host_ports(settings: Settings, github: "Callable[[], GitHubClient] | None") -> dict[str, Any]:
    if github is None:
        return {}

    def issues() -> "Issues":
        from shared.adapters.github.issues import GitHubIssues  # noqa: PLC0415

        return GitHubIssues(github())

    def checks() -> "CheckRuns":
        from shared.adapters.github.checks import GitHubChecks  # noqa: PLC0415

        return GitHubChecks(github())

    def places() -> "LinkBuilder":
        from shared.adapters.github.credentials import GitHubHost  # noqa: PLC0415
        from shared.adapters.github.links import GitHubLinkBuilder  # noqa: PLC0415
        from shared.adapters.google.cloud_logging import LogLinkBuilder  # noqa: PLC0415

        return LogLinkBuilder(GitHubLinkBuilder(github(), GitHubHost(settings.code_host.address)))

    return {"issues": Lazy(issues), "checks": Lazy(checks), "link_builder": Lazy(places)}


def _create_compilers(settings: Settings) -> "Compilers":
    """Interpreters run until the process ends: a function answers many requests."""

    def make() -> "Compilers":
        from shared.adapters.compilers.best_compilers import (  # noqa: PLC0415
            DeployedCompilers,
            LocalCompilers,
        )

        metadata = _create_metadata_client(settings)
        return DeployedCompilers(settings.compilers, _identity_tokens(metadata), LocalCompilers(settings.interpreters))

    later: Any = Lazy(make)
    compilers: Compilers = later
    return compilers


def _create_prover() -> "Prover":
    """Most requests of most functions prove nothing."""

    def make() -> "Prover":
        from shared.workflow.prover import Prover  # noqa: PLC0415

        return Prover()

    later: Any = Lazy(make)
    prover: Prover = later
    return prover


def _identity_tokens(metadata: "MetadataServer") -> Callable[[str], Secret]:
    """A function on this machine is called without a token; settings allow plain HTTP for no other."""
    return lambda url: metadata.identity_token(url) if url.startswith("https://") else Secret("")


def _local_ports(settings: Settings, kept: "Store", clock: "Clock") -> dict[str, Any]:
    """Each made when it is first asked, as in the cloud; but for the chat, whose type is asked for."""
    from shared.adapters.standins.chat_and_issues import LocalChat  # noqa: PLC0415

    def issues() -> "Issues":
        from shared.adapters.standins.chat_and_issues import LocalIssues  # noqa: PLC0415

        return LocalIssues(kept)

    def checks() -> object:
        from shared.adapters.standins.simulated_platform import NoChecks  # noqa: PLC0415

        return NoChecks()

    outside: dict[str, Any] = {"issues": Lazy(issues), "chat": LocalChat(kept), "checks": Lazy(checks)}
    if settings.platform is Platform.PROCESSES:
        return outside | _served_platform_ports(settings, kept, clock)
    if settings.platform is Platform.WATCHED:
        return outside | _watched_platform_ports(settings, kept, clock)
    return outside | _recorded_platform_ports(settings, kept, clock)


def _recorded_platform_ports(settings: Settings, kept: "Store", clock: "Clock") -> dict[str, Any]:
    """A platform that runs nothing, and a folder of logs."""

    def platform() -> object:
        from shared.adapters.standins.simulated_platform import SimulatedPlatform  # noqa: PLC0415

        return SimulatedPlatform(kept, clock)

    def probe() -> object:
        from shared.adapters.standins.simulated_platform import NoProbe  # noqa: PLC0415

        return NoProbe()

    def logs() -> object:
        from shared.adapters.standins.simulated_platform import FolderLogs  # noqa: PLC0415

        assert settings.local_folder is not None
        return FolderLogs(settings.local_folder / "logs")

    held = Lazy(platform)
    return {"revisions": held, "deployer": held, "probe": Lazy(probe), "logs": Lazy(logs)}


def _served_platform_ports(settings: Settings, kept: "Store", clock: "Clock") -> dict[str, Any]:
    """The platform that runs the services of this machine; their own ports are on loopback, so a probe is quick."""
    from shared.adapters.probe import (  # noqa: PLC0415
        NetworkProbe,
        ProbeTimeouts,
    )
    from shared.adapters.standins.process_platform import ProcessPlatform  # noqa: PLC0415

    platform = ProcessPlatform(kept, clock)
    staying = min(ProbeTimeouts().stay_open_seconds, settings.longest_wait.total_seconds() / 4)
    probe = NetworkProbe(ProbeTimeouts(open_timeout=10.0, stay_open_seconds=staying))
    return {"revisions": platform, "deployer": platform, "probe": probe, "logs": open_service_logs(settings)}


def _watched_platform_ports(settings: Settings, kept: "Store", clock: "Clock") -> dict[str, Any]:
    """What can be told of a service by its log alone; deployed by a command, where one is configured."""
    from shared.adapters.probe import NetworkProbe  # noqa: PLC0415
    from shared.adapters.standins.watched_platform import WatchedPlatform  # noqa: PLC0415

    logs = open_service_logs(settings)
    platform = WatchedPlatform(kept, logs, clock)
    return {"revisions": platform, "deployer": platform, "probe": NetworkProbe(), "logs": logs}


def open_service_logs(settings: Settings) -> "SqliteLogs":
    """The log of the services of this machine. Raises Misused where the settings say that this is none."""
    from shared.adapters.sqlite.sqlite_logs import SqliteLogs  # noqa: PLC0415

    if settings.local_folder is None:
        raise UsageError("This is no stack of one machine; set PROVENFIX_LOCAL.")
    return SqliteLogs(settings.local_folder / LOGS_FILE)


def _chat_port(settings: Settings) -> dict[str, Any]:
    """Slack, where a bot's token is configured. It is read when something is first said."""
    if settings.secrets.slack_bot_token is None:
        return {}
    from shared.adapters.slack.chat import SlackChat  # noqa: PLC0415

    token = build_secret_reader(settings, settings.secrets.slack_bot_token, "slack.bot_token")
    return {"chat": SlackChat(token, settings.endpoint_overrides.slack)}


def create_deployer(
    clients: "GoogleClients", clock: "Clock", github: "Callable[[], GitHubClient] | None"
) -> "Deployer":
    """By each service's own method; workflows only where there is a token for the code host."""
    from shared.adapters.deploy_methods import DeployMethodRouter  # noqa: PLC0415
    from shared.adapters.google.cloud_run_deployer import CloudRunDeployer  # noqa: PLC0415
    from shared.adapters.google.pipeline_deployer import (  # noqa: PLC0415
        CloudBuildPipeline,
        PipelineDeployer,
    )

    images = CloudRunDeployer(clients)
    trigger = PipelineDeployer(clients, CloudBuildPipeline(clients), clock)
    deployers: dict[str, Deployer] = {"": images, "image": images, "cloud_build": trigger}
    if github is not None:
        from shared.adapters.github.workflow_pipeline import WorkflowPipeline  # noqa: PLC0415

        deployers["github_workflow"] = PipelineDeployer(
            clients, WorkflowPipeline(cast("GitHubClient", Lazy(github))), clock
        )
    return DeployMethodRouter(deployers)


def _platform_ports(settings: Settings, clock: "Clock", github: "Callable[[], GitHubClient] | None") -> dict[str, Any]:
    """Google's APIs and the probe, each made when it is first asked."""

    def clients() -> "GoogleClients":
        from shared.adapters.google.clients import GoogleClients, loopback_channel  # noqa: PLC0415

        return GoogleClients(
            loopback_channel(settings.endpoint_overrides.google) if settings.endpoint_overrides.google else None
        )

    held = Lazy(clients)

    def logs() -> object:
        from shared.adapters.google.cloud_logging import CloudLogging  # noqa: PLC0415

        return CloudLogging(cast("GoogleClients", held))

    def revisions() -> object:
        from shared.adapters.google.cloud_run_revisions import CloudRunRevisions  # noqa: PLC0415

        return CloudRunRevisions(cast("GoogleClients", held))

    def deployer() -> object:
        return create_deployer(cast("GoogleClients", held), clock, github)

    def probe() -> object:
        from shared.adapters.probe import NetworkProbe  # noqa: PLC0415

        return NetworkProbe()

    made = {"logs": logs, "revisions": revisions, "deployer": deployer, "probe": probe}
    return {port: Lazy(make) for port, make in made.items()}


def _cloud_ports(settings: Settings, github: "Callable[[], GitHubClient] | None", clock: "Clock") -> dict[str, Any]:
    """The platform, and the code host and the chat where they are configured."""
    return (
        _unconfigured_ports()
        | _platform_ports(settings, clock, github)
        | _code_host_ports(settings, github)
        | _chat_port(settings)
    )


def _unconfigured_ports() -> dict[str, Any]:
    """What provenfix.yaml may leave out: whoever asks for it is told what to configure."""
    keys = {"issues": "github.token", "checks": "github.token", "chat": "slack.bot_token"}
    return {port: Lazy(partial(_raise_not_configured, f"the port {port!r}", key)) for port, key in keys.items()}


def _raise_not_configured(what: str, key: str) -> NoReturn:
    raise UsageError(
        f"Nothing is configured for {what}: refer to {key} in provenfix.yaml, "
        "or set PROVENFIX_LOCAL to use the stand-in of one machine."
    )
