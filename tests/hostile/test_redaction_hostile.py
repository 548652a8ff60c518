"""Secrets at the cuts of a report, in random text and in text that begins a secret over and over."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.proposal.paragraphs import build_paragraphs
from shared.proposal.question import build_thread_details
from shared.report.issue.body import format_issue_title, render_issue_body
from shared.text.phrases import quote_untrusted
from shared.text.redaction import redact, redact_and_truncate_line
from tests.support.hostile_report import hostile_report
from tests.support.secret_samples import SECRETS, join_lines, revealing_parts


@pytest.mark.parametrize("name", SECRETS)
def test_a_secret_that_straddles_a_cut_does_not_leak(name: str) -> None:
    secret = join_lines(SECRETS[name])
    line = f"{'a' * 30} {secret} {'b' * 30}"
    for limit in range(20, len(line) + 2, max(1, len(line) // 20)):
        assert not [part for part in revealing_parts(secret) if part in quote_untrusted(line, limit)]


@pytest.mark.parametrize("name", SECRETS)
def test_secret_across_a_report_cut_leaks_nowhere(name: str) -> None:
    """Before it stand so many words that one of the cuts (100, 160, 300 characters) runs through."""
    secret = SECRETS[name]
    for length in (90, 150, 290):
        filling = ("lorem ipsum " * 60)[:length]
        report = hostile_report(f"{filling} {secret} and so on")
        body = render_issue_body(report).partition("\n")[2]  # the first line is a hash of ours
        shown_text = "".join(
            (format_issue_title(report), body, *build_paragraphs(report), *build_thread_details(report))
        )
        assert not [
            part for part in revealing_parts(join_lines(secret)) | revealing_parts(secret) if part in shown_text
        ]


SIZE = 64 * 1024  # a pattern that rescans needs a billion steps for this and minutes: nobody would overlook it


_PIECES = r"""a 0 _ - . \ " eyJ eyJaaaaaaaaaaa. -----BEGIN·PRIVATE·KEY----- password= password:·x password:x· password='
    password='a\' http:// https://a: x://a:b a. a@ a- gh ghs_a. sk- Bearer· bearer·a basic·A cookie:· cookie:·a= ?sig=
    1//0 token:·a.b( authorization: dp.pt. xoxb- PuTTY-User-Key-File-2:· a.webhook.office.com/ AKIA SG. glpat- secret":
    · key --token· --a-a-a-password·1 (b'cookie',·b' (b'x-a-a- gsk_ AQ.Ab \u200b \x1b[3
    Proc-Type: -----BEGIN·PRIVATE·KEY-----·Proc-Type:"""


@pytest.mark.parametrize("piece", _PIECES.split())
def test_text_that_begins_a_secret_over_and_over_is_scanned_once(piece: str) -> None:
    piece = piece.replace("·", " ")
    text = (piece * (SIZE // len(piece) + 1))[:SIZE]
    assert redact(redact(text)) == redact(text)


@given(st.text(max_size=300))
def test_any_text_is_taken_and_stays_redacted(text: str) -> None:
    once = redact(text)
    assert redact(once) == once


def test_long_line_is_cut_after_redaction_and_states_its_length() -> None:
    token = "ghp_" + "a1B2" * 9
    shown = redact_and_truncate_line("x" * 390 + " " + token + " " + "y" * 1_000_000, 400)
    assert token[:6] not in shown
    assert shown.endswith("… (a line of 1,000,432 characters)")
    assert len(shown) < 450
    assert redact_and_truncate_line("x" * 400, 400) == "x" * 400
    assert redact_and_truncate_line(f"key {token}", 400) == "key [redacted github-token]"
