"""A registry of images on loopback: manifests and blobs by the digest of their bytes, as the OCI specification has it.

A blob is elsewhere: a redirect names its address, which takes no token. A request to the registry needs one.
"""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from tests.support.github.server import FakeRequest, FakeResponse

_ELSEWHERE = "/artifacts-downloads/"


@dataclass
class FakeRegistry:
    """`address` is set while it is served; `requested` are the paths that were asked."""

    address: str = ""
    contents: dict[str, Any] = field(default_factory=dict)
    status: int = 200
    requested: list[str] = field(default_factory=list)
    referrers: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    """By the digest of the image, descriptors of what refers to it."""
    tags: dict[str, str] = field(default_factory=dict)
    knows_referrers: bool = True
    """Whether it answers that question; an older one keeps them under a tag."""

    def add(self, value: Any) -> str:
        digest = f"sha256:{hashlib.sha256(json.dumps(value).encode()).hexdigest()}"
        self.contents[digest] = value
        return digest

    def add_image(self, labels: Mapping[str, str] | None, statements: Sequence[Mapping[str, Any]] = ()) -> str:
        """The digest of an image; one with statements is an index, as BuildKit pushes it.

        A statement without a subject is about this image.
        """
        configuration = self.add({"architecture": "amd64", "config": {"Labels": labels}})
        image = self.add({"config": {"digest": configuration}, "layers": []})
        if not statements:
            return image
        about = [
            {"subject": [{"name": "pkg:docker/tide", "digest": {"sha256": image[7:]}}], **statement}
            for statement in statements
        ]
        layers = [
            {
                "mediaType": "application/vnd.in-toto+json",
                "digest": self.add(statement),
                "annotations": {"in-toto.io/predicate-type": statement["predicateType"]},
            }
            for statement in about
        ]
        attestation = self.add({"config": {"digest": configuration}, "layers": layers})
        notes = {"vnd.docker.reference.type": "attestation-manifest", "vnd.docker.reference.digest": image}
        unknown = {"os": "unknown", "architecture": "unknown"}
        return self.add(
            {
                "manifests": [
                    {"digest": "sha256:" + "0" * 64, "platform": {"os": "linux", "architecture": "arm64"}},
                    {"digest": image, "platform": {"os": "linux", "architecture": "amd64"}},
                    {"digest": attestation, "platform": unknown, "annotations": notes},
                ]
            }
        )

    def attach_bundle(self, image: str, bundle: Any) -> None:
        """As `actions/attest-build-provenance` and cosign 3 push it."""
        layer = {"mediaType": "application/vnd.dev.sigstore.bundle.v0.3+json", "digest": self.add(bundle)}
        manifest = self.add({"artifactType": layer["mediaType"], "layers": [layer], "subject": {"digest": image}})
        self.referrers.setdefault(image, []).append({"digest": manifest, "artifactType": layer["mediaType"]})

    def attach_envelope(self, image: str, envelope: Any) -> None:
        """As `cosign attest` before 3 pushes it: under a tag, one layer for each."""
        layer = {"mediaType": "application/vnd.dsse.envelope.v1+json", "digest": self.add(envelope)}
        tag = f"{image.replace(':', '-')}.att"
        before = self.contents[self.tags[tag]]["layers"] if tag in self.tags else []
        self.tags[tag] = self.add({"layers": [*before, layer]})

    def _list_referrers(self, digest: str) -> FakeResponse:
        if not self.knows_referrers:
            return FakeResponse(404, {"errors": [{"code": "UNSUPPORTED"}]})
        return FakeResponse(200, {"manifests": self.referrers.get(digest, [])})

    def _find_tag(self, tag: str) -> Any:
        """The digest of a tag; the fallback's tag names what refers to a digest."""
        image = tag.replace("sha256-", "sha256:", 1)
        if not self.knows_referrers and image != tag and image in self.referrers:
            return self.add({"manifests": self.referrers[image]})
        return self.tags.get(tag, tag)

    def answer(self, asked: FakeRequest) -> FakeResponse:
        told = self.answer_registry(asked)
        assert told is not None, asked.path
        return told

    def answer_registry(self, asked: FakeRequest) -> FakeResponse | None:
        digest = asked.path.rpartition("/")[2]
        if asked.path.startswith(_ELSEWHERE):
            return FakeResponse(200, self.contents[digest])
        if not asked.path.startswith("/v2/"):
            return None
        self.requested.append(asked.path)
        has_token = asked.headers.get("authorization", "").startswith("Bearer ")
        if not has_token or self.status != 200:
            return FakeResponse(self.status if has_token else 401, {"errors": [{"code": "DENIED"}]})
        return self._list_referrers(digest) if "/referrers/" in asked.path else self._find_content(asked, digest)

    def _find_content(self, asked: FakeRequest, name: str) -> FakeResponse:
        digest = self._find_tag(name)
        if digest not in self.contents:
            return FakeResponse(404, {"errors": [{"code": "MANIFEST_UNKNOWN"}]})
        if "/blobs/" in asked.path:
            return FakeResponse(307, None, {"Location": f"{_ELSEWHERE}{digest}"})
        assert "application/vnd.oci.image.index.v1+json" in asked.headers["accept"]
        return FakeResponse(200, self.contents[digest])
