"""The credentials for GitHub: a fixed token, or an App installation whose tokens are renewed before they expire.

A token is opaque text of any length; the installation tokens of today (`ghs_…`, 40 characters) and the longer ones
(`ghs_APPID_JWT`) are treated alike. An App asks for the tokens of its installation with a JSON Web Token.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Protocol
from urllib.parse import urlsplit

import jwt
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from jwt.algorithms import RSAAlgorithm

from shared.errors import Reject
from shared.ports import Clock
from shared.secret import Secret

_CLOCK_SKEW = timedelta(seconds=60)
_LIFETIME = timedelta(minutes=9)


def sign_app_jwt(app: str, key: Secret, now: datetime) -> str:
    """A token of nine minutes, signed with the App's private key. Raises Reject for a key that is none."""
    claims = {"iat": int((now - _CLOCK_SKEW).timestamp()), "exp": int((now + _LIFETIME).timestamp()), "iss": app}
    try:
        return jwt.encode(claims, _load_key(key.reveal()), algorithm="RS256")
    except (ValueError, TypeError, jwt.PyJWTError) as error:
        raise Reject("github_key", "the App's private key is no RSA key in PEM; download a new one") from error


@lru_cache(maxsize=4)
def _load_key(pem: str) -> RSAPrivateKey:
    """Checks the primes, as slow as a hundred signatures. Raises ValueError, TypeError, InvalidKeyError."""
    key = RSAAlgorithm(RSAAlgorithm.SHA256).prepare_key(pem)
    if not isinstance(key, RSAPrivateKey):
        raise TypeError("a public key signs nothing")
    return key


RENEWAL_MARGIN = timedelta(minutes=10)
"""A token that ends sooner is renewed: no function runs for longer than nine minutes."""


class Credentials(Protocol):
    """Where the client gets its token."""

    def token(self) -> str:
        """The token for a request that is made now. Raises what the request for a new one raises."""

    def discard(self) -> bool:
        """The token was refused. True where another one can be had."""


@dataclass(frozen=True, slots=True)
class FixedToken:
    """A fine-grained personal access token; `read` is asked at every request and may keep it."""

    read: Callable[[], Secret]

    def token(self) -> str:
        """The one that there is."""
        return self.read().reveal().strip()

    def discard(self) -> bool:
        """There is no other."""
        return False


@dataclass(frozen=True, slots=True)
class GitHubApp:
    """A GitHub App and its installation on the watched repositories."""

    id: str
    """The App's id, or its client id: a token's `iss` may be either."""
    key: Callable[[], Secret]
    """The private key, PEM; read when a token is needed."""
    installation: int


TokenExchange = Callable[[str, int], tuple[str, datetime]]
"""(App's JWT, installation) -> (token, when it ends): one `POST /app/installations/{id}/access_tokens`."""


class InstallationTokens:
    """Asks for an installation token when it is needed first, and again before it ends."""

    def __init__(self, app: GitHubApp, clock: Clock, exchange: TokenExchange) -> None:
        self._app = app
        self._clock = clock
        self._exchange = exchange
        self._token: tuple[str, datetime] | None = None

    def token(self) -> str:
        """One that lives for longer than any function runs."""
        held = self._token  # read once: another thread may forget it meanwhile
        if held is None or self._clock.now() + RENEWAL_MARGIN > held[1]:
            held = self._token = self._exchange(self._create_jwt(), self._app.installation)
        return held[0]

    def discard(self) -> bool:
        """Throws the held one away: it was revoked, or the clocks differ."""
        self._token = None
        return True

    def _create_jwt(self) -> str:
        return sign_app_jwt(self._app.id, self._app.key(), self._clock.now())


def parse_expiry(text: str) -> datetime:
    """`2026-05-01T10:00:00Z` as an instant."""
    return datetime.fromisoformat(text).astimezone(UTC)


PUBLIC_WEB = "https://github.com"
_DATA_RESIDENCY_SUFFIX = ".ghe.com"


@dataclass(frozen=True, slots=True)
class GitHubHost:
    """github.com, an Enterprise Cloud with data residency (`https://NAME.ghe.com`), or an Enterprise Server."""

    web: str = PUBLIC_WEB
    """Without a slash at its end."""

    @property
    def api(self) -> str:
        """What the paths of the REST API are appended to."""
        if self.web == PUBLIC_WEB:
            return "https://api.github.com"
        parts = urlsplit(self.web)
        if parts.netloc.endswith(_DATA_RESIDENCY_SUFFIX):
            return f"https://api.{parts.netloc}"
        return f"{self.web}/api/v3"

    @property
    def redirect_url(self) -> str:
        """The address under which a pull request can be linked without a note in its own timeline.

        https://docs.github.com/en/get-started/writing-on-github/working-with-advanced-formatting/autolinked-references-and-urls
        documents it for github.com; elsewhere there is none, and the note that a link leaves notifies nobody.
        """
        return "https://redirect.github.com" if self.web == PUBLIC_WEB else self.web
