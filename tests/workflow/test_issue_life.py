"""The part of an issue that is edited, and its markers: inert whatever is put into them, and found nowhere else."""

import re
from datetime import UTC, datetime, timedelta

import pytest

from shared.report.incident_status import (
    MAX_BODY_LENGTH,
    format_elapsed_milestones,
    has_marker,
    keep_ticked_items,
    render_status_block,
    replace_status_block,
)
from shared.workflow.effects import format_marker
from tests.support.drivers import MINUTE, press_button, propose_deployment, run_tick
from tests.support.harness import Harness
from tests.support.hostile_report import assert_text_is_inert, markdown_tokens
from tests.support.hostile_texts import HOSTILE_TEXTS

AT = datetime(2026, 5, 12, 3, 43, 43, tzinfo=UTC)
MARK = format_marker("1f2e")
OTHER = format_marker("5e")


@pytest.mark.parametrize("payload", HOSTILE_TEXTS)
def test_words_of_others_are_inert_in_the_part(payload: str) -> None:
    part = render_status_block(f"Denied: {payload}", urgent=True, milestones=[("failing", AT)], hint=payload)
    found = list(markdown_tokens(part))
    html = [token.content.strip() for token in found if token.type.startswith("html")]
    assert [tag for tag in html if tag not in {"<sub>", "</sub>"}] == [
        "<!-- provenfix:state -->",
        "<!-- /provenfix:state -->",
    ]
    assert_text_is_inert(part, found)
    assert replace_status_block(f"{MARK}\n{part}\n## Summary", "new") == f"{MARK}\nnew\n## Summary"


@pytest.mark.parametrize("payload", HOSTILE_TEXTS[::4])
def test_words_of_others_are_inert_in_comments(payload: str) -> None:
    harness = Harness()
    propose_deployment(harness)
    press_button(harness, user_name=payload[:80])
    run_tick(harness, 3 * MINUTE)
    approval = next(comment for comment in harness.issues.issues[0].comments if "part=approved" in comment)
    found = list(markdown_tokens(approval))
    assert [token.type for token in found if token.type.startswith("html")] == ["html_block"]
    assert_text_is_inert(approval, found)


def test_only_the_part_is_replaced() -> None:
    quoted = "```text\n<!-- provenfix:state -->\n<!-- /provenfix:state -->\n```"
    old, new = (render_status_block(words, urgent=False, milestones=()) for words in ("It fails.", "It is mended."))
    body = f"{MARK}\n{old}\n\n## Log\n{quoted}\n- [x] done\n"
    assert replace_status_block(body, new) == f"{MARK}\n{new}\n\n## Log\n{quoted}\n- [x] done\n"


@pytest.mark.parametrize(
    "body", ["", "no part", "<!-- provenfix:state --> without an end", "<!-- /provenfix:state -->"]
)
def test_without_a_part_nothing_is_replaced(body: str) -> None:
    assert replace_status_block(body, "new") is None


def test_what_people_have_ticked_stays_ticked() -> None:
    old = f"{MARK}\n- [x] Pin Python\r\n- [ ] Label images\n- [x] gone\n"
    new = "- [ ] Pin Python\n- [ ] Label images\n- [ ] Build in CI\n- no item: - [ ] Pin Python\n"
    assert keep_ticked_items(old, new) == new.replace("- [ ] Pin Python\n- [ ] L", "- [x] Pin Python\n- [ ] L")


def test_what_would_be_too_long_is_not_replaced() -> None:
    body = "<!-- provenfix:state --><!-- /provenfix:state -->" + "x" * (MAX_BODY_LENGTH - 10)
    assert replace_status_block(body, "y" * 10) is not None
    assert replace_status_block(body, "y" * 11) is None


def test_a_marker_is_a_line_above_the_first_heading() -> None:
    assert has_marker(f"{MARK}\nIt fails.", MARK)
    assert has_marker(f"somebody's words\r\n{MARK}\r\n\r\n## Summary", MARK)
    assert not has_marker(f"## Log\n{OTHER}", OTHER)
    for quoted in (f"`{OTHER}`", f"> {OTHER}", f"## Log\n{OTHER}", f"## Log\n```\n{OTHER}\n```"):
        assert not has_marker(f"{MARK}\n{quoted}", OTHER)


@pytest.mark.parametrize(
    ("after", "said"),
    [
        (timedelta(seconds=-3), "0 s"),
        (timedelta(seconds=119), "119 s"),
        (timedelta(minutes=2), "2 min"),
        (timedelta(minutes=119), "119 min"),
        (timedelta(hours=26, minutes=3), "26 h 3 min"),
    ],
)
def test_times_are_told_as_a_person_counts_them(after: timedelta, said: str) -> None:
    told = format_elapsed_milestones([("failing", AT), ("detected", AT + after)])
    first, moment, since = told.partition("2026-05-12T03:43:43Z")
    assert moment
    assert not re.search(r"\d", first)
    assert re.findall(r"\d+ (?:s|min|h \d+ min)\b", since) == [said]
    assert "detected" in since


def test_without_times_nothing_is_told() -> None:
    assert format_elapsed_milestones([]) == ""
    assert not re.search(r"\d", render_status_block("It fails.", urgent=False, milestones=()))
