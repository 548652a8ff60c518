"""The local platform as the functions see it: the wanted state goes into the store, the present one comes from it.

A service is one document, its revisions and the split of its traffic, replaced only by the version that was read; that
version is its etag. The supervisor of the processes (`functions.local.platform`) follows it, and writes each
revision's state into a document of its own, so that becoming ready changes no etag. A deployment leaves a note on the
service, as it does on Cloud Run: what was there before, and what was written last.
"""

import hashlib
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import cast

from shared.errors import Reject, Retry
from shared.ports import CHANGED_BY_HAND, Clock, Document, Store, StoredDocument
from shared.proof.model.target import NO_IMAGE_NEEDED, ImageCheck
from shared.proposal.rollout import CommitClaim, Deployment, DeploymentProgress, Revision, ServiceState
from shared.service import Service
from shared.text.timestamps import format_rfc3339

SERVICES_KIND = "local-services"
REVISIONS_KIND = "local-revisions"
"""Documents by `SERVICE.REVISION`: `{"ready": "yes" | "no", "detail", "url"}`; none while nobody knows yet."""
_ALL_TRAFFIC = 100
_TrafficSplit = Mapping[str, int]


@dataclass(frozen=True, slots=True)
class RevisionSource:
    """What a revision is made of: the tree of a commit of the service's repository, or a folder as it is."""

    commit: str = ""
    folder: str = ""


@dataclass(frozen=True, slots=True)
class ManualRevision:
    """A revision that is deployed past provenfix. `claims` are labels that name a commit, rightly or not."""

    name: str
    source: RevisionSource
    claims: Mapping[str, str] = field(default_factory=dict)


class ProcessPlatform:
    """Implements `shared.ports.Revisions` and `shared.ports.Deployer`."""

    def __init__(self, store: Store, clock: Clock) -> None:
        self._store = store
        self._clock = clock

    def deploy_by_hand(self, service: Service, revision: ManualRevision) -> None:
        """What a user does past provenfix: the revision gets all of the traffic at once."""
        document = self._revision_document(revision.source, revision.claims, "")
        all_of_it: dict[str, object] = {"traffic": {revision.name: _ALL_TRAFFIC}, "newest": revision.name}
        first = {**all_of_it, "revisions": {revision.name: document}}
        if self._store.create(SERVICES_KIND, service.id, first):
            return
        stored = self._read_service(service)
        if revision.name not in _read_stored_revisions(stored.value):
            revisions = {**_read_stored_revisions(stored.value), revision.name: document}
            self._replace(stored, {**all_of_it, "revisions": revisions})

    def get_service_state(self, service: Service) -> ServiceState:
        """See `shared.ports.Revisions`."""
        stored = self._read_service(service)
        traffic = _read_stored_traffic(stored.value)
        most = max(traffic, key=lambda name: traffic[name])
        return ServiceState(
            _parse_revision(most, _read_stored_revisions(stored.value)[most]), dict(traffic), stored.version
        )

    def get_traffic(self, service: Service) -> Mapping[str, int]:
        """See `shared.ports.Revisions`."""
        return dict(self.get_service_state(service).traffic)

    def get_revision(self, service: Service, name: str) -> Revision | None:
        """See `shared.ports.Revisions`."""
        known = _read_stored_revisions(self._read_service(service).value).get(name)
        return None if known is None else _parse_revision(name, known)

    def find(self, service: Service, marker: str) -> str | None:
        """See `shared.ports.Deployer`. The revision is its own operation."""
        revisions = _read_stored_revisions(self._read_service(service).value)
        return next((name for name, known in revisions.items() if known["marker"] == marker), None)

    def check_image(self, service: Service, commit: str) -> ImageCheck:
        """See `shared.ports.Deployer`: the commit's files are what runs."""
        del service, commit
        return NO_IMAGE_NEEDED

    def start(self, service: Service, marker: str, commit: str, etag: str) -> str:
        """See `shared.ports.Deployer`."""
        stored = self._read_service(service)
        if stored.version != etag:
            raise Reject("stale", f"the service is at {stored.version}, not at {etag}")
        before = _read_stored_traffic(stored.value)
        known = _read_stored_revisions(stored.value)
        name = _build_next_name(service, known, marker)
        made = self._revision_document(RevisionSource(commit), {"label commit-sha": commit}, marker)
        note = {"marker": marker, "revision": name, "before": before, "left": before}
        changed = {**stored.value, "revisions": {**known, name: made}, "newest": name, "note": note}
        if not self._store.replace(SERVICES_KIND, stored.key, changed, stored.version):
            raise Reject("stale", f"the service has changed since {etag}")
        return name

    def state(self, service: Service, operation: str) -> Deployment:
        """See `shared.ports.Deployer`."""
        if operation not in _read_stored_revisions(self._read_service(service).value):
            raise Reject("no_such_operation", operation)
        stands = self._store.read(REVISIONS_KIND, f"{service.id}.{operation}")
        if stands is None:
            return Deployment(DeploymentProgress.RUNNING)
        detail, url = str(stands.value["detail"]), str(stands.value["url"])
        if stands.value["ready"] == "no":
            return Deployment(DeploymentProgress.FAILED, operation, detail)
        return Deployment(DeploymentProgress.DONE, operation, url=url)

    def shift_traffic(self, service: Service, revision: str, percent: int) -> None:
        """See `shared.ports.Deployer`."""
        stored = self._read_service(service)
        note = cast("Mapping[str, object] | None", stored.value.get("note"))
        if note is None:
            raise Reject(CHANGED_BY_HAND, f"nothing was rolled out on {service.name}")
        before, left, now = (
            cast("_TrafficSplit", note["before"]),
            cast("_TrafficSplit", note["left"]),
            _read_stored_traffic(stored.value),
        )
        back = percent == _ALL_TRAFFIC and revision in before and revision != note["revision"]
        split = dict(before) if back else _shift_split(before, revision, percent)
        if dict(now) == split == dict(left):
            return
        newest = stored.value["newest"]
        if newest != note["revision"]:
            raise Reject(CHANGED_BY_HAND, f"{newest} was deployed since the rollout of {note['revision']} began")
        if dict(now) != dict(left):
            raise Reject(CHANGED_BY_HAND, f"the traffic was split anew since the rollout of {note['revision']} began")
        self._replace(stored, {"traffic": split, "note": {**note, "left": split}})

    def _revision_document(self, source: RevisionSource, claims: Mapping[str, str], marker: str) -> Document:
        made = {"source": {"commit": source.commit, "folder": source.folder}, "claims": dict(claims)}
        return {**made, "created_at": format_rfc3339(self._clock.now()), "marker": marker}

    def _read_service(self, service: Service) -> StoredDocument:
        stored = self._store.read(SERVICES_KIND, service.id)
        if stored is None:
            raise Reject("not_serving", f"nothing of {service.name} was deployed on this machine")
        return stored

    def _replace(self, stored: StoredDocument, changes: Document) -> None:
        if not self._store.replace(SERVICES_KIND, stored.key, {**stored.value, **changes}, stored.version):
            raise Retry(f"{SERVICES_KIND}/{stored.key} was changed by another process")


def list_wanted_revisions(value: Document) -> Mapping[str, RevisionSource]:
    """The revisions of a service that are to run: those with traffic, and the one that is being tried."""
    note = cast("Mapping[str, object] | None", value.get("note"))
    names = [name for name, share in _read_stored_traffic(value).items() if share]
    if note is not None and note["revision"] not in names:
        names.append(str(note["revision"]))
    known = _read_stored_revisions(value)
    return {name: RevisionSource(**cast("dict[str, str]", known[name]["source"])) for name in names}


def read_traffic_shares(value: Document) -> Sequence[tuple[str, int]]:
    """Names and percentages of the revisions that have traffic."""
    return [(name, share) for name, share in _read_stored_traffic(value).items() if share]


def _build_next_name(service: Service, known: Mapping[str, Document], marker: str) -> str:
    """As Cloud Run names revisions: a number that counts up, and three letters."""
    numbers = [int(match[1]) for name in known if (match := re.search(r"-(\d{5})-", name))]
    letters = hashlib.sha256(marker.encode()).digest()[:3]
    return f"{service.name}-{1 + max(numbers, default=0):05}-" + "".join(chr(97 + byte % 26) for byte in letters)


def _shift_split(before: _TrafficSplit, revision: str, percent: int) -> dict[str, int]:
    """The others keep what is left, in the proportion that they had."""
    others = {name: share for name, share in before.items() if share and name != revision}
    if percent == _ALL_TRAFFIC or not others:
        return {revision: _ALL_TRAFFIC}
    rest, total = _ALL_TRAFFIC - percent, sum(others.values())
    split = {name: share * rest // total for name, share in others.items()}
    largest = max(others, key=lambda name: others[name])
    split[largest] += rest - sum(split.values())
    return {revision: percent, **{name: share for name, share in split.items() if share}}


def _read_stored_revisions(value: Document) -> Mapping[str, Document]:
    return cast("Mapping[str, Document]", value["revisions"])


def _read_stored_traffic(value: Document) -> _TrafficSplit:
    return cast("_TrafficSplit", value["traffic"])


def _parse_revision(name: str, known: Document) -> Revision:
    claimed = cast("Mapping[str, str]", known["claims"])
    claims = tuple(CommitClaim(ref.partition(" ")[0], commit, ref) for ref, commit in claimed.items())
    created = datetime.fromisoformat(str(known["created_at"]))
    return Revision(name, claims[0].commit if claims else None, created, claims=claims)
