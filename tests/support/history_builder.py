"""Small git histories for tests: commits by name with parents and files in, a repository and ids out."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

from functions.demo.fast_import import CommitSpec, append_commits, create_repository, run_git
from shared.adapters.compilers.best_compilers import LocalCompilers
from shared.adapters.git.repository import GitRepository
from shared.detection.entry import LogEntry
from shared.detection.incident import Incident, Sighting
from shared.detection.signal import SignalKind
from shared.proof.model.finding import Attempt, Finding
from shared.proof.proof_context import ProofRequest
from shared.proof.prove import prove
from shared.report.report import build_report
from tests.support.evidence_checker import find_unsupported_claims

START = datetime(2026, 3, 1, tzinfo=UTC)
BODY = "".join(f"step_{number} = {number}\n" for number in range(1, 31))
"""Enough common lines that a renamed file is recognised."""


def valid_source(mark: int = 0) -> str:
    """A source that compiles; each `mark` makes another one."""
    return f"{BODY}mark = {mark}\n"


def broken_source(line: int = 5, mark: int = 0) -> str:
    """A source whose only error is on `line`, on every version of Python."""
    lines = valid_source(mark).splitlines(keepends=True)
    return "".join([*lines[: line - 1], "oops = = 1\n", *lines[line:]])


@dataclass
class HistoryBuilder:
    """A history that is built commit by commit; each is named, and committed a minute after the one before."""

    path: Path
    planned_commits: list[CommitSpec] = field(default_factory=list)
    names: dict[str, int] = field(default_factory=dict)
    ids: Mapping[str, str] = field(default_factory=dict)

    def commit(
        self, name: str, files: Mapping[str, str | bytes | None], *parents: str, minute: int | None = None
    ) -> None:
        """Without parents, the commit follows the one before. A merge has its first parent's files but for `files`."""
        self.names[name] = len(self.planned_commits)
        at = START + timedelta(minutes=len(self.planned_commits) if minute is None else minute)
        above = tuple(self.names[parent] for parent in parents) if parents else None
        self.planned_commits.append(CommitSpec(name, at, "Robin Vale", files, above))

    def write_repository(self, head: str | None = None, **branches: str) -> None:
        """Writes the repository; `head` (default: the last commit) becomes main, and each branch its commit."""
        create_repository(self.path)
        written = append_commits(self.path, self.planned_commits)
        self.ids = {name: written[index] for name, index in self.names.items()}
        for branch, name in {**branches, "main": head or list(self.names)[-1]}.items():
            ref = branch if branch.startswith("refs/") else f"refs/heads/{branch}"
            run_git([f"--git-dir={self.path}", "update-ref", ref, self.ids[name]])

    def name_of(self, commit: str | None) -> str | None:
        """What a commit id was called."""
        return next((name for name, oid in self.ids.items() if oid == commit), None)

    def committed_at(self, name: str) -> datetime:
        """When a commit was made."""
        return self.planned_commits[self.names[name]].committed_at


def make_sighting(
    line: int | None, *, seen_at: datetime | None = None, source_text: str = "", revision: str = "r1"
) -> Sighting:
    """A logged `invalid syntax` on a line."""
    entry = LogEntry(0, "SyntaxError: invalid syntax", seen_at, revision=revision)
    return Sighting(revision, line, "invalid syntax", source_text, "", seen_at, seen_at, 1, entry)


def make_incident(path: str, *sightings: Sighting) -> Incident:
    """An incident with these sightings."""
    first, last = sightings[0].first_seen, sightings[-1].last_seen
    return Incident(
        "0" * 16, SignalKind.SYNTAX_ERROR, "chat", "test", "SyntaxError", path, sightings, (), first, last,
        len(sightings), dated=True,
    )  # fmt: skip


def prove_incident(
    repository: Path, failing: Incident, compilers: LocalCompilers, request: ProofRequest | None = None
) -> Finding:
    """The proof of an incident against a repository. Whatever a report says of it stands in what the report cites."""
    with GitRepository(str(repository)) as history:
        proof = prove(
            failing, history, compilers, request or ProofRequest(fallback_python=running_python()), lambda _: None
        )
    if not proof.deployed.corroborated:
        assert find_unsupported_claims(build_report(failing, proof)) == []
    return proof


def running_python() -> str:
    """The minor version that runs the tests."""
    import sys  # noqa: PLC0415

    return f"{sys.version_info.major}.{sys.version_info.minor}"


def commit_names(attempts: Sequence[Attempt]) -> list[str]:
    """What the commits of these attempts were called."""
    return [attempt.commit.subject for attempt in attempts]
