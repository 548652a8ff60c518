"""What is said of a call that does not bind is what the interpreter itself says of it."""

import sys

from shared.proof.claims.calls.call_message import parse_call_message
from shared.proof.claims.regressions.complaints import format_call_complaint
from tests.support.call_messages import list_messages


def test_a_complaint_reads_as_the_interpreters_own() -> None:
    messages = list_messages(sys.executable)
    assert len(messages) > 25
    for message in messages:
        complaint = parse_call_message(message)
        assert complaint is not None
        plain = message.partition(". Did you mean")[0]
        assert format_call_complaint(complaint) == plain
