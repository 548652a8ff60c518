"""Reads what an image itself states about its source: its labels and its build's attestations.

Read by the registry's own protocol (https://cloud.google.com/artifact-registry/docs/reference/docker-api, read
2026-11-26; OCI distribution specification 1.1), because Artifact Registry's API knows neither. BuildKit keeps its
statements as further manifests of the image's index, each with the digest of the manifest that it is about
(https://docs.docker.com/build/metadata/attestations/attestation-storage/, read 2026-11-26). They are not signed: any
account that may push an image may write them, as with a label. Where a signer is configured, only statements that it
has signed count (`image_attestations`).
"""

import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urljoin, urlsplit

from shared.adapters.google import image_attestations
from shared.adapters.google.credentials import renew_token
from shared.adapters.google.errors import find_rule
from shared.adapters.google.image_name import ImageName
from shared.adapters.http import HttpClient, HttpResponse, NoResponse
from shared.adapters.signatures.signed_statements import BuildStatement, SignedStatements
from shared.errors import Reject, Retry
from shared.secret import Secret

_SECONDS = 10.0
_MAX_BYTES = 4 << 20
_MAX_STATEMENTS = 8
_ACCEPTED = ", ".join(
    (
        "application/vnd.oci.image.index.v1+json",
        "application/vnd.docker.distribution.manifest.list.v2+json",
        "application/vnd.oci.image.manifest.v1+json",
        "application/vnd.docker.distribution.manifest.v2+json",
    )
)
_NOTHING_THERE = (400, 404, 405)
"""An older registry knows no referrers, and answers with any of these."""
_STATEMENT = "application/vnd.in-toto+json"
_ATTESTATION = "attestation-manifest"


@dataclass(frozen=True, slots=True)
class ImageMetadata:
    """`labels` of the image's configuration; `statements` are in-toto's, each about this image."""

    labels: Mapping[str, str]
    statements: Sequence[BuildStatement] = ()
    refused: Sequence[str] = ()
    """Why statements do not count, one sentence for each."""


class ImageRegistry:
    """Reads with a token of Google's. `address` replaces every registry's: a double."""

    def __init__(
        self, token: Callable[[], Secret], address: str = "", signatures: SignedStatements | None = None
    ) -> None:
        self._token = token
        self._address = address
        self.signatures = signatures
        """Verifies statements; None where unsigned ones count."""
        self._http = HttpClient(_SECONDS, max_bytes=_MAX_BYTES)

    def read(self, image: ImageName, repository: str) -> ImageMetadata:
        """`repository` is the service's, `owner/name`.

        Raises Retry, and Reject where the registry refuses or answers something else than an image.
        """
        reader = _ImageReader(self, image, repository)
        try:
            return reader.read(image.digest)
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise Reject(
                "invalid", f"the registry's answer about {image.path} is no image ({type(error).__name__})"
            ) from None

    def fetch(self, image: ImageName, kind: str, digest: str) -> Any:
        """A manifest or a blob as JSON, whose bytes are those of the digest. Raises Retry, Reject, ValueError."""
        response = self._request(image, kind, digest)
        if not response.is_success:
            raise _translate_failure(response.status, image)
        if f"sha256:{hashlib.sha256(response.body).hexdigest()}" != digest:
            raise Reject("invalid", f"the registry's answer is not what {digest[:19]} names")
        return json.loads(response.body)

    def find(self, image: ImageName, kind: str, name: str) -> Any:
        """What a tag names, or what refers to a digest, as JSON; None where there is nothing, or no such question.

        Raises Retry, Reject, ValueError.
        """
        response = self._request(image, kind, name)
        if response.status in _NOTHING_THERE:
            return None
        if not response.is_success:
            raise _translate_failure(response.status, image)
        return json.loads(response.body)

    def _request(self, image: ImageName, kind: str, name: str) -> HttpResponse:
        host, _, path = image.path.partition("/")
        url = f"{self._address or f'https://{host}'}/v2/{path}/{kind}/{name}"
        response = self._get(url)
        if response.status == 401 and renew_token(self._token):
            response = self._get(url)
        if response.status in {301, 302, 303, 307, 308}:
            return self._follow(url, response.headers.get("location", ""))
        return response

    def _get(self, url: str, *, with_token: bool = True) -> HttpResponse:
        headers = {"Accept": _ACCEPTED}
        if with_token:
            headers["Authorization"] = f"Bearer {self._token().reveal()}"
        try:
            return self._http.request("GET", url, headers)
        except NoResponse as error:
            raise Retry(str(error)) from error

    def _follow(self, url: str, location: str) -> HttpResponse:
        """Blobs may be elsewhere, at an address that needs no token; ours is for the registry alone."""
        target = urljoin(url, location)
        if urlsplit(target).scheme != urlsplit(url).scheme:
            raise Reject("invalid", "the registry leads to an address of another kind")
        return self._get(target, with_token=urlsplit(target).netloc == urlsplit(url).netloc)


def _translate_failure(status: int, image: ImageName) -> Retry | Reject:
    """An image that a clean-up has deleted is 404."""
    what = f"the registry answered {status} for {image.path}"
    rule = find_rule(str(status))
    if rule is not None and rule.reason:
        return Reject(rule.reason, what)
    return Reject("not_found", what) if status == 404 else Retry(what)


class _ImageReader:
    """One image in its registry."""

    def __init__(self, registry: ImageRegistry, image: ImageName, repository: str) -> None:
        self._registry, self._image, self._repository = registry, image, repository

    def read(self, digest: str) -> ImageMetadata:
        manifest = self._registry.fetch(self._image, "manifests", digest)
        entries, run = manifest.get("manifests", ()), digest
        if entries:
            chosen = next(filter(_runs_on_platform, entries), None)
            if chosen is None:
                raise ValueError("no image for this platform")
            run = chosen["digest"]
            manifest = self._registry.fetch(self._image, "manifests", run)
        about = [entry for entry in entries if _is_about(entry, run)][:2]
        labels, signatures = self._labels(manifest), self._registry.signatures
        if signatures is not None:
            digests = tuple(dict.fromkeys((digest, run)))
            attached = image_attestations.Attestations(self._registry, signatures, self._image, self._repository)
            return ImageMetadata(labels, *attached.read(digests, has_unsigned=bool(about)))
        statements = [BuildStatement(content) for entry in about for content in self._statements(entry, run)]
        return ImageMetadata(labels, statements)

    def _labels(self, manifest: Mapping[str, Any]) -> dict[str, str]:
        configuration = self._registry.fetch(self._image, "blobs", manifest["config"]["digest"])
        held = (configuration.get("config") or {}).get("Labels") or {}
        return {str(name): str(value) for name, value in held.items()}

    def _statements(self, entry: Mapping[str, Any], digest: str) -> list[Mapping[str, Any]]:
        manifest = self._registry.fetch(self._image, "manifests", entry["digest"])
        layers = [layer for layer in manifest["layers"] if layer["mediaType"] == _STATEMENT][:_MAX_STATEMENTS]
        provenance = [
            layer
            for layer in layers
            if "slsa.dev/provenance" in (layer.get("annotations") or {}).get("in-toto.io/predicate-type", "")
        ]
        read = [self._registry.fetch(self._image, "blobs", layer["digest"]) for layer in provenance]
        return [statement for statement in read if image_attestations.is_about_image(statement, digest)]


def _runs_on_platform(entry: Mapping[str, Any]) -> bool:
    """Cloud Run's instances are linux/amd64."""
    platform = entry.get("platform") or {}
    return (platform.get("os"), platform.get("architecture")) == ("linux", "amd64")


def _is_about(entry: Mapping[str, Any], digest: str) -> bool:
    notes = entry.get("annotations") or {}
    return (notes.get("vnd.docker.reference.type"), notes.get("vnd.docker.reference.digest")) == (_ATTESTATION, digest)
