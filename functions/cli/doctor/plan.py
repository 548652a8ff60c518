"""Lists all checks of an installation in the order of the output."""

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from functions.cli.access import Access
from functions.cli.doctor.accounts import LOGIN_COMMAND, Accounts
from functions.cli.doctor.apis import list_api_checks
from functions.cli.doctor.check import Check, CheckResult, CheckUnavailable, build_missing_result, build_ok_result
from functions.cli.doctor.compilers import CompilerChecks
from functions.cli.doctor.database import DatabaseChecks
from functions.cli.doctor.github import GitHubChecks
from functions.cli.doctor.probes import list_probe_checks
from functions.cli.doctor.pubsub import PubSubChecks
from functions.cli.doctor.roles import Installation, RoleChecks
from functions.cli.doctor.secrets import SecretChecks
from functions.cli.doctor.sinks import SinkChecks, SinkSetting
from functions.cli.doctor.slack import SlackChecks
from functions.local.topology import SUBSCRIBERS
from shared.adapters import system
from shared.adapters.github import client, credentials
from shared.config.settings import Settings
from shared.errors import Reject, Retry
from shared.secret import Secret, SecretReference
from shared.text.redaction import redact

_KEY = "github.app.private_key"


@dataclass(frozen=True, slots=True)
class CheckPlan:
    """`checks`, and the secrets that were met while they ran."""

    checks: Sequence[Check]
    secrets: SecretChecks


def plan_checks(settings: Settings, access: Access, project: str) -> CheckPlan:
    """`project` is where provenfix runs."""
    access, doubles = access.for_profile(settings.read_only), settings.endpoint_overrides
    accounts = Accounts(project, settings.topic_prefix, doubles.rest)
    references = _list_secret_references(settings)
    if references.get("github.webhook_secret") is None and not settings.read_only:
        access = access.without_function("github")  # no webhook could be believed, so nothing takes any
    secrets = SecretChecks(accounts, references, settings.secrets.values)
    services = tuple(settings.services.values())
    read = {**references, "github.token": references.get(_KEY) or references.get("github.token")}
    installation = Installation(project, settings.topic_prefix, settings.database, services, read)

    read_topics = [reader.topic for reader in SUBSCRIBERS if reader.function in access.functions]

    def checks() -> Iterator[Check]:
        yield Check("credentials", "google", lambda: _check_credentials(accounts, project))
        yield from list_api_checks(
            access, accounts, project, list(dict.fromkeys(service.project for service in services))
        )
        yield from secrets.checks()
        yield from DatabaseChecks(accounts, project, settings.database).checks()
        yield from PubSubChecks(accounts, project, settings.topic_prefix, read_topics).checks()
        own = [
            function.partition(".")[2]
            for function in sorted(settings.own_functions)
            if function.startswith(f"{project}.")
        ]
        sinks = SinkSetting(project, settings.topic_prefix, services, own, settings.sink_folder)
        yield from SinkChecks(accounts, sinks).checks()
        yield from RoleChecks(access, accounts, installation).checks()
        if not settings.read_only:
            yield from SlackChecks(access, secrets, services, doubles.slack).checks(socket_mode=settings.socket_mode)
        is_app = bool(settings.code_host.app)
        yield from GitHubChecks(
            access, _read_github_token(settings, secrets), services, _find_github_api(settings), is_app=is_app
        ).checks(webhook=references.get("github.webhook_secret") is not None)
        yield from CompilerChecks(access, accounts, settings.compilers, services).checks()
        yield from list_probe_checks(accounts, services)

    return CheckPlan(tuple(checks()), secrets)


def _list_secret_references(settings: Settings) -> Mapping[str, SecretReference | None]:
    secrets = settings.secrets
    takes_webhooks = secrets.github_webhook_secret is not None and not settings.read_only
    way_in = (
        {"slack.app_token": secrets.slack_app_token}
        if settings.socket_mode
        else {"slack.signing_secret": secrets.slack_signing_secret}
    )
    slack = {**way_in, "slack.bot_token": secrets.slack_bot_token}
    return {
        **({} if settings.read_only else slack),
        **({_KEY: secrets.github_app_key} if settings.code_host.app else {"github.token": secrets.github_token}),
        **({"github.webhook_secret": secrets.github_webhook_secret} if takes_webhooks else {}),
        **({"pager.routing_key": secrets.pager_routing_key} if secrets.pager_routing_key else {}),
    }


def _find_github_api(settings: Settings) -> str:
    return settings.endpoint_overrides.github or credentials.GitHubHost(settings.code_host.address).api


def _read_github_token(settings: Settings, secrets: SecretChecks) -> Callable[[], Secret]:
    """Returns the token of the App's installation if there is an App, else the configured one."""
    host = settings.code_host
    if not host.app:
        return lambda: secrets.read_secret("github.token")

    def token() -> Secret:
        timing = client.Timing(system.SystemClock(), time.sleep)
        app = credentials.GitHubApp(host.app, lambda: secrets.read_secret(_KEY), host.installation)
        try:
            return Secret(client.create_installation_tokens(app, timing, _find_github_api(settings)).token())
        except (Retry, Reject) as refused:
            raise CheckUnavailable(f"GitHub gives no token to App {host.app}: {redact(str(refused))[:200]}") from None

    return token


def _check_credentials(accounts: Accounts, project: str) -> CheckResult:
    answer = accounts.user_client.call("GET", "cloudresourcemanager.googleapis.com", f"/v3/projects/{project}")
    if answer.is_success:
        return build_ok_result(f"can see {project}")
    return build_missing_result(f"These credentials cannot see the project {project}.", LOGIN_COMMAND)
