"""Hostile text is printed as it is, and controls no terminal."""

import re

import pytest

from tests.support.hostile_report import hostile_report
from tests.support.hostile_texts import HOSTILE_TEXTS
from tests.support.terminal_output import print_reports


@pytest.mark.parametrize(
    "payload", [*HOSTILE_TEXTS, "[bold red]x[/] [link=https://evil.example]y[/link] :boom: [/nothing]"]
)
def test_text_of_others_is_shown_as_it_is_and_controls_nothing(payload: str) -> None:
    text = print_reports(hostile_report(payload))
    assert not re.search("[\x00-\x09\x0b-\x1f\x7f-\x9f\u200b\u202a-\u202e\u2066-\u2069]", text)
    if "[bold red]" in payload:
        assert "[bold red]x[/]" in text
        assert ":boom:" in text
