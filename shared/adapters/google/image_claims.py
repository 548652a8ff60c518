"""The commits that an image's own labels and statements name: what its registry holds in, claims out.

An image inherits the labels of its base image, and a statement lists the sources of everything that went into it. So
whatever names a repository counts only where it names the one of the service.
"""

from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import urlsplit

from shared.adapters.google.commit_names import is_commit_id
from shared.adapters.google.image_registry import ImageMetadata
from shared.proposal.rollout import CommitClaim

REVISION_LABEL, SOURCE_LABEL = "org.opencontainers.image.revision", "org.opencontainers.image.source"
"""https://github.com/opencontainers/image-spec/blob/main/annotations.md, read 2026-11-26."""


def claims_of_metadata(metadata: ImageMetadata, repository: str) -> Iterator[CommitClaim]:
    """`repository` is `owner/name`. Statements first: a builder writes them of what it fetched."""
    named = (commit for statement in metadata.statements for commit in _stated_commits(statement, repository))
    for commit in dict.fromkeys(named):
        yield CommitClaim("provenance", commit, "build statement in the registry")
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


def _stated_commits(statement: Mapping[str, Any], repository: str) -> Iterator[str]:
    """SLSA 0.2 and 1.0, and BuildKit's own record; https://slsa.dev/spec/v1.0/provenance, read 2026-11-26."""
    predicate = _mapping(statement, "predicate")
    build, run = _mapping(predicate, "buildDefinition"), _mapping(predicate, "runDetails")
    checkouts = (
        _mapping(predicate, "metadata", "https://mobyproject.org/buildkit@v1#metadata", "vcs"),
        _mapping(run, "metadata", "buildkit_metadata", "vcs"),
    )
    for checkout in checkouts:
        if is_same_repository(str(checkout.get("source", "")), repository):
            yield from _commits(checkout.get("revision"))
    sources = (
        _mapping(predicate, "invocation", "configSource"),
        _mapping(build, "externalParameters", "configSource"),
        *(build.get("resolvedDependencies") or ()),
        *(predicate.get("materials") or ()),
    )
    for source in sources:
        if isinstance(source, dict) and is_same_repository(str(source.get("uri", "")), repository):
            digest = _mapping(source, "digest")
            yield from _commits(digest.get("gitCommit"), digest.get("sha1"))


def _commits(*texts: object) -> Iterator[str]:
    yield from (text for text in texts if isinstance(text, str) and is_commit_id(text))


def _mapping(value: object, *names: str) -> Mapping[str, Any]:
    for name in names:
        value = value.get(name) if isinstance(value, dict) else None
    return value if isinstance(value, dict) else {}
