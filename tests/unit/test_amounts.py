"""Amounts of money and of things that look like close code 1011: a log line in, no close out."""

import pytest

from shared.domain.close_code import Closed, close_1011

SIGNS = ("$", "€", "£")
CURRENCIES = ("EUR", "USD", "GBP", "CHF", "JPY", "euros", "dollars", "francs", "€")
THINGS = ("bytes", "kB", "ms", "s", "seconds", "requests", "messages", "rows", "items", "events", "packets", "times",
          "tokens", "chars", "%")  # fmt: skip
PHRASES = ("received {}", "sent {}", "websocket closed with {}", "closed with code {}", "WebSocket close code: {}")


@pytest.mark.parametrize("phrase", PHRASES)
def test_the_phrase_alone_tells_of_a_close(phrase: str) -> None:
    assert close_1011(phrase.format("1011")) is Closed.INTERNAL_ERROR


@pytest.mark.parametrize("phrase", PHRASES)
@pytest.mark.parametrize("amount", [*(f"{sign}1011" for sign in SIGNS), *(f"1011 {each}" for each in CURRENCIES)])
def test_money_is_no_close_code(phrase: str, amount: str) -> None:
    assert close_1011(phrase.format(amount)) is None


@pytest.mark.parametrize("phrase", PHRASES)
@pytest.mark.parametrize("thing", THINGS)
def test_things_that_are_counted_are_no_close_code(phrase: str, thing: str) -> None:
    assert close_1011(phrase.format(f"1011 {thing}")) is None


@pytest.mark.parametrize("amount", ["1011.50", "1011,50", "1,1011", "+1011", "-1011", "1011%", "1011/2048", "#1011"])
@pytest.mark.parametrize("phrase", PHRASES)
def test_a_part_of_an_amount_is_no_close_code(phrase: str, amount: str) -> None:
    assert close_1011(phrase.format(amount)) is None


@pytest.mark.parametrize("sign", [*SIGNS, "#", "+", "-", "."])
def test_no_sign_before_a_number_is_outdone_by_the_words_after_it(sign: str) -> None:
    close, amount = f"paid 1011, internal error at quay {sign}1011", f"paid {sign}1011, internal error at the quay"
    assert close_1011(close) is Closed.INTERNAL_ERROR
    assert close_1011(amount) is None


@pytest.mark.parametrize("text", ["sent 1011, 1012 and 1013", "received 1011, 3 of them late", "sent 1011,"])
def test_a_list_of_numbers_is_no_close(text: str) -> None:
    assert close_1011(text) is None


def test_a_line_is_read_from_its_beginning_and_on_its_own() -> None:
    assert close_1011("tide\nreceived 1011") is Closed.INTERNAL_ERROR
    assert close_1011("received\n1011") is None
    assert close_1011("websocket closed\n(1011)") is None


def test_an_amount_hides_no_close_beside_it() -> None:
    text = "sent 1011 bytes; then received 1011 (internal error)"
    assert close_1011(text) is Closed.INTERNAL_ERROR
