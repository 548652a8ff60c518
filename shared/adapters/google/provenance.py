"""Which commit an image was built from, and which image a commit became: Cloud Build and Artifact Registry are asked.

A place that refuses is named in `unreadable`, and the next one is asked: an image may be kept in a project of others.
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from datetime import datetime
from typing import Any
from urllib.parse import urlsplit

from shared.adapters.google.builds import Builds, get_if_exists, list_image_digests, read_build_commit
from shared.adapters.google.clients import TIMEOUT_SECONDS, GoogleClients
from shared.adapters.google.commit_names import find_commit_of_tag, is_abbreviation_of, is_commit_id, rename_tag
from shared.adapters.google.errors import translate_errors
from shared.adapters.google.image_name import ImageName
from shared.adapters.google.image_registry import ImageMetadata
from shared.errors import Reject
from shared.proposal.rollout import CommitClaim
from shared.service import Service

IMAGE_OF_ANOTHER_COMMIT = "image_of_another_commit"
"""The reason of a `Reject` where a tag of the commit names an image that was built from another one."""
REVISION_LABEL, SOURCE_LABEL = "org.opencontainers.image.revision", "org.opencontainers.image.source"
"""https://github.com/opencontainers/image-spec/blob/main/annotations.md, read 2026-11-26."""


class Provenance:
    """Of the images of a service. Its region is where builds are looked for, besides the global place."""

    def __init__(self, clients: GoogleClients) -> None:
        self._clients = clients
        self._builds = Builds(clients)

    def find_image_claims(self, image: ImageName, service: Service, unreadable: list[str]) -> Sequence[CommitClaim]:
        """Builds that made this digest, newest first."""
        if not image.digest or not image.project:
            return ()
        query = f'results.images.digest="{image.digest}"'
        builds = self._builds.search(service, image.project, query, unreadable)
        made = [build for build in builds if image.digest in list_image_digests(build)]
        return [
            CommitClaim("provenance", commit, f"build {build.id}")
            for build in made
            if (commit := read_build_commit(build))
        ]

    def find_metadata_claims(self, image: ImageName, service: Service, unreadable: list[str]) -> Sequence[CommitClaim]:
        """What the image says itself; a statement that nobody configured has signed is named. Raises Retry, Reject."""
        registry = self._clients.registry
        if registry is None or not image.digest or not image.package:
            return ()
        metadata = registry.read(image, service.repository)
        unreadable.extend(metadata.refused)
        return list(list_metadata_claims(metadata, service.repository))

    def find_tag_claims(self, image: ImageName) -> Sequence[CommitClaim]:
        """Tags of this digest that may name a commit."""
        if not image.digest or not image.package:
            return ()
        named = ((tag, find_commit_of_tag(tag)) for tag in self._list_tags(image))
        return [CommitClaim("tag", commit, f"image tag {tag}") for tag, commit in named if commit]

    def find_label_claims(self, service: Service, label: str, build_id: str, digest: str) -> Sequence[CommitClaim]:
        """A build that only a label names: it did not make this image, as far as is known."""
        build = self._builds.find(service, build_id)
        if build is None or not read_build_commit(build) or digest in list_image_digests(build):
            return ()
        return [CommitClaim("label", read_build_commit(build), f"label {label} {build_id}")]

    def find_source_claims(self, service: Service, location: str, unreadable: list[str]) -> Sequence[CommitClaim]:
        """The build that made a function of an archive (`gs://bucket/object#generation`), by the source that it names.

        Raises Reject where no build of it names a commit: an archive has none.
        """
        bucket, _, rest = location.removeprefix("gs://").partition("/")
        name, _, generation = rest.partition("#")
        query = f'source_provenance.resolved_storage_source.object="{name}"'
        archives = [
            (build, build.source_provenance.resolved_storage_source)
            for build in self._builds.search(service, "", query, unreadable)
        ]
        same = [
            build
            for build, archive in archives
            if (archive.bucket, archive.object_) == (bucket, name) and generation in {"", str(archive.generation)}
        ]
        claims = [
            CommitClaim("provenance", commit, f"build {build.id}")
            for build in same
            if (commit := read_build_commit(build))
        ]
        if not claims:
            made = f"build {same[0].id} was made of" if same else "no build is known of"
            raise Reject("no_commit", f"{made} the archive {location}, which names no commit")
        return claims

    def resolve_tag(self, image: ImageName, made: datetime) -> ImageName:
        """The image of a name without a digest, where the tag names the one that it named when the revision was made.

        A tag that was moved since names an image that was uploaded later: then nothing is known of the deployed one.
        """
        if image.digest or not image.tag or not image.package:
            return image
        digest = self._digest_of_tag(image, image.tag)
        version = self._get_version(image.at(digest)) if digest else None
        return image.at(digest) if version is not None and version.create_time <= made else image

    def find_digest(self, image: ImageName, service: Service, commit: str, unreadable: list[str] | None = None) -> str:
        """The digest of the image that a commit became, "" where there is none: by builds, else by its tag.

        Where nobody may look at builds, none says so, and the tag is asked. Raises Reject where the tag's image was
        built from another commit (`IMAGE_OF_ANOTHER_COMMIT`), or nobody may look at tags.
        """
        unreadable = [] if unreadable is None else unreadable
        queries = (
            f'source_provenance.resolved_repo_source.commit_sha="{commit}"',
            f'substitutions.COMMIT_SHA="{commit}"',
        )
        for query in queries:
            for build in self._builds.search(service, image.project, query, unreadable):
                made = [
                    image_result.digest
                    for image_result in build.results.images
                    if image.path == image_result.name.partition(":")[0]
                ]
                if made and read_build_commit(build) == commit:
                    return str(made[0])
        return self._find_digest_by_tag(image, service, commit, unreadable)

    def _find_digest_by_tag(self, image: ImageName, service: Service, commit: str, unreadable: list[str]) -> str:
        for tag in self._tags_of_commit(image, commit, unreadable):
            digest = self._digest_of_tag(image, tag)
            if digest:
                self._require_same_commit(image.at(digest), service, tag, commit)
                return digest
        return ""

    def _tags_of_commit(self, image: ImageName, commit: str, unreadable: list[str]) -> Sequence[str]:
        """The commit, and what the tags of the deployed image would be called for it."""
        deployed = [image.tag] if image.tag else []
        if image.digest:
            try:
                deployed += self._list_tags(image)
            except Reject as refused:
                unreadable.append(str(refused))
        return list(dict.fromkeys([commit, *filter(None, (rename_tag(tag, commit) for tag in deployed))]))

    def _digest_of_tag(self, image: ImageName, tag: str) -> str:
        with translate_errors(f"Artifact Registry, tag {tag}"):
            held = get_if_exists(
                lambda: self._clients.images.get_tag(
                    {"name": f"{image.package}/tags/{tag}"}, timeout=TIMEOUT_SECONDS, retry=None
                )
            )
        return str(held.version.rpartition("/")[2]) if held is not None else ""

    def _require_same_commit(self, image: ImageName, service: Service, tag: str, commit: str) -> None:
        """A tag can be moved, and an abbreviation can be that of two commits."""
        claims = list(self.find_image_claims(image, service, []))
        with suppress(Reject):
            claims += self.find_metadata_claims(image, service, [])
        other = next((claim for claim in claims if not is_abbreviation_of(claim.commit, commit)), None)
        if other is not None:
            raise Reject(IMAGE_OF_ANOTHER_COMMIT, f"tag {tag} names an image of which {other.ref} names {other.commit}")

    def _get_version(self, image: ImageName) -> Any:
        with translate_errors(f"Artifact Registry, {image.digest}"):
            return get_if_exists(
                lambda: self._clients.images.get_version(
                    {"name": f"{image.package}/versions/{image.digest}", "view": "FULL"},
                    timeout=TIMEOUT_SECONDS,
                    retry=None,
                )
            )

    def _list_tags(self, image: ImageName) -> Sequence[str]:
        version = self._get_version(image)
        return sorted(tag.name.rpartition("/")[2] for tag in version.related_tags) if version is not None else ()


def list_metadata_claims(metadata: ImageMetadata, repository: str) -> Iterator[CommitClaim]:
    """`repository` is `owner/name`. Statements first: a builder writes them of what it fetched."""
    named = {
        commit: statement.signed_by
        for statement in reversed(metadata.statements)
        for commit in reversed(list(_list_stated_commits(statement.content, repository)))
    }
    for commit, signed_by in reversed(named.items()):
        signed = f", signed by {signed_by}" if signed_by else ""
        yield CommitClaim("provenance", commit, f"build statement in the registry{signed}")
    revision, source = (metadata.labels.get(name, "") for name in (REVISION_LABEL, SOURCE_LABEL))
    if is_commit_id(revision) and (not source or is_same_repository(source, repository)):
        yield CommitClaim("label", revision, f"image label {REVISION_LABEL}")


def is_same_repository(url: str, repository: str) -> bool:
    """Whether an address is that of a repository: a web page, or `git+https://host/owner/name.git@refs/heads/main`."""
    text = url.removeprefix("git+").partition("#")[0]
    if "://" not in text:  # git@github.com:owner/name.git
        text = f"ssh://{text.replace(':', '/', 1)}"
    path = urlsplit(text).path.partition("@")[0].strip("/")
    return path.removesuffix(".git").lower() == repository.lower()


def _list_stated_commits(statement: Mapping[str, Any], repository: str) -> Iterator[str]:
    """SLSA 0.2 and 1.0, and BuildKit's own record; https://slsa.dev/spec/v1.0/provenance, read 2026-11-26."""
    predicate = _get_mapping(statement, "predicate")
    build, run = _get_mapping(predicate, "buildDefinition"), _get_mapping(predicate, "runDetails")
    checkouts = (
        _get_mapping(predicate, "metadata", "https://mobyproject.org/buildkit@v1#metadata", "vcs"),
        _get_mapping(run, "metadata", "buildkit_metadata", "vcs"),
    )
    for checkout in checkouts:
        if is_same_repository(str(checkout.get("source", "")), repository):
            yield from _list_commits(checkout.get("revision"))
    sources = (
        _get_mapping(predicate, "invocation", "configSource"),
        _get_mapping(build, "externalParameters", "configSource"),
        *(build.get("resolvedDependencies") or ()),
        *(predicate.get("materials") or ()),
    )
    for source in sources:
        if isinstance(source, dict) and is_same_repository(str(source.get("uri", "")), repository):
            digest = _get_mapping(source, "digest")
            yield from _list_commits(digest.get("gitCommit"), digest.get("sha1"))


def _list_commits(*texts: object) -> Iterator[str]:
    yield from (text for text in texts if isinstance(text, str) and is_commit_id(text))


def _get_mapping(value: object, *names: str) -> Mapping[str, Any]:
    for name in names:
        value = value.get(name) if isinstance(value, dict) else None
    return value if isinstance(value, dict) else {}
