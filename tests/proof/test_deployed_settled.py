"""Which version was deployed where several could have been: the one that is taken, and what is said of its revision."""

from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from shared.adapters.compilers.found import LocalCompilers
from shared.adapters.git.repository import GitRepository
from shared.detection.incident import Incident, Sighting
from shared.errors import UsageError
from shared.proof.model.finding import Finding, Reason
from shared.proof.proof_context import ProofRequest
from shared.proof.prove import prove
from tests.support.history_builder import Story, broken, good, incident, investigated, running, sighting
from tests.support.partial_copy import PartialCopy

MOMENT = timedelta(seconds=30)


@pytest.fixture
def story(tmp_path: Path) -> Story:
    return Story(tmp_path / "repo.git")


def seen(story: Story, when: str, line: int = 5, revision: str = "r1", *, words: str = "invalid syntax") -> Sighting:
    """Logged half a minute after a commit; the log may have other words for it than this Python."""
    return replace(sighting(line, seen_at=story.at(when) + MOMENT, revision=revision), message=words)


def deployed(proof: Finding) -> str | None:
    return proof.deployed.commit.subject if proof.deployed.commit else None


def two_breaks(story: Story) -> None:
    story.commit("start", {"app.py": good()})
    story.commit("break", {"app.py": broken(5)})
    story.commit("break again", {"app.py": broken(9)})
    story.commit("mend", {"app.py": good(2)})
    story.write()


def test_the_revision_is_the_last_one_that_ran_the_deployed_commit(story: Story, compilers: LocalCompilers) -> None:
    two_breaks(story)
    failing = incident(
        "app.py", seen(story, "break", revision="r1"), seen(story, "break again", 9, "r2"),
        seen(story, "break again", 9, "r3"),
    )  # fmt: skip
    proof = investigated(story.path, failing, compilers)
    assert (deployed(proof), proof.deployed.revision, proof.deployed.uncommitted_tree) == ("break again", "r3", False)
    assert [(each.revision, each.line, each.commit and each.commit.subject) for each in proof.deployed.deployments] == [
        ("r1", 5, "break"), ("r2", 9, "break again"), ("r3", 9, "break again"),
    ]  # fmt: skip


def test_another_revision_that_ran_an_uncommitted_tree_says_nothing_of_this_one(
    story: Story, compilers: LocalCompilers
) -> None:
    two_breaks(story)
    early = replace(seen(story, "start"), revision="r1")
    proof = investigated(story.path, incident("app.py", early, seen(story, "break again", 9, "r2")), compilers)
    assert [each.uncommitted for each in proof.deployed.deployments] == [True, False]
    assert (deployed(proof), proof.deployed.revision, proof.deployed.uncommitted_tree) == ("break again", "r2", False)


def test_of_an_incident_without_a_date_the_newest_version_is_taken(story: Story, compilers: LocalCompilers) -> None:
    story.commit("start", {"app.py": good()})
    story.commit("break", {"app.py": broken(5)})
    story.commit("break so again", {"app.py": broken(5, 1)})
    story.commit("mend", {"app.py": good(2)})
    story.write()
    failing = replace(incident("app.py", seen(story, "break")), dated=False)
    proof = investigated(story.path, failing, compilers)
    assert (deployed(proof), proof.deployed.deployments[0].seen_at) == ("break so again", None)
    assert deployed(investigated(story.path, replace(failing, dated=True), compilers)) == "break"


def test_of_two_files_that_were_committed_later_the_one_that_is_there_by_now_is_taken(
    story: Story, compilers: LocalCompilers
) -> None:
    story.commit("start", {"keep.py": good()})
    story.commit("old one", {"old/app.py": broken(5)})
    story.commit("new one", {"old/app.py": None, "new/app.py": broken(5, 1)})
    story.write()
    proof = investigated(story.path, incident("app.py", seen(story, "start")), compilers)
    assert (deployed(proof), proof.deployed.uncommitted_tree) == ("new one", True)
    assert proof.broken is not None
    assert proof.broken.path == "new/app.py"


def held_and_replaced(story: Story) -> Story:
    """The branch held `held` when it was logged; `break`, which fails on the logged line, was replaced by then."""
    story.commit("start", {"app.py": good()})
    story.commit("break", {"app.py": broken(5)})
    story.commit("held", {"app.py": broken(5, 7)})
    story.commit("mend", {"app.py": good(2)})
    story.write()
    return story


def proof_without(story: Story, failing: Incident, compilers: LocalCompilers, *names: str) -> Finding:
    """The proof from a copy that lacks what these commits hold."""
    with GitRepository(str(story.path)) as history:
        hidden = history.blob_ids((story.ids[name], "app.py") for name in names).values()
        partial = PartialCopy(history, frozenset(hidden))
        return prove(failing, partial, compilers, ProofRequest(fallback_python=running()), lambda _: None)  # type: ignore[arg-type]


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
def test_the_version_that_the_branch_held_may_have_failed_where_it_is_not_here(
    story: Story, compilers: LocalCompilers, hidden: tuple[str, ...], words_at: tuple[str, str], found: str | None
) -> None:
    words, when = words_at
    failing = incident("app.py", seen(held_and_replaced(story), when, words=words))
    proof = proof_without(story, failing, compilers, *hidden)
    assert deployed(proof) == found
    assert (proof.recommendation.reason is Reason.CONTENTS_MISSING) == (found is None)


def test_a_source_root_that_only_the_given_commit_has_is_accepted_where_the_log_tells_of_another(
    story: Story, compilers: LocalCompilers
) -> None:
    story.commit("start", {"svc/app.py": good()})
    story.commit("move and break", {"svc/app.py": None, "core/app.py": broken(5)})
    story.commit("mend", {"core/app.py": good(2)})
    story.write()

    def asked(root: str) -> Finding:
        request = ProofRequest(deployed=story.ids["start"], source_roots=(root,), fallback_python=running())
        return investigated(story.path, incident("app.py", sighting(5)), compilers, request)

    assert deployed(asked("svc")) == "move and break"
    with pytest.raises(UsageError, match="--source-root lib"):
        asked("lib")


def test_a_file_that_may_have_had_another_name_is_not_said_to_have_arrived_broken(
    story: Story, compilers: LocalCompilers
) -> None:
    story.commit("start", {"app.py": good(), "keep.py": good(3)})
    story.commit("rename and break", {"app.py": None, "relay.py": broken(5)})
    story.commit("mend", {"relay.py": good(2)})
    story.write()
    failing = incident("relay.py", sighting(5))
    known, unknown = (proof_without(story, failing, compilers, *names) for names in ((), ("start",)))
    assert known.introduced is not None
    assert (known.introduced.commit.subject, known.introduced.was_added_broken) == ("rename and break", False)
    assert (deployed(unknown), unknown.introduced) == ("rename and break", None)


def test_without_a_date_what_the_branch_held_is_not_asked(story: Story, compilers: LocalCompilers) -> None:
    failing = replace(incident("app.py", seen(held_and_replaced(story), "held", words="cut off")), dated=False)
    assert deployed(proof_without(story, failing, compilers, "held")) == "break"


def test_whether_a_commit_broke_it_is_open_where_its_former_contents_are_not_here(
    story: Story, compilers: LocalCompilers
) -> None:
    two_breaks(story)
    failing = incident("app.py", seen(story, "break"))
    known, unknown = (proof_without(story, failing, compilers, *names) for names in ((), ("start",)))
    assert known.introduced is not None
    assert (known.introduced.commit.subject, known.introduced.was_added_broken) == ("break", False)
    assert (deployed(unknown), unknown.introduced) == ("break", None)


def test_a_file_that_was_moved_while_it_failed_has_candidates_under_both_names(
    story: Story, compilers: LocalCompilers
) -> None:
    story.commit("start", {"old/app.py": good()})
    story.commit("break", {"old/app.py": broken(5)})
    story.commit("move", {"old/app.py": None, "new/app.py": broken(5)})
    story.commit("give up", {"new/app.py": None, "keep.py": good(3)})
    story.write()
    for failing in (incident("app.py", seen(story, "move")), incident("app.py", sighting(5))):
        proof = investigated(story.path, failing, compilers)
        assert deployed(proof) == "move"
        assert {story.name(each) for each in proof.deployed.candidates} == {"break", "move"}


def test_nothing_is_gone_back_to_where_it_is_open_what_broke_it(story: Story, compilers: LocalCompilers) -> None:
    story.commit("base", {"app.py": good(7)})
    story.commit("start", {"app.py": good()})
    story.commit("break", {"app.py": broken(5)})
    story.write()
    failing = incident("app.py", sighting(5))
    known, unknown = (proof_without(story, failing, compilers, *names) for names in ((), ("start",)))
    assert known.rollback is not None
    assert known.rollback.commit.subject == "start"
    assert (deployed(unknown), unknown.rollback, unknown.unchecked_commits) == ("break", None, 0)


def test_a_given_commit_is_not_borne_out_by_a_python_that_it_no_longer_declares(
    story: Story, compilers: LocalCompilers
) -> None:
    newer = good().replace("step_5 = 5\n", "type step_5 = int\n")
    story.commit("start", {"app.py": good(), "Dockerfile": "FROM python:3.11\n"})
    story.commit("announce", {"app.py": newer, "Dockerfile": "FROM python:3.12\n"})
    story.commit("mend", {"app.py": good(2)})
    story.write()
    request = ProofRequest(deployed=story.ids["announce"])
    proof = investigated(story.path, incident("app.py", sighting(5)), compilers, request)
    assert (deployed(proof), proof.deployed.corroborated, proof.deployed.python) == ("announce", False, "3.12")


def test_an_inferred_commit_is_looked_for_on_the_pythons_that_were_declared_before(
    story: Story, compilers: LocalCompilers
) -> None:
    newer = good().replace("step_5 = 5\n", "type step_5 = int\n")
    story.commit("start", {"app.py": good(), "Dockerfile": "FROM python:3.11\n"})
    story.commit("break", {"app.py": newer})
    story.commit("mend", {"Dockerfile": "FROM python:3.12\n"})
    story.write()
    proof = investigated(story.path, incident("app.py", sighting(5)), compilers, ProofRequest())
    assert (deployed(proof), proof.deployed.corroborated, proof.deployed.python) == ("break", True, "3.11")
    assert story.ids["break"] in proof.deployed.python_source
