"""Which version was deployed where several could have been: the one that is taken, and what is said of its revision."""

from dataclasses import replace
from datetime import timedelta

import pytest

from shared.adapters.compilers.best_compilers import LocalCompilers
from shared.adapters.git.repository import GitRepository
from shared.detection.incident import Incident, Sighting
from shared.errors import UsageError
from shared.proof.model.finding import Finding
from shared.proof.model.recommendation import Reason
from shared.proof.proof_context import ProofRequest
from shared.proof.prove import prove
from tests.support.history_builder import (
    HistoryBuilder,
    broken_source,
    make_incident,
    make_sighting,
    prove_incident,
    running_python,
    valid_source,
)
from tests.support.partial_copy import PartialCopy

MOMENT = timedelta(seconds=30)


def seen(
    story: HistoryBuilder, when: str, line: int = 5, revision: str = "r1", *, words: str = "invalid syntax"
) -> Sighting:
    """Logged half a minute after a commit; the log may have other words for it than this Python."""
    return replace(make_sighting(line, seen_at=story.committed_at(when) + MOMENT, revision=revision), message=words)


def deployed(proof: Finding) -> str | None:
    return proof.deployed.commit.subject if proof.deployed.commit else None


def two_breaks(story: HistoryBuilder) -> None:
    story.commit("start", {"app.py": valid_source()})
    story.commit("break", {"app.py": broken_source(5)})
    story.commit("break again", {"app.py": broken_source(9)})
    story.commit("mend", {"app.py": valid_source(2)})
    story.write_repository()


def test_the_revision_is_the_last_one_that_ran_the_deployed_commit(
    story: HistoryBuilder, compilers: LocalCompilers
) -> None:
    two_breaks(story)
    failing = make_incident(
        "app.py", seen(story, "break", revision="r1"), seen(story, "break again", 9, "r2"),
        seen(story, "break again", 9, "r3"),
    )  # fmt: skip
    proof = prove_incident(story.path, failing, compilers)
    assert (deployed(proof), proof.deployed.revision, proof.deployed.uncommitted_tree) == ("break again", "r3", False)
    assert [
        (deployment.revision, deployment.line, deployment.commit and deployment.commit.subject)
        for deployment in proof.deployed.deployments
    ] == [("r1", 5, "break"), ("r2", 9, "break again"), ("r3", 9, "break again")]


def test_uncommitted_tree_of_another_revision_is_ignored(story: HistoryBuilder, compilers: LocalCompilers) -> None:
    two_breaks(story)
    early = replace(seen(story, "start"), revision="r1")
    proof = prove_incident(story.path, make_incident("app.py", early, seen(story, "break again", 9, "r2")), compilers)
    assert [deployment.uncommitted for deployment in proof.deployed.deployments] == [True, False]
    assert (deployed(proof), proof.deployed.revision, proof.deployed.uncommitted_tree) == ("break again", "r2", False)


def test_of_an_incident_without_a_date_the_newest_version_is_taken(
    story: HistoryBuilder, compilers: LocalCompilers
) -> None:
    story.commit("start", {"app.py": valid_source()})
    story.commit("break", {"app.py": broken_source(5)})
    story.commit("break so again", {"app.py": broken_source(5, 1)})
    story.commit("mend", {"app.py": valid_source(2)})
    story.write_repository()
    failing = replace(make_incident("app.py", seen(story, "break")), dated=False)
    proof = prove_incident(story.path, failing, compilers)
    assert (deployed(proof), proof.deployed.deployments[0].seen_at) == ("break so again", None)
    assert deployed(prove_incident(story.path, replace(failing, dated=True), compilers)) == "break"


def test_of_two_later_files_the_existing_one_is_taken(story: HistoryBuilder, compilers: LocalCompilers) -> None:
    story.commit("start", {"keep.py": valid_source()})
    story.commit("old one", {"old/app.py": broken_source(5)})
    story.commit("new one", {"old/app.py": None, "new/app.py": broken_source(5, 1)})
    story.write_repository()
    proof = prove_incident(story.path, make_incident("app.py", seen(story, "start")), compilers)
    assert (deployed(proof), proof.deployed.uncommitted_tree) == ("new one", True)
    assert proof.broken is not None
    assert proof.broken.path == "new/app.py"


def held_and_replaced(story: HistoryBuilder) -> HistoryBuilder:
    """The branch held `held` when it was logged; `break`, which fails on the logged line, was replaced by then."""
    story.commit("start", {"app.py": valid_source()})
    story.commit("break", {"app.py": broken_source(5)})
    story.commit("held", {"app.py": broken_source(5, 7)})
    story.commit("mend", {"app.py": valid_source(2)})
    story.write_repository()
    return story


def proof_without(story: HistoryBuilder, failing: Incident, compilers: LocalCompilers, *names: str) -> Finding:
    """The proof from a copy that lacks what these commits hold."""
    with GitRepository(str(story.path)) as history:
        hidden = history.blob_ids((story.ids[name], "app.py") for name in names).values()
        partial = PartialCopy(history, frozenset(hidden))
        return prove(failing, partial, compilers, ProofRequest(fallback_python=running_python()), lambda _: None)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("hidden", "words_at", "found"),
    [
        (("held",), ("cut off", "held"), None),
        (("held",), ("invalid syntax", "held"), "break"),
        (("held",), ("cut off", "break"), "break"),
        (("start",), ("cut off", "held"), "held"),
        (("start",), ("cut off", "mend"), "held"),
        (("break", "held"), ("invalid syntax", "held"), None),
    ],
)
def test_missing_version_held_by_the_branch_may_have_failed(
    story: HistoryBuilder,
    compilers: LocalCompilers,
    hidden: tuple[str, ...],
    words_at: tuple[str, str],
    found: str | None,
) -> None:
    words, when = words_at
    failing = make_incident("app.py", seen(held_and_replaced(story), when, words=words))
    proof = proof_without(story, failing, compilers, *hidden)
    assert deployed(proof) == found
    assert (proof.recommendation.reason is Reason.CONTENTS_MISSING) == (found is None)


def test_source_root_of_only_the_given_commit_is_accepted(story: HistoryBuilder, compilers: LocalCompilers) -> None:
    story.commit("start", {"svc/app.py": valid_source()})
    story.commit("move and break", {"svc/app.py": None, "core/app.py": broken_source(5)})
    story.commit("mend", {"core/app.py": valid_source(2)})
    story.write_repository()

    def asked(root: str) -> Finding:
        request = ProofRequest(deployed=story.ids["start"], source_roots=(root,), fallback_python=running_python())
        return prove_incident(story.path, make_incident("app.py", make_sighting(5)), compilers, request)

    assert deployed(asked("svc")) == "move and break"
    with pytest.raises(UsageError, match="--source-root lib"):
        asked("lib")


def test_possibly_renamed_file_is_not_said_to_arrive_broken(story: HistoryBuilder, compilers: LocalCompilers) -> None:
    story.commit("start", {"app.py": valid_source(), "keep.py": valid_source(3)})
    story.commit("rename and break", {"app.py": None, "relay.py": broken_source(5)})
    story.commit("mend", {"relay.py": valid_source(2)})
    story.write_repository()
    failing = make_incident("relay.py", make_sighting(5))
    known, unknown = (proof_without(story, failing, compilers, *names) for names in ((), ("start",)))
    assert known.introduced is not None
    assert (known.introduced.commit.subject, known.introduced.was_added_broken) == ("rename and break", False)
    assert (deployed(unknown), unknown.introduced) == ("rename and break", None)


def test_without_a_date_what_the_branch_held_is_not_asked(story: HistoryBuilder, compilers: LocalCompilers) -> None:
    failing = replace(make_incident("app.py", seen(held_and_replaced(story), "held", words="cut off")), dated=False)
    assert deployed(proof_without(story, failing, compilers, "held")) == "break"


def test_introducing_commit_is_open_when_former_content_is_missing(
    story: HistoryBuilder, compilers: LocalCompilers
) -> None:
    two_breaks(story)
    failing = make_incident("app.py", seen(story, "break"))
    known, unknown = (proof_without(story, failing, compilers, *names) for names in ((), ("start",)))
    assert known.introduced is not None
    assert (known.introduced.commit.subject, known.introduced.was_added_broken) == ("break", False)
    assert (deployed(unknown), unknown.introduced) == ("break", None)


def test_file_moved_while_broken_has_candidates_under_both_names(
    story: HistoryBuilder, compilers: LocalCompilers
) -> None:
    story.commit("start", {"old/app.py": valid_source()})
    story.commit("break", {"old/app.py": broken_source(5)})
    story.commit("move", {"old/app.py": None, "new/app.py": broken_source(5)})
    story.commit("give up", {"new/app.py": None, "keep.py": valid_source(3)})
    story.write_repository()
    for failing in (make_incident("app.py", seen(story, "move")), make_incident("app.py", make_sighting(5))):
        proof = prove_incident(story.path, failing, compilers)
        assert deployed(proof) == "move"
        assert {story.name_of(commit) for commit in proof.deployed.candidates} == {"break", "move"}


def test_nothing_is_gone_back_to_where_it_is_open_what_broke_it(
    story: HistoryBuilder, compilers: LocalCompilers
) -> None:
    story.commit("base", {"app.py": valid_source(7)})
    story.commit("start", {"app.py": valid_source()})
    story.commit("break", {"app.py": broken_source(5)})
    story.write_repository()
    failing = make_incident("app.py", make_sighting(5))
    known, unknown = (proof_without(story, failing, compilers, *names) for names in ((), ("start",)))
    assert known.rollback is not None
    assert known.rollback.commit.subject == "start"
    assert (deployed(unknown), unknown.rollback, unknown.unchecked_commits) == ("break", None, 0)


def test_undeclared_python_does_not_corroborate_a_given_commit(
    story: HistoryBuilder, compilers: LocalCompilers
) -> None:
    newer = valid_source().replace("step_5 = 5\n", "type step_5 = int\n")
    story.commit("start", {"app.py": valid_source(), "Dockerfile": "FROM python:3.11\n"})
    story.commit("announce", {"app.py": newer, "Dockerfile": "FROM python:3.12\n"})
    story.commit("mend", {"app.py": valid_source(2)})
    story.write_repository()
    request = ProofRequest(deployed=story.ids["announce"])
    proof = prove_incident(story.path, make_incident("app.py", make_sighting(5)), compilers, request)
    assert (deployed(proof), proof.deployed.corroborated, proof.deployed.python) == ("announce", False, "3.12")


def test_inferred_commit_is_tried_on_formerly_declared_pythons(
    story: HistoryBuilder, compilers: LocalCompilers
) -> None:
    newer = valid_source().replace("step_5 = 5\n", "type step_5 = int\n")
    story.commit("start", {"app.py": valid_source(), "Dockerfile": "FROM python:3.11\n"})
    story.commit("break", {"app.py": newer})
    story.commit("mend", {"Dockerfile": "FROM python:3.12\n"})
    story.write_repository()
    proof = prove_incident(story.path, make_incident("app.py", make_sighting(5)), compilers, ProofRequest())
    assert (deployed(proof), proof.deployed.corroborated, proof.deployed.python) == ("break", True, "3.11")
    assert story.ids["break"] in proof.deployed.python_source
