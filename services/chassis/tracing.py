"""Spans: one trace covers a command and every reaction that it causes, over the outbox and Kafka.

The server span of a command is the parent of a create span for each event; that is the parent of the process span of each
consumer. A retried or redelivered event gets a new trace whose span links to the create span, since it happens later and on
somebody's word. Every span carries saguaro.correlation_id, which joins the commands of one care episode. Only the attributes of
chassis.telemetry_words leave the process. Without an endpoint spans are not recorded, but ids are still passed on.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import TYPE_CHECKING, Final

from opentelemetry import context as otel_context
from opentelemetry import trace
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import SpanLimits, TracerProvider
from opentelemetry.sdk.trace.sampling import ALWAYS_OFF, ALWAYS_ON
from opentelemetry.trace import Link, NonRecordingSpan, Span, SpanContext, SpanKind, Status, StatusCode, TraceFlags

if TYPE_CHECKING:
    from opentelemetry.sdk.trace import SpanProcessor

    from chassis.context import RequestContext

Attributes = dict[str, str | int | bool]

_TRACEPARENT: Final = re.compile(r"00-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})")
_LIMITS: Final = SpanLimits(max_span_attributes=32, max_events=16, max_links=256, max_span_attribute_length=200)
_correlation: ContextVar[str | None] = ContextVar("saguaro_correlation_id", default=None)


def _provider(service: str, kind: str, processor: SpanProcessor | None) -> TracerProvider:
    # Resource() and not Resource.create(): that one looks for detectors among all installed packages.
    resource = Resource({"service.name": f"{service}-{kind}", "service.namespace": "saguaro", "saguaro.kind": kind})
    provider = TracerProvider(
        resource=resource,
        sampler=ALWAYS_OFF if processor is None else ALWAYS_ON,
        shutdown_on_exit=False,
        span_limits=_LIMITS,
    )
    if processor is not None:
        provider.add_span_processor(processor)
    return provider


_current = _provider("unnamed", "tool", None)
_tracer = _current.get_tracer("saguaro")


def configure(service: str, kind: str, *, endpoint: str | None = None, processor: SpanProcessor | None = None) -> None:
    """Set up spans for this process: exported to an OTLP/HTTP `endpoint` (base URL), or given to a test's `processor`."""
    global _current, _tracer
    if processor is None and endpoint is not None:
        from chassis.tracing_export import batches_to  # noqa: PLC0415

        processor = batches_to(endpoint)
    _current = _provider(service, kind, processor)
    _tracer = _current.get_tracer("saguaro")


def shutdown() -> None:
    """Send what is left and stop; waits a few seconds at most."""
    _current.shutdown()


def current_traceparent() -> str | None:
    """The W3C traceparent of the span that is open here, or None."""
    return _text(trace.get_current_span().get_span_context())


def current_ids() -> tuple[str, str] | None:
    """Trace id and span id of the span that is open here, as hexadecimal text."""
    context = trace.get_current_span().get_span_context()
    return (f"{context.trace_id:032x}", f"{context.span_id:016x}") if context.is_valid else None


def current_correlation_id() -> str | None:
    """The care episode of the span that is open here."""
    return _correlation.get()


@contextmanager
def server_span(rpc: str, context: RequestContext | None, traceparent: str | None = None) -> Iterator[Span]:
    """The work on one call; `rpc` is `package.Service/Method`. Child of the caller's span."""
    attributes = _rpc(rpc)
    if context is not None:
        attributes |= {"saguaro.actor_id": str(context.actor_id), "saguaro.role": context.role}
        attributes |= {"saguaro.site_id": context.site_id} if context.site_id else {}
        attributes |= _episode(context)
    with _open(rpc, SpanKind.SERVER, attributes, parent=_parse(traceparent), root=True) as span:
        yield span


@contextmanager
def client_span(rpc: str) -> Iterator[Span]:
    """A call of another service, child of the span that is open here. Its traceparent is then current_traceparent()."""
    with _open(rpc, SpanKind.CLIENT, _rpc(rpc)) as span:
        yield span


@contextmanager
def internal_span(name: str, **attributes: str | int) -> Iterator[Span]:
    """Work that nobody called for: a timer, a poll of frames, a relay's batch. `name` is a literal."""
    with _open(name, SpanKind.INTERNAL, {key.replace("__", "."): value for key, value in attributes.items()}) as span:
        yield span


def create_span(event_type: str, topic: str, context: RequestContext | None = None) -> str | None:
    """Marks that an event was put into the outbox; returns the traceparent that goes with it.

    Child of the open span; where none is open, of the context's traceparent.
    """
    attributes = _messaging("create", event_type, topic) | _episode(context)
    parent = None
    if not trace.get_current_span().get_span_context().is_valid and context is not None:
        parent = _parse(context.traceparent)
    around = None if parent is None else trace.set_span_in_context(NonRecordingSpan(parent))
    span = _tracer.start_span(f"create {topic}", context=around, kind=SpanKind.PRODUCER, attributes=attributes)
    span.end()
    return _text(span.get_span_context())


@contextmanager
def process_span(
    event_type: str,
    topic: str,
    partition: int,
    offset: int,
    traceparent: str | None,
    correlation_id: str | None,
    causation_id: str | None = None,
    *,
    retry: bool = False,
) -> Iterator[Span]:
    """The reaction to one event: child of its create span; on a retry a root that links to it.

    `causation_id` is the id of the event that is reacted to.
    """
    created = _parse(traceparent)
    attributes = _messaging("process", event_type, topic)
    attributes |= {"messaging.destination.partition.id": str(partition), "messaging.kafka.offset": offset}
    attributes |= {"saguaro.correlation_id": correlation_id} if correlation_id else {}
    attributes |= {"saguaro.causation_id": causation_id} if causation_id else {}
    attributes |= {"saguaro.redelivered": True} if retry else {}
    links = (Link(created),) if retry and created is not None else ()
    parent = None if retry else created
    with _open(f"process {topic}", SpanKind.CONSUMER, attributes, parent=parent, root=True, links=links) as span:
        yield span


@contextmanager
def _open(
    name: str,
    kind: SpanKind,
    attributes: Attributes,
    *,
    parent: SpanContext | None = None,
    root: bool = False,
    links: tuple[Link, ...] = (),
) -> Iterator[Span]:
    """Open a span for a block. With `root` its parent is `parent` or none, else the span that is open here."""
    around = otel_context.Context() if root else None
    if parent is not None:
        around = trace.set_span_in_context(NonRecordingSpan(parent), otel_context.Context())
    correlation_id = attributes.get("saguaro.correlation_id") or (None if root else _correlation.get())
    if correlation_id:
        attributes["saguaro.correlation_id"] = correlation_id
    span = _tracer.start_span(name, context=around, kind=kind, attributes=attributes, links=links)
    mark = _correlation.set(None if correlation_id is None else str(correlation_id))
    token = otel_context.attach(trace.set_span_in_context(span))
    try:
        yield span
    except BaseException as error:
        fail(span, error)
        raise
    finally:
        otel_context.detach(token)
        _correlation.reset(mark)
        span.end()


def fail(span: Span, error: BaseException) -> None:
    """Mark a span as failed, by the error's type and stable reason: its text may hold values."""
    span.set_attribute("error.type", type(error).__qualname__)
    reason = getattr(error, "reason", None)
    if isinstance(reason, str):
        span.set_attribute("saguaro.reason", reason)
    span.set_status(Status(StatusCode.ERROR))


def finish(span: Span, code: str) -> None:
    """Set the status code of a call, by its gRPC name; any but OK marks the span as failed."""
    span.set_attribute("rpc.response.status_code", code)
    if code != "OK":
        span.set_status(Status(StatusCode.ERROR))


def _rpc(rpc: str) -> Attributes:
    service, _, method = rpc.lstrip("/").rpartition("/")
    return {"rpc.system": "grpc", "rpc.service": service, "rpc.method": method}


def _messaging(operation: str, event_type: str, topic: str) -> Attributes:
    return {
        "messaging.system": "kafka",
        "messaging.operation.name": operation,
        "messaging.operation.type": operation,
        "messaging.destination.name": topic,
        "saguaro.event_type": event_type,
    }


def _episode(context: RequestContext | None) -> Attributes:
    found = _correlation.get() if context is None else str(context.correlation_id)
    return {"saguaro.correlation_id": found} if found else {}


def _text(context: SpanContext) -> str | None:
    if not context.is_valid:
        return None
    return f"00-{context.trace_id:032x}-{context.span_id:016x}-{int(context.trace_flags):02x}"


def _parse(traceparent: str | None) -> SpanContext | None:
    """The caller's span, or None where the text is absent or not a traceparent: then a new trace begins."""
    found = _TRACEPARENT.fullmatch(traceparent or "")
    if found is None:
        return None
    context = SpanContext(
        int(found[1], 16), int(found[2], 16), is_remote=True, trace_flags=TraceFlags(int(found[3], 16))
    )
    return context if context.is_valid else None
