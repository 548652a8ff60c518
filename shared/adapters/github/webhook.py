"""Verifies and parses a webhook of GitHub: a user's command for an incident, a new commit, or the reason why neither.

The signature is HMAC-SHA256 over the raw body. Nothing is parsed before the signature is valid.
https://docs.github.com/en/webhooks/using-webhooks/validating-webhook-deliveries
https://docs.github.com/en/webhooks/webhook-events-and-payloads#push
"""

import hashlib
import hmac
import json
import re
from collections.abc import Mapping
from enum import StrEnum
from typing import Any, Protocol

from shared.errors import Reject
from shared.ports import WRONG_LABEL, IssueCommand, IssueEvent
from shared.pushes import PushEvent, PushKind
from shared.report.incident_status import find_text_above_first_heading
from shared.secret import Secret

SIGNATURE_HEADER = "X-Hub-Signature-256"
EVENT_HEADER = "X-GitHub-Event"
DELIVERY_HEADER = "X-GitHub-Delivery"
_DELIVERY = re.compile(r"[0-9A-Za-z-]{8,64}")
_MARKER = re.compile(r"^<!-- provenfix:incident=([\w.-]{1,200}) -->[ \t\r]*$", re.M)
_COMMAND = re.compile(r"^/provenfix[ \t]+reinvestigate[ \t]*$", re.M)
_REPOSITORY = re.compile(r"[\w.-]{1,100}/[\w.-]{1,100}")
_LOGIN = re.compile(r"[\w-]{1,100}(?:\[bot\])?")
_MAX_NUMBER = 2**53


class SignatureError(StrEnum):
    """Why a request is not accepted as GitHub's. The sender learns none of these reasons."""

    NO_SECRET = "no_webhook_secret"  # noqa: S105  # the name of a reason
    NO_SIGNATURE = "no_signature"
    WRONG_SIGNATURE = "wrong_signature"


class Headers(Protocol):
    """Those of a request; names in whatever case the web server accepts."""

    def get(self, key: str, default: str, /) -> str:
        """The value, or `default`."""


def verify_signature(headers: Headers, body: bytes, secret: Secret) -> SignatureError | None:
    """None where the body was signed with the secret. Never raises because of what the request holds."""
    if not secret:  # any client can sign with an empty key
        return SignatureError.NO_SECRET
    signature = headers.get(SIGNATURE_HEADER, "")
    if not signature:
        return SignatureError.NO_SIGNATURE
    # As bytes: compare_digest refuses text outside ASCII.
    right = hmac.compare_digest(sign(body, secret).encode(), signature.encode("utf-8", "backslashreplace"))
    return None if right else SignatureError.WRONG_SIGNATURE


def sign(body: bytes, secret: Secret) -> str:
    """The signature that GitHub sends with this body: `sha256=` and 64 hexadecimal digits."""
    return "sha256=" + hmac.new(secret.reveal().encode(), body, hashlib.sha256).hexdigest()


def read_delivery(headers: Headers, body: bytes) -> tuple[str, Mapping[str, Any]]:
    """The id of a delivery and its event. Raises Reject for what GitHub never sends."""
    delivery = headers.get(DELIVERY_HEADER, "")
    if not _DELIVERY.fullmatch(delivery):
        raise Reject("malformed_delivery", f"{DELIVERY_HEADER} is no delivery id")
    return delivery, require_object(_parse_json(body), "the body")


def parse_command(headers: Headers, body: bytes) -> IssueEvent | None:
    """The user's command; None for an event that holds none. Raises Reject for what GitHub never sends."""
    delivery, event = read_delivery(headers, body)
    wish = _parse_command_kind(headers.get(EVENT_HEADER, ""), event)
    if wish is None:
        return None
    issue = require_object(event.get("issue"), "issue")
    # Above the first heading only we write: an issue that quotes a marker elsewhere is none of ours.
    marker = _MARKER.search(find_text_above_first_heading(str(issue.get("body") or ""))[:10_000])
    if marker is None or "pull_request" in issue:
        return None
    number = issue.get("number")
    if type(number) is not int or not 0 < number < _MAX_NUMBER:
        raise Reject("malformed_event", "issue.number is no number")
    return IssueEvent(
        command=wish,
        delivery_id=delivery,
        repository=require_text(
            require_object(event.get("repository"), "repository").get("full_name"), _REPOSITORY, "repository"
        ),
        issue_number=number,
        incident_id=marker[1],
        actor=require_text(require_object(event.get("sender"), "sender").get("login"), _LOGIN, "sender"),
    )


def _parse_command_kind(kind: str, event: Mapping[str, Any]) -> IssueCommand | None:
    action = event.get("action")
    if kind == "issues" and action == "labeled":
        return IssueCommand.MUTE if require_object(event.get("label"), "label").get("name") == WRONG_LABEL else None
    if kind == "issues" and action in {"closed", "deleted"}:
        return IssueCommand.MUTE
    if kind == "issue_comment" and action == "created":
        body = require_object(event.get("comment"), "comment").get("body")
        return IssueCommand.REINVESTIGATE if isinstance(body, str) and _COMMAND.search(body) else None
    return None


def _parse_json(body: bytes) -> object:
    try:
        parsed: object = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise Reject("malformed_event", f"the body is no JSON ({type(error).__name__})") from error
    return parsed


def require_object(value: object, what: str) -> Mapping[str, Any]:
    """A part of an event that is an object. Raises Reject."""
    if not isinstance(value, dict):
        raise Reject("malformed_event", f"{what} is no object")
    return value


def require_text(value: object, form: re.Pattern[str], what: str) -> str:
    """A part of an event that has a form. Raises Reject."""
    if not isinstance(value, str) or not form.fullmatch(value):
        raise Reject("malformed_event", f"{what} has no name that GitHub would give")
    return value


PUSH_EVENTS = frozenset(kind.value for kind in PushKind)
_BRANCH_PREFIX = "refs/heads/"
_BRANCH = re.compile(r"[^\x00-\x20\x7f~^:?*\[\\]{1,250}")
_COMMIT = re.compile(r"[0-9a-f]{40}(?:[0-9a-f]{24})?")
_NEW_COMMITS = frozenset({"opened", "synchronize", "reopened"})


def parse_push(headers: Headers, body: bytes) -> PushEvent | None:
    """The commit; None for a tag, a deleted branch, and what brings none. Raises Reject for what GitHub never sends."""
    delivery, event = read_delivery(headers, body)
    if headers.get(EVENT_HEADER, "") == PushKind.PUSH.value:
        return _parse_push(delivery, event)
    return _parse_pull_request(delivery, event) if event.get("action") in _NEW_COMMITS else None


def _parse_push(delivery: str, event: Mapping[str, Any]) -> PushEvent | None:
    ref = event.get("ref")
    if event.get("deleted") is True or not isinstance(ref, str) or not ref.startswith(_BRANCH_PREFIX):
        return None
    repository = require_object(event.get("repository"), "repository")
    before = require_text(event.get("before"), _COMMIT, "before")
    return PushEvent(
        PushKind.PUSH, delivery,
        require_text(repository.get("full_name"), _REPOSITORY, "repository"),
        require_text(ref.removeprefix(_BRANCH_PREFIX), _BRANCH, "ref"),
        require_text(repository.get("default_branch"), _BRANCH, "default_branch"),
        require_text(event.get("after"), _COMMIT, "after"),
        before if before.strip("0") else "",
    )  # fmt: skip


def _parse_pull_request(delivery: str, event: Mapping[str, Any]) -> PushEvent:
    repository = require_object(event.get("repository"), "repository")
    request = require_object(event.get("pull_request"), "pull_request")
    head, base = require_object(request.get("head"), "head"), require_object(request.get("base"), "base")
    name = require_text(repository.get("full_name"), _REPOSITORY, "repository")
    source = head.get("repo")  # None where the fork was deleted
    return PushEvent(
        PushKind.PULL_REQUEST, delivery, name,
        require_text(base.get("ref"), _BRANCH, "base.ref"),
        require_text(repository.get("default_branch"), _BRANCH, "default_branch"),
        require_text(head.get("sha"), _COMMIT, "head.sha"),
        require_text(base.get("sha"), _COMMIT, "base.sha"),
        is_from_fork=not isinstance(source, Mapping) or source.get("full_name") != name,
    )  # fmt: skip
