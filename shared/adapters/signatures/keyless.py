"""A bundle of Sigstore: its JSON in, the payload and the identity that signed it out, as its own library verifies it.

No server is asked: the certificate, its log's promise and the entry of the transparency log with its proof
are in the bundle, and the trusted root is a file. https://docs.sigstore.dev/about/bundle/, read 2026-11-27
"""

import tempfile
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from urllib.parse import quote

from cryptography.x509 import (
    Certificate,
    ExtensionNotFound,
    RFC822Name,
    SubjectAlternativeName,
    UniformResourceIdentifier,
)
from sigstore.errors import Error, VerificationError
from sigstore.models import Bundle, TrustedRoot
from sigstore.verify import Verifier, policy

from shared.errors import Reject
from shared.signer import Signer

_REFUSALS = (Error, ExtensionNotFound, ValueError, TypeError, LookupError, AttributeError)
"""What the library raises for a bundle that is none, or whose certificate has another form."""
_PUBLIC_INSTANCE = "https://tuf-repo-cdn.sigstore.dev"


@dataclass(frozen=True, slots=True)
class SignedPayload:
    """What was signed, and by whom."""

    payload_type: str
    payload: bytes
    signed_by: str


class KeylessVerifier:
    """`trusted_root` is JSON, "" for that of the public instance. Raises Reject where it is none."""

    def __init__(self, trusted_root: str = "") -> None:
        try:
            self._verifier = Verifier(trusted_root=_read_trusted_root(trusted_root))
        except (Error, OSError, ValueError) as error:
            raise Reject("trusted_root", f"Sigstore's trusted root cannot be read ({type(error).__name__})") from None

    def verify(self, bundle: str, signers: tuple[Signer, ...], repository: str) -> SignedPayload:
        """Raises ValueError with the reason where none of the signers has signed it."""
        wanted = _AnyIdentity(signers, repository)
        try:
            payload_type, payload = self._verifier.verify_dsse(Bundle.from_json(bundle), wanted)
        except _REFUSALS as error:
            raise ValueError(str(error) or type(error).__name__) from None
        return SignedPayload(payload_type, payload, wanted.found)


class _AnyIdentity:
    """Implements `sigstore.verify.policy.VerificationPolicy`: an issuer, and a subject of its patterns."""

    def __init__(self, signers: tuple[Signer, ...], repository: str) -> None:
        self._signers, self._repository = signers, repository
        self.found = ""

    def verify(self, cert: Certificate) -> None:
        """Raises VerificationError."""
        subjects = _list_subjects(cert)
        for signer in self._signers:
            subject = next((name for name in subjects if signer.has_subject(name, self._repository)), "")
            if subject and _is_issued_by(cert, signer.issuer):
                self.found = subject
                return
        raise VerificationError(f"the certificate is for {subjects[0] if subjects else 'nobody'}")


def _is_issued_by(cert: Certificate, issuer: str) -> bool:
    for kind in (policy.OIDCIssuerV2, policy.OIDCIssuer):
        try:
            kind(issuer).verify(cert)
        except (VerificationError, ValueError):
            continue
        return True
    return False


def _list_subjects(cert: Certificate) -> list[str]:
    try:
        names = cert.extensions.get_extension_for_class(SubjectAlternativeName).value
    except ExtensionNotFound:
        return []
    return [*names.get_values_for_type(UniformResourceIdentifier), *names.get_values_for_type(RFC822Name)]


def _read_trusted_root(text: str) -> TrustedRoot:
    if not text:
        shipped = resources.files("sigstore") / "_store" / quote(_PUBLIC_INSTANCE, safe="") / "trusted_root.json"
        text = shipped.read_text("utf-8")
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "trusted_root.json")
        path.write_text(text, "utf-8")
        return TrustedRoot.from_file(str(path))
