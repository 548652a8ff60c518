"""Searches Cloud Build's builds, and reads the commit and the images of each.

A build's *resolved* source is what Cloud Build itself fetched; substitutions are what the caller passed, and count only
where a build has no resolved source.
"""

from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

from google.api_core.exceptions import NotFound

from shared.adapters.google.clients import TIMEOUT_SECONDS, GoogleClients
from shared.adapters.google.commit_names import is_commit_id
from shared.adapters.google.errors import translate_errors
from shared.errors import Reject
from shared.service import Service

if TYPE_CHECKING:
    from google.cloud.devtools.cloudbuild_v1 import Build

_BUILDS_PER_PAGE = 50


class Builds:
    """Looked for in the project of a service and, where its image is kept in another one, there as well."""

    def __init__(self, clients: GoogleClients) -> None:
        self._clients = clients

    def search(self, service: Service, image_project: str, query: str, unreadable: list[str]) -> "Iterator[Build]":
        """Those that succeeded, newest first by place. A place that refuses is noted, and the next one asked."""
        for project in dict.fromkeys((service.project, image_project or service.project)):
            for location in (service.region, "global"):
                try:
                    yield from self._list_or_scan(project, location, query, is_granted=project == service.project)
                except Reject as refused:
                    unreadable.append(str(refused))
                    if refused.reason == "denied":
                        break  # who may not look in one location of a project may not in any other

    def find(self, service: Service, build_id: str) -> "Build | None":
        """A build by the id that a label names."""
        for location in (service.region, "global"):
            name = f"projects/{service.project}/locations/{location}/builds/{build_id}"
            ask = partial(self._clients.builds.get_build, timeout=TIMEOUT_SECONDS, retry=None)
            with translate_errors(f"Cloud Build, build {build_id}"):
                build = get_if_exists(partial(ask, {"name": name, "id": build_id}))
            if build is not None:
                return build  # type: ignore[no-any-return]
        return None

    def _list_or_scan(self, project: str, location: str, query: str, *, is_granted: bool) -> "Iterator[Build]":
        """Where a filter is not served, the newest builds are scanned: the caller compares them anyway.

        Which fields a filter may name differs by place and time, and no page lists them all
        (https://cloud.google.com/build/docs/view-build-results, read 2026-11-26).
        """
        try:
            yield from self._list(project, location, query, is_granted=is_granted)
        except Reject as refused:
            if refused.reason != "invalid":
                raise
            yield from self._list(project, location, "", is_granted=is_granted)

    def _list(self, project: str, location: str, query: str, *, is_granted: bool) -> "Iterator[Build]":
        request = {
            "parent": f"projects/{project}/locations/{location}",
            "project_id": project,
            "filter": query,
            "page_size": _BUILDS_PER_PAGE,
        }
        where = location if is_granted else f"{location} of {project}"
        with translate_errors(f"Cloud Build in {where}", is_granted=is_granted):
            pages = self._clients.builds.list_builds(request, timeout=TIMEOUT_SECONDS, retry=None)
            page = next(iter(pages.pages))
        yield from (build for build in page.builds if build.status.name == "SUCCESS")


def read_build_commit(build: "Build") -> str:
    """The commit that Cloud Build fetched, else the one of its substitutions; "" where neither is known."""
    source, substitutions = build.source_provenance, build.substitutions
    fetched = (
        source.resolved_repo_source.commit_sha,
        source.resolved_git_source.revision,
        source.resolved_connected_repository.revision,
    )
    return next(
        (str(text) for text in (*fetched, substitutions.get("COMMIT_SHA", "")) if text and is_commit_id(text)), ""
    )


def list_image_digests(build: "Build") -> Sequence[str]:
    """Of the images that a build made."""
    return [str(image.digest) for image in build.results.images]


def get_if_exists(ask: Callable[[], Any]) -> Any:
    """None where it does not exist."""
    try:
        return ask()
    except NotFound:
        return None
