"""What an event carries on: who, why and what caused it, and one trace from a command over a reaction to the next event."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from uuid import uuid4

import pytest
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import SpanKind

from chassis import tracing
from chassis.consumer import Reader
from chassis.database import Database
from chassis.envelope import wire_headers
from chassis.errors import Early
from chassis.index import EventIn
from chassis.records import Record
from chassis.testing import PublishedEvent, ServiceHarness
from chassis.unit_of_work import UnitOfWork
from saguaro.billing.v1 import events_pb2 as billing
from saguaro.billing.v1 import service_pb2 as pb
from tests.chassis.toy.app import INDEX

RPC = "saguaro.billing.v1.BillingService/RecordPayment"
TOPIC = "saguaro.billing.account"


@pytest.fixture
def spans() -> Iterator[InMemorySpanExporter]:
    """Every span that ends."""
    exporter = InMemorySpanExporter()
    tracing.configure("toy", "worker", processor=SimpleSpanProcessor(exporter))
    yield exporter
    tracing.shutdown()
    tracing.configure("unnamed", "tool")


def thank(uow: UnitOfWork, event: billing.PaymentReceived) -> None:
    """Answers each payment with an event of its own."""
    uow.emit(billing.PaymentReceived(payment_id="thanks", person_id=event.person_id, amount_usd="0"))


def paid_once(harness: ServiceHarness) -> PublishedEvent:
    """A command under a server span; the event that it raised."""
    request = pb.RecordPaymentRequest(invoice_id=str(uuid4()), amount_usd="1", method_code="cash")
    with tracing.server_span(RPC, harness.context("biller")):
        harness.call("RecordPayment", request, role="biller")
    [raised] = harness.published()
    return raised


def record_of(event: PublishedEvent, offset: int = 0) -> Record:
    """The record that the relay makes of an outbox row."""
    headers = wire_headers({**event.headers, "ce_sequence": str(event.sequence)})
    return Record(TOPIC, 0, offset, event.key.encode(), event.message.SerializeToString(), tuple(headers), 0)


def of_kind(exporter: InMemorySpanExporter, kind: SpanKind) -> list[ReadableSpan]:
    """The spans of one kind, in the order of their end."""
    return [span for span in exporter.get_finished_spans() if span.kind is kind]


def span_id(traceparent: str) -> str:
    """The span that a traceparent names."""
    return traceparent.split("-")[2]


def test_one_trace_from_a_command_over_a_reaction_to_the_next_event(
    toy_database: Callable[[], Database], spans: InMemorySpanExporter
) -> None:
    harness = ServiceHarness(replace(INDEX, events_in=(EventIn(billing.PaymentReceived, thank),)), toy_database())
    first = paid_once(harness)
    harness.reader.ensure_offset(TOPIC, 0, 0)
    assert harness.reader.apply(TOPIC, 0, [record_of(first)], expected=0) == ["applied"]
    second = harness.published()[1]
    assert second.headers["ce_causationid"] == first.headers["ce_id"]
    assert "ce_causationid" not in first.headers
    for carried in ("ce_correlationid", "ce_actor", "ce_site", "ce_purpose", "ce_time"):
        assert second.headers[carried] == first.headers[carried], carried
    assert (first.headers["ce_role"], second.headers["ce_role"]) == ("biller", "service")
    assert (first.sequence, second.sequence) == (1, 2)
    [server], [process] = of_kind(spans, SpanKind.SERVER), of_kind(spans, SpanKind.CONSUMER)
    created, created_next = of_kind(spans, SpanKind.PRODUCER)
    chain = (server, created, process, created_next)
    assert len({span.context.trace_id for span in chain}) == 1
    for parent, child in zip(chain, chain[1:], strict=False):  # noqa: RUF007
        assert child.parent is not None
        assert child.parent.span_id == parent.context.span_id
    assert span_id(first.headers["traceparent"]) == f"{created.context.span_id:016x}"
    assert span_id(second.headers["traceparent"]) == f"{created_next.context.span_id:016x}"
    assert {dict(span.attributes or {})["saguaro.correlation_id"] for span in chain} == {str(harness.correlation_id)}


def test_a_retry_is_a_new_trace_that_links_to_where_the_event_was_made(
    toy_database: Callable[[], Database], spans: InMemorySpanExporter
) -> None:
    known: list[str] = []

    def later(uow: UnitOfWork, event: billing.PaymentReceived) -> None:
        if not known:
            raise Early("invoice:1")
        thank(uow, event)

    harness = ServiceHarness(INDEX, toy_database())
    first = paid_once(harness)
    reader = Reader(replace(INDEX, events_in=(EventIn(billing.PaymentReceived, later),)), harness.database)
    reader.ensure_offset(TOPIC, 0, 0)
    assert reader.apply(TOPIC, 0, [record_of(first)], expected=0) == ["early"]
    known.append("invoice:1")
    spans.clear()
    assert reader.retry_waiting() == 1
    [process], [created] = of_kind(spans, SpanKind.CONSUMER), of_kind(spans, SpanKind.PRODUCER)
    assert process.parent is None
    [link] = process.links
    assert f"{link.context.trace_id:032x}-{link.context.span_id:016x}" == first.headers["traceparent"][3:52]
    assert process.context.trace_id != link.context.trace_id
    assert created.parent is not None
    assert created.parent.span_id == process.context.span_id
    assert dict(process.attributes or {})["saguaro.redelivered"] is True
    assert harness.published()[1].headers["ce_causationid"] == first.headers["ce_id"]


def test_what_one_reaction_leaves_open_is_not_the_next_ones(
    toy_database: Callable[[], Database], spans: InMemorySpanExporter
) -> None:
    """Two events of two people in one batch: each goes on in its own trace, with its own cause."""
    harness = ServiceHarness(replace(INDEX, events_in=(EventIn(billing.PaymentReceived, thank),)), toy_database())
    for _ in range(2):
        with tracing.server_span(RPC, harness.context("biller")):
            request = pb.RecordPaymentRequest(invoice_id=str(uuid4()), amount_usd="1", method_code="cash")
            harness.call("RecordPayment", request, role="biller")
    sent = harness.published()
    harness.reader.ensure_offset(TOPIC, 0, 0)
    batch = [record_of(event, offset) for offset, event in enumerate(sent)]
    assert harness.reader.apply(TOPIC, 0, batch, expected=0) == ["applied", "applied"]
    for before, after in zip(sent, harness.published()[2:], strict=True):
        assert after.headers["ce_causationid"] == before.headers["ce_id"]
        assert after.headers["traceparent"].split("-")[1] == before.headers["traceparent"].split("-")[1]
    assert len({event.headers["traceparent"].split("-")[1] for event in sent}) == 2
