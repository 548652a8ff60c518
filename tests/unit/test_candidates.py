"""Which commit is proposed: commits and what the gates say of them in, the newest that passes out, at a bound cost."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from shared.proof.gating.choose_newest import TargetChoice, choose_newest
from shared.proof.gating.gates import GateFailure
from shared.proof.model.history import Commit
from tests.support.commit_graph import make_commit

NEVER = GateFailure(
    "newly_broken", "never.py, line 3 compiled, and no longer does (and 1 more)", (), ("never.py", "b3"), "alone"
)
CHECKS = GateFailure("checks", "its checks are red")


@dataclass
class _Gates:
    """Gates that know which commits fail, and a history that knows which of them hold `never.py` as it was refused."""

    failing: Mapping[str, GateFailure] = field(default_factory=dict)
    holding: frozenset[str] = frozenset()
    without_image: frozenset[str] = frozenset()
    as_deployed: bool = False
    ran: list[str] = field(default_factory=list)
    asked: list[int] = field(default_factory=list)
    """How many commits were asked in one go for the file."""

    @property
    def history(self) -> "_Gates":
        return self

    def find_failure(self, oid: str, already: frozenset[str]) -> GateFailure | None:
        assert already == frozenset(("relay.py",))
        self.ran.append(oid)
        return self.failing.get(oid)

    def find_missing_image(self, oid: str) -> GateFailure | None:
        return GateFailure("image", "never built") if oid in self.without_image else None

    def is_loaded_as_deployed(self, path: str) -> bool:
        assert path == "never.py"
        return self.as_deployed

    def blob_ids(self, positions: Iterable[tuple[str, str]]) -> Mapping[tuple[str, str], str]:
        listed = list(positions)
        self.asked.append(len(listed))
        return {position: "b3" if position[0] in self.holding else "b4" for position in listed}


def line(count: int) -> list[Commit]:
    """Commits, the newest first."""
    return [make_commit(f"c{number}") for number in range(count)]


def ids(commits: Sequence[Commit]) -> frozenset[str]:
    return frozenset(each.id for each in commits)


def choose(
    gates: _Gates, commits: Sequence[Commit], refuse: Callable[[str], GateFailure | None] = lambda _: None
) -> TargetChoice:
    return choose_newest(gates, commits, frozenset(("relay.py",)), refuse)  # type: ignore[arg-type]


def test_the_newest_is_asked_first_and_no_other_where_it_passes() -> None:
    gates, commits = _Gates(), line(3)
    assert choose(gates, commits) == TargetChoice(commits[0], ())
    assert gates.ran == [commits[0].id]


def test_without_any_commit_there_is_none() -> None:
    assert choose(_Gates(), []) == TargetChoice(None, ())


def test_what_is_refused_at_once_runs_no_gate_and_is_named() -> None:
    gates, commits = _Gates(), line(3)
    refused = GateFailure("incident_file", "it does not compile there")
    choice = choose(gates, commits, lambda oid: refused if oid == commits[0].id else None)
    assert choice.commit == commits[1]
    assert [(each.commit, each.gate, each.detail) for each in choice.refused_commits] == [
        (commits[0], "incident_file", "it does not compile there")
    ]
    assert gates.ran == [commits[1].id]


def test_refusing_file_is_not_judged_again_where_loaded_as_deployed() -> None:
    commits = line(30)
    gates = _Gates({commits[0].id: NEVER}, ids(commits[:20]), as_deployed=True)
    choice = choose(gates, commits)
    assert choice.commit == commits[20]
    assert gates.ran == [commits[0].id, commits[20].id]
    assert [each.commit for each in choice.refused_commits] == commits[:20]
    assert [each.detail for each in choice.refused_commits[:2]] == [NEVER.detail, "alone"]


def test_a_refusal_without_a_sentence_of_its_own_keeps_the_one_that_it_has() -> None:
    commits = line(3)
    unseen = GateFailure("unseen", "never.py could not be compiled there", (), ("never.py", "b3"))
    choice = choose(_Gates({commits[0].id: unseen}, ids(commits[:2]), as_deployed=True), commits)
    assert [each.detail for each in choice.refused_commits] == [unseen.detail] * 2


def test_where_no_file_refuses_every_commit_is_put_to_the_gates() -> None:
    commits = line(5)
    gates = _Gates({each.id: CHECKS for each in commits[:3]}, ids(commits))
    assert choose(gates, commits).commit == commits[3]
    assert gates.ran == [each.id for each in commits[:4]]
    assert gates.asked == []


def test_newest_holder_that_does_not_load_the_file_is_found() -> None:
    for loads in range(1, 40):
        commits = line(42)
        failing = dict.fromkeys(ids(commits[:loads]), NEVER) | {commits[41].id: CHECKS}
        gates = _Gates(failing, ids(commits[:40]))
        choice = choose(gates, commits)
        assert choice.commit == commits[loads]
        assert len(gates.ran) <= 1 + 1 + 6, "the newest, the oldest that holds it, and then a search by halves"
        assert [each.commit for each in choice.refused_commits] == commits[:loads][:20]


def test_of_those_that_do_not_load_the_file_the_newest_with_an_image_is_found() -> None:
    commits = line(12)
    failing = dict.fromkeys(ids(commits[:5]), NEVER)
    gates = _Gates(failing, ids(commits[:10]), without_image=ids(commits[:7]))
    choice = choose(gates, commits)
    assert choice.commit == commits[7]
    assert [entry.gate for entry in choice.refused_commits[5:]] == ["image", "image"]


def test_where_each_that_holds_it_loads_it_the_next_older_one_is_judged() -> None:
    commits = line(12)
    gates = _Gates(dict.fromkeys(ids(commits[:10]), NEVER), ids(commits[:10]))
    assert choose(gates, commits).commit == commits[10]
    assert gates.ran == [commits[0].id, commits[9].id, commits[10].id]


def test_the_last_of_all_may_hold_it_as_well() -> None:
    commits = line(6)
    gates = _Gates(dict.fromkeys(ids(commits[:4]), NEVER), ids(commits))
    assert choose(gates, commits).commit == commits[4]
    gates = _Gates(dict.fromkeys(ids(commits), NEVER), ids(commits))
    choice = choose(gates, commits)
    assert (choice.commit, choice.unchecked_commits, len(choice.refused_commits)) == (None, 0, 6)


def test_another_file_that_refuses_takes_the_place_of_the_first() -> None:
    commits = line(8)
    other = GateFailure("also_broken", "x", (), ("never.py", "b4"), "other alone")
    gates = _Gates({commits[0].id: NEVER, commits[3].id: other}, ids(commits[:3]), as_deployed=True)
    choice = choose(gates, commits)
    assert (choice.commit, choice.unchecked_commits) == (None, 0)
    assert [each.detail for each in choice.refused_commits] == [
        NEVER.detail,
        "alone",
        "alone",
        "x",
        *["other alone"] * 4,
    ]
    assert gates.ran == [commits[0].id, commits[3].id]


def test_fifty_runs_end_it_and_twenty_refusals_are_named() -> None:
    commits = line(60)
    gates = _Gates(dict.fromkeys(ids(commits), CHECKS))
    choice = choose(gates, commits)
    assert (choice.commit, choice.unchecked_commits, len(gates.ran)) == (None, 10, 50)
    assert [each.commit for each in choice.refused_commits] == commits[:20]


def test_the_fiftieth_run_still_counts() -> None:
    commits = line(60)
    gates = _Gates(dict.fromkeys(ids(commits[:49]), CHECKS))
    assert choose(gates, commits).commit == commits[49]
    gates = _Gates(dict.fromkeys(ids(commits[:50]), CHECKS))
    assert choose(gates, commits).commit is None


def test_runs_of_a_search_by_halves_count_too() -> None:
    commits = line(80)
    failing = dict.fromkeys(ids(commits), CHECKS) | {commits[0].id: NEVER, commits[3].id: NEVER}
    choice = choose(_Gates(failing, ids(commits[:4])), commits)
    assert (choice.commit, choice.unchecked_commits) == (None, 80 - 4 - 48)


def test_many_commits_are_asked_for_the_file_in_one_go() -> None:
    commits = line(1500)
    gates = _Gates({commits[0].id: NEVER}, ids(commits[:1400]), as_deployed=True)
    assert choose(gates, commits).commit == commits[1400]
    assert gates.asked == [100, 200, 400, 512, 287]


def test_a_further_gate_is_run_for_as_many_commits_as_the_others_and_no_more() -> None:
    gates, commits = _Gates(), line(200)
    asked: list[str] = []

    def judge_closely(oid: str) -> GateFailure | None:
        asked.append(oid)
        return CHECKS

    choice = choose_newest(gates, commits, frozenset(("relay.py",)), extra_gate=judge_closely)  # type: ignore[arg-type]
    assert choice.commit is None
    assert asked == [each.id for each in commits[:50]]
    assert choice.unchecked_commits == 150
    assert gates.ran == []
