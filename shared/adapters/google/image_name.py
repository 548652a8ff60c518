"""Parses the name of an image: its repository in Artifact Registry, its tag and its digest.

The rule is in `image_names.json`, which Terraform reads as well: it grants the repository that the functions ask.
Names of Container Registry are repositories of Artifact Registry that are called like their host
(https://cloud.google.com/artifact-registry/docs/transition/setup-gcr-repo, read 2026-11-26). The project of a domain,
`acme.example:shop`, is written `acme.example/shop` in a name.
"""

import json
import re
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

_SUFFIX = re.compile(
    r"(?P<path>[^@:\s]+(?::\d+/[^@:\s]+)?)(?::(?P<tag>[\w.-]{1,128}))?(?:@(?P<digest>sha256:[0-9a-f]{64}))?"
)


@dataclass(frozen=True, slots=True)
class ImageName:
    """`path` is what comes before tag and digest; each of these is "" where the name has none."""

    path: str
    tag: str
    digest: str
    project: str
    """Where the image is kept; "" outside of Artifact Registry, like `package`."""
    package: str
    """`projects/P/locations/L/repositories/R/packages/I`."""

    def at(self, digest: str) -> "ImageName":
        """Another image of the same name."""
        return ImageName(self.path, "", digest, self.project, self.package)

    def with_digest(self, digest: str) -> str:
        """The same image by another digest."""
        return f"{self.path}@{digest}"


def parse_image_name(text: str) -> ImageName:
    """Never raises: a name that makes no sense has no package."""
    match = _SUFFIX.fullmatch(text)
    if match is None:
        return ImageName(text, "", "", "", "")
    path, tag, digest = match["path"], match["tag"] or "", match["digest"] or ""
    forms, locations = _read_rule()
    address = next(filter(None, (form.fullmatch(path) for form in forms)), None)
    if address is None:
        return ImageName(path, tag, digest, "", "")
    parts = address.groupdict()
    location = parts.get("location") or locations[parts["host"]]
    repository = parts.get("repository") or parts["host"]
    project, image = parts["project"].replace("/", ":"), parts["image"].replace("/", "%2F")
    package = f"projects/{project}/locations/{location}/repositories/{repository}/packages/{image}"
    return ImageName(path, tag, digest, project, package)


@cache
def _read_rule() -> tuple[tuple[re.Pattern[str], ...], dict[str, str]]:
    rule = json.loads((files(__package__) / "image_names.json").read_text(encoding="utf-8"))
    return tuple(re.compile(form) for form in rule["forms"]), rule["container_registry_locations"]
