"""Every message that any test of this run has produced, and the dialog, held to Slack's own types by their compiler."""

from dataclasses import replace

import pytest

from shared.adapters.slack.interaction import build_denial_dialog
from shared.proposal.proposal import AlternativeProposal
from shared.proposal.states import ProposalStatus
from tests.support.harness import button_click
from tests.support.slack.questions import SERVICE, question_message
from tests.support.slack.rendering import check_view, render_message, seen_shapes, seen_views
from tests.support.slack.type_check import type_errors

pytestmark = pytest.mark.last


def test_the_compiler_objects_to_what_slack_does_not_know() -> None:
    wrong = 'const a: KnownBlock[] = [{"type": "header", "text": {"type": "plain_text", "text": "x"}, "bold": true}];\n'
    missing = 'const b: KnownBlock[] = [{"type": "header"}];\n'
    told = type_errors(wrong + missing, "wrong")
    assert "bold" in told
    assert told.count("error TS") == 2


def test_all_messages_and_dialogs_of_this_run_have_slacks_types() -> None:
    for standing in ProposalStatus:
        render_message(
            SERVICE,
            replace(question_message(), standing=standing, by="U0MIRA", alternative=AlternativeProposal("p", "c")),
        )
    check_view(build_denial_dialog(replace(button_click(question_message()), message="C0QUAY/1.2")))
    statements = [f"const m{number}: KnownBlock[] = {each};" for number, each in enumerate(seen_shapes)]
    statements += [f"const v{number}: ModalView = {each};" for number, each in enumerate(seen_views)]
    assert len(statements) > 3
    assert type_errors("\n".join(statements), "messages") == ""
