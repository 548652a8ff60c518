"""Tells one clicker alone what became of the click: an interaction's own address and a sentence in, nothing out."""

from http.client import HTTPException

from shared.errors import Reject, Retry
from shared.text.escaping import truncate, escape_slack

RESPONSE_URL_PREFIX = "https://hooks.slack.com/"
_EPHEMERAL_TIMEOUT_SECONDS = 1
_MAX_EPHEMERAL_LENGTH = 600


def send_ephemeral(response_url: str, text: str) -> None:
    """Raises Reject for an address that is not Slack's, Retry where nobody has taken the sentence."""
    from slack_sdk.webhook import WebhookClient  # noqa: PLC0415

    if not response_url.startswith(RESPONSE_URL_PREFIX):
        raise Reject("foreign_address", "the request names an address that is not Slack's")
    client = WebhookClient(response_url, timeout=_EPHEMERAL_TIMEOUT_SECONDS, retry_handlers=[])
    try:
        answer = client.send(text=escape_slack(truncate(text, _MAX_EPHEMERAL_LENGTH)), response_type="ephemeral", replace_original=False)
    except (HTTPException, OSError, ValueError) as error:
        raise Retry(f"the clicker could not be told: {type(error).__name__}") from error
    if answer.status_code != 200:
        raise Retry(f"the clicker could not be told: status {answer.status_code}")
