"""What the platform says of a revision becomes evidence: each place, each conflict, each revision that serves."""

import re
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from functions.demo.fast_import import run_git
from shared.adapters.git.repository import GitRepository
from shared.detection.entry import LogEntry
from shared.proof.model.deployed_version import DeployedSource
from shared.proposal.rollout import CommitClaim, Revision, ServiceState
from shared.workflow.investigate_incident import investigate_incident
from shared.workflow.investigation.platform_evidence import (
    FailingRevision,
    PlatformEvidence,
    gather_platform_evidence,
    resolve_commit,
)
from tests.support.commit_graph import commit_id
from tests.support.drivers import open_incident, read_documents
from tests.support.harness import OLD_REVISION, Harness
from tests.support.history_builder import HistoryBuilder

AT = datetime(2026, 4, 7, 7, 0, tzinfo=UTC)
BROKEN, FIXED, LATER = commit_id("attempt"), commit_id("fixed"), commit_id("later")


def said(
    harness: Harness, revision: Revision, traffic: dict[str, int], logged: tuple[LogEntry, ...] = ()
) -> PlatformEvidence:
    known = harness.services["shore.tide"]
    harness.cloud.services["shore.tide"].revisions[revision.name] = revision
    with harness.histories(known) as history:
        seen = FailingRevision(revision.name, ServiceState(revision, traffic, "1"), logged)
        return gather_platform_evidence(harness.start_process(), known, history, seen)


def names(sentences: Sequence[str], facts: Sequence[tuple[str, ...]]) -> bool:
    """Whether there is a sentence for each of these, in their order, and names what it is about."""
    return len(sentences) == len(facts) and all(
        fact in sentence for sentence, named in zip(sentences, facts, strict=True) for fact in named
    )


def test_each_place_is_a_sentence_and_a_conflict_is_named(harness: Harness) -> None:
    claims = (CommitClaim("provenance", BROKEN, "build b-1"), CommitClaim("label", FIXED, "label commit-sha"))
    revision = Revision(
        "tide-2", BROKEN, AT, "boats/tide@sha256:00", claims, (("cpu", "1"), ("memory", "512Mi")), ("denied: tags",),
        python="3.11", is_function=True,
    )  # fmt: skip
    found = said(harness, revision, {"tide-2": 100})
    assert (found.commit, found.source) == (BROKEN, DeployedSource.PROVENANCE)
    assert names(
        found.sentences,
        [
            ("tide-2", "2026-04-07T07:00:00Z", "boats/tide@sha256:00"),
            ("build b-1", "(provenance)", BROKEN),
            ("label commit-sha", "(label)", FIXED),
            (revision.commit_conflict, "build b-1", BROKEN, "label commit-sha", FIXED),
            ("denied: tags",),
            ("3.11",),
            ("cpu 1", "memory 512Mi"),
            ("tide-2", "100 %"),
        ],
    )
    other = said(harness, replace(revision, is_function=False), {"tide-2": 100})
    assert [n for n, both in enumerate(zip(found.sentences, other.sentences, strict=True)) if len(set(both)) > 1] == [0]
    assert ["function" in each.sentences[0] for each in (found, other)] == [True, False]


def test_a_stand_in_tells_neither_traffic_nor_when_a_revision_was_made(harness: Harness) -> None:
    known = harness.services["shore.tide"]
    with harness.histories(known) as history:
        serving = ServiceState(Revision("tide-as-logged", None, AT), {"tide-as-logged": 100}, "1", is_observed=False)
        found = gather_platform_evidence(
            harness.start_process(), known, history, FailingRevision("tide-2", serving, ())
        )
    assert found.sentences == ()


def test_a_commit_that_the_repository_does_not_know_is_told_and_not_given(harness: Harness) -> None:
    claims = (CommitClaim("label", "e" * 40, "label commit-sha"),)
    found = said(harness, Revision("tide-2", "e" * 40, AT, claims=claims), {"tide-2": 100})
    assert found.commit is None
    assert names([each for each in found.sentences if "e" * 40 in each], [("label commit-sha",), ("label",)])
    assert "label commit-sha" not in found.sentences[-1]


def test_a_revision_runs_a_commit_that_it_names_with_seven_digits_or_more() -> None:
    at = datetime(2026, 4, 7, tzinfo=UTC)
    for digits in range(41):
        assert Revision("tide-2", LATER[:digits] or None, at).is_built_from(LATER) is (digits >= 7)
    assert not Revision("tide-2", LATER[:7] + "0", at).is_built_from(LATER)


@pytest.mark.parametrize("digits", range(5, 41, 5))
def test_two_places_conflict_unless_one_abbreviates_the_other(digits: int) -> None:
    named = (LATER, LATER[:digits])
    for first, second in (named, named[::-1]):
        claims = (CommitClaim("label", first, "label commit-sha"), CommitClaim("tag", second, "tag"))
        conflict = Revision("tide-2", first, AT, claims=claims).commit_conflict
        assert bool(conflict) is (digits < 7)
        assert names([conflict] if conflict else [], [(first, second)] if conflict else [])


def test_an_abbreviation_is_believed_only_where_it_is_short_for_one_commit(tmp_path: Path) -> None:
    """A branch may be called like an abbreviation, and a user who may push one would choose what it stands for."""
    story = HistoryBuilder(tmp_path / "repo.git")
    story.commit("start", {"app.py": "x = 1\n"})
    story.commit("later", {"app.py": "x = 2\n"})
    story.write_repository()
    start, later = story.ids["start"], story.ids["later"]
    run_git([f"--git-dir={story.path}", "update-ref", f"refs/heads/{start[:8]}", later])
    with GitRepository(str(story.path)) as history:
        assert [resolve_commit(history, start[:digits]) for digits in (4, 6, 7, 9, 40)] == [
            None,
            None,
            start,
            start,
            start,
        ]
        assert resolve_commit(history, start[:8]) is None
        assert resolve_commit(history, "main") is None


def test_revisions_that_serve_beside_it_are_told_each_with_its_commit(harness: Harness) -> None:
    found = said(harness, Revision("tide-2", LATER, AT), {"tide-2": 30, OLD_REVISION: 70})
    assert names(found.sentences[-2:], [("tide-2", "30 %"), (OLD_REVISION, "70 %", BROKEN)])


@pytest.mark.parametrize(
    ("text", "memory", "start"),
    [("Memory limit of 512 MiB exceeded", 1, 0), ("Container failed to start on port 8080", 0, 1), ("GET /", 0, 0)],
)
def test_resource_evidence_is_counted_among_the_revisions_entries(
    harness: Harness, text: str, memory: int, start: int
) -> None:
    mine = LogEntry(0, text, revision="tide-2")
    other = LogEntry(1, "Out of memory", revision="tide-1")
    found = said(harness, Revision("tide-2", LATER, AT), {"tide-2": 100}, (mine, other))
    made, of_memory, of_start, of_traffic = found.sentences
    assert ("tide-2" in made, "100 %" in of_traffic) == (True, True)
    counts = [re.findall(r"\d+", each) for each in (of_memory, of_start)]
    assert counts == [["1", str(memory)], ["1", str(start)]]


@pytest.mark.parametrize(
    ("traffic", "kind"),
    [
        ({"tide-8": 100}, "none"),
        ({"tide-8": 60, "tide-9": 40}, "none"),
        ({"tide-8": 60, OLD_REVISION: 40}, "redeploy"),
        ({"tide-8": 60, "tide-unknown": 40}, "redeploy"),
    ],
)
def test_already_fixed_requires_the_fix_in_every_serving_revision(
    harness: Harness, traffic: dict[str, int], kind: str
) -> None:
    incident = open_incident(harness)
    known = harness.cloud.services["shore.tide"]
    for name, commit in (("tide-8", FIXED), ("tide-9", LATER), ("tide-unknown", None)):
        known.revisions[name] = Revision(name, commit, AT)
    known.traffic = traffic
    investigate_incident(harness.start_process(), incident)
    (report,) = read_documents(harness, "reports").values()
    assert report["kind"] == kind
    if kind == "none":
        assert report["reason"] == "already_deployed"


@pytest.mark.parametrize("probe_url", ["", "wss://tide.example/ws"])
def test_what_cannot_be_probed_before_it_has_traffic_is_told_before_anybody_is_asked(
    harness: Harness, probe_url: str
) -> None:
    known = replace(harness.services["shore.tide"], probe_url=probe_url)
    revision = Revision("tide-00007-old", BROKEN, AT)
    state = ServiceState(revision, {revision.name: 100}, "1", "Identity-Aware Proxy is in front of it")
    with harness.histories(known) as history:
        told = gather_platform_evidence(
            harness.start_process(), known, history, FailingRevision(revision.name, state, ())
        )
    assert any("Identity-Aware Proxy" in sentence for sentence in told.sentences) is bool(probe_url)
