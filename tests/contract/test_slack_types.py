"""Every message that any test of this run has produced, and the dialog, held to Slack's own types by their compiler."""

from dataclasses import replace

import pytest

from shared.adapters.slack.dialog import denial_dialog
from shared.proposal.proposal import AlternativeProposal, ProposalStatus
from tests.support.harness import click
from tests.support.slack.packages import complaints
from tests.support.slack.shown import check_view, shapes, shown, views
from tests.unit.test_slack_layout import SERVICE, asked

pytestmark = pytest.mark.last


def test_the_compiler_objects_to_what_slack_does_not_know() -> None:
    wrong = 'const a: KnownBlock[] = [{"type": "header", "text": {"type": "plain_text", "text": "x"}, "bold": true}];\n'
    missing = 'const b: KnownBlock[] = [{"type": "header"}];\n'
    told = complaints(wrong + missing, "wrong")
    assert "bold" in told
    assert told.count("error TS") == 2


def test_all_messages_and_dialogs_of_this_run_have_slacks_types() -> None:
    for standing in ProposalStatus:
        shown(SERVICE, replace(asked(), standing=standing, by="U0MIRA", alternative=AlternativeProposal("p", "c")))
    check_view(denial_dialog(replace(click(asked()), message="C0QUAY/1.2")))
    statements = [f"const m{number}: KnownBlock[] = {each};" for number, each in enumerate(shapes)]
    statements += [f"const v{number}: ModalView = {each};" for number, each in enumerate(views)]
    assert len(statements) > 3
    assert complaints("\n".join(statements), "messages") == ""
