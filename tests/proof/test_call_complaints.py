"""What is said of a call that does not bind is what the interpreter itself says of it."""

import sys

from shared.proof.claims.calls.call_message import parse_call_message
from shared.proof.claims.claim import Claim, ClaimFamily
from shared.proof.claims.regressions.complaints import add_message, format_call_complaint
from tests.support.call_messages import list_messages


def test_a_complaint_reads_as_the_interpreters_own() -> None:
    messages = list_messages(sys.executable)
    assert len(messages) > 25
    for message in messages:
        complaint = parse_call_message(message)
        assert complaint is not None
        plain = message.partition(". Did you mean")[0]
        assert format_call_complaint(complaint) == plain


def test_a_relative_import_is_named_as_its_statement_names_it() -> None:
    """Which package that is depends on how the file is loaded."""
    claim = Claim(ClaimFamily.MODULE, "quay/main.py", 1, "", "", module="locks")
    assert add_message(claim, level=2).message == "No module named '..locks'"
