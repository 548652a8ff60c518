"""OpenTelemetry spans, where the settings ask for them: each ended span becomes one more line of JSON on stdout.

In: a function's name and the trace of its request. Out: a context that is a span of that trace. An exporter of a vendor
can be put in this one's place by OpenTelemetry's own means; nothing here knows of one.
"""

import json
import sys
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager

from opentelemetry import trace
from opentelemetry.context import Context
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor, SpanExporter, SpanExportResult

from functions.http.structured_logs import MARKER, Trace


class StdoutSpanExporter(SpanExporter):
    """Prints a span: its name, its place in the trace, how long it took."""

    def __init__(self, project: str) -> None:
        self._project = project

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        """One write for each span."""
        for span in spans:
            sys.stdout.write(json.dumps(_format_span(span, self._project)) + "\n")
        sys.stdout.flush()
        return SpanExportResult.SUCCESS


def _format_span(span: ReadableSpan, project: str) -> dict[str, object]:
    context = span.get_span_context()
    assert context is not None
    assert span.start_time is not None
    assert span.end_time is not None
    told: dict[str, object] = {"span": span.name, "milliseconds": (span.end_time - span.start_time) / 1e6}
    if span.parent is not None:
        told["parent"] = f"{span.parent.span_id:016x}"
    return {
        "severity": "DEBUG",
        "message": f"{span.name}: span",
        MARKER: told,
        "logging.googleapis.com/trace": f"projects/{project}/traces/{context.trace_id:032x}",
        "logging.googleapis.com/spanId": f"{context.span_id:016x}",
    }


def create_span_opener(project: str) -> Callable[[str, Trace], AbstractContextManager[object]]:
    """What opens a span for a request."""
    provider = TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(StdoutSpanExporter(project)))
    spans = provider.get_tracer(MARKER)

    def opened(name: str, parent: Trace) -> AbstractContextManager[object]:
        return spans.start_as_current_span(name, context=_parent_context(parent))

    return opened


def _parent_context(parent: Trace) -> Context | None:
    if not parent.trace or not parent.span:
        return None
    known = trace.SpanContext(
        int(parent.trace, 16), int(parent.span, 16), is_remote=True, trace_flags=trace.TraceFlags(1)
    )
    return trace.set_span_in_context(trace.NonRecordingSpan(known))
