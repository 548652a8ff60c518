"""All that is looked at, in the order in which it is told: settings and the table of access in, checks out."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from functions.local.access import Access
from functions.local.examination.accounts import LOGIN, Accounts
from functions.local.examination.apis import apis
from functions.local.examination.chat import Slack
from functions.local.examination.code_host import CodeHost
from functions.local.examination.compilers import Compilers
from functions.local.examination.finding import Check, Found, missing, ok
from functions.local.examination.messages import Messages
from functions.local.examination.reach import probes
from functions.local.examination.roles import Place, Roles
from functions.local.examination.secrets import Secrets
from functions.local.examination.sinks import Sinks
from functions.local.examination.state import Database
from shared.secret import SecretReference
from shared.settings import Settings


@dataclass(frozen=True, slots=True)
class Plan:
    """`checks`, and the secrets that were met while they ran."""

    checks: Sequence[Check]
    secrets: Secrets


def plan(settings: Settings, access: Access, project: str) -> Plan:
    """`project` is where provenfix runs."""
    doubles = settings.doubles
    accounts = Accounts(project, settings.topic_prefix, doubles.rest)
    references = _references(settings)
    secrets = Secrets(accounts, references, settings.secrets.held)
    services = tuple(settings.services.values())
    place = Place(project, settings.topic_prefix, settings.database, services, references)

    def checks() -> Iterator[Check]:
        yield Check("credentials", "google", lambda: _credentials(accounts, project))
        yield from apis(access, accounts, project, list(dict.fromkeys(each.project for each in services)))
        yield from secrets.checks()
        yield from Database(accounts, project, settings.database).checks()
        yield from Messages(accounts, project, settings.topic_prefix).checks()
        own = [each.partition(".")[2] for each in sorted(settings.own) if each.startswith(f"{project}.")]
        yield from Sinks(accounts, project, settings.topic_prefix, services, own).checks()
        yield from Roles(access, accounts, place).checks()
        yield from Slack(access, secrets, services, doubles.slack).checks()
        yield from CodeHost(access, secrets, services, doubles.github).checks(
            webhook=references["github.webhook_secret"] is not None
        )
        yield from Compilers(access, accounts, settings.compilers, services).checks()
        yield from probes(services)

    return Plan(tuple(checks()), secrets)


def _references(settings: Settings) -> Mapping[str, SecretReference | None]:
    kept = settings.secrets
    return {
        "slack.signing_secret": kept.slack_signing_secret,
        "slack.bot_token": kept.slack_bot_token,
        "github.token": kept.github_token,
        "github.webhook_secret": kept.github_webhook_secret,
    }


def _credentials(accounts: Accounts, project: str) -> Found:
    answer = accounts.person.ask("GET", "cloudresourcemanager.googleapis.com", f"/v3/projects/{project}")
    if answer.done:
        return ok(f"they see {project}")
    return missing(f"They do not see the project {project}.", LOGIN)
