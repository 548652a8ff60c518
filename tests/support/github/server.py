"""The HTTP side of the fake: routes in, JSON out; every request is kept, and any can be made to fail in any way."""

import json
import re
import socket
import struct
import sys
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

import graphql

from tests.support.github.git_backend import GitBackend
from tests.support.github.schemas import graphql_schema

REPOSITORY = "acme/chat"


@dataclass(frozen=True)
class FakeRequest:
    """A request as it came."""

    method: str
    path: str
    query: Mapping[str, str]
    headers: Mapping[str, str]
    body: Any


@dataclass(frozen=True)
class FakeResponse:
    """A response; `lost` says what happens to it on its way: "", `reset` or `timeout`."""

    status: int
    value: Any = None
    headers: Mapping[str, str] = field(default_factory=dict)
    lost_by: str = ""


Handler = Callable[[FakeRequest], FakeResponse]
Interceptor = Callable[[FakeRequest, Handler], FakeResponse]
"""Gets the request and what would answer it; may answer instead, before or after."""
NOT_FOUND = FakeResponse(
    404, {"message": "Not Found", "documentation_url": "https://docs.github.com/rest", "status": "404"}
)


@dataclass
class FakeGitHub:
    """One repository, its issues and its checks. `trouble` stands between the wire and the answers."""

    backend: GitBackend | None = None
    address: str = ""
    requests: list[FakeRequest] = field(default_factory=list)
    interceptor: Interceptor | None = None
    extra_routes: list[Callable[[FakeRequest], FakeResponse | None]] = field(default_factory=list)
    extra_fields: dict[str, Any] = field(default_factory=dict)
    """Further GraphQL fields of the repository."""
    is_enterprise: bool = False
    """Whether it answers as an Enterprise Server does: under `/api/v3` and `/api/graphql` alone."""

    def answer(self, asked: FakeRequest) -> FakeResponse:
        if self.is_enterprise:
            match = re.fullmatch(r"/api(?:/v3)?(/.+)", asked.path)
            if match is None or (match[1] == "/graphql") is asked.path.startswith("/api/v3/"):
                return NOT_FOUND
            asked = replace(asked, path=match[1])
        self.requests.append(asked)
        return self.interceptor(asked, self._route) if self.interceptor else self._route(asked)

    def _route(self, asked: FakeRequest) -> FakeResponse:
        if asked.path == "/graphql":
            return self._graphql(asked)
        for handler in self.extra_routes:
            told = handler(asked)
            if told is not None:
                return told
        return self._rest(asked) if self.backend else NOT_FOUND

    def _graphql(self, asked: FakeRequest) -> FakeResponse:
        schema, text = graphql_schema(), asked.body["query"]
        document = graphql.parse(text)
        wrong = graphql.validate(schema, document)
        if wrong:
            raise AssertionError(f"GitHub would refuse this query: {wrong[0].message}\n{text}")
        root = {"repository": self._repository}
        done = graphql.execute_sync(schema, document, root, variable_values=asked.body["variables"])
        told: dict[str, Any] = {"data": done.data}
        if done.errors:
            told["errors"] = [
                {"type": (error.extensions or {}).get("type"), "path": error.path, "message": error.message}
                for error in done.errors
            ]
        return FakeResponse(200, told)

    def _repository(self, _: object, owner: str, name: str, **__: object) -> Mapping[str, Any]:
        if f"{owner}/{name}" != REPOSITORY:
            raise graphql.GraphQLError("Could not resolve to a Repository.", extensions={"type": "NOT_FOUND"})
        return {**(self.backend.repository() if self.backend else {}), **self.extra_fields}

    def _rest(self, asked: FakeRequest) -> FakeResponse:
        assert self.backend is not None
        root = f"{self.address}/repos/{REPOSITORY}"
        value: Any = None
        if match := re.fullmatch(rf"/repos/{REPOSITORY}/git/trees/([^/]+)", asked.path):
            value = self.backend.rest_tree(f"{root}/git/trees", match[1], recursive="recursive" in asked.query)
        elif match := re.fullmatch(rf"/repos/{REPOSITORY}/git/blobs/([0-9a-f]+)", asked.path):
            value = self.backend.rest_blob(f"{self.address}{asked.path}", match[1])
        elif match := re.fullmatch(rf"/repos/{REPOSITORY}/compare/(.+)\.\.\.(.+)", asked.path):
            value = self.backend.rest_compare(root, match[1], match[2], asked.query)
        return NOT_FOUND if value is None else FakeResponse(200, value)


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    fake: FakeGitHub

    def _handle(self) -> None:
        parts = urlsplit(self.path)
        length = int(self.headers.get("Content-Length") or 0)
        raw = self.rfile.read(length) if length else b""
        headers = {name.lower(): value for name, value in self.headers.items()}
        form = headers.get("content-type", "").startswith("application/x-www-form-urlencoded")  # as Slack takes it
        body = dict(parse_qsl(raw.decode())) if form else json.loads(raw) if raw else None
        asked = FakeRequest(self.command, unquote(parts.path), dict(parse_qsl(parts.query)), headers, body)
        self._send(self.fake.answer(asked))

    def _send(self, told: FakeResponse) -> None:
        if told.lost_by:
            self.close_connection = True
            if told.lost_by == "reset":  # SO_LINGER with 0 seconds: close() sends RST
                self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                self.connection.close()
            return
        content = b"" if told.value is None else json.dumps(told.value).encode("utf-8", "replace")
        self.send_response(told.status)
        for name, value in {"Content-Type": "application/json; charset=utf-8", **told.headers}.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    do_GET = do_POST = do_PATCH = do_PUT = do_DELETE = _handle  # noqa: N815

    def log_message(self, *_: object) -> None:
        """Nothing: the fake keeps what was asked."""


class FakeServer(ThreadingHTTPServer):
    """Says nothing of a client that has reset its connection; no test reads a real server's log either."""

    daemon_threads = True

    def handle_error(self, request: Any, client_address: Any) -> None:
        if not isinstance(sys.exception(), ConnectionError):
            super().handle_error(request, client_address)


@contextmanager
def serve_fake(fake: FakeGitHub) -> Iterator[FakeGitHub]:
    """Serves on loopback until the context is left."""
    if isinstance(fake, FakeGitHub) and (fake.backend is not None or fake.extra_fields):
        graphql_schema()  # built once, and outside of a request: a client does not wait for it on a busy machine
    handler = type("Handler", (_Handler,), {"fake": fake})
    with FakeServer(("127.0.0.1", 0), handler) as server:
        fake.address = f"http://127.0.0.1:{server.server_port}"
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        try:
            yield fake
        finally:
            server.shutdown()
            thread.join()
