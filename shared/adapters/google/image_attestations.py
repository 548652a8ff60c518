"""Finds what is attached to an image in its registry; returns what a configured signer has signed of it.

Attached are, by the OCI distribution specification 1.1, what refers to the image's digest (bundles of Sigstore, as
GitHub's `attest-build-provenance` and cosign 3 push them), by its fallback for older registries the index under the tag
`sha256-DIGEST`, and under `sha256-DIGEST.att` the envelopes of earlier cosigns.
https://github.com/opencontainers/distribution-spec/blob/main/spec.md#listing-referrers and
https://github.com/sigstore/cosign/blob/main/specs/ATTESTATION_SPEC.md, read 2026-11-27
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Protocol

from shared.errors import Reject

if TYPE_CHECKING:
    from shared.adapters.google.image_name import ImageName
    from shared.adapters.signatures.signed_statements import BuildStatement, SignedStatements

_SIGNED_TYPES = ("application/vnd.dev.sigstore.bundle", "application/vnd.dsse.envelope", "application/vnd.in-toto")
"""How the media types of what may be signed begin."""
_PREDICATE = "slsa.dev/provenance"
_MAX_ATTACHED = 8
NOT_SIGNED = "a build statement in the registry that is not signed"
NONE_SIGNED = "a signed build statement of the image in the registry, where none is"


class Registry(Protocol):
    """What is asked of the image's registry; `shared.adapters.google.image_registry` implements it."""

    def fetch(self, image: "ImageName", kind: str, digest: str) -> Any:
        """What a digest names. Raises Retry, Reject, ValueError."""

    def find(self, image: "ImageName", kind: str, name: str) -> Any:
        """What a tag names or what refers to a digest, None where there is none. Raises Retry, Reject, ValueError."""


class Attestations:
    """Of one image, for a service whose repository is `owner/name`."""

    def __init__(self, registry: Registry, signatures: "SignedStatements", image: "ImageName", repository: str) -> None:
        self._registry, self._signatures = registry, signatures
        self._image, self._repository = image, repository

    def read(self, digests: Sequence[str], *, has_unsigned: bool) -> "tuple[list[BuildStatement], list[str]]":
        """The statements about one of the digests, and why others do not count. Raises Retry, Reject, ValueError."""
        signed: list[BuildStatement] = []
        refused = [NOT_SIGNED] if has_unsigned else []
        for digest in digests:
            for document in self._list_documents(digest):
                try:
                    statement = self._signatures.read_statement(document, self._repository)
                except Reject as reason:
                    refused.append(f"a build statement in the registry: {reason.detail}")
                    continue
                if is_about_image(statement.content, digest) and _PREDICATE in str(
                    statement.content.get("predicateType", "")
                ):
                    signed.append(statement)
        return signed, refused or ([] if signed else [NONE_SIGNED])

    def _list_documents(self, digest: str) -> Iterator[Mapping[str, Any]]:
        tag = digest.replace(":", "-", 1)
        index = self._registry.find(self._image, "referrers", digest)
        if index is None:
            index = self._registry.find(self._image, "manifests", tag)
        attached = [entry for entry in (index or {}).get("manifests", ()) if _may_be_signed(entry.get("artifactType"))]
        for entry in attached[:_MAX_ATTACHED]:
            yield from self._list_layers(self._registry.fetch(self._image, "manifests", entry["digest"]))
        cosigns = self._registry.find(self._image, "manifests", f"{tag}.att")
        if cosigns is not None:
            yield from self._list_layers(cosigns)

    def _list_layers(self, manifest: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
        for layer in manifest["layers"][:_MAX_ATTACHED]:
            if _may_be_signed(layer["mediaType"]):
                content = self._registry.fetch(self._image, "blobs", layer["digest"])
                if isinstance(content, dict):
                    yield content


def is_about_image(statement: Mapping[str, Any], digest: str) -> bool:
    """Whether the image is among the statement's subjects. Raises what a statement of another form leads to."""
    subjects = {subject["digest"].get("sha256") for subject in statement["subject"]}
    return digest.removeprefix("sha256:") in subjects


def _may_be_signed(media_type: object) -> bool:
    return isinstance(media_type, str) and media_type.startswith(_SIGNED_TYPES)
