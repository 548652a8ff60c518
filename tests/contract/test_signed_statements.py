"""Build statements count where a configured signer has signed them; the registry and Sigstore are of these tests."""

import importlib.util
import json
import os
import socket
from collections.abc import Callable, Iterator
from copy import deepcopy
from datetime import timedelta
from typing import Any

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from shared.adapters.google.image_attestations import NONE_SIGNED, NOT_SIGNED
from shared.adapters.signatures import dsse, signed_statements
from shared.errors import Reject
from shared.signer import SignaturePolicy, Signer, matches_pattern
from tests.support.signed_images import OLD, OTHER, SignedImages, make_statement, serve_images
from tests.support.sigstore_instance import ISSUER, SUBJECT, SigstoreInstance, encode_pem, make_envelope, make_key

KEY, FOREIGN_KEY = make_key(), make_key()
BY_KEY = SignaturePolicy((Signer(public_key=encode_pem(KEY)),))
WORKFLOWS = Signer(issuer=ISSUER, subject="https://github.com/{repository}/.github/workflows/*")


@pytest.fixture
def images() -> Iterator[SignedImages]:
    with serve_images(BY_KEY) as served:
        yield served


@pytest.fixture(scope="module")
def sigstore() -> SigstoreInstance:
    """Skips where its library is not installed; where `CI=true` it fails."""
    if importlib.util.find_spec("sigstore") is None:
        if os.environ.get("CI") == "true":
            pytest.fail("the extra `signatures` is not installed", pytrace=False)
        pytest.skip("the extra `signatures` is not installed")
    return SigstoreInstance()


def _told(revision: Any) -> tuple[list[tuple[str, str]], list[str]]:
    return [(claim.source, claim.commit) for claim in revision.claims], list(revision.unreadable_sources)


def test_a_statement_that_the_key_has_signed_names_the_commit_and_the_signer(images: SignedImages) -> None:
    digest = images.registry.add_image({})
    images.registry.attach_envelope(digest, make_envelope(KEY, make_statement(digest)))
    revision = images.deploy(digest)
    assert _told(revision) == ([("provenance", OLD), ("label", OTHER)], [])
    assert revision.claims[0].ref.endswith(f"signed by {dsse.name_key(encode_pem(KEY))}")


def _make_unsigned() -> dict[str, Any]:
    """As BuildKit writes it of the image beside it."""
    return {name: value for name, value in make_statement("").items() if name != "subject"}


def test_without_a_configured_signer_an_unsigned_statement_counts_and_nothing_more_is_asked() -> None:
    with serve_images(SignaturePolicy()) as images:
        revision = images.deploy(images.registry.add_image({}, [_make_unsigned()]))
        assert (revision.commit, revision.claims[0].ref) == (OLD, "build statement in the registry")
        assert not [path for path in images.registry.requested if "referrers" in path or path.endswith(".att")]


def test_a_statement_that_is_not_signed_is_named_and_the_next_source_counts(images: SignedImages) -> None:
    digest = images.registry.add_image({}, [_make_unsigned()])
    assert _told(images.deploy(digest)) == ([("label", OTHER)], [NOT_SIGNED])


def test_an_image_without_a_signed_statement_is_named_and_the_next_source_counts(images: SignedImages) -> None:
    assert _told(images.deploy(images.registry.add_image({}))) == ([("label", OTHER)], [NONE_SIGNED])


def _signed_by_another(digest: str) -> object:
    return make_envelope(FOREIGN_KEY, make_statement(digest))


def _changed_after_it_was_signed(digest: str) -> object:
    envelope = make_envelope(KEY, make_statement(digest))
    return {**envelope, "payload": make_envelope(KEY, make_statement(digest, OTHER))["payload"]}


def _of_another_kind(digest: str) -> object:
    return make_envelope(KEY, make_statement(digest), "text/plain")


def _no_envelope(_: str) -> object:
    return {"payload": 7}


def _without_signatures(digest: str) -> object:
    return {**make_envelope(KEY, make_statement(digest)), "signatures": []}


def _no_object(_: str) -> object:
    return make_envelope(KEY, ["a list"])


@pytest.mark.parametrize(
    "make",
    [_signed_by_another, _changed_after_it_was_signed, _of_another_kind, _no_envelope, _without_signatures, _no_object],
)
def test_what_the_key_has_not_signed_is_refused_with_a_reason(
    images: SignedImages, make: Callable[[str], object]
) -> None:
    digest = images.registry.add_image({})
    images.registry.attach_envelope(digest, make(digest))
    claims, unseen = _told(images.deploy(digest))
    assert claims == [("label", OTHER)]
    assert [each.startswith("a build statement in the registry: ") for each in unseen] == [True]


def test_a_signed_statement_about_another_image_or_of_another_kind_counts_for_nothing(images: SignedImages) -> None:
    digest = images.registry.add_image({})
    for statement in (make_statement("1" * 64), make_statement(digest, kind="https://spdx.dev/Document")):
        images.registry.attach_envelope(digest, make_envelope(KEY, statement))
    assert _told(images.deploy(digest)) == ([("label", OTHER)], [NONE_SIGNED])


def test_one_good_statement_beside_bad_ones_counts_and_the_bad_ones_are_named(images: SignedImages) -> None:
    digest = images.registry.add_image({})
    images.registry.attach_envelope(digest, _signed_by_another(digest))
    images.registry.attach_envelope(digest, make_envelope(KEY, make_statement(digest)))
    claims, unseen = _told(images.deploy(digest))
    assert (claims[0], len(unseen)) == (("provenance", OLD), 1)


def test_a_registry_that_refuses_attestations_is_named(images: SignedImages) -> None:
    images.registry.status = 403
    claims, unseen = _told(images.deploy(images.registry.add_image({})))
    assert (claims, [each.partition(":")[0] for each in unseen]) == ([("label", OTHER)], ["denied"])


def _rsa_pkcs1() -> tuple[Any, Callable[[bytes], bytes]]:
    key = rsa.generate_private_key(65537, 2048)
    return key, lambda signed: key.sign(signed, padding.PKCS1v15(), hashes.SHA256())


def _rsa_pss() -> tuple[Any, Callable[[bytes], bytes]]:
    key = rsa.generate_private_key(65537, 2048)
    pss = padding.PSS(padding.MGF1(hashes.SHA256()), 32)
    return key, lambda signed: key.sign(signed, pss, hashes.SHA256())


def _ed25519() -> tuple[Any, Callable[[bytes], bytes]]:
    key = ed25519.Ed25519PrivateKey.generate()
    return key, key.sign


def _p384() -> tuple[Any, Callable[[bytes], bytes]]:
    key = ec.generate_private_key(ec.SECP384R1())
    return key, lambda signed: key.sign(signed, ec.ECDSA(hashes.SHA384()))


@pytest.mark.parametrize("make", [_rsa_pkcs1, _rsa_pss, _ed25519, _p384])
def test_each_kind_of_key_that_signs_build_statements_verifies(
    make: Callable[[], tuple[Any, Callable[[bytes], bytes]]],
) -> None:
    key, sign = make()
    pem = key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()
    unsigned = dsse.Envelope("application/vnd.in-toto+json", b"{}", ())
    signed = dsse.Envelope(unsigned.payload_type, unsigned.payload, (sign(unsigned.signed_bytes),))
    assert dsse.is_signed_by(signed, pem)
    assert not dsse.is_signed_by(dsse.Envelope(signed.payload_type, b"[]", signed.signatures), pem)
    assert not dsse.is_signed_by(signed, encode_pem(KEY))


def test_a_key_that_is_none_is_a_reason() -> None:
    policy = SignaturePolicy((Signer(public_key="-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----\n"),))
    with pytest.raises(Reject, match="the public key is no PEM"):
        signed_statements.SignedStatements(policy).read_statement(make_envelope(KEY, {}), "harbour/tide")


@pytest.mark.parametrize("knows_referrers", [True, False], ids=["referrers", "fallback tag"])
def test_a_bundle_of_the_configured_workflow_names_the_commit_and_who_signed(
    sigstore: SigstoreInstance, *, knows_referrers: bool
) -> None:
    with serve_images(SignaturePolicy((WORKFLOWS,), sigstore.trusted_root())) as images:
        images.registry.knows_referrers = knows_referrers
        digest = images.registry.add_image({})
        images.registry.attach_bundle(digest, sigstore.sign_statement(make_statement(digest)))
        revision = images.deploy(digest)
    assert _told(revision) == ([("provenance", OLD), ("label", OTHER)], [])
    assert revision.claims[0].ref.endswith(f"signed by {SUBJECT}")


def _of_another_workflow(other: SigstoreInstance, digest: str) -> object:
    return other.sign_statement(make_statement(digest), "https://github.com/foundry/x/.github/workflows/a.yml@main")


def _of_another_issuer(sigstore: SigstoreInstance, digest: str) -> object:
    return sigstore.sign_statement(make_statement(digest), issuer="https://accounts.invalid")


def _of_another_instance(_: SigstoreInstance, digest: str) -> object:
    return SigstoreInstance().sign_statement(make_statement(digest))


def _after_the_certificate_had_expired(sigstore: SigstoreInstance, digest: str) -> object:
    return sigstore.sign_statement(make_statement(digest), signed_after=timedelta(minutes=11))


def _with_another_payload(sigstore: SigstoreInstance, digest: str) -> object:
    bundle = deepcopy(sigstore.sign_statement(make_statement(digest, OTHER)))
    bundle["dsseEnvelope"]["payload"] = sigstore.sign_statement(make_statement(digest))["dsseEnvelope"]["payload"]
    return bundle


def _with_an_entry_of_another(sigstore: SigstoreInstance, digest: str) -> object:
    bundle = sigstore.sign_statement(make_statement(digest))
    other = sigstore.sign_statement(make_statement(digest))
    bundle["verificationMaterial"]["tlogEntries"] = other["verificationMaterial"]["tlogEntries"]
    return bundle


def _without_an_entry(sigstore: SigstoreInstance, digest: str) -> object:
    bundle = sigstore.sign_statement(make_statement(digest))
    bundle["verificationMaterial"]["tlogEntries"] = []
    return bundle


def _with_another_certificate(sigstore: SigstoreInstance, digest: str) -> object:
    bundle = sigstore.sign_statement(make_statement(digest))
    other = sigstore.sign_statement(make_statement(digest))
    bundle["verificationMaterial"]["certificate"] = other["verificationMaterial"]["certificate"]
    return bundle


def _no_bundle(_: SigstoreInstance, __: str) -> object:
    return {"verificationMaterial": [], "dsseEnvelope": make_envelope(KEY, {})}


@pytest.mark.parametrize(
    "make",
    [
        _of_another_workflow,
        _of_another_issuer,
        _of_another_instance,
        _after_the_certificate_had_expired,
        _with_another_payload,
        _with_an_entry_of_another,
        _without_an_entry,
        _with_another_certificate,
        _no_bundle,
    ],
)
def test_a_bundle_that_does_not_hold_is_named_and_the_next_source_counts(
    sigstore: SigstoreInstance, make: Callable[[SigstoreInstance, str], object]
) -> None:
    with serve_images(SignaturePolicy((WORKFLOWS,), sigstore.trusted_root())) as images:
        digest = images.registry.add_image({})
        images.registry.attach_bundle(digest, make(sigstore, digest))
        claims, unseen = _told(images.deploy(digest))
    assert claims == [("label", OTHER)]
    assert [each.startswith("a build statement in the registry: ") for each in unseen] == [True]


def test_nothing_is_asked_of_anybody(sigstore: SigstoreInstance, monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither with a trusted root of one's own nor with the one that the library brings."""
    from shared.adapters.signatures.keyless import KeylessVerifier  # noqa: PLC0415  # needs the extra

    def refuse(*_: object, **__: object) -> None:
        raise AssertionError("a connection was opened")

    monkeypatch.setattr(socket.socket, "connect", refuse)
    monkeypatch.setattr(socket, "getaddrinfo", refuse)
    bundle = json.dumps(sigstore.sign_statement({}))
    verifier = KeylessVerifier(sigstore.trusted_root())
    assert verifier.verify(bundle, (WORKFLOWS,), "harbour/tide").payload == b"{}"
    with pytest.raises(ValueError, match="certificate"):
        KeylessVerifier().verify(bundle, (WORKFLOWS,), "harbour/tide")


def test_without_sigstores_library_a_reason_names_the_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    class Missing:
        def __getattr__(self, name: str) -> object:
            raise ModuleNotFoundError(name="sigstore")

    monkeypatch.setattr(signed_statements, "keyless", Missing())
    bundle = {"verificationMaterial": {}, "dsseEnvelope": make_envelope(KEY, {})}
    with pytest.raises(Reject, match=r"provenfix\[signatures\]"):
        signed_statements.SignedStatements(SignaturePolicy((WORKFLOWS,))).read_statement(bundle, "harbour/tide")


@pytest.mark.parametrize(
    ("text", "pattern", "expected"),
    [
        ("abc", "abc", True),
        ("abc", "ab", False),
        ("abc", "*", True),
        ("abc", "a*c", True),
        ("ac", "a*c", True),
        ("a", "a*a", False),
        ("axbxc", "a*b*c", True),
        ("axc", "a*b*c", False),
        ("a" * 5000 + "b", "*a*a*a*a*a*a*a*c", False),
    ],
)
def test_a_star_in_a_subject_is_any_text(text: str, pattern: str, *, expected: bool) -> None:
    assert matches_pattern(text, pattern) is expected
