"""Forms of secrets that a person has written: they redact what they say, in one pass over any text, or are refused."""

from collections.abc import Iterator

import pytest

from shared.text import redaction
from shared.text.phrases import quote_untrusted
from shared.text.redaction import redact
from shared.text.secret_pattern import parse_secret_pattern

FORM = r"acme_[A-Za-z0-9]{32}"
SECRET = "acme_" + "Zq7" * 10 + "Zq"
GONE = "[redacted configured-secret]"


@pytest.fixture(autouse=True)
def configured() -> Iterator[None]:
    redaction.configure_secret_patterns([FORM, r"tide-\d{4}-[a-f0-9]+", "quay_[a-z_]{8,40}"])
    yield
    redaction.configure_secret_patterns([])


@pytest.mark.parametrize("around", ["{}", "key={} and", '"{}"', "a {} b {}", "x/{}?", "\n{}\n"])
def test_what_has_the_form_goes_and_its_surroundings_stay(around: str) -> None:
    assert redact(around.replace("{}", SECRET)) == around.replace("{}", GONE)


@pytest.mark.parametrize("text", ["acme_short", "macme_" + SECRET[5:], "acme-" + SECRET[5:], "tide-12-abcdef01"])
def test_what_has_not_stays(text: str) -> None:
    assert redact(text) == text


def test_texts_that_no_known_secret_could_be_are_looked_at_as_well() -> None:
    """A name of small letters is usually no secret; it is one where a user says so."""
    assert redact("quay_of_the_old_harbour") == GONE


def test_it_does_not_leak_where_it_straddles_a_cut() -> None:
    line = f"{'a' * 30} {SECRET} {'b' * 30}"
    assert not [limit for limit in range(10, len(line)) if SECRET[8:14] in quote_untrusted(line, limit)]


@pytest.mark.parametrize("form", ["redacted[a-z]{8}", "configured-[a-z]+", "tide-[a-z]{8}"])
def test_redacting_twice_changes_nothing(form: str) -> None:
    redaction.configure_secret_patterns([form])
    once = redact("x tide-abcdefgh configured-secretly redactedabcdefgh token=ghp_" + "7a" * 18)
    assert redact(once) == once


def test_without_forms_there_are_none() -> None:
    redaction.configure_secret_patterns([])
    assert redact(SECRET) == SECRET


@pytest.mark.parametrize(
    "form",
    [
        "", "a" * 300, "abc", r"\w{8}", "ab[a-z]{9}", "abc[^x]{9}", "abc.{9}", "abcd(ef)+ghij",
        "abcd|efgh",
        "abc[a-z]*defgh", "abc[a-z]?defgh", "abc[a-z]{0,9}defg", "abc[a-z]{9,3}X", "abc[a-z]{2000}",
        "abc[a-z]+[a-f]{4}",
        r"abc\w+\d{4}", "abca+a{9}", r"abc(?=x)defghi", r"abc\1defghi", "^abcdefgh", "abcdefgh$", "abc defghi",
        "abc[z-a]{9}",
        "abc[]{9}", "abc[{9}", "abcdefg{", "abcé[a-z]{9}", "abc\ndefghi",
    ],
)  # fmt: skip
def test_what_could_be_slow_or_wrong_is_refused_in_a_sentence(form: str) -> None:
    with pytest.raises(ValueError, match=r"^(must|may) ") as refused:
        parse_secret_pattern(form)
    assert "\n" not in str(refused.value)
