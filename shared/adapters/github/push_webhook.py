"""Parses a verified webhook of GitHub about a push or a pull request; returns the new commit, or None for no new one.

https://docs.github.com/en/webhooks/webhook-events-and-payloads#push
"""

import re
from collections.abc import Mapping
from typing import Any

from shared.adapters.github.webhook import EVENT_HEADER, Headers, read_delivery, require_object, require_text
from shared.pushes import PushEvent, PushKind

PUSH_EVENTS = frozenset(kind.value for kind in PushKind)
_BRANCH_PREFIX = "refs/heads/"
_REPOSITORY = re.compile(r"[\w.-]{1,100}/[\w.-]{1,100}")
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
