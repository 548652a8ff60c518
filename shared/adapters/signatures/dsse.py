"""A DSSE envelope: its JSON in, its payload out where a public key has signed it.

https://github.com/secure-systems-lab/dsse/blob/master/protocol.md, read 2026-11-27
"""

import base64
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from hashlib import sha256
from typing import Any

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_pem_public_key

_MAX_SIGNATURES = 8
_FINGERPRINT_DIGITS = 12
_HASHES_BY_BITS = {256: hashes.SHA256, 384: hashes.SHA384, 521: hashes.SHA512}


@dataclass(frozen=True, slots=True)
class Envelope:
    """As it was signed."""

    payload_type: str
    payload: bytes
    signatures: tuple[bytes, ...]

    @property
    def signed_bytes(self) -> bytes:
        """The pre-authentication encoding: what the signatures are about."""
        kind = self.payload_type.encode()
        return b"DSSEv1 %d %b %d %b" % (len(kind), kind, len(self.payload), self.payload)


def parse_envelope(document: Mapping[str, Any]) -> Envelope:
    """Raises ValueError for what is none."""
    try:
        signatures = [base64.b64decode(signature["sig"]) for signature in document["signatures"][:_MAX_SIGNATURES]]
        return Envelope(str(document["payloadType"]), base64.b64decode(document["payload"]), tuple(signatures))
    except (KeyError, TypeError, AttributeError) as error:
        raise ValueError(f"no DSSE envelope ({type(error).__name__})") from None


def is_signed_by(envelope: Envelope, pem: str) -> bool:
    """Whether one of the signatures is the key's. Raises ValueError for a key that cannot be used."""
    key = _load_key(pem)
    return any(_verifies(key, signature, envelope.signed_bytes) for signature in envelope.signatures)


def name_key(pem: str) -> str:
    """`the key SHA256:0123…`, of its DER form. Raises ValueError."""
    der = _load_key(pem).public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    return f"the key SHA256:{sha256(der).hexdigest()[:_FINGERPRINT_DIGITS]}"


@lru_cache(maxsize=8)
def _load_key(pem: str) -> "rsa.RSAPublicKey | ec.EllipticCurvePublicKey | ed25519.Ed25519PublicKey":
    try:
        key = load_pem_public_key(pem.encode())
    except (ValueError, UnsupportedAlgorithm):
        raise ValueError("the public key is no PEM") from None
    if isinstance(key, rsa.RSAPublicKey | ec.EllipticCurvePublicKey | ed25519.Ed25519PublicKey):
        return key
    raise ValueError("the public key is of a kind that signs no build statement")


def _verifies(key: object, signature: bytes, signed: bytes) -> bool:
    """Cosign signs with SHA-256 whatever the curve, Cloud KMS with the hash of the curve; RSA has two paddings."""
    if isinstance(key, ed25519.Ed25519PublicKey):
        return _is_valid(lambda: key.verify(signature, signed))
    if isinstance(key, ec.EllipticCurvePublicKey):
        own = _HASHES_BY_BITS.get(key.key_size, hashes.SHA256)
        return any(_is_valid(lambda h=h: key.verify(signature, signed, ec.ECDSA(h()))) for h in {hashes.SHA256, own})
    assert isinstance(key, rsa.RSAPublicKey)
    paddings = (padding.PKCS1v15(), padding.PSS(padding.MGF1(hashes.SHA256()), padding.PSS.AUTO))
    return any(_is_valid(lambda p=p: key.verify(signature, signed, p, hashes.SHA256())) for p in paddings)


def _is_valid(verify: Any) -> bool:
    try:
        verify()
    except InvalidSignature:
        return False
    return True
