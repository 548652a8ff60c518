"""A Cloud Run with the real one's traps, its builds, images and log: what a test arranges in, answers to calls out.

In the published clients' own messages. Traps: a split with names keeps new revisions at 0 %, `LATEST` follows whatever
is ready, a stale etag is ABORTED, a revision's name is used once, and an operation takes as long as the test lets it.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import grpc
from google.cloud import artifactregistry_v1 as registry
from google.cloud import logging_v2, run_v2
from google.cloud.devtools import cloudbuild_v1 as build_v1
from google.longrunning import operations_pb2
from google.protobuf.json_format import ParseDict
from google.rpc import status_pb2

from tests.support.google_rpc import RpcAnswers, RpcError

_RUN = "/google.cloud.run.v2."
PROJECT, REGION = "shore", "europe-west6"
IMAGE = f"{REGION}-docker.pkg.dev/{PROJECT}/boats/tide"
PACKAGE = f"projects/{PROJECT}/locations/{REGION}/repositories/boats/packages/tide"
MORNING = datetime(2026, 4, 7, 8, 0, tzinfo=UTC)
LATEST = run_v2.TrafficTargetAllocationType.TRAFFIC_TARGET_ALLOCATION_TYPE_LATEST
BY_REVISION = run_v2.TrafficTargetAllocationType.TRAFFIC_TARGET_ALLOCATION_TYPE_REVISION


def digest_of(name: str) -> str:
    """64 hex digits for a name."""
    return f"sha256:{name.encode().hex().ljust(64, '0')[:64]}"


def service_path(service: str) -> str:
    return f"projects/{PROJECT}/locations/{REGION}/services/{service}"


@dataclass
class GoogleCloud:
    """One project. `running` holds back operations, `never_ready` are images whose revisions do not start."""

    answers: RpcAnswers = field(default_factory=RpcAnswers)
    services: dict[str, run_v2.Service] = field(default_factory=dict)
    revisions: dict[str, run_v2.Revision] = field(default_factory=dict)
    operations: dict[str, str] = field(default_factory=dict)
    holds_operations: bool = False
    never_ready: set[str] = field(default_factory=set)
    builds: list[build_v1.Build] = field(default_factory=list)
    tags: dict[str, str] = field(default_factory=dict)
    log: list[dict[str, Any]] = field(default_factory=list)
    deployments: int = 0
    triggered_builds: list[build_v1.Build] = field(default_factory=list)
    uploads: dict[str, datetime] = field(default_factory=dict)
    """When an image was uploaded, by its digest; an hour before the morning where nothing else is said."""
    unserved_filters: set[str] = field(default_factory=set)
    """Fields by which builds cannot be listed."""
    forbidden_projects: set[str] = field(default_factory=set)
    """Projects of others: no build there may be looked at."""
    forbids_images: bool = False
    """Whether nobody may look at images and their tags."""
    now: Callable[[], datetime] = lambda: MORNING
    _etag: int = 0

    def __post_init__(self) -> None:
        self.answers.methods |= {
            f"{_RUN}Services/GetService": self._get_service,
            f"{_RUN}Services/UpdateService": self._update_service,
            f"{_RUN}Revisions/GetRevision": self._get_revision,
            f"{_RUN}Revisions/ListRevisions": self._list_revisions,
            "/google.longrunning.Operations/GetOperation": self._get_operation,
            "/google.devtools.cloudbuild.v1.CloudBuild/ListBuilds": self._list_builds,
            "/google.devtools.cloudbuild.v1.CloudBuild/GetBuild": self._get_build,
            "/google.devtools.cloudbuild.v1.CloudBuild/RunBuildTrigger": self._run_trigger,
            "/google.devtools.artifactregistry.v1.ArtifactRegistry/GetTag": self._get_tag,
            "/google.devtools.artifactregistry.v1.ArtifactRegistry/GetVersion": self._get_version,
            "/google.logging.v2.LoggingServiceV2/ListLogEntries": self._list_entries,
        }

    def deploy_manually(
        self,
        service: str,
        image: str,
        name: str,
        labels: dict[str, str] | None = None,
        env: dict[str, str] | None = None,
    ) -> None:
        """As a person would: what the split says decides whether the new revision gets any traffic."""
        run = self.services.get(service_path(service))
        if run is None:
            run = run_v2.Service(name=service_path(service))
            run.traffic = [run_v2.TrafficTarget(type_=LATEST, percent=100)]
            self.services[run.name] = run
        run.template = run_v2.RevisionTemplate(
            revision=name,
            labels=labels or {},
            max_instance_request_concurrency=80,
            containers=[
                run_v2.Container(name="log-shipper", image="shipper:1"),
                run_v2.Container(
                    image=image,
                    ports=[run_v2.ContainerPort(container_port=8080)],
                    env=[run_v2.EnvVar(name=key, value=value) for key, value in (env or {"MODE": "live"}).items()],
                    resources=run_v2.ResourceRequirements(limits={"cpu": "1", "memory": "512Mi"}),
                ),
            ],
        )
        self._revision_from(run)
        self._reconcile(run)

    def split_traffic_manually(self, service: str, **shares: int) -> None:
        """Percentages by revision; `_` stands for `-` in their names."""
        run = self.services[service_path(service)]
        run.traffic = [
            run_v2.TrafficTarget(type_=BY_REVISION, revision=name.replace("_", "-"), percent=share)
            for name, share in shares.items()
        ]
        self._reconcile(run)

    def add_build(self, commit: str, name: str, *, resolved: bool = True, image: str = IMAGE) -> None:
        """Cloud Build made the image `digest(name)` of a commit."""
        source = build_v1.SourceProvenance(resolved_repo_source=build_v1.RepoSource(commit_sha=commit))
        self.builds.append(
            build_v1.Build(
                id=f"b-{name}",
                status=build_v1.Build.Status.SUCCESS,
                source_provenance=source if resolved else None,
                substitutions={"COMMIT_SHA": commit},
                results=build_v1.Results(
                    images=[build_v1.BuiltImage(name=f"{image}:{commit}", digest=digest_of(name))]
                ),
            )
        )

    def deploy_function(self, service: str, name: str, archive: str) -> None:
        """A function: a build has made its image of an archive, and the base image is the platform's."""
        self.deploy_manually(service, f"{IMAGE}@{digest_of('function')}", name)
        made = self.revisions[f"{service_path(service)}/revisions/{name}"]
        made.containers[-1].base_image_uri = f"{REGION}-docker.pkg.dev/serverless-runtimes/google-22/runtimes/python311"
        made.containers[-1].build_info = run_v2.BuildInfo(
            function_target="main", source_location=f"gs://shore-sources/{archive}#7"
        )

    def add_archive_build(self, name: str, archive: str, commit: str) -> None:
        """Cloud Build made an image of an archive, whose images it does not name; "" where it got no commit."""
        source = build_v1.StorageSource(bucket="shore-sources", object_=archive, generation=7)
        self.builds.append(
            build_v1.Build(
                id=f"b-{name}",
                status=build_v1.Build.Status.SUCCESS,
                source_provenance=build_v1.SourceProvenance(resolved_storage_source=source),
                substitutions={"COMMIT_SHA": commit} if commit else {},
            )
        )

    def finish_operations(self) -> None:
        """Whatever was running has come to its end."""
        self.holds_operations = False
        for run in self.services.values():
            self._reconcile(run)

    def fail_revision(self, name: str, why: str) -> None:
        """It was ready, and is no longer."""
        for revision in self.revisions.values():
            if revision.name.endswith(f"/{name}"):
                _set_state(revision, run_v2.Condition.State.CONDITION_FAILED, why)

    def shares(self, service: str) -> dict[str, int]:
        """As requests are spread at this moment."""
        run = self.services[service_path(service)]
        latest = run.latest_ready_revision.rpartition("/")[2]
        return {status.revision or latest: status.percent for status in run.traffic_statuses if status.percent}

    def _get_service(self, request: Any) -> run_v2.Service:
        if request.name not in self.services:
            raise RpcError(grpc.StatusCode.NOT_FOUND, request.name)
        return self.services[request.name]

    def _update_service(self, request: Any) -> operations_pb2.Operation:
        wanted, held = request.service, self._get_service(request.service)
        if wanted.etag and wanted.etag != held.etag:
            raise RpcError(grpc.StatusCode.ABORTED, "Conflict for resource: the etag is stale")
        paths = set(request.update_mask.paths)
        known = {name.rpartition("/")[2] for name in self.revisions}
        if "template" in paths:
            if wanted.template.revision in known:
                raise RpcError(grpc.StatusCode.ALREADY_EXISTS, wanted.template.revision)
            known.add(wanted.template.revision)
        missing = [target.revision for target in wanted.traffic if target.revision and target.revision not in known]
        if missing:
            raise RpcError(grpc.StatusCode.INVALID_ARGUMENT, f"Revision {missing[0]} does not exist")
        if sum(target.percent for target in wanted.traffic) != 100:
            raise RpcError(grpc.StatusCode.INVALID_ARGUMENT, "Traffic must add up to 100")
        for name in paths:
            setattr(held, name, getattr(wanted, name))
        if "template" in paths:
            self.deployments += 1
            self._revision_from(held)
        self._reconcile(held)
        name = f"projects/{PROJECT}/locations/{REGION}/operations/{len(self.operations) + 1}"
        self.operations[name] = held.template.revision if "template" in paths else ""
        return operations_pb2.Operation(name=name, done=False)

    def _revision_from(self, run: run_v2.Service) -> None:
        made = run_v2.Revision(
            name=f"{run.name}/revisions/{run.template.revision}",
            labels=dict(run.template.labels),
            containers=run.template.containers,
            max_instance_request_concurrency=run.template.max_instance_request_concurrency,
            create_time=self.now() + timedelta(seconds=len(self.revisions)),
        )
        _set_state(made, run_v2.Condition.State.CONDITION_RECONCILING, "")
        self.revisions[made.name] = made
        run.latest_created_revision = made.name

    def _reconcile(self, run: run_v2.Service) -> None:
        """What the platform brings about by itself: readiness first, and then the traffic that follows it."""
        created = self.revisions[run.latest_created_revision]
        if not self.holds_operations and created.conditions[0].state == run_v2.Condition.State.CONDITION_RECONCILING:
            image = created.containers[-1].image
            if any(marker in image for marker in self.never_ready):
                _set_state(
                    created, run_v2.Condition.State.CONDITION_FAILED, "The container failed to start on port 8080."
                )
            else:
                _set_state(created, run_v2.Condition.State.CONDITION_SUCCEEDED, "")
                run.latest_ready_revision = created.name
        run.traffic_statuses = [
            run_v2.TrafficTargetStatus(
                type_=target.type_,
                revision=target.revision,
                percent=target.percent,
                tag=target.tag,
                uri=f"https://{target.tag}---tide.a.run.app" if target.tag else "",
            )
            for target in run.traffic
        ]
        self._etag += 1
        run.etag = f'"e{self._etag}"'

    def _get_revision(self, request: Any) -> run_v2.Revision:
        if request.name not in self.revisions:
            raise RpcError(grpc.StatusCode.NOT_FOUND, request.name)
        return self.revisions[request.name]

    def _list_revisions(self, request: Any) -> run_v2.ListRevisionsResponse:
        revisions = [revision for name, revision in self.revisions.items() if name.startswith(f"{request.parent}/")]
        return run_v2.ListRevisionsResponse(revisions=revisions)

    def _get_operation(self, request: Any) -> operations_pb2.Operation:
        if request.name not in self.operations:
            raise RpcError(grpc.StatusCode.NOT_FOUND, request.name)
        made = next(
            (
                revision
                for name, revision in self.revisions.items()
                if name.endswith(f"/{self.operations[request.name]}")
            ),
            None,
        )
        state = made.conditions[0].state if made else None
        if self.holds_operations or state == run_v2.Condition.State.CONDITION_RECONCILING:
            return operations_pb2.Operation(name=request.name, done=False)
        if made is not None and state == run_v2.Condition.State.CONDITION_FAILED:
            return operations_pb2.Operation(
                name=request.name, done=True, error=status_pb2.Status(code=9, message=made.conditions[0].message)
            )
        return operations_pb2.Operation(name=request.name, done=True)

    def _list_builds(self, request: Any) -> build_v1.ListBuildsResponse:
        project = request.parent.split("/")[1]
        if project in self.forbidden_projects:
            raise RpcError(grpc.StatusCode.PERMISSION_DENIED, f"cloudbuild.builds.list on {project}")
        if request.filter.partition("=")[0] in self.unserved_filters:
            raise RpcError(grpc.StatusCode.INVALID_ARGUMENT, f"Invalid filter: {request.filter}")
        if "/locations/global" in request.parent or project != PROJECT:
            return build_v1.ListBuildsResponse()
        builds = [build for build in self.builds if _matches_query(build, request.filter)]
        return build_v1.ListBuildsResponse(builds=builds)

    def _run_trigger(self, request: Any) -> operations_pb2.Operation:
        """The build that a trigger makes of a commit; `end_build` lets it come to its end."""
        if request.trigger_id != "deploy-tide":
            raise RpcError(grpc.StatusCode.NOT_FOUND, request.name)
        source = request.source
        build = build_v1.Build(
            id=f"b-run-{len(self.triggered_builds)}",
            status=build_v1.Build.Status.WORKING,
            substitutions={**dict(source.substitutions), "COMMIT_SHA": source.commit_sha},
            source_provenance=build_v1.SourceProvenance(
                resolved_repo_source=build_v1.RepoSource(commit_sha=source.commit_sha)
            ),
            create_time=self.now(),
            log_url="https://console.invalid/build",
        )
        self.triggered_builds.append(build)
        self.builds.append(build)
        return operations_pb2.Operation(name=f"operations/build/{build.id}", done=False)

    def finish_build(self, status: str = "SUCCESS", image: str = "piped") -> build_v1.Build:
        """The last build that a trigger began is over; one that succeeded has made an image."""
        build = self.triggered_builds[-1]
        build.status = getattr(build_v1.Build.Status, status)
        if status == "SUCCESS":
            build.results = build_v1.Results(images=[build_v1.BuiltImage(name=f"{IMAGE}:x", digest=digest_of(image))])
        return build

    def _get_build(self, request: Any) -> build_v1.Build:
        builds = [build for build in self.builds if build.id == request.id and f"/locations/{REGION}/" in request.name]
        if not builds:
            raise RpcError(grpc.StatusCode.NOT_FOUND, request.id)
        return builds[0]

    def _get_tag(self, request: Any) -> registry.Tag:
        name = request.name.rpartition("/")[2]
        self._require_image_access(name)
        if name not in self.tags:
            raise RpcError(grpc.StatusCode.NOT_FOUND, name)
        return registry.Tag(name=request.name, version=f"{PACKAGE}/versions/{self.tags[name]}")

    def _get_version(self, request: Any) -> registry.Version:
        held = request.name.rpartition("/")[2]
        self._require_image_access(held)
        related = [registry.Tag(name=f"{PACKAGE}/tags/{tag}") for tag, at in self.tags.items() if at == held]
        uploaded = self.uploads.get(held, MORNING - timedelta(hours=1))
        return registry.Version(name=request.name, related_tags=related, create_time=uploaded)

    def _require_image_access(self, name: str) -> None:
        if self.forbids_images:
            raise RpcError(grpc.StatusCode.PERMISSION_DENIED, f"artifactregistry on {name}")

    def _list_entries(self, request: Any) -> logging_v2.types.ListLogEntriesResponse:
        """Two entries a page at most, so that pages matter. The filter's words about place and time are honoured."""
        entries = [entry for entry in self.log if _matches_filter(entry, request.filter)]
        first = int(request.page_token or 0)
        page = [logging_v2.types.LogEntry(_make_entry(entry)) for entry in entries[first : first + 2]]
        more = str(first + 2) if first + 2 < len(entries) else ""
        return logging_v2.types.ListLogEntriesResponse(entries=page, next_page_token=more)


def _set_state(revision: run_v2.Revision, state: int, why: str) -> None:
    revision.conditions = [run_v2.Condition(type_="Ready", state=run_v2.Condition.State(state), message=why)]


def _matches_query(build: build_v1.Build, query: str) -> bool:
    if not query:
        return True
    name, _, value = query.partition("=")
    value = value.strip('"')
    if name == "source_provenance.resolved_storage_source.object":
        return build.source_provenance.resolved_storage_source.object_ == value
    if name == "create_time>":
        return "create_time" in build and build.create_time >= _moment(value)
    if name == "results.images.digest":
        return any(image.digest == value for image in build.results.images)
    if name == "substitutions.COMMIT_SHA":
        return build.substitutions.get("COMMIT_SHA") == value
    assert name == "source_provenance.resolved_repo_source.commit_sha"
    return build.source_provenance.resolved_repo_source.commit_sha == value


def _make_entry(told: dict[str, Any]) -> Any:
    return ParseDict(told, logging_v2.types.LogEntry.pb(logging_v2.types.LogEntry()))


def _matches_filter(told: dict[str, Any], query: str) -> bool:
    """As much of the query language as is needed to see that a query asks for the right place and time."""
    labels = told["resource"]["labels"]
    values = {f"resource.labels.{name}": value for name, value in labels.items()}
    values |= {"logName": told["logName"], "labels.instanceId": told["labels"]["instanceId"]}
    for line in query.splitlines():
        name, sign, value = line.partition("=")
        value = value.strip('"')
        if name in values and sign and values[name] != value:
            return False
        if name == "timestamp>" and _moment(told["timestamp"]) < _moment(value):
            return False
        if name == "timestamp<" and _moment(told["timestamp"]) > _moment(value):
            return False
        if name == "httpRequest.status>" and told.get("httpRequest", {}).get("status", 0) < int(value):
            return False
        if line.startswith("NOT log_id") and told["logName"].endswith("requests"):
            return False
    return True


def _moment(text: str) -> datetime:
    return datetime.fromisoformat(text)
