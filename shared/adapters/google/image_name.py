"""The name of a container image comes in; its package in Artifact Registry, tag and digest go out.

https://cloud.google.com/artifact-registry/docs/docker/names
"""

import re
from dataclasses import dataclass

_IMAGE_NAME = re.compile(
    r"(?P<path>[^@:\s]+(?::\d+/[^@:\s]+)?)(?::(?P<tag>[\w.-]{1,128}))?(?:@(?P<digest>sha256:[0-9a-f]{64}))?"
)
_REGISTRY_HOST = re.compile(r"(?P<location>[a-z0-9-]+)-docker\.pkg\.dev")
_CONTAINER_REGISTRY_LOCATIONS = {"gcr.io": "us", "us.gcr.io": "us", "eu.gcr.io": "europe", "asia.gcr.io": "asia"}


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

    def with_digest(self, digest: str) -> str:
        """The same image by another digest."""
        return f"{self.path}@{digest}"


def parse_image_name(text: str) -> ImageName:
    """Never raises: a name that makes no sense has no package."""
    found = _IMAGE_NAME.fullmatch(text)
    if found is None:
        return ImageName(text, "", "", "", "")
    path, parts = found["path"], found["path"].split("/")
    tag, digest = found["tag"] or "", found["digest"] or ""
    host = _REGISTRY_HOST.fullmatch(parts[0])
    if host is not None and len(parts) > 3:
        project, repository, image, location = parts[1], parts[2], parts[3:], host["location"]
    elif parts[0] in _CONTAINER_REGISTRY_LOCATIONS and len(parts) > 2:
        project, repository, image, location = parts[1], parts[0], parts[2:], _CONTAINER_REGISTRY_LOCATIONS[parts[0]]
    else:
        return ImageName(path, tag, digest, "", "")
    package = f"projects/{project}/locations/{location}/repositories/{repository}/packages/{'%2F'.join(image)}"
    return ImageName(path, tag, digest, project, package)
