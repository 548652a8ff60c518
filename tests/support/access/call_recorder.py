"""What a function calls of Google, GitHub and Slack, taken down while it runs: calls in, `ObservedCalls` out.

gRPC is seen where the clients make their channels, HTTP by the doubles that are asked. Nothing here knows the table
that the observation is compared with.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any
from unittest.mock import patch

import grpc

from shared.adapters.google.rest_client import RestClient
from tests.support.github.api_description import operation_id
from tests.support.loopback import LoopbackServices


@dataclass
class ObservedCalls:
    """`calls` are (function, "google" or "github" or "slack", method); `topics` and `secrets` (function, name)."""

    function: str = ""
    calls: set[tuple[str, str, str]] = field(default_factory=set)
    topics: set[tuple[str, str]] = field(default_factory=set)
    secrets: set[tuple[str, str]] = field(default_factory=set)

    @contextmanager
    def attribute_to(self, function: str, outside: LoopbackServices) -> Iterator[None]:
        """Whatever is called until the context is left is this function's."""
        self.function = function
        kept: tuple[list[Any], ...] = (
            outside.rest.requested_paths,
            outside.rest.secrets_read,
            outside.github.requests,
            outside.slack.called_methods,
            outside.topics,
        )
        before = [len(calls) for calls in kept]
        try:
            yield
        finally:
            self.function = ""
            rest, read, github, slack, topics = (calls[at:] for calls, at in zip(kept, before, strict=True))
            self.calls |= {(function, "google", str(method)) for method in rest}
            self.calls |= {(function, "slack", str(method)) for method in slack}
            self.calls |= {
                (function, "github", operation_id(request.method, request.path))
                for request in github
                if not request.path.endswith("/access_tokens")  # takes no permission but the App's own key
            }
            self.secrets |= {(function, str(name)) for name in read}
            self.topics |= {(function, str(name)) for name in topics}


class _RecordingInterceptor(
    grpc.UnaryUnaryClientInterceptor,  # type: ignore[misc]  # grpc ships no types
    grpc.UnaryStreamClientInterceptor,  # type: ignore[misc]
    grpc.StreamUnaryClientInterceptor,  # type: ignore[misc]
    grpc.StreamStreamClientInterceptor,  # type: ignore[misc]
):
    def __init__(self, observed: ObservedCalls) -> None:
        self._observed = observed

    def _pass(self, continuation: Callable[..., Any], details: Any, request: Any) -> Any:
        self._observed.calls.add((self._observed.function, "google", details.method.removeprefix("/")))
        return continuation(details, request)

    intercept_unary_unary = intercept_unary_stream = intercept_stream_unary = intercept_stream_stream = _pass


DOCUMENTS = {
    "batchGet": "google.firestore.v1.Firestore/BatchGetDocuments",
    "commit": "google.firestore.v1.Firestore/Commit",
    "runQuery": "google.firestore.v1.Firestore/RunQuery",
}
"""Firestore's methods by what REST calls them; its emulator keeps no list of who asked."""


@contextmanager
def observe_calls(observed: ObservedCalls) -> Iterator[None]:
    """Every channel that is made until the context is left is seen."""
    plain, post = grpc.insecure_channel, RestClient.post

    def channel(*given: Any, **named: Any) -> Any:
        return grpc.intercept_channel(plain(*given, **named), _RecordingInterceptor(observed))

    def posting(rest: RestClient, path: str, *given: Any, **named: Any) -> Any:
        if "/documents:" in path:
            observed.calls.add((observed.function, "google", DOCUMENTS[path.rpartition(":")[2]]))
        return post(rest, path, *given, **named)

    with patch.object(grpc, "insecure_channel", channel), patch.object(RestClient, "post", posting):
        yield
