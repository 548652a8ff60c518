"""Suspected changes of an exception that nothing can prove, on real histories of the shapes that mislead a blame."""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from shared.detection.logged_exception import Frame, LoggedException
from shared.proof.model.ports import History
from shared.proof.model.suspected_change import SuspectedChanges, SuspicionKind
from shared.proof.proof_context import ProofRequest
from tests.support.history_builder import HistoryBuilder
from tests.support.suspected_histories import generate_suspected_history
from tests.support.suspected_runs import find_suspected, make_exception, name_commits

MAIN = """\
from app import rooms


def handle(order):
    order = dict(order)
    return assign(order)


def assign(order):
    berth = order["berth"]
    size = order["size"]
    return berth.upper() + size


def other(order):
    return order["weight"]
"""
FAILING = ("return assign(order)", "return berth.upper() + size")
READ_EARLIER = MAIN.replace('order["berth"]', 'order.get("berth")')
FORMATTED = MAIN.replace('"', "'").replace("assign(order):", "assign(\n    order,\n):")
FORMATTED = FORMATTED.replace("    size =", "\n    # size\n    size =")


def build(path: Path, *steps: tuple[str, str | None]) -> HistoryBuilder:
    """Each step is a commit by name, with what app/main.py holds after it; None for a commit beside it."""
    story = HistoryBuilder(path / "repository.git")
    for number, (name, source) in enumerate(steps):
        files = {"app/main.py": source} if source is not None else {"notes.md": f"{number}\n"}
        story.commit(name, {"app/__init__.py": "", **files} if number == 0 else files)
    story.write_repository()
    return story


def deployed_name(story: HistoryBuilder, suspected: SuspectedChanges) -> str | None:
    return story.name_of(suspected.deployed.id) if suspected.deployed is not None else None


def test_change_of_the_failing_line_comes_before_that_of_its_function_and_of_its_caller(tmp_path: Path) -> None:
    caller = MAIN.replace("order = dict(order)", "order = dict(order, seen=True)")
    function = caller.replace('order["size"]', 'order["sizes"]')
    line = function.replace("berth.upper() + size", "berth.title() + size")
    story = build(tmp_path, ("begin", MAIN), ("caller", caller), ("function", function), ("line", line))
    suspected = find_suspected(story, make_exception(line, "return assign(order)", "return berth.title() + size"))
    names = [name for name in name_commits(story, suspected.introduced) if name != "begin"]
    assert names == ["line", "function", "caller"]
    first = suspected.introduced[0]
    assert (first.path, first.function, first.kind) == ("app/main.py", "assign", SuspicionKind.INTRODUCED)
    assert suspected.possible_fixes == ()


def test_function_around_the_failing_one_is_looked_at_as_well(tmp_path: Path) -> None:
    inner = "    def name():\n        return berth.upper() + size\n\n    return name()"
    nested = MAIN.replace("    return berth.upper() + size", inner)
    changed = nested.replace('order["size"]', 'order["sizes"]')
    story = build(tmp_path, ("begin", nested), ("changed", changed), ("beside", None))
    suspected = find_suspected(story, make_exception(changed, "return berth.upper() + size"))
    found = {story.name_of(change.commit.id): change.function for change in suspected.introduced}
    assert found == {"begin": "assign.name", "changed": "assign"}


def test_what_was_taken_out_is_found_although_blame_cannot_see_it(tmp_path: Path) -> None:
    guarded = MAIN.replace("    size = order", '    if berth is None:\n        return ""\n    size = order')
    story = build(tmp_path, ("begin", guarded), ("beside", None), ("unguarded", MAIN), ("later", None))
    suspected = find_suspected(story, make_exception(MAIN, *FAILING))
    assert name_commits(story, suspected.introduced)[0] == "unguarded"


def test_formatting_is_no_change(tmp_path: Path) -> None:
    story = build(tmp_path, ("begin", READ_EARLIER), ("changed", MAIN), ("format", FORMATTED), ("beside", None))
    suspected = find_suspected(story, make_exception(FORMATTED, *FAILING))
    assert name_commits(story, suspected.introduced) == ["changed", "begin"]


def test_history_goes_on_under_the_earlier_names_of_file_and_function(tmp_path: Path) -> None:
    story = HistoryBuilder(tmp_path / "repository.git")
    story.commit("begin", {"app/main.py": MAIN})
    story.commit("changed", {"app/main.py": READ_EARLIER})
    story.commit("file renamed", {"app/main.py": None, "app/entry.py": READ_EARLIER})
    renamed = READ_EARLIER.replace("def assign", "def choose").replace("return assign", "return choose")
    story.commit("function renamed", {"app/entry.py": renamed})
    story.write_repository()
    failing = make_exception(renamed, "return berth.upper() + size", path="/srv/app/entry.py")
    suspected = find_suspected(story, failing)
    found = {story.name_of(change.commit.id): change for change in suspected.introduced}
    assert {"changed", "begin"} <= set(found)
    assert "file renamed" not in found
    assert (found["changed"].path, found["changed"].function) == ("app/main.py", "assign")


def test_function_is_followed_to_the_file_that_it_came_from(tmp_path: Path) -> None:
    moved = MAIN[MAIN.index("def assign") : MAIN.index("def other")]
    story = HistoryBuilder(tmp_path / "repository.git")
    story.commit("begin", {"app/main.py": READ_EARLIER, "app/rooms.py": "LIMIT = 3\n"})
    story.commit("changed", {"app/main.py": MAIN})
    story.commit("moved", {"app/main.py": MAIN.replace(moved, ""), "app/rooms.py": "LIMIT = 3\n\n\n" + moved})
    story.write_repository()
    text = "LIMIT = 3\n\n\n" + moved
    suspected = find_suspected(story, make_exception(text, FAILING[1], path="/srv/app/rooms.py"))
    assert name_commits(story, suspected.introduced) == ["changed", "begin"]


def test_copied_function_is_new_where_it_was_copied_to(tmp_path: Path) -> None:
    copied = MAIN[MAIN.index("def assign") : MAIN.index("def other")]
    story = HistoryBuilder(tmp_path / "repository.git")
    story.commit("begin", {"app/main.py": MAIN, "app/rooms.py": "LIMIT = 3\n"})
    story.commit("copied", {"app/main.py": MAIN + "\nmark = 1\n", "app/rooms.py": copied})
    story.write_repository()
    suspected = find_suspected(story, make_exception(copied, FAILING[1], path="/srv/app/rooms.py"))
    assert name_commits(story, suspected.introduced) == ["copied"]


def test_merge_is_followed_to_the_side_that_wrote_it(tmp_path: Path) -> None:
    both = READ_EARLIER.replace('order["weight"]', 'order["weights"]')
    story = HistoryBuilder(tmp_path / "repository.git")
    story.commit("begin", {"app/main.py": MAIN})
    story.commit("side", {"app/main.py": READ_EARLIER}, "begin")
    story.commit("trunk", {"app/main.py": MAIN.replace('order["weight"]', 'order["weights"]')}, "begin")
    story.commit("merge", {"app/main.py": both}, "trunk", "side")
    story.write_repository()
    suspected = find_suspected(story, make_exception(both, *FAILING))
    assert name_commits(story, suspected.introduced) == ["side", "begin"]


def test_merge_that_wrote_something_of_its_own_is_named(tmp_path: Path) -> None:
    own = MAIN.replace("berth.upper() + size", "berth.upper() + size * 2")
    story = HistoryBuilder(tmp_path / "repository.git")
    story.commit("begin", {"app/main.py": MAIN})
    story.commit("side", {"app/main.py": READ_EARLIER}, "begin")
    story.commit("trunk", {"app/main.py": MAIN + "\nmark = 1\n"}, "begin")
    story.commit("merge", {"app/main.py": own}, "trunk", "side")
    story.write_repository()
    suspected = find_suspected(story, make_exception(own, "return berth.upper() + size * 2"))
    assert name_commits(story, suspected.introduced)[0] == "merge"


def test_version_that_does_not_parse_in_between_hides_nothing(tmp_path: Path) -> None:
    story = build(
        tmp_path, ("begin", READ_EARLIER), ("broken", MAIN + "oops = = 1\n"), ("mended", MAIN), ("beside", None)
    )
    suspected = find_suspected(story, make_exception(MAIN, *FAILING))
    assert name_commits(story, suspected.introduced) == ["broken", "begin"]


def test_source_that_this_python_cannot_parse_is_compared_by_lines(tmp_path: Path) -> None:
    tail = "\nprint 'of another Python'\n"
    story = build(tmp_path, ("begin", READ_EARLIER + tail), ("changed", MAIN + tail), ("other", MAIN + tail * 2))
    suspected = find_suspected(story, make_exception(MAIN + tail * 2, *FAILING))
    assert name_commits(story, suspected.introduced) == ["changed", "begin"]


def test_later_changes_of_the_function_may_end_it_nearest_first_then_newest(tmp_path: Path) -> None:
    caller = MAIN.replace("order = dict(order)", 'order = dict(order, berth="a")')
    function = caller.replace('order["size"]', 'order["sizes"]')
    line = function.replace("berth.upper()", "str(berth).upper()")
    elsewhere = line.replace('order["weight"]', "1")
    story = build(
        tmp_path, ("begin", MAIN), ("caller", caller), ("function", function), ("line", line), ("elsewhere", elsewhere)
    )
    suspected = find_suspected(story, make_exception(MAIN, *FAILING), seen_at=story.committed_at("begin"))
    assert deployed_name(story, suspected) == "begin"
    assert name_commits(story, suspected.possible_fixes) == ["line", "function", "caller"]
    assert {change.kind for change in suspected.possible_fixes} == {SuspicionKind.POSSIBLE_FIX}


def test_change_that_takes_back_what_a_suspect_did_comes_first(tmp_path: Path) -> None:
    sound = MAIN.replace("order = dict(order)", 'order = dict(order, berth="a")')
    line = MAIN.replace("berth.upper() + size", "berth.upper() + size + size")
    back = line.replace("order = dict(order)", 'order = dict(order, berth="a")')
    newest = back.replace("size + size", "size * 2")
    story = build(tmp_path, ("begin", sound), ("deployed", MAIN), ("line", line), ("back", back), ("newest", newest))
    suspected = find_suspected(story, make_exception(MAIN, *FAILING), seen_at=story.committed_at("deployed"))
    assert name_commits(story, suspected.introduced)[0] == "deployed"
    assert name_commits(story, suspected.possible_fixes) == ["back", "line", "newest"]
    assert story.ids["deployed"][:12] in suspected.possible_fixes[0].reason


def test_what_was_tried_and_taken_back_is_no_possible_fix(tmp_path: Path) -> None:
    story = build(tmp_path, ("begin", MAIN), ("tried", READ_EARLIER), ("taken back", MAIN), ("beside", None))
    suspected = find_suspected(story, make_exception(MAIN, *FAILING), seen_at=story.committed_at("begin"))
    assert suspected.possible_fixes == ()


def test_possible_fix_is_found_where_the_file_was_renamed_meanwhile(tmp_path: Path) -> None:
    story = HistoryBuilder(tmp_path / "repository.git")
    story.commit("begin", {"app/main.py": MAIN})
    story.commit("renamed", {"app/main.py": None, "app/entry.py": MAIN})
    story.commit("changed", {"app/entry.py": READ_EARLIER})
    story.write_repository()
    suspected = find_suspected(story, make_exception(MAIN, *FAILING), seen_at=story.committed_at("begin"))
    assert name_commits(story, suspected.possible_fixes) == ["changed"]


def test_frames_tell_which_state_is_deployed(tmp_path: Path) -> None:
    shifted = "# one more line\n" + MAIN
    story = build(tmp_path, ("begin", shifted), ("deployed", MAIN), ("beside", None), ("later", shifted))
    late = story.committed_at("later") + timedelta(hours=1)
    suspected = find_suspected(story, make_exception(MAIN, *FAILING), seen_at=late)
    assert deployed_name(story, suspected) == "deployed"
    assert (suspected.is_given, suspected.frames_compared) == (False, 2)


def test_given_commit_is_believed_where_it_fits_and_only_there(tmp_path: Path) -> None:
    shifted = "# one more line\n" + MAIN
    story = build(tmp_path, ("begin", MAIN), ("beside", None), ("later", shifted))
    failing = make_exception(MAIN, *FAILING)
    fits = find_suspected(story, failing, request=ProofRequest(deployed=story.ids["begin"]))
    contradicted = find_suspected(story, failing, request=ProofRequest(deployed=story.ids["later"]))
    assert (deployed_name(story, fits), fits.is_given) == ("begin", True)
    assert (deployed_name(story, contradicted), contradicted.is_given) == ("begin", False)


def test_several_states_that_fit_are_a_small_set(tmp_path: Path) -> None:
    story = build(tmp_path, ("begin", MAIN), ("first", MAIN + "\nmark = 1\n"), ("second", MAIN + "\nmark = 2\n"))
    suspected = find_suspected(story, make_exception(MAIN, *FAILING))
    assert [story.name_of(commit) for commit in suspected.candidates] == ["second", "first", "begin"]


NOTHING: Mapping[str, Callable[[LoggedException], LoggedException]] = {
    "no frames": lambda failing: replace(failing, frames=()),
    "another line stands there": lambda failing: replace(
        failing, frames=tuple(replace(frame, source_text="something_else()") for frame in failing.frames)
    ),
    "nothing but a line number": lambda failing: replace(
        failing, frames=tuple(Frame(frame.path, frame.line) for frame in failing.frames)
    ),
    "an installed package": lambda failing: replace(
        failing,
        frames=tuple(replace(frame, path="/usr/lib/python3.11/site-packages/app/main.py") for frame in failing.frames),
    ),
    "the failing frame is in no file of the repository": lambda failing: replace(
        failing, frames=(*failing.frames, Frame("/opt/other/tool.py", 3, "run", "run()"))
    ),
    "the file has never been there": lambda failing: replace(
        failing, frames=tuple(replace(frame, path="/srv/app/absent.py") for frame in failing.frames)
    ),
    "the line is beyond its end": lambda failing: replace(
        failing, frames=tuple(replace(frame, line=9_000) for frame in failing.frames)
    ),
    "the connection was closed": lambda failing: replace(
        failing, error_class="websockets.exceptions.ConnectionClosedError"
    ),
    "the process was told to end": lambda failing: replace(failing, error_class="SystemExit"),
}


@pytest.mark.parametrize("why", NOTHING)
def test_nothing_is_suspected_where_the_frames_lead_nowhere(tmp_path: Path, why: str) -> None:
    story = build(tmp_path, ("begin", READ_EARLIER), ("changed", MAIN), ("later", MAIN + "\nmark = 1\n"))
    failing = make_exception(MAIN, *FAILING)
    assert find_suspected(story, failing).changes
    assert find_suspected(story, NOTHING[why](failing)) == SuspectedChanges()


def test_function_names_are_compared_where_the_log_quotes_no_lines(tmp_path: Path) -> None:
    story = build(tmp_path, ("begin", READ_EARLIER), ("changed", MAIN))
    frames = (Frame("/srv/app/main.py", 6, "handle"), Frame("/srv/app/main.py", 12, "assign"))
    suspected = find_suspected(story, LoggedException("KeyError", "'berth'", frames))
    assert name_commits(story, suspected.introduced)[0] == "changed"
    wrong = tuple(replace(frame, function="elsewhere") for frame in frames)
    assert find_suspected(story, LoggedException("KeyError", "'berth'", wrong)) == SuspectedChanges()


def test_one_of_two_files_of_one_name_is_chosen_by_its_lines(tmp_path: Path) -> None:
    story = HistoryBuilder(tmp_path / "repository.git")
    story.commit("begin", {"api/main.py": MAIN.replace("berth", "door"), "worker/main.py": READ_EARLIER})
    story.commit("changed", {"worker/main.py": MAIN})
    story.write_repository()
    suspected = find_suspected(story, make_exception(MAIN, *FAILING, path="/app/main.py"))
    assert {change.path for change in suspected.introduced} == {"worker/main.py"}
    assert name_commits(story, suspected.introduced)[0] == "changed"


def test_changes_since_the_last_good_revision_come_first(tmp_path: Path) -> None:
    line = MAIN.replace("berth.upper() + size", "berth.upper() + size + size")
    caller = line.replace("order = dict(order)", "order = dict(order, seen=1)")
    story = build(tmp_path, ("begin", MAIN), ("line", line), ("caller", caller))
    failing = make_exception(caller, "return assign(order)", "return berth.upper() + size + size")
    assert name_commits(story, find_suspected(story, failing).introduced)[0] == "line"
    request = ProofRequest(last_good=story.ids["line"])
    assert name_commits(story, find_suspected(story, failing, request=request).introduced)[0] == "caller"
    unknown = ProofRequest(last_good="0" * 40)
    assert name_commits(story, find_suspected(story, failing, request=unknown).introduced)[0] == "line"


class CountingHistory:
    """Passes every question on and counts those that cost something."""

    def __init__(self, history: History) -> None:
        self._history = history
        self.counts: dict[str, int] = {}
        self.paths: set[str] = set()

    def __getattr__(self, name: str) -> object:
        asked = getattr(self._history, name)

        def counted(*arguments: object, **named: object) -> object:
            self.counts[name] = self.counts.get(name, 0) + 1
            if name == "file_versions":
                self.paths.update(arguments[0])  # type: ignore[arg-type]
            return asked(*arguments, **named)

        return counted if callable(asked) else asked


def count(story: HistoryBuilder, failing: LoggedException) -> CountingHistory:
    watched: list[CountingHistory] = []

    def watch(history: History) -> History:
        watched.append(CountingHistory(history))
        return watched[0]  # type: ignore[return-value]

    assert find_suspected(story, failing, watch=watch).changes
    return watched[0]


def versions_of_main(number: int) -> Sequence[tuple[str, str | None]]:
    sources = [MAIN.replace('order["size"]', f'order["size{step}"]') for step in range(number)]
    return [(f"step {step}", source) for step, source in enumerate(sources)]


def test_cost_is_bounded_however_long_the_history_is(tmp_path: Path) -> None:
    short, long = (build(tmp_path / str(number), *versions_of_main(number)) for number in (100, 220))
    last = [versions_of_main(number)[-1][1] or "" for number in (100, 220)]
    few, many = count(short, make_exception(last[0], *FAILING)), count(long, make_exception(last[1], *FAILING))
    assert few.counts == many.counts
    assert many.counts["read"] <= 80
    assert many.counts["file_versions"] <= 2
    assert many.counts.get("tree", 0) <= 8


def test_only_files_of_own_frames_are_walked_and_at_most_twelve(tmp_path: Path) -> None:
    chain = [f"def step_{number}(order):\n    return step_{number + 1}.run(order)\n" for number in range(20)]
    story = HistoryBuilder(tmp_path / "repository.git")
    story.commit(
        "begin", {f"app/step_{number}.py": text for number, text in enumerate(chain)} | {"app/else.py": "x = 1\n"}
    )
    story.write_repository()
    frames = tuple(
        Frame(f"/srv/app/step_{number}.py", 2, f"step_{number}", f"return step_{number + 1}.run(order)")
        for number in range(20)
    )
    watched = count(story, LoggedException("KeyError", "'berth'", frames))
    assert watched.paths == {f"app/step_{number}.py" for number in range(8, 20)}


@pytest.mark.parametrize("seed", range(6))
def test_generated_histories_with_noise_are_seen_through(tmp_path: Path, seed: int) -> None:
    drawn = generate_suspected_history(tmp_path, seed)
    story = HistoryBuilder(drawn.path)
    suspected = find_suspected(story, drawn.exception, seen_at=drawn.logged_at)
    assert suspected.deployed is not None
    assert suspected.deployed.id == drawn.deployed
    assert drawn.introduced in [change.commit.id for change in suspected.introduced[:3]]
    assert not drawn.fix or drawn.fix in [change.commit.id for change in suspected.possible_fixes]
    assert_is_only_suspicion(" ".join(change.reason for change in suspected.changes))


def assert_is_only_suspicion(words: str) -> None:
    assert not re.search(r"(?i)\bproven\b|\bthe fix\b|\bfixed by\b|\bdeploy it\b|\bredeploy\b|\broll back\b", words)
