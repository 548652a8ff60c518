"""A Sigstore instance of these tests: a trusted root, and bundles that its own library verifies without any network.

It has what the public one has: a certificate authority, a log of certificates whose promise is in each of them, and a
transparency log of one entry whose checkpoint and promise are in each bundle.
https://github.com/sigstore/protobuf-specs, https://datatracker.ietf.org/doc/html/rfc6962
"""

import base64
import hashlib
import json
import struct
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID, ObjectIdentifier

ISSUER = "https://token.actions.invalid"
SUBJECT = "https://github.com/harbour/tide/.github/workflows/build.yml@refs/heads/main"
PAYLOAD_TYPE = "application/vnd.in-toto+json"
BEGUN = datetime(2026, 1, 1, tzinfo=UTC)
_SCT_LIST = ObjectIdentifier("1.3.6.1.4.1.11129.2.4.2")
_OIDC_ISSUER = ObjectIdentifier("1.3.6.1.4.1.57264.1.8")
_ORIGIN = "rekor.invalid"


def make_key() -> ec.EllipticCurvePrivateKey:
    return ec.generate_private_key(ec.SECP256R1())


def sign(key: ec.EllipticCurvePrivateKey, signed: bytes) -> bytes:
    return key.sign(signed, ec.ECDSA(hashes.SHA256()))


def encode_pem(key: ec.EllipticCurvePrivateKey) -> str:
    """Its public half."""
    return key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()


def make_envelope(key: ec.EllipticCurvePrivateKey, statement: object, kind: str = PAYLOAD_TYPE) -> dict[str, Any]:
    """A DSSE envelope that a key has signed."""
    payload = json.dumps(statement).encode()
    signed = f"DSSEv1 {len(kind)} {kind} {len(payload)} ".encode() + payload
    return {"payloadType": kind, "payload": _text(payload), "signatures": [{"sig": _text(sign(key, signed))}]}


@dataclass
class SigstoreInstance:
    """One authority and two logs."""

    authority: ec.EllipticCurvePrivateKey = field(default_factory=make_key)
    certificate_log: ec.EllipticCurvePrivateKey = field(default_factory=make_key)
    transparency_log: ec.EllipticCurvePrivateKey = field(default_factory=make_key)

    def __post_init__(self) -> None:
        name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "authority of these tests")])
        usage = x509.KeyUsage(
            digital_signature=False, content_commitment=False, key_encipherment=False, data_encipherment=False,
            key_agreement=False, key_cert_sign=True, crl_sign=True, encipher_only=False, decipher_only=False,
        )  # fmt: skip
        self.root = (
            x509.CertificateBuilder()
            .subject_name(name)
            .issuer_name(name)
            .public_key(self.authority.public_key())
            .serial_number(1)
            .not_valid_before(BEGUN)
            .not_valid_after(BEGUN + timedelta(days=3650))
            .add_extension(x509.BasicConstraints(ca=True, path_length=1), critical=True)
            .add_extension(usage, critical=True)
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(self.authority.public_key()), critical=False)
            .sign(self.authority, hashes.SHA256())
        )

    def trusted_root(self) -> str:
        """As `gh attestation trusted-root` prints one."""
        root = {
            "mediaType": "application/vnd.dev.sigstore.trustedroot+json;version=0.1",
            "tlogs": [_describe_log(self.transparency_log)],
            "ctlogs": [_describe_log(self.certificate_log)],
            "certificateAuthorities": [
                {
                    "subject": {"organization": "tests", "commonName": "tests"},
                    "uri": "https://fulcio.invalid",
                    "certChain": {"certificates": [{"rawBytes": _text(self.root.public_bytes(Encoding.DER))}]},
                    "validFor": {"start": "2026-01-01T00:00:00Z"},
                }
            ],
            "timestampAuthorities": [],
        }
        return json.dumps(root)

    def sign_statement(
        self, statement: object, subject: str = SUBJECT, issuer: str = ISSUER, *, signed_after: timedelta | None = None
    ) -> dict[str, Any]:
        """A bundle; its certificate lives for ten minutes, and it was signed within them."""
        key, begun = make_key(), BEGUN + timedelta(days=30)
        certificate = self._certify(key, subject, issuer, begun)
        envelope = make_envelope(key, statement)
        logged_at = int((begun + (signed_after or timedelta(minutes=1))).timestamp())
        entry = self._log(envelope, certificate, logged_at)
        return {
            "mediaType": "application/vnd.dev.sigstore.bundle.v0.3+json",
            "verificationMaterial": {
                "certificate": {"rawBytes": _text(certificate.public_bytes(Encoding.DER))},
                "tlogEntries": [entry],
            },
            "dsseEnvelope": envelope,
        }

    def _certify(self, key: ec.EllipticCurvePrivateKey, subject: str, issuer: str, begun: datetime) -> x509.Certificate:
        """With the log's promise about the certificate without it."""
        usage = x509.KeyUsage(
            digital_signature=True, content_commitment=False, key_encipherment=False, data_encipherment=False,
            key_agreement=False, key_cert_sign=False, crl_sign=False, encipher_only=False, decipher_only=False,
        )  # fmt: skip
        builder = (
            x509.CertificateBuilder()
            .subject_name(x509.Name([]))
            .issuer_name(self.root.subject)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(begun)
            .not_valid_after(begun + timedelta(minutes=10))
            .add_extension(usage, critical=True)
            .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.CODE_SIGNING]), critical=False)
            .add_extension(
                x509.AuthorityKeyIdentifier.from_issuer_public_key(self.authority.public_key()), critical=False
            )
            .add_extension(x509.SubjectAlternativeName([x509.UniformResourceIdentifier(subject)]), critical=True)
            .add_extension(x509.UnrecognizedExtension(_OIDC_ISSUER, _der(0x0C, issuer.encode())), critical=False)
        )
        promised = self._promise(builder.sign(self.authority, hashes.SHA256()).tbs_certificate_bytes, begun)
        with_promise = builder.add_extension(x509.UnrecognizedExtension(_SCT_LIST, promised), critical=False)
        return with_promise.sign(self.authority, hashes.SHA256())

    def _promise(self, certificate: bytes, at: datetime) -> bytes:
        """A signed certificate timestamp, in the list of one that the extension holds."""
        milliseconds = int(at.timestamp() * 1000)
        about = hashlib.sha256(_spki(self.authority)).digest() + struct.pack("!I", len(certificate))[1:] + certificate
        signed = struct.pack("!BBQH", 0, 0, milliseconds, 1) + about + struct.pack("!H", 0)
        signature = sign(self.certificate_log, signed)
        made = struct.pack("!B32sQH", 0, _log_id(self.certificate_log), milliseconds, 0)
        made += struct.pack("!BBH", 4, 3, len(signature)) + signature
        return _der(0x04, struct.pack("!HH", len(made) + 2, len(made)) + made)

    def _log(self, envelope: Mapping[str, Any], certificate: x509.Certificate, at: int) -> dict[str, Any]:
        """An entry of the transparency log, with the proof that it is the only one."""
        pem = certificate.public_bytes(Encoding.PEM)
        signatures = [{"signature": signature["sig"], "verifier": _text(pem)} for signature in envelope["signatures"]]
        payload = hashlib.sha256(base64.b64decode(envelope["payload"])).hexdigest()
        whole = hashlib.sha256(json.dumps(envelope).encode()).hexdigest()
        spec = {
            "payloadHash": {"algorithm": "sha256", "value": payload},
            "envelopeHash": {"algorithm": "sha256", "value": whole},
            "signatures": signatures,
        }
        body = json.dumps({"apiVersion": "0.0.1", "kind": "dsse", "spec": spec}).encode()
        log_id, root = _log_id(self.transparency_log), hashlib.sha256(b"\0" + body).digest()
        note = f"{_ORIGIN}\n1\n{_text(root)}\n"
        signed_note = log_id[:4] + sign(self.transparency_log, note.encode())
        promised = {"body": _text(body), "integratedTime": at, "logID": log_id.hex(), "logIndex": 0}
        promise = sign(self.transparency_log, json.dumps(promised, sort_keys=True, separators=(",", ":")).encode())
        return {
            "logIndex": "0",
            "logId": {"keyId": _text(log_id)},
            "kindVersion": {"kind": "dsse", "version": "0.0.1"},
            "integratedTime": str(at),
            "inclusionPromise": {"signedEntryTimestamp": _text(promise)},
            "inclusionProof": {
                "logIndex": "0",
                "rootHash": _text(root),
                "treeSize": "1",
                "hashes": [],
                "checkpoint": {"envelope": f"{note}\n— {_ORIGIN} {_text(signed_note)}\n"},
            },
            "canonicalizedBody": _text(body),
        }


def _describe_log(key: ec.EllipticCurvePrivateKey) -> dict[str, Any]:
    return {
        "baseUrl": "https://log.invalid",
        "hashAlgorithm": "SHA2_256",
        "publicKey": {
            "rawBytes": _text(_spki(key)),
            "keyDetails": "PKIX_ECDSA_P256_SHA_256",
            "validFor": {"start": "2026-01-01T00:00:00Z"},
        },
        "logId": {"keyId": _text(_log_id(key))},
    }


def _spki(key: ec.EllipticCurvePrivateKey) -> bytes:
    return key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)


def _log_id(key: ec.EllipticCurvePrivateKey) -> bytes:
    return hashlib.sha256(_spki(key)).digest()


def _text(content: bytes) -> str:
    return base64.b64encode(content).decode()


def _der(tag: int, content: bytes) -> bytes:
    """One value of fewer than 65,536 bytes."""
    size = len(content)
    length = bytes([size]) if size < 128 else struct.pack("!BH", 0x82, size)
    return bytes([tag]) + length + content
