"""Takes the file and the environment; returns where each secret is, with the values of those in variables."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from shared.secret import Secret, SecretReference, SecretSource

if TYPE_CHECKING:
    from shared.config.model import Configuration

_SIGNING_SECRET_VARIABLE = "PROVENFIX_SIGNING_SECRET"  # noqa: S105  # the name of a variable


@dataclass(frozen=True, slots=True)
class Secrets:
    """References to the secrets, None for those that are not configured, and the values from the environment."""

    slack_signing_secret: SecretReference | None = None
    slack_bot_token: SecretReference | None = None
    github_token: SecretReference | None = None
    github_webhook_secret: SecretReference | None = None
    github_app_key: SecretReference | None = None
    pager_routing_key: SecretReference | None = None
    values: Mapping[str, Secret] = field(default_factory=dict)
    """By the name of the variable."""


def read_secrets(file: "Configuration", environment: Mapping[str, str], local: Path | None) -> Secrets:
    """`local` is the folder of a local stack, where a variable takes the place of the file's signing secret."""
    signing = file.slack.signing_secret.reference if file.slack else None
    if local is not None and environment.get(_SIGNING_SECRET_VARIABLE):
        signing = SecretReference(SecretSource.ENVIRONMENT, _SIGNING_SECRET_VARIABLE)
    bot = file.slack.bot_token.reference if file.slack and file.slack.bot_token else None
    github = file.github.token.reference if file.github and file.github.token else None
    key = file.github.app.private_key.reference if file.github and file.github.app else None
    webhook = file.github.webhook_secret.reference if file.github and file.github.webhook_secret else None
    pager = file.pager.routing_key.reference if file.pager else None
    references = [reference for reference in (signing, bot, github, webhook, key, pager) if reference is not None]
    names = {reference.name for reference in references if reference.source is SecretSource.ENVIRONMENT}
    values = {name: Secret(environment[name]) for name in names if environment.get(name)}
    return Secrets(signing, bot, github, webhook, key, pager, values)
