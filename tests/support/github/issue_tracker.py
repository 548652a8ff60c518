"""The issues of the fake: kept, listed, commented and closed, over REST; lists may lag behind single issues."""

import json
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from hashlib import blake2b
from typing import Any
from urllib.parse import urlencode

from tests.support.github.server import NOT_FOUND, REPOSITORY, FakeRequest, FakeResponse

_LINKS = ("", "html_", "followers_", "following_", "gists_", "starred_", "subscriptions_", "organizations_", "repos_",
          "events_", "received_events_", "avatar_")  # fmt: skip
USER = {
    "login": "provenfix[bot]",
    "id": 1,
    "node_id": "U_1",
    "gravatar_id": "",
    "type": "Bot",
    "site_admin": False,
    **{f"{name}url": "https://api.github.com/users/provenfix" for name in _LINKS},
}


@dataclass
class StoredItem:
    """An issue or a comment with the moment since when it is there."""

    value: dict[str, Any]
    created_at: datetime


@dataclass
class IssueTracker:
    """Issues by number. Lists show what is older than `lag`; what is asked for by its number is always there."""

    now: Callable[[], datetime]
    list_delay: timedelta = timedelta(0)
    issues: dict[int, StoredItem] = field(default_factory=dict)
    comments: dict[int, list[StoredItem]] = field(default_factory=dict)
    next_number: int = 1
    labels: dict[str, dict[str, Any]] = field(default_factory=dict)
    """Those of the repository, by name."""
    drops_labels: bool = False
    """What GitHub does, without a word, where a token may not set any."""

    def __call__(self, asked: FakeRequest) -> FakeResponse | None:
        if asked.path.startswith(f"/repos/{REPOSITORY}/labels"):
            return self._repository_labels(asked)
        match = re.fullmatch(rf"/repos/{REPOSITORY}/issues(?:/(\d+))?(/comments|/labels)?", asked.path)
        if not match:
            return None
        if not match[1]:
            return self._open(asked) if asked.method == "POST" else FakeResponse(200, *self._list_issues(asked))
        return self._answer_issue(int(match[1]), match[2], asked) if int(match[1]) in self.issues else NOT_FOUND

    def _answer_issue(self, number: int, below: str | None, asked: FakeRequest) -> FakeResponse:
        if below == "/labels":
            self.issues[number].value["labels"] += [_label(name) for name in asked.body["labels"]]
            return FakeResponse(200, self.issues[number].value["labels"])
        if below:
            return self._comment(number, asked) if asked.method == "POST" else self._comments(number, asked)
        if asked.method == "PATCH":
            self.issues[number].value |= asked.body
            return FakeResponse(200, self._issue_document(number))
        return self._unless_known(FakeResponse(200, self._issue_document(number)), asked)

    @staticmethod
    def _unless_known(told: FakeResponse, asked: FakeRequest) -> FakeResponse:
        tag = f'W/"{blake2b(json.dumps(told.value).encode(), digest_size=16).hexdigest()}"'
        if asked.headers.get("if-none-match") == tag:
            return FakeResponse(304, None, {"ETag": tag})
        return replace(told, headers={"ETag": tag})

    def _repository_labels(self, asked: FakeRequest) -> FakeResponse:
        name = asked.path.removeprefix(f"/repos/{REPOSITORY}/labels").removeprefix("/")
        if asked.method == "GET":
            return FakeResponse(200, self.labels[name]) if name in self.labels else NOT_FOUND
        if asked.body["name"] in self.labels:
            return FakeResponse(422, {"message": "Validation Failed", "documentation_url": "", "errors": []})
        told = _label(asked.body["name"]) | asked.body
        self.labels[told["name"]] = told
        return FakeResponse(201, told, {"Location": told["url"]})

    def _open(self, asked: FakeRequest) -> FakeResponse:
        number, self.next_number = self.next_number, self.next_number + 1
        link = f"https://github.com/{REPOSITORY}/issues/{number}"
        url = f"{_api_address(asked)}/repos/{REPOSITORY}/issues/{number}"
        now = self.now()
        self.issues[number] = StoredItem(
            {
                "number": number, "title": asked.body["title"], "body": asked.body["body"], "state": "open",
                "id": number, "node_id": f"I_{number}", "user": USER, "locked": False, "assignee": None,
                "assignees": [], "milestone": None, "closed_at": None, "author_association": "NONE",
                "created_at": _format_time(now), "updated_at": _format_time(now), "html_url": link, "url": url,
                "repository_url": link, "labels_url": link, "comments_url": link, "events_url": link,
                "labels": [] if self.drops_labels else [_label(name) for name in asked.body.get("labels", ())],
            },
            now,
        )  # fmt: skip
        self.comments[number] = []
        return FakeResponse(201, self._issue_document(number), {"Location": link})

    def _issue_document(self, number: int) -> dict[str, Any]:
        return {**self.issues[number].value, "comments": len(self.comments[number])}

    def _list_issues(self, asked: FakeRequest) -> tuple[list[dict[str, Any]], dict[str, str]]:
        wanted = asked.query.get("labels")
        shown = [
            self._issue_document(number)
            for number, kept in sorted(self.issues.items(), reverse=True)
            if kept.created_at <= self.now() - self.list_delay
            and (not wanted or wanted in {label["name"] for label in kept.value["labels"]})
        ]
        return _page(shown, asked)

    def _comment(self, number: int, asked: FakeRequest) -> FakeResponse:
        link = f"https://github.com/{REPOSITORY}/issues/{number}#comment"
        now = self.now()
        value = {
            "id": len(self.comments[number]) + 1, "node_id": "IC", "url": link, "html_url": link, "issue_url": link,
            "body": asked.body["body"], "user": USER, "created_at": _format_time(now), "updated_at": _format_time(now),
            "author_association": "NONE",
        }  # fmt: skip
        self.comments[number].append(StoredItem(value, now))
        return FakeResponse(201, value, {"Location": link})

    def _comments(self, number: int, asked: FakeRequest) -> FakeResponse:
        shown = [kept.value for kept in self.comments[number] if kept.created_at <= self.now() - self.list_delay]
        return FakeResponse(200, *_page(shown, asked))

    def with_marker(self, marker: str) -> list[int]:
        """The numbers of the issues that carry a marker."""
        return [number for number, kept in self.issues.items() if marker in kept.value["body"]]


def _label(name: str) -> dict[str, Any]:
    link = f"https://api.github.com/repos/{REPOSITORY}/labels/x"
    return {
        "id": 1,
        "node_id": "L",
        "url": link,
        "name": name,
        "description": None,
        "color": "ededed",
        "default": False,
    }


def _page(items: Sequence[dict[str, Any]], asked: FakeRequest) -> tuple[list[dict[str, Any]], dict[str, str]]:
    size, page = int(asked.query.get("per_page", 30)), int(asked.query.get("page", 1))
    shown = list(items[(page - 1) * size : page * size])
    more = len(items) > page * size
    following = urlencode({**asked.query, "page": page + 1})
    return shown, {"Link": f'<{_api_address(asked)}{asked.path}?{following}>; rel="next"'} if more else {}


def _api_address(asked: FakeRequest) -> str:
    """Where the client reached this API: it follows no link to another host."""
    return f"http://{asked.headers.get('host', '127.0.0.1')}"


def _format_time(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")
