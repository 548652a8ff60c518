"""A repository that is nothing but a graph of commits, and a prover that knows the answer."""
# ruff: noqa: ARG002  # a port's method takes what the real one needs

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from functools import cache, lru_cache

from shared.detection.incident import Incident
from shared.errors import Reject, UsageError
from shared.proof.check_commit import CommitCheck, CommitCheckRequest
from shared.proof.model.compilation import Fault
from shared.proof.model.deployed_version import DeployedSource, DeployedVersion
from shared.proof.model.finding import BrokenFile, Finding, Fix, Rollback
from shared.proof.model.history import Branch, Commit, FileChange
from shared.proof.model.ports import Compilers, History
from shared.proof.model.recommendation import ActionKind, Reason, Recommendation
from shared.proof.model.target import CheckStatus, Target, TrialCandidate
from shared.proof.proof_context import ProofRequest
from shared.proof.undeployed_fixes import RadarRequest, ServiceRadar
from shared.proposal.proposal import Proposal
from shared.report.report import Report, build_report
from shared.service import Service
from shared.workflow.prover import Prover, ReadChecks, render_report


@cache
def commit_id(name: str) -> str:
    """40 hex digits for a name."""
    return name.encode().hex().ljust(40, "0")[:40]


def make_commit(name: str, *parents: str) -> Commit:
    """A commit whose id and subject come from its name."""
    at = datetime(2026, 4, 1, tzinfo=UTC)
    return Commit(
        commit_id(name), tuple(commit_id(parent) for parent in parents), at, at, "Kim Reed", f"{name}: a change"
    )


@dataclass
class FakeHistory:
    """As much of `shared.proof.model.ports.History` as the functions themselves ask: names and ancestry."""

    graph: Mapping[str, Commit]
    head: str

    def blob_ids(self, positions: Iterable[tuple[str, str]]) -> Mapping[tuple[str, str], str]:
        """No file is kept."""
        del positions
        return {}

    def branch(self, name: str | None) -> Branch:
        return Branch(name or "main", self.head)

    def resolve(self, revision: str) -> Commit:
        if revision not in self.graph:
            raise UsageError(f"{revision} does not exist")
        return self.graph[revision]

    def commits(self, tip: str, base: str) -> Sequence[Commit]:
        without = set(self._reachable(base))
        return [self.graph[oid] for oid in self._reachable(tip) if oid not in without]

    def _reachable(self, tip: str) -> Iterator[str]:
        waiting, seen = [tip], set()
        while waiting:
            oid = waiting.pop()
            if oid in seen:
                continue
            seen.add(oid)
            yield oid
            waiting += self.graph[oid].parents


COMMIT_NAMES = ("good", "broken", "attempt", "fixed", "later")
"""A straight history: the second commit breaks the file, the fourth one fixes it."""


@dataclass
class FakeHistories:
    """Opens the same history for every service; `World.histories`."""

    head: str = commit_id(COMMIT_NAMES[-1])
    graph: dict[str, Commit] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for index, name in enumerate(COMMIT_NAMES):
            made = make_commit(name, *COMMIT_NAMES[max(0, index - 1) : index])
            self.graph[made.id] = made

    @contextmanager
    def __call__(self, service: Service) -> "Iterator[History]":
        yield FakeHistory(self.graph, self.head)  # type: ignore[misc]  # the proof itself is answered by the prover


@dataclass
class ScriptedProver:
    """The two questions of `shared.workflow.prover.Prover`, answered without compiling anything."""

    kind: ActionKind = ActionKind.REDEPLOY
    reason: Reason = Reason.FIX_NOT_DEPLOYED
    objection: str = ""
    offers_rollback: bool = False
    """Whether there is an earlier good commit to go back to, beside the fix."""
    trial_commit: str = ""
    """The name of the commit that may be tried, where nothing is proven; "" for none."""
    report_count: int = 0
    checks: dict[str, CommitCheck] = field(default_factory=dict)
    """What checks of commits find, by commit; any other one is sound."""
    radar: ServiceRadar | Reject | None = None
    """What a look at what is not deployed finds."""
    radar_count: int = 0

    def prover(self) -> Prover:
        return Prover(
            prove_and_report=self._report,
            find_objection=self._objection,
            render_report=_cached_report,
            check_commit=self._check_commit,
            find_radar=self._find_radar,
        )

    def _find_radar(self, history: History, compilers: Compilers, request: RadarRequest) -> ServiceRadar:
        self.radar_count += 1
        if isinstance(self.radar, Reject):
            raise self.radar
        assert self.radar is not None
        deployed, head = history.resolve(request.commit), history.resolve(history.branch(request.branch).head)
        return replace(self.radar, undeployed=replace(self.radar.undeployed, deployed=deployed, head=head))

    def _check_commit(self, history: History, compilers: Compilers, request: CommitCheckRequest) -> CommitCheck:
        return self.checks.get(request.commit, CommitCheck(request.baseline, request.commit))

    def _report(self, incident: Incident, history: History, compilers: Compilers, request: ProofRequest) -> Report:
        self.report_count += 1
        if self.trial_commit and request.wants_trial:
            return _build_unproven_report(incident, self.reason, self.trial_commit)
        return _build_report(incident, self.kind, self.reason, back=self.offers_rollback)

    def _objection(
        self,
        proposal: Proposal,
        service: Service,
        history: History,
        compilers: Compilers,
        checks: ReadChecks,
    ) -> str:
        return self.objection or ("its checks are red" if checks(proposal.commit) is CheckStatus.RED else "")


@lru_cache(maxsize=100)
def _build_unproven_report(incident: Incident, reason: Reason, tried: str) -> Report:
    deployed, later = make_commit("attempt", "broken"), make_commit(tried, "attempt")
    sighting = incident.sightings[-1]
    candidate = TrialCandidate(
        target=Target(later, CheckStatus.GREEN, 2, (), (FileChange("chat/rooms.py", 2, 1),)),
        possible_fix=make_commit("fixed", "attempt"),
        reason="it changes the function that raised, in chat/rooms.py",
        deployed=deployed.id,
        python="3.11",
        traced=("chat/rooms.py",),
    )
    proof = Finding(
        deployed=DeployedVersion(sighting.revision, deployed, DeployedSource.LABEL, False, (), False, "", ""),
        broken=None,
        introduced=None,
        attempts=(),
        fix=None,
        target=None,
        rollback=None,
        recommendation=Recommendation(ActionKind.NONE, reason, "As the test says."),
        branch="main",
        branch_head=later.id,
        trial_candidate=candidate,
    )
    return build_report(incident, proof)


_cached_report = lru_cache(maxsize=100)(render_report)


@lru_cache(maxsize=100)  # it depends on nothing else, and crashes at every call ask for the same ten thousand times
def _build_report(incident: Incident, kind: ActionKind, reason: Reason, *, back: bool) -> Report:
    broken, fixed, later = (
        make_commit("attempt", "broken"),
        make_commit("fixed", "attempt"),
        make_commit("later", "fixed"),
    )
    sighting = incident.sightings[-1]
    deployed = DeployedVersion(
        sighting.revision,
        broken,
        DeployedSource.INFERRED,
        reason is not Reason.NOT_CORROBORATED,
        (broken.id,),
        False,
        "3.11",
        "the log",
    )
    fault = Fault("SyntaxError", sighting.message or "invalid syntax", sighting.line)
    mended = kind is ActionKind.REDEPLOY
    proof = Finding(
        deployed=deployed,
        broken=BrokenFile(incident.path, fault, 1, (7,), "cpython-3.11.7", "", ("3.12",), "ruff", ()),
        introduced=None,
        attempts=(),
        fix=Fix(fixed, "merged", path=incident.path) if mended else None,
        target=Target(later, CheckStatus.GREEN, 2, (), ()) if mended else None,
        rollback=Rollback(make_commit("good")) if kind is ActionKind.ROLLBACK else None,
        recommendation=Recommendation(kind, reason, "As the test says."),
        branch="main",
        branch_head=later.id,
        alternative_rollback=Rollback(make_commit("good")) if back and mended else None,
    )
    return build_report(incident, proof)
