"""Every definite verdict on a name or a call is what the interpreter does with the same source.

`python -m tests.bench.name_verdicts 5000 0` draws as many as one likes.
"""

from collections.abc import Callable, Iterator, Sequence

import pytest

from shared.adapters.compilers.interpreters import find_installed_versions, find_interpreter
from shared.proof.claims.calls.call_message import ComplaintKind, parse_call_message
from tests.support.call_messages import list_messages
from tests.support.call_oracle import compare_calls
from tests.support.scope_oracle import OracleTally, compare_scopes

VERSIONS = [version for version in find_installed_versions() if int(version.partition(".")[2]) >= 8]


@pytest.fixture(params=[VERSIONS[0], VERSIONS[-1]])
def python(request: pytest.FixtureRequest) -> Iterator[tuple[str, str]]:
    """A minor version, and a program of it: the oldest and the newest."""
    interpreter = find_interpreter(request.param)
    assert interpreter is not None
    yield request.param, interpreter.interpreter
    interpreter.close()


@pytest.mark.parametrize("compare", [compare_scopes, compare_calls])
def test_no_definite_verdict_is_wrong(
    python: tuple[str, str], compare: Callable[[str, str, Sequence[int]], OracleTally]
) -> None:
    tally = compare(python[1], python[0], range(40))
    assert tally.wrong == []
    states = {state.rpartition(":")[2]: number for state, number in tally.states.items()}
    assert states["holds"] > 5
    assert states["fails"] > 5


@pytest.mark.parametrize("version", VERSIONS)
def test_every_message_of_an_interpreter_is_read(version: str) -> None:
    interpreter = find_interpreter(version)
    assert interpreter is not None
    messages = list_messages(interpreter.interpreter)
    interpreter.close()
    complaints = [parse_call_message(message) for message in messages]
    assert None not in complaints
    assert {complaint.kind for complaint in complaints if complaint} == set(ComplaintKind)
    qualified = {complaint.callee for complaint in complaints if complaint and complaint.callee_name == "m"}
    assert qualified == {"C.m" if int(version.partition(".")[2]) >= 10 else "m"}
