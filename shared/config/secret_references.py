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
    slack_app_token: SecretReference | None = None
    """Where clicks come over a connection; then nothing is signed."""
    slack_bot_token: SecretReference | None = None
    github_token: SecretReference | None = None
    github_webhook_secret: SecretReference | None = None
    github_app_key: SecretReference | None = None
    pager_routing_key: SecretReference | None = None
    values: Mapping[str, Secret] = field(default_factory=dict)
    """By the name of the variable."""


def read_secrets(file: "Configuration", environment: Mapping[str, str], local: Path | None) -> Secrets:
    """`local` is the folder of a local stack, where a variable takes the place of the file's signing secret."""
    slack, github = file.slack, file.github
    signing, app_token, bot = (_find_reference(slack, name) for name in ("signing_secret", "app_token", "bot_token"))
    if local is not None and environment.get(_SIGNING_SECRET_VARIABLE):
        signing = SecretReference(SecretSource.ENVIRONMENT, _SIGNING_SECRET_VARIABLE)
    token, webhook = (_find_reference(github, name) for name in ("token", "webhook_secret"))
    key = _find_reference(github.app if github else None, "private_key")
    pager = _find_reference(file.pager, "routing_key")
    references = [item for item in (signing, app_token, bot, token, webhook, key, pager) if item is not None]
    names = {reference.name for reference in references if reference.source is SecretSource.ENVIRONMENT}
    values = {name: Secret(environment[name]) for name in names if environment.get(name)}
    return Secrets(
        slack_signing_secret=signing, slack_app_token=app_token, slack_bot_token=bot, github_token=token,
        github_webhook_secret=webhook, github_app_key=key, pager_routing_key=pager, values=values,
    )  # fmt: skip


def _find_reference(section: object, name: str) -> SecretReference | None:
    entry = getattr(section, name, None)
    return entry.reference if entry is not None else None
