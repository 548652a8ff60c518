"""A text that begins a configured form of secrets over and over is scanned once."""

from collections.abc import Iterator

import pytest

from shared.text import redaction
from shared.text.redaction import redact

FORM = r"acme_[A-Za-z0-9]{32}"


@pytest.fixture(autouse=True)
def no_patterns_afterwards() -> Iterator[None]:
    yield
    redaction.configure_secret_patterns([])


@pytest.mark.parametrize(
    "form", [FORM, r"abc[A-Z]{3,90}-\d{2,9}", "abca{5,1024}Z", r"abc\.[a-z]+\.[a-z]+X", r"tok/[\w.-]{40}"]
)
@pytest.mark.parametrize("piece", ["abc", "abca", "abcA-", "abc.a.a", "acme_", "abc.", "tok/", "a"])
def test_a_text_that_begins_it_over_and_over_is_scanned_once(form: str, piece: str) -> None:
    """Of 64 KB; a pattern that rescans needs minutes for it, and nobody would overlook that."""
    redaction.configure_secret_patterns([form])
    text = (piece * (64 * 1024 // len(piece) + 1))[: 64 * 1024]
    assert redact(redact(text)) == redact(text)
