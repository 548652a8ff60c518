"""The longest possible inputs of a message and of its details stay within Slack's limits."""

from dataclasses import replace

import pytest

from shared.proposal.proposal import AlternativeProposal
from shared.proposal.states import ProposalStatus
from tests.support.slack.questions import (
    SERVICE,
    UNTIL,
    question_message,
)
from tests.support.slack.rendering import render_details, render_message


@pytest.mark.parametrize("filling", ["x", "`", "<!channel> ", "@", "\n", "\u202e", "0123abc ", "😀"])
def test_the_longest_possible_details_are_accepted_by_slack(filling: str) -> None:
    render_details([filling * 100_000] * 100)
    render_details([filling] * 100)


@pytest.mark.parametrize("standing", ProposalStatus)
@pytest.mark.parametrize("filling", ["x", "é", "`", "<!channel> ", "@", "&", "\n", " ", "\u202e", "0123abc ", "😀"])
def test_the_longest_possible_input_is_accepted_by_slack(standing: ProposalStatus, filling: str) -> None:
    long = filling * 20_000
    message = replace(
        question_message(), title=long, lines=(long,) * 100, issue_url=f"https://a.example/{long}", standing=standing,
        by=long, reason=long, decided_at=UNTIL, alternative=AlternativeProposal("p" * 300, "c" * 64, (long,) * 100),
        approvals=(long,) * 100, quorum=20,
    )  # fmt: skip
    render_message(replace(SERVICE, name=long, environment=long), message)
