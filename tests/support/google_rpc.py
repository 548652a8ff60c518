"""Google's APIs on loopback: a server that speaks every method of the published clients, whose answers a test gives.

In: transports of the clients. Out: a gRPC server that knows each of their methods by the request and response class
that the client itself would use. What nobody has given an answer for is UNIMPLEMENTED.
"""

import inspect
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from threading import Event
from typing import Any

import grpc
from google.cloud.artifactregistry_v1.services.artifact_registry.transports import ArtifactRegistryGrpcTransport
from google.cloud.devtools.cloudbuild_v1.services.cloud_build.transports import CloudBuildGrpcTransport
from google.cloud.logging_v2.services.logging_service_v2.transports import LoggingServiceV2GrpcTransport
from google.cloud.run_v2.services.revisions.transports import RevisionsGrpcTransport
from google.cloud.run_v2.services.services.transports import ServicesGrpcTransport
from google.protobuf import descriptor_pool, empty_pb2, message_factory
from google.pubsub_v1.services.publisher.transports import PublisherGrpcTransport

from tests.support.google_rpc_description import find_violations

TRANSPORTS = (
    ServicesGrpcTransport,
    RevisionsGrpcTransport,
    CloudBuildGrpcTransport,
    ArtifactRegistryGrpcTransport,
    LoggingServiceV2GrpcTransport,
    PublisherGrpcTransport,
)


class RpcError(Exception):
    """Raised by an answer: the status that the client gets."""

    def __init__(self, code: grpc.StatusCode, detail: str = "") -> None:
        super().__init__(detail)
        self.code = code


@dataclass
class RpcAnswers:
    """What the server does. `fail[name]` are statuses for the next calls of a method, `hold[name]` keeps it waiting."""

    methods: dict[str, Callable[[Any], Any]] = field(default_factory=dict)
    failures: dict[str, list[grpc.StatusCode]] = field(default_factory=dict)
    held_methods: dict[str, Event] = field(default_factory=dict)
    calls: list[tuple[str, Any]] = field(default_factory=list)

    def count_calls(self, name: str) -> int:
        return sum(called == name for called, _ in self.calls)

    violations: list[str] = field(default_factory=list)
    """What Google's own description of its APIs would not have taken; the client gets an error that no retry ends."""

    def answer(self, name: str, request: Any) -> Any:
        self.calls.append((name, request))
        wrong = find_violations(name, request)
        if wrong:
            self.violations += wrong
            raise RpcError(grpc.StatusCode.UNIMPLEMENTED, "; ".join(wrong))
        failure = self.failures[name].pop(0) if self.failures.get(name) else None
        if name in self.held_methods:
            self.held_methods[name].wait(
                20
            )  # the test may be over by then, and the next one's failures are not for this call
        if failure is not None:
            raise RpcError(failure, "as the test says")
        if name not in self.methods:
            raise RpcError(grpc.StatusCode.UNIMPLEMENTED, name)
        return self.methods[name](request)


class _Recorder(grpc.Channel):  # type: ignore[misc]  # grpc ships no types
    """Takes down which methods a transport would call, and how it writes and reads their messages."""

    def __init__(self) -> None:
        self.methods: dict[str, tuple[Any, Any]] = {}

    def unary_unary(
        self, method: str, request_serializer: Any = None, response_deserializer: Any = None, *_: Any, **__: Any
    ) -> Any:
        self.methods[method] = (request_serializer, response_deserializer)
        return lambda *_, **__: None

    def unary_stream(self, *_: Any, **__: Any) -> Any:
        return lambda *_, **__: None  # nothing of this product streams

    def stream_unary(self, *_: Any, **__: Any) -> Any:
        return lambda *_, **__: None  # nothing of this product streams

    def stream_stream(self, *_: Any, **__: Any) -> Any:
        return lambda *_, **__: None  # nothing of this product streams

    def subscribe(self, *_: Any, **__: Any) -> None: ...
    def unsubscribe(self, *_: Any, **__: Any) -> None: ...
    def close(self) -> None: ...
    def __enter__(self) -> "_Recorder":
        return self

    def __exit__(self, *_: object) -> None: ...


def _methods() -> dict[str, tuple[Any, Any]]:
    recorder = _Recorder()
    for transport in TRANSPORTS:
        made: Any = transport(channel=recorder)
        made._stubs.clear()
        made._logged_channel = recorder  # the interceptor in between asks for a method only when it is called
        for name, member in inspect.getmembers(transport):
            if isinstance(member, property) and not name.startswith("_") and name not in {"kind", "operations_client"}:
                getattr(made, name)
    return recorder.methods


def _classes(path: str, written: Any, read: Any) -> tuple[Any, Any]:
    """The classes of request and response: those whose methods the client writes and reads with.

    A plain protobuf's `SerializeToString` belongs to all of them, so there the service's own description tells.
    """
    if hasattr(written, "__self__"):
        return written.__self__, read.__self__ if read is not None else empty_pb2.Empty
    service, _, name = path[1:].rpartition("/")
    method = descriptor_pool.Default().FindServiceByName(service).FindMethodByName(name)
    return message_factory.GetMessageClass(method.input_type), message_factory.GetMessageClass(method.output_type)


def _handler(answers: RpcAnswers, path: str, written: Any, read: Any) -> grpc.RpcMethodHandler:
    request, response = _classes(path, written, read)

    def respond(message: Any, context: grpc.ServicerContext) -> Any:
        try:
            return answers.answer(path, message)
        except RpcError as failed:
            context.abort(failed.code, str(failed))

    return grpc.unary_unary_rpc_method_handler(
        respond,
        request_deserializer=getattr(request, "deserialize", None) or request.FromString,
        response_serializer=getattr(response, "serialize", None) or response.SerializeToString,
    )


@contextmanager
def serve_google(answers: RpcAnswers) -> Iterator[Callable[[], grpc.Channel]]:
    """What makes channels to the server, for `shared.adapters.google.clients.GoogleClients`."""
    by_service: dict[str, dict[str, grpc.RpcMethodHandler]] = {}
    for path, (written, read) in _methods().items():
        service, _, name = path[1:].rpartition("/")
        if name.endswith(("IamPolicy", "IamPermissions")):
            continue  # nobody's business here, and described under another service
        by_service.setdefault(service, {})[name] = _handler(answers, path, written, read)
    server = grpc.server(ThreadPoolExecutor(4))
    server.add_generic_rpc_handlers(
        tuple(grpc.method_handlers_generic_handler(service, methods) for service, methods in by_service.items())
    )
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    channels: list[grpc.Channel] = []

    def channel() -> grpc.Channel:
        channels.append(grpc.insecure_channel(f"127.0.0.1:{port}"))
        return channels[-1]

    try:
        yield channel
    finally:
        for opened in channels:
            opened.close()
        server.stop(None).wait()
    assert not answers.violations, answers.violations
