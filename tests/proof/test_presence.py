"""Which version was there when a failure was logged: versions and a branch in, the likeliest and how it stood out."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

import pytest

from shared.proof.locating.matching import FailingVersion, Presence, choose_likeliest
from shared.proof.model.commit_graph import BranchStates
from shared.proof.model.compilation import Fault
from shared.proof.model.history import Commit
from tests.support.commit_graph import commit_id, make_commit
from tests.support.history_builder import START


def minute(number: int) -> datetime:
    return START + timedelta(minutes=number)


@dataclass
class _Branch:
    """A straight branch whose states hold one file each minute, and commits beside it."""

    held: Mapping[int, str]
    """The blob of `app.py` by the minute of the state."""
    walked: int = 0
    chain: list[Commit] = field(init=False)

    def __post_init__(self) -> None:
        self.chain = [made(number) for number in sorted(self.held, reverse=True)]

    def first_parents(self, _: str, limit: int) -> Sequence[Commit]:
        return self.chain[:limit]

    def commits(self, _: str, base: str) -> Sequence[Commit]:
        self.walked += 1
        names = [commit.id for commit in self.chain]
        return [*self.chain[: names.index(base)], made(2, "side")]

    def blob_ids(self, positions: Iterable[tuple[str, str]]) -> Mapping[tuple[str, str], str]:
        at = {commit_id(f"m{number}"): blob for number, blob in self.held.items()}
        return {(oid, path): at[oid] for oid, path in positions if path == "app.py"}


def made(number: int, name: str = "m") -> Commit:
    return replace(make_commit(f"{name}{number}"), committed_at=minute(number))


def version(number: int, blob: str, name: str = "m", path: str = "app.py") -> FailingVersion:
    return FailingVersion(made(number, name), path, blob, Fault("SyntaxError", "invalid syntax", 5))


def chosen(
    branch: _Branch, versions: Sequence[FailingVersion], seen_at: datetime | None
) -> tuple[FailingVersion, Presence]:
    return choose_likeliest(BranchStates(branch, commit_id("m9")), versions, seen_at)  # type: ignore[arg-type]


BRANCH = {1: "b1", 3: "b3", 5: "b5", 9: "b9"}


def test_without_a_time_the_newest_is_taken_and_called_earlier() -> None:
    newest = version(5, "b5")
    assert chosen(_Branch(BRANCH), [newest, version(3, "b3")], None) == (newest, Presence.NOT_CURRENT)


def test_where_none_was_there_the_first_one_after_it_is_taken() -> None:
    first = version(3, "b3")
    assert chosen(_Branch(BRANCH), [version(5, "b5"), first], minute(2)) == (first, Presence.COMMITTED_LATER)


@pytest.mark.parametrize(("at", "blob"), [(3, "b3"), (4, "b3"), (5, "b5"), (8, "b5"), (9, "b9")])
def test_what_the_branch_held_at_that_moment_is_current(at: int, blob: str) -> None:
    versions = [version(number, f"b{number}") for number in (9, 5, 3)]
    chosen_version, presence = chosen(_Branch(BRANCH), versions, minute(at))
    assert (chosen_version.blob, presence) == (blob, Presence.CURRENT)


def test_version_held_by_the_branch_beats_a_newer_one() -> None:
    held = version(3, "b3")
    assert chosen(_Branch(BRANCH), [version(4, "b4", "beside"), held], minute(4)) == (held, Presence.CURRENT)


def test_the_same_contents_at_another_path_are_not_what_it_held() -> None:
    choice = chosen(_Branch(BRANCH), [version(3, "b3", path="old/app.py")], minute(4))
    assert choice == (version(3, "b3", path="old/app.py"), Presence.NOT_CURRENT)


def test_of_two_that_were_replaced_the_newer_one_is_taken() -> None:
    versions = [version(3, "b3"), version(1, "b1")]
    assert chosen(_Branch(BRANCH), versions, minute(7)) == (versions[0], Presence.NOT_CURRENT)
    assert chosen(_Branch(BRANCH), versions[::-1], minute(7)) == (versions[0], Presence.NOT_CURRENT)


def test_contained_older_version_beats_a_newer_uncontained_one() -> None:
    versions = [version(2, "s2", "side"), version(1, "b1")]
    assert chosen(_Branch(BRANCH), versions, minute(4)) == (versions[1], Presence.NOT_CURRENT)
    assert chosen(_Branch(BRANCH), versions[:1], minute(4)) == (versions[0], Presence.NOT_CURRENT)


def test_where_the_branch_contained_none_of_them_the_newest_is_taken() -> None:
    branch = _Branch({1: "b1", 9: "b9"})
    later = version(9, "b9")
    versions = [later, version(2, "s2", "side")]
    assert chosen(branch, versions, minute(3)) == (versions[1], Presence.NOT_CURRENT)


def test_before_the_branch_began_a_version_was_there_and_not_held() -> None:
    branch = _Branch({5: "b5"})
    older = [version(3, "s3", "beside"), version(2, "s2", "beside")]
    assert chosen(branch, older, minute(4)) == (older[0], Presence.NOT_CURRENT)
    assert branch.walked == 0


def test_one_version_alone_costs_no_walk() -> None:
    branch = _Branch(BRANCH)
    chosen(branch, [version(3, "b3")], minute(7))
    assert branch.walked == 0
    chosen(branch, [version(3, "b3"), version(1, "b1")], minute(7))
    assert branch.walked == 1
