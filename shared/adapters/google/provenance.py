"""Which commit an image was built from, and which image a commit became: Cloud Build and Artifact Registry are asked.

A build's *resolved* source is what Cloud Build itself fetched; substitutions are what somebody passed, and count only
where a build has no resolved source.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from google.api_core.exceptions import NotFound

from shared.adapters.google.clients import TIMEOUT_SECONDS, GoogleClients
from shared.adapters.google.errors import translate_errors
from shared.errors import Reject
from shared.proposal.rollout import CommitClaim

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
    match = _IMAGE_NAME.fullmatch(text)
    if match is None:
        return ImageName(text, "", "", "", "")
    path, parts = match["path"], match["path"].split("/")
    tag, digest = match["tag"] or "", match["digest"] or ""
    host = _REGISTRY_HOST.fullmatch(parts[0])
    if host is not None and len(parts) > 3:
        project, repository, image, location = parts[1], parts[2], parts[3:], host["location"]
    elif parts[0] in _CONTAINER_REGISTRY_LOCATIONS and len(parts) > 2:
        project, repository, image, location = parts[1], parts[0], parts[2:], _CONTAINER_REGISTRY_LOCATIONS[parts[0]]
    else:
        return ImageName(path, tag, digest, "", "")
    package = f"projects/{project}/locations/{location}/repositories/{repository}/packages/{'%2F'.join(image)}"
    return ImageName(path, tag, digest, project, package)


if TYPE_CHECKING:
    from google.cloud.devtools.cloudbuild_v1 import Build

_MAX_TAGS = 50
_COMMIT_ID = re.compile(r"[0-9a-f]{40}|(?=[0-9a-f]*[a-f])[0-9a-f]{7,39}")
"""A full id, or an abbreviation that cannot be the number or the date of a build."""


def is_commit_id(text: str) -> bool:
    """Whether this may name a commit."""
    return _COMMIT_ID.fullmatch(text) is not None


class Provenance:
    """`region` of a method is where builds are looked for, besides the global place."""

    def __init__(self, clients: GoogleClients) -> None:
        self._clients = clients

    def claims_of_image(self, image: ImageName, region: str) -> Sequence[CommitClaim]:
        """Builds that made this digest, newest first."""
        if not image.digest or not image.project:
            return ()
        builds = self._list_builds(image.project, region, f'results.images.digest="{image.digest}"')
        made = [build for build in builds if image.digest in image_digests(build)]
        return [
            CommitClaim("provenance", commit, f"build {build.id}") for build in made if (commit := build_commit(build))
        ]

    def claims_of_tags(self, image: ImageName) -> Sequence[CommitClaim]:
        """Tags of this digest that may name a commit."""
        if not image.digest or not image.package:
            return ()
        return [CommitClaim("tag", tag, f"image tag {tag}") for tag in self._list_tags(image) if is_commit_id(tag)]

    def find_build(self, project: str, region: str, build_id: str) -> "Build | None":
        """A build by the id that a label names."""
        for location in (region, "global"):
            with translate_errors(f"Cloud Build, build {build_id}"):
                build = _none_if_missing(
                    lambda at=location: self._clients.builds.get_build(
                        {"name": f"projects/{project}/locations/{at}/builds/{build_id}", "id": build_id},
                        timeout=TIMEOUT_SECONDS,
                        retry=None,
                    )
                )
            if build is not None:
                return build  # type: ignore[no-any-return]
        return None

    def claims_of_source(self, project: str, region: str, location: str) -> Sequence[CommitClaim]:
        """The build that made a function of an archive (`gs://bucket/object#generation`), by the source that it names.

        Raises Reject where no build of it names a commit: an archive has none.
        """
        bucket, _, rest = location.removeprefix("gs://").partition("/")
        name, _, generation = rest.partition("#")
        query = f'source_provenance.resolved_storage_source.object="{name}"'
        builds = list(self._list_builds(project, region, query))
        same = [build for build in builds if _is_built_from(build, bucket, name, generation)]
        claims = [
            CommitClaim("provenance", commit, f"build {build.id}") for build in same if (commit := build_commit(build))
        ]
        if not claims:
            made = f"build {same[0].id} was made of" if same else "no build is known of"
            raise Reject("no_commit", f"{made} the archive {location}, which names no commit")
        return claims

    def find_digest(self, image: ImageName, region: str, commit: str) -> str:
        """The digest of the image that a commit became, "" where there is none: by builds, else by its tag.

        Raises Reject where the tag's image was built from another commit.
        """
        queries = (
            f'source_provenance.resolved_repo_source.commit_sha="{commit}"',
            f'substitutions.COMMIT_SHA="{commit}"',
        )
        for query in queries:
            for build in self._list_builds(image.project, region, query):
                made = [
                    image_result.digest
                    for image_result in build.results.images
                    if image.path == image_result.name.partition(":")[0]
                ]
                if made and build_commit(build) == commit:
                    return str(made[0])
        return self._find_digest_by_tag(image, region, commit)

    def _find_digest_by_tag(self, image: ImageName, region: str, commit: str) -> str:
        with translate_errors(f"Artifact Registry, tag {commit}"):
            tag = _none_if_missing(
                lambda: self._clients.images.get_tag(
                    {"name": f"{image.package}/tags/{commit}"}, timeout=TIMEOUT_SECONDS, retry=None
                )
            )
        digest = tag.version.rpartition("/")[2] if tag is not None else ""
        if digest:
            claims = self.claims_of_image(ImageName(image.path, "", digest, image.project, image.package), region)
            other = next((claim for claim in claims if claim.commit != commit), None)
            if other is not None:
                raise Reject(
                    "image_of_another_commit", f"tag {commit} names an image that {other.ref} made of {other.commit}"
                )
        return str(digest)

    def _list_builds(self, project: str, region: str, query: str) -> "Iterator[Build]":
        for location in (region, "global"):
            request = {"parent": f"projects/{project}/locations/{location}", "project_id": project, "filter": query}
            with translate_errors(f"Cloud Build in {location}"):
                pages = self._clients.builds.list_builds(
                    {**request, "page_size": _MAX_TAGS}, timeout=TIMEOUT_SECONDS, retry=None
                )
                page = next(iter(pages.pages))
            yield from (build for build in page.builds if build.status.name == "SUCCESS")

    def _list_tags(self, image: ImageName) -> Sequence[str]:
        with translate_errors(f"Artifact Registry, {image.digest}"):
            version = _none_if_missing(
                lambda: self._clients.images.get_version(
                    {"name": f"{image.package}/versions/{image.digest}", "view": "FULL"},
                    timeout=TIMEOUT_SECONDS,
                    retry=None,
                )
            )
        return sorted(tag.name.rpartition("/")[2] for tag in version.related_tags) if version is not None else ()


def build_commit(build: "Build") -> str:
    """The commit that Cloud Build fetched, else the one it was told; "" where neither is known."""
    source, substitutions = build.source_provenance, build.substitutions
    fetched = (
        source.resolved_repo_source.commit_sha,
        source.resolved_git_source.revision,
        source.resolved_connected_repository.revision,
    )
    return next(
        (str(text) for text in (*fetched, substitutions.get("COMMIT_SHA", "")) if text and is_commit_id(text)), ""
    )


def image_digests(build: "Build") -> Sequence[str]:
    """Of the images that a build made."""
    return [str(image.digest) for image in build.results.images]


def _is_built_from(build: "Build", bucket: str, name: str, generation: str) -> bool:
    archive = build.source_provenance.resolved_storage_source
    same = (archive.bucket, archive.object_) == (bucket, name)
    return same and (not generation or str(archive.generation) == generation)


def _none_if_missing(ask: Any) -> Any:
    """None where it does not exist."""
    try:
        return ask()
    except NotFound:
        return None
