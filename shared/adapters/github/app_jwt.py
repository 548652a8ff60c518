"""The JSON Web Token by which a GitHub App asks for the tokens of its installation."""

from datetime import datetime, timedelta
from functools import lru_cache

import jwt
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from jwt.algorithms import RSAAlgorithm

from shared.errors import Reject
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
