"""Slack's signature: what is believed, what is not, and that nothing that a stranger sends raises."""

import pickle

import pytest
from slack_sdk.signature import SignatureVerifier

from shared.adapters.slack.signature import SIGNATURE_HEADER, TIMESTAMP_HEADER, SignatureError, sign, verify_signature
from shared.secret import Secret

SECRET = Secret("8f3b2a1c0d9e4f5a6b7c8d9e0f1a2b3c")
NOW = 1_790_000_000.0
BODY = b"payload=%7B%22type%22%3A%22block_actions%22%7D"


def headers(timestamp: str, signature: str) -> dict[str, str]:
    return {TIMESTAMP_HEADER: timestamp, SIGNATURE_HEADER: signature}


def signed(body: bytes = BODY, at: float = NOW, secret: Secret = SECRET) -> dict[str, str]:
    return headers(str(int(at)), sign(str(int(at)), body, secret))


def test_what_slack_signed_is_believed() -> None:
    slack = SignatureVerifier(SECRET.reveal()).generate_signature(timestamp=str(int(NOW)), body=BODY)
    assert slack is not None
    assert verify_signature(headers(str(int(NOW)), slack), BODY, SECRET, NOW) is None


@pytest.mark.parametrize("seconds", [-300, -1, 0, 299, 300])
def test_five_minutes_either_way_are_let_through(seconds: int) -> None:
    assert verify_signature(signed(at=NOW + seconds), BODY, SECRET, NOW) is None


@pytest.mark.parametrize("seconds", [-301, 301, 10**9])
def test_older_and_younger_requests_are_stale(seconds: int) -> None:
    assert verify_signature(signed(at=NOW + seconds), BODY, SECRET, NOW) is SignatureError.STALE


@pytest.mark.parametrize("changed", [BODY + b" ", BODY[:-1], b"", BODY.upper(), b"\xff" + BODY])
def test_another_body_than_the_signed_one_is_refused(changed: bytes) -> None:
    assert verify_signature(signed(), changed, SECRET, NOW) is SignatureError.WRONG_SIGNATURE


def test_another_secret_is_refused() -> None:
    assert verify_signature(signed(secret=Secret("other")), BODY, SECRET, NOW) is SignatureError.WRONG_SIGNATURE


def test_an_empty_secret_believes_nobody() -> None:
    assert verify_signature(signed(secret=Secret("")), BODY, Secret(""), NOW) is SignatureError.NO_SECRET


@pytest.mark.parametrize(
    "timestamp",
    [
        "now",
        "1e9",
        "-1",
        "+1790000000",
        " 1790000000",
        "1790000000\n",
        "1" * 13,
        "9" * 5000,
        "१७९०००००००",
        "0x1",
        "1_0",
    ],
)
def test_a_timestamp_that_is_no_number_is_refused(timestamp: str) -> None:
    assert verify_signature(headers(timestamp, "v0=00"), BODY, SECRET, NOW) is SignatureError.BAD_TIMESTAMP


@pytest.mark.parametrize("signature", ["v0=ÿ", "v0=\ud800", "v1=00", "v0=", "0" * 64, "\0", "v0=" + "0" * 64, "ä" * 99])
def test_a_signature_of_any_shape_is_only_wrong(signature: str) -> None:
    assert verify_signature(headers(str(int(NOW)), signature), BODY, SECRET, NOW) is SignatureError.WRONG_SIGNATURE


def test_what_is_missing_is_named() -> None:
    right = signed()
    assert verify_signature({}, BODY, SECRET, NOW) is SignatureError.NO_TIMESTAMP
    assert (
        verify_signature({TIMESTAMP_HEADER: right[TIMESTAMP_HEADER]}, BODY, SECRET, NOW) is SignatureError.NO_SIGNATURE
    )
    assert (
        verify_signature({SIGNATURE_HEADER: right[SIGNATURE_HEADER]}, BODY, SECRET, NOW) is SignatureError.NO_TIMESTAMP
    )


def test_a_secret_shows_itself_to_nobody_who_does_not_ask() -> None:
    shown = [repr(SECRET), str(SECRET), f"{SECRET}", f"{SECRET!s:>99}", repr([SECRET]), repr({"a": (SECRET,)})]
    assert not [text for text in shown if SECRET.reveal()[:6] in text]
    with pytest.raises(TypeError):
        pickle.dumps(SECRET)
