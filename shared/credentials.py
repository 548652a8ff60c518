"""The identities under which provenfix asks the outside: secrets, tokens of Google, and the client of the code host."""

from __future__ import annotations

import time
from functools import cache, partial
from typing import TYPE_CHECKING

from shared.adapters import system
from shared.adapters.github import client, issues
from shared.adapters.github import credentials as github_credentials
from shared.adapters.google import credentials as google_credentials
from shared.adapters.google import image_registry
from shared.adapters.signatures import signed_statements
from shared.errors import UsageError
from shared.lazy import lazy_property
from shared.secret import Secret, SecretReference, SecretSource

if TYPE_CHECKING:
    from collections.abc import Callable

    from shared import ports
    from shared.config.settings import Settings
    from shared.service import Service


_LATEST = "/versions/latest"
_LATEST_SECONDS = 600.0
"""For so long a secret of which the latest version is named is kept; then a newer one may have replaced it."""


def build_secret_reader(
    settings: Settings,
    reference: SecretReference | None,
    key: str,
    clock: Callable[[], float] = time.monotonic,
) -> Callable[[], Secret]:
    """Returns a function that reads a secret and keeps it: a version for good, the latest one for ten minutes.

    `key` is where provenfix.yaml refers to it, `clock` is in seconds. The function raises UsageError where nothing is
    configured, Retry where the secret cannot be reached.
    """
    read = partial(_read_secret, settings, reference, key)
    if reference is None or not reference.name.endswith(_LATEST):
        return cache(read)
    return google_credentials.CachedToken(lambda: (read().reveal(), _LATEST_SECONDS), clock)


def _read_secret(settings: Settings, reference: SecretReference | None, key: str) -> Secret:
    if reference is None:
        raise UsageError(f"{key} is not configured; refer to it in provenfix.yaml.")
    if reference.source is SecretSource.SECRET_MANAGER:
        api = settings.endpoint_overrides.rest or google_credentials.SECRET_MANAGER_API
        return google_credentials.SecretManager(_create_metadata_client(settings).access_token, api).read(
            reference.name
        )
    secret = settings.secrets.values.get(reference.name)
    if secret is None:
        raise UsageError(f"{key} refers to the environment variable {reference.name}, which is not set.")
    return secret


def create_access_tokens(settings: Settings) -> Callable[[], Secret]:
    """Access tokens for Google's own APIs: the function's, or those of the user at this machine."""
    if settings.is_deployed or settings.endpoint_overrides.rest:
        return _create_metadata_client(settings).access_token
    return google_credentials.UserCredentials()


def _create_metadata_client(settings: Settings) -> google_credentials.MetadataServer:
    host = settings.endpoint_overrides.rest.removeprefix("http://") or google_credentials.METADATA_HOST
    return google_credentials.MetadataServer(host)


def create_image_registry(settings: Settings) -> image_registry.ImageRegistry | None:
    """What images say themselves; None where nobody may ask: in tests without a registry."""
    overrides, policy = settings.endpoint_overrides, settings.signature_policy
    if overrides.google and not overrides.rest:
        return None
    signatures = signed_statements.SignedStatements(policy) if policy.signers else None
    return image_registry.ImageRegistry(create_access_tokens(settings), overrides.rest, signatures)


def create_identity_tokens(settings: Settings) -> Callable[[str], Secret]:
    """Identity tokens by URL. A function on this machine is called without: settings allow plain HTTP for no other."""
    metadata = _create_metadata_client(settings)
    return lambda url: metadata.identity_token(url) if url.startswith("https://") else Secret("")


def has_code_host(settings: Settings) -> bool:
    """Whether an App or a token is configured."""
    return settings.secrets.github_token is not None or bool(settings.code_host.app)


def read_github_host(settings: Settings) -> github_credentials.GitHubHost:
    """The code host's addresses."""
    return github_credentials.GitHubHost(settings.code_host.address)


def create_github_client(settings: Settings, clock: ports.Clock) -> client.GitHubClient:
    """A client as the App, else with the token, that is configured; its secret is read at the first request."""
    host, secrets, timing = settings.code_host, settings.secrets, client.Timing(clock, time.sleep)
    address = settings.endpoint_overrides.github or read_github_host(settings).api
    if not host.app:
        token = build_secret_reader(settings, secrets.github_token, "github.token")
        return client.GitHubClient(github_credentials.FixedToken(token), timing, address)
    key = build_secret_reader(settings, secrets.github_app_key, "github.app.private_key")
    app = github_credentials.GitHubApp(host.app, key, host.installation)
    return client.GitHubClient(client.create_installation_tokens(app, timing, address), timing, address)


class ConfiguredCollaborators:
    """Implements `shared.ports.Collaborators`. Raises UsageError, when it is asked, where no token is configured."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings

    def has_write_access(self, service: Service, user: str) -> bool:
        """See `shared.ports.Collaborators`."""
        return issues.GitHubCollaborators(self._github).has_write_access(service, user)

    @lazy_property
    def _github(self) -> client.GitHubClient:
        if not has_code_host(self._settings):
            raise UsageError("github.app or github.token is not configured; write one of them into provenfix.yaml.")
        return create_github_client(self._settings, system.SystemClock())
