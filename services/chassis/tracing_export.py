"""How spans leave the process: stripped to the allowed attributes, in batches, over OTLP/HTTP.

The batch thread is an ordinary thread; in a worker eventlet has made it a greenthread, and its sockets cooperative.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from opentelemetry.sdk.trace import Event, ReadableSpan, SpanProcessor
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExporter, SpanExportResult
from opentelemetry.trace import Link, Status

from chassis.telemetry_words import SPAN_ATTRIBUTES, is_token

if TYPE_CHECKING:
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter

EVERY_MS = 1_000
BATCH = 512
QUEUE = 8_192
TIMEOUT_S = 3.0
"""One export may take so long, and the flush at the end of the process not much longer."""


def batches_to(endpoint: str) -> SpanProcessor:
    """A processor that sends to the OTLP/HTTP base URL `endpoint`; spans beyond its queue are dropped, never waited for."""
    return BatchSpanProcessor(
        Stripped(OtlpLater(f"{endpoint}/v1/traces")),
        max_queue_size=QUEUE,
        schedule_delay_millis=EVERY_MS,
        max_export_batch_size=BATCH,
    )


class OtlpLater(SpanExporter):
    """The OTLP exporter, loaded when the first batch is due: 0.3 s that a process need not spend before it is ready."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._exporter: OTLPSpanExporter | None = None

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        """Send one batch."""
        if self._exporter is None:
            import requests  # noqa: PLC0415
            from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter  # noqa: PLC0415

            session = requests.Session()
            session.trust_env = False  # straight to the collector, whatever proxy this machine has for other ends
            self._exporter = OTLPSpanExporter(endpoint=self._url, timeout=TIMEOUT_S, session=session)
        return self._exporter.export(spans)

    def shutdown(self) -> None:
        """Close the connection."""
        if self._exporter is not None:
            self._exporter.shutdown()  # type: ignore[no-untyped-call]


class Stripped(SpanExporter):
    """Takes from each span what may not leave the process, then hands it on."""

    def __init__(self, inner: SpanExporter) -> None:
        self._inner = inner

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        """Send one batch, stripped."""
        return self._inner.export([stripped(span) for span in spans])

    def shutdown(self) -> None:
        """Close what is behind."""
        self._inner.shutdown()

    def force_flush(self, timeout_millis: int = 30_000) -> bool:
        """Nothing is held here."""
        return self._inner.force_flush(timeout_millis)


def stripped(span: ReadableSpan) -> ReadableSpan:
    """The span with allowed attributes only, and a status without words."""
    return ReadableSpan(
        name=span.name if is_token(span.name.replace(" ", "")) else "span",
        context=span.context,
        parent=span.parent,
        resource=span.resource,
        attributes=_allowed(span.attributes),
        events=[Event(event.name, _allowed(event.attributes), event.timestamp) for event in span.events],
        links=[Link(link.context, _allowed(link.attributes)) for link in span.links],
        kind=span.kind,
        status=Status(span.status.status_code),
        start_time=span.start_time,
        end_time=span.end_time,
        instrumentation_scope=span.instrumentation_scope,
    )


def _allowed(attributes: Mapping[str, object] | None) -> dict[str, str | int | float | bool]:
    return {
        name: value
        for name, value in (attributes or {}).items()
        if name in SPAN_ATTRIBUTES
        and (isinstance(value, bool | int | float) or (isinstance(value, str) and is_token(value)))
    }
