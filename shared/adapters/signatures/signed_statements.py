"""What is attached to an image, in; the in-toto statements that a configured signer has signed, out.

A document is a DSSE envelope, as `cosign attest --key` attaches it, or a bundle of Sigstore. What is not signed, or by
another signer, is refused with the reason.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from shared.adapters.signatures import dsse, keyless
from shared.errors import Reject
from shared.lazy import lazy_property
from shared.signer import SignaturePolicy
from shared.text.escaping import to_one_line, truncate

_PAYLOAD_TYPE = "application/vnd.in-toto+json"
_MAX_REASON_LENGTH = 200


@dataclass(frozen=True, slots=True)
class BuildStatement:
    """An in-toto statement; `signed_by` is "" where nobody has asked for a signature."""

    content: Mapping[str, Any]
    signed_by: str = ""


class SignedStatements:
    """Verifies for one policy, which has a signer at least."""

    def __init__(self, policy: SignaturePolicy) -> None:
        self._trusted_root = policy.trusted_root
        self._keys = tuple(signer.public_key for signer in policy.signers if not signer.is_keyless)
        self._identities = tuple(signer for signer in policy.signers if signer.is_keyless)

    def read_statement(self, document: Mapping[str, Any], repository: str) -> BuildStatement:
        """`repository` is `owner/name`. Raises Reject with the reason why it does not count."""
        try:
            kind, payload, signed_by = self._verify(document, repository)
            content = json.loads(payload)
        except (ValueError, RecursionError) as error:
            raise Reject("signature", truncate(to_one_line(str(error)), _MAX_REASON_LENGTH)) from None
        if kind != _PAYLOAD_TYPE or not isinstance(content, dict):
            raise Reject("signature", "what was signed is no build statement")
        return BuildStatement(content, signed_by)

    def _verify(self, document: Mapping[str, Any], repository: str) -> tuple[str, bytes, str]:
        """Raises ValueError."""
        is_bundle = "verificationMaterial" in document
        envelope = dsse.parse_envelope(document.get("dsseEnvelope", {}) if is_bundle else document)
        for key in self._keys:
            if dsse.is_signed_by(envelope, key):
                return envelope.payload_type, envelope.payload, dsse.name_key(key)
        if not is_bundle or not self._identities:
            raise ValueError("no configured key has signed it")
        signed = self._keyless.verify(json.dumps(document), self._identities, repository)
        return signed.payload_type, signed.payload, signed.signed_by

    @lazy_property
    def _keyless(self) -> "keyless.KeylessVerifier":
        try:
            return keyless.KeylessVerifier(self._trusted_root)
        except ModuleNotFoundError:
            raise Reject("signature", "Sigstore's library is not installed: provenfix[signatures]") from None
