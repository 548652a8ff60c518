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
        if digest not in self.contents:
            return FakeResponse(404, {"errors": [{"code": "MANIFEST_UNKNOWN"}]})
        if "/blobs/" in asked.path:
            return FakeResponse(307, None, {"Location": f"{_ELSEWHERE}{digest}"})
        assert "application/vnd.oci.image.index.v1+json" in asked.headers["accept"]
        return FakeResponse(200, self.contents[digest])
