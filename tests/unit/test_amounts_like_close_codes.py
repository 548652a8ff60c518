"""Amounts of money and of things that look like close code 1011: a log line in, no close out."""

import pytest

from shared.detection.close_code import CloseKind, detect_close_1011

SIGNS = ("$", "€", "£")
CURRENCIES = ("EUR", "USD", "GBP", "CHF", "JPY", "euros", "dollars", "francs", "€")
THINGS = ("bytes", "kB", "ms", "s", "seconds", "requests", "messages", "rows", "items", "events", "packets", "times",
          "tokens", "chars", "%")  # fmt: skip
PHRASES = ("received {}", "sent {}", "websocket closed with {}", "closed with code {}", "WebSocket close code: {}")


@pytest.mark.parametrize("phrase", PHRASES)
def test_the_phrase_alone_tells_of_a_close(phrase: str) -> None:
    assert detect_close_1011(phrase.format("1011")) is CloseKind.INTERNAL_ERROR


@pytest.mark.parametrize("phrase", PHRASES)
@pytest.mark.parametrize("amount", [*(f"{sign}1011" for sign in SIGNS), *(f"1011 {each}" for each in CURRENCIES)])
def test_money_is_no_close_code(phrase: str, amount: str) -> None:
    assert detect_close_1011(phrase.format(amount)) is None


@pytest.mark.parametrize("phrase", PHRASES)
@pytest.mark.parametrize("thing", THINGS)
def test_things_that_are_counted_are_no_close_code(phrase: str, thing: str) -> None:
    assert detect_close_1011(phrase.format(f"1011 {thing}")) is None


@pytest.mark.parametrize("amount", ["1011.50", "1011,50", "1,1011", "+1011", "-1011", "1011%", "1011/2048", "#1011"])
@pytest.mark.parametrize("phrase", PHRASES)
def test_a_part_of_an_amount_is_no_close_code(phrase: str, amount: str) -> None:
    assert detect_close_1011(phrase.format(amount)) is None


@pytest.mark.parametrize("sign", [*SIGNS, "#", "+", "-", "."])
def test_no_sign_before_a_number_is_outdone_by_the_words_after_it(sign: str) -> None:
    close, amount = f"paid 1011, internal error at quay {sign}1011", f"paid {sign}1011, internal error at the quay"
    assert detect_close_1011(close) is CloseKind.INTERNAL_ERROR
    assert detect_close_1011(amount) is None


@pytest.mark.parametrize("text", ["sent 1011, 1012 and 1013", "received 1011, 3 of them late", "sent 1011,"])
def test_a_list_of_numbers_is_no_close(text: str) -> None:
    assert detect_close_1011(text) is None


def test_a_line_is_read_from_its_beginning_and_on_its_own() -> None:
    assert detect_close_1011("tide\nreceived 1011") is CloseKind.INTERNAL_ERROR
    assert detect_close_1011("received\n1011") is None
    assert detect_close_1011("websocket closed\n(1011)") is None


def test_an_amount_hides_no_close_beside_it() -> None:
    text = "sent 1011 bytes; then received 1011 (internal error)"
    assert detect_close_1011(text) is CloseKind.INTERNAL_ERROR


THINGS_THAT_CLOSE = ("tickets", "ticket", "issues", "orders", "accounts", "deals", "positions", "pull requests",
                     "sessions", "connections", "websocket connections", "clients")  # fmt: skip
COUNTED = ("{} closed: 1011", "{} closed = 1011", "{} closed 1011", "{} were closed: 1011", "today {} closed: 1011.",
           "{} closed today: 1011", "websocket worker: {} closed: 1011")  # fmt: skip


@pytest.mark.parametrize("phrase", COUNTED)
@pytest.mark.parametrize("thing", THINGS_THAT_CLOSE)
def test_what_is_counted_before_the_number_is_no_close_code(phrase: str, thing: str) -> None:
    assert detect_close_1011(phrase.format(thing)) is None


FIGURES = ("messages sent 1011", "emails sent 1011", "events received 1011.", "rows received 1011",
           "opened: 20, closed: 1011", "open=989 closed=1011", "clients disconnected: 1011")  # fmt: skip
CODES = ("discount code", "promo_code", "coupon-code", "voucher code", "zip code", "order code", "gift code",
         "booking code", "product code")  # fmt: skip


@pytest.mark.parametrize("text", FIGURES)
def test_figures_are_no_close_code(text: str) -> None:
    assert detect_close_1011(text) is None


@pytest.mark.parametrize("code", CODES)
@pytest.mark.parametrize(
    "phrase", ["{} 1011 closed", "{}: 1011 was disconnected", "websocket closed: {} 1011", "socket for {}=1011 closed"]
)
def test_the_code_of_something_else_is_no_close_code(code: str, phrase: str) -> None:
    assert detect_close_1011(phrase.format(code)) is None


def test_an_unknown_code_before_a_closing_is_not_that_closing_s() -> None:
    assert detect_close_1011("tide code 1011 closed") is None
    assert detect_close_1011("connection closed, tide code 1011") is CloseKind.INTERNAL_ERROR


@pytest.mark.parametrize(
    "text",
    [
        "connection closed: 1011",
        "session closed: 1011",
        "client disconnected: 1011",
        "client james closed: 1011",
        "hermes disconnected (1011)",
        "ws closed: 1011",
        "websockets closed: 1011",
        "redis channel closed: 1011",
        "3 connections closed with 1011",
        "all clients closed with code 1011",
        "tickets socket closed with code 1011",
        "orders: websocket closed with 1011",
        "closed with status code 1011",
        "error code 1011, connection closed",
        "status code 1011: disconnected",
        "code 1011 closed the connection",
        "close code 1011 for tickets closed",
        "sent 1011 (internal error); tickets closed: 12",
        "websocket closed 1011",
        "opened: 1, closed with 1011",
        "tickets closed: 1011 (internal error)",
    ],
)
def test_a_close_beside_such_words_is_still_one(text: str) -> None:
    assert detect_close_1011(text) is CloseKind.INTERNAL_ERROR


@pytest.mark.parametrize(
    "text",
    [
        "Process 'ferry' terminated with code 1011, websocket closed",
        "worker exited with code 1011; connection closed",
        "error code: 1011, access denied, connection closed",
        "error code: 1011, the owner has banned your address; websocket closed",
    ],
)
def test_code_of_a_process_or_of_a_proxy_is_no_close_code(text: str) -> None:
    assert detect_close_1011(text) is None
