"""Which defect a signal shows, and how its generations move on."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest

from shared.detection.signal import Signal, SignalKind
from shared.errors import Reject
from shared.workflow.records.defects import find_failure_class, find_or_create_defect, start_next_generation
from shared.workflow.records.documents import read_parts
from tests.support.drivers import read_documents
from tests.support.harness import Harness


def _signal(harness: Harness, path: str, kind: SignalKind = SignalKind.SYNTAX_ERROR) -> Signal:
    return Signal(kind, harness.log_entry(), "SyntaxError", path, 7)


def _defects(harness: Harness, *paths: str) -> list[str]:
    known = harness.services["shore.tide"]
    return [find_or_create_defect(harness.start_process(), known, _signal(harness, path)).fingerprint for path in paths]


def test_the_longest_form_of_a_path_is_kept_under_the_first_fingerprint(harness: Harness) -> None:
    known = harness.services["shore.tide"]
    first = find_or_create_defect(harness.start_process(), known, _signal(harness, "greeting.py"))
    second = find_or_create_defect(harness.start_process(), known, _signal(harness, "/app/chat/greeting.py"))
    assert second.fingerprint == first.fingerprint
    assert second.path == "chat/greeting.py"


def test_a_path_from_the_root_is_complete(harness: Harness) -> None:
    one, other = _defects(harness, "/app/greeting.py", "/app/chat/greeting.py")
    assert one != other


def test_a_path_from_the_root_of_a_drive_is_complete(harness: Harness) -> None:
    one, other = _defects(harness, "C:\\greeting.py", "/app/chat/greeting.py")
    assert one != other
    known = harness.services["shore.tide"]
    whole = [
        find_or_create_defect(harness.start_process(), known, _signal(harness, path)).whole
        for path in ("D:\\a.py", "b.py")
    ]
    assert whole == [True, False]


def test_a_part_of_a_folder_name_is_no_folder(harness: Harness) -> None:
    one, other = _defects(harness, "chat/greeting.py", "/app/groupchat/greeting.py")
    assert one != other


def test_error_classes_are_kept_apart(harness: Harness) -> None:
    known = harness.services["shore.tide"]
    one = find_or_create_defect(harness.start_process(), known, _signal(harness, "/app/a.py"))
    other = find_or_create_defect(harness.start_process(), known, _signal(harness, "/app/a.py", SignalKind.DEPENDENCY))
    assert one.fingerprint != other.fingerprint


def test_a_generation_moves_on_once_for_all_who_want_it(harness: Harness) -> None:
    known, signal = harness.services["shore.tide"], _signal(harness, "/app/a.py")
    first = find_or_create_defect(harness.start_process(), known, signal)
    with ThreadPoolExecutor(8) as pool:
        moved = list(pool.map(lambda _: start_next_generation(harness.start_process(), known, signal, first), range(8)))
    assert {each.generation for each in moved} == {2}
    assert find_or_create_defect(harness.start_process(), known, signal).incident_id == f"{first.fingerprint}-2"


def test_of_many_namesakes_the_oldest_without_recurrence_is_dropped(harness: Harness) -> None:
    """Any user can have so many logged: no real one is refused for them."""
    known, signals = harness.services["shore.tide"], [_signal(harness, f"/app/d{n}/greeting.py") for n in range(201)]
    first, *others = (find_or_create_defect(harness.start_process(), known, signal) for signal in signals[:200])
    start_next_generation(harness.start_process(), known, signals[0], first)
    added = find_or_create_defect(harness.start_process(), known, signals[200])
    [stored] = read_documents(harness, "defects").values()
    kept = {each["fingerprint"] for each in read_parts(stored, "defects")}
    assert kept == {first.fingerprint, *(each.fingerprint for each in others[1:]), added.fingerprint}
    assert find_or_create_defect(harness.start_process(), known, signals[1]) == others[0]  # it gets the same id


def test_where_all_of_them_came_back_one_more_is_refused(harness: Harness) -> None:
    known, signals = harness.services["shore.tide"], [_signal(harness, f"/app/d{n}/greeting.py") for n in range(201)]
    for signal in signals[:200]:
        start_next_generation(
            harness.start_process(), known, signal, find_or_create_defect(harness.start_process(), known, signal)
        )
    with pytest.raises(Reject, match="too_many_defects"):
        find_or_create_defect(harness.start_process(), known, signals[200])


@pytest.mark.parametrize("kind", [SignalKind.CLOSE_1011, SignalKind.KEEPALIVE_TIMEOUT, SignalKind.DEPENDENCY])
def test_what_is_no_error_of_its_own_has_its_kind_for_a_class(harness: Harness, kind: SignalKind) -> None:
    assert find_failure_class(replace(_signal(harness, "a.py", kind), error_class="")) == kind.value
    assert find_failure_class(_signal(harness, "a.py")) == "SyntaxError"
