"""Random headers and bodies of a request from Slack are refused, and raise nothing."""

from hypothesis import given
from hypothesis import strategies as st

from shared.adapters.slack.signature import SIGNATURE_HEADER, TIMESTAMP_HEADER, verify_signature
from shared.secret import Secret

SECRET = Secret("8f3b2a1c0d9e4f5a6b7c8d9e0f1a2b3c")


NOW = 1_790_000_000.0


def headers(timestamp: str, signature: str) -> dict[str, str]:
    return {TIMESTAMP_HEADER: timestamp, SIGNATURE_HEADER: signature}


@given(st.text(), st.text(), st.binary())
def test_no_headers_and_no_body_raise(timestamp: str, signature: str, body: bytes) -> None:
    assert verify_signature(headers(timestamp, signature), body, SECRET, NOW) is not None
