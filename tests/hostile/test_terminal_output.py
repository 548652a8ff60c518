"""Reports of any shape and of hostile text fit the terminal, and control none."""

import re

import pytest

from tests.support.hostile_report import hostile_report
from tests.support.hostile_texts import HOSTILE_TEXTS
from tests.support.proof_samples import SHAPES, build_sample_report
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


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("width", [40, 80, 200])
def test_no_line_is_wider_than_the_terminal(shape: str, width: int) -> None:
    assert [
        line for line in print_reports(build_sample_report(shape), width=width).splitlines() if len(line) > width
    ] == []
