"""What an investigation of each family takes, on one history: git processes, blobs, verdicts, GitHub requests."""

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from shared.adapters.checkers.ty_checker import TyChecker
from shared.adapters.compilers.best_compilers import LocalCompilers
from shared.adapters.compilers.cpython import CPython
from shared.adapters.git.objects import ObjectStore
from shared.adapters.git.repository import GitRepository
from shared.adapters.github.history import open_history
from shared.adapters.logs.log_file import LogFile
from shared.detection.collect import collect_incidents
from shared.proof.model.finding import Finding
from shared.proof.model.ports import Compilers, History
from shared.proof.proof_context import ProofRequest
from shared.proof.prove import prove
from tests.support.family_history import FAMILIES, MODULES, FamilyHistory, write_family_history
from tests.support.github.clients import open_client
from tests.support.github.git_backend import GitBackend
from tests.support.github.server import REPOSITORY, FakeGitHub, serve_fake
from tests.support.history_builder import running_python

COMMITS = 150
LONG = 320
"""Commits that GitHub is not asked for one by one: it is asked which of them changed a path."""
MOST_REQUESTS = 20
MOST_REQUESTS_OF_LONG = 26
MOST_PROCESSES = 12
MOST_OBJECTS = 3 * MODULES
"""Of the modules some two versions each, and the folders of the commits that were looked at."""
MOST_COMPILED = 2 * MODULES
MOST_CHECKED = 8
"""Files that the type checker judges."""


@pytest.fixture(scope="module")
def history(tmp_path_factory: pytest.TempPathFactory) -> FamilyHistory:
    return write_family_history(tmp_path_factory.mktemp("families") / "harbor.git", COMMITS)


@contextmanager
def count(monkeypatch: pytest.MonkeyPatch) -> Iterator[Counter[str]]:
    """Objects read from git, sources compiled, files that the type checker judged."""
    counts: Counter[str] = Counter()

    def watch(owner: Any, name: str, weigh: Any) -> None:
        original = getattr(owner, name)

        def counted(*arguments: Any, **options: Any) -> Any:
            counts[name] += weigh(arguments)
            return original(*arguments, **options)

        patched.setattr(owner, name, counted)

    with monkeypatch.context() as patched:
        watch(ObjectStore, "read", lambda _: 1)
        watch(CPython, "compile", lambda _: 1)
        watch(TyChecker, "check", lambda arguments: len(arguments[4]))
        yield counts


def investigate(history: FamilyHistory, family: str, repository: History, compilers: Compilers, log: Path) -> Finding:
    log.write_text(history.render_log(family), "utf-8")
    incidents = collect_incidents(LogFile(str(log)), service="", environment="").incidents
    assert len(incidents) == 1
    request = ProofRequest(deployed=history.get_deployed(family), fallback_python=running_python())
    finding = prove(incidents[0], repository, compilers, request, lambda _: None)
    assert finding.fix is not None
    assert finding.fix.commit.id == history.get_fix(family)
    assert finding.introduced is not None
    assert finding.introduced.commit.id == history.get_deployed(family)
    return finding


@pytest.mark.parametrize("family", FAMILIES)
def test_the_costs_of_a_family_are_bounded(
    history: FamilyHistory,
    family: str,
    compilers: LocalCompilers,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    with GitRepository(str(history.path)) as local, count(monkeypatch) as counts:
        expected = investigate(history, family, local, compilers, tmp_path / "log.json")
        processes = local.processes_started
    fake = FakeGitHub(GitBackend(history.path))
    with serve_fake(fake), open_history(open_client(fake.address), REPOSITORY) as remote:
        assert investigate(history, family, remote, compilers, tmp_path / "log.json").fix == expected.fix
    assert processes <= MOST_PROCESSES
    assert counts["read"] <= MOST_OBJECTS
    assert counts["compile"] <= MOST_COMPILED
    assert counts["check"] <= MOST_CHECKED
    assert len(fake.requests) <= MOST_REQUESTS, [each.path for each in fake.requests]


def test_a_history_that_is_too_long_to_be_walked_takes_hardly_more_requests(
    compilers: LocalCompilers, tmp_path: Path
) -> None:
    history = write_family_history(tmp_path / "harbor.git", LONG)
    fake = FakeGitHub(GitBackend(history.path))
    with serve_fake(fake), open_history(open_client(fake.address), REPOSITORY) as remote:
        investigate(history, "import", remote, compilers, tmp_path / "log.json")
    assert len(fake.requests) <= MOST_REQUESTS_OF_LONG, [each.path for each in fake.requests]
