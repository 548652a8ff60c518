"""Writes OpenTelemetry spans, if the settings ask for them: each ended span is one more JSON line on stdout.

OpenTelemetry's own means can replace the exporter with a vendor's; nothing here knows of one.
"""

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager

from opentelemetry import trace
from opentelemetry.context import Context
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor, SpanExporter, SpanExportResult

from functions.http.structured_logs import MARKER, Severity, Trace, format_trace, write_line


class StdoutSpanExporter(SpanExporter):
    """Prints a span: its name, its place in the trace, how long it took."""

    def __init__(self, project: str) -> None:
        self._project = project

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        """One line for each span."""
        for span in spans:
            _write_span(span, self._project)
        return SpanExportResult.SUCCESS


def _write_span(span: ReadableSpan, project: str) -> None:
    context = span.get_span_context()
    assert context is not None
    assert span.start_time is not None
    assert span.end_time is not None
    fields: dict[str, object] = {"span": span.name, "milliseconds": (span.end_time - span.start_time) / 1e6}
    if span.parent is not None:
        fields["parent"] = f"{span.parent.span_id:016x}"
    keys = format_trace(project, Trace(f"{context.trace_id:032x}", f"{context.span_id:016x}"))
    write_line(Severity.DEBUG, f"{span.name}: span", fields, keys)


def create_span_opener(project: str) -> Callable[[str, Trace], AbstractContextManager[object]]:
    """Returns the function that opens a span for a request."""
    provider = TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(StdoutSpanExporter(project)))
    spans = provider.get_tracer(MARKER)

    def open_span(name: str, parent: Trace) -> AbstractContextManager[object]:
        return spans.start_as_current_span(name, context=_build_parent_context(parent))

    return open_span


def _build_parent_context(parent: Trace) -> Context | None:
    if not parent.trace or not parent.span:
        return None
    remote = trace.SpanContext(
        int(parent.trace, 16), int(parent.span, 16), is_remote=True, trace_flags=trace.TraceFlags(1)
    )
    return trace.set_span_in_context(trace.NonRecordingSpan(remote))
