"""Spans: one trace from a command to its reactions, links on retries, and nothing in an attribute that may not leave."""

import json
import subprocess
import sys
import threading
from collections.abc import Iterator
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from uuid import UUID

import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import SpanKind, StatusCode

from chassis import tracing
from chassis.context import RequestContext
from chassis.errors import FailedPrecondition
from chassis.tracing_export import Stripped

SERVICES = Path(__file__).resolve().parents[2] / "services"
EPISODE = UUID("0190b5a0-0000-7000-8000-000000000001")
CONTEXT = RequestContext(
    actor_id=UUID(int=7), role="nurse", site_id="tucson", purpose="TREAT", correlation_id=EPISODE,
    clinic_time=datetime(2030, 1, 1, tzinfo=UTC),
)  # fmt: skip
RPC = "saguaro.example.v1.ExampleService/DoIt"


@pytest.fixture
def spans() -> Iterator[InMemorySpanExporter]:
    exporter = InMemorySpanExporter()
    tracing.configure("example", "api", processor=SimpleSpanProcessor(Stripped(exporter)))
    yield exporter
    tracing.shutdown()
    tracing.configure("unnamed", "tool")


def only(exporter: InMemorySpanExporter, kind: SpanKind) -> ReadableSpan:
    """The one finished span of a kind."""
    (found,) = [span for span in exporter.get_finished_spans() if span.kind is kind]
    return found


def test_one_trace_covers_a_command_and_its_reaction(spans: InMemorySpanExporter) -> None:
    edge = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
    with tracing.server_span(RPC, CONTEXT, edge):
        traceparent = tracing.create_span("saguaro.example.v1.Done", "example.done", CONTEXT)
    with tracing.process_span("saguaro.example.v1.Done", "example.done", 3, 41, traceparent, str(EPISODE), "event-1"):
        pass
    server, create, process = (only(spans, kind) for kind in (SpanKind.SERVER, SpanKind.PRODUCER, SpanKind.CONSUMER))
    assert f"{server.context.trace_id:032x}" == "0af7651916cd43dd8448eb211c80319c"
    assert {span.context.trace_id for span in (create, process)} == {server.context.trace_id}
    assert server.parent is not None
    assert f"{server.parent.span_id:016x}" == "b7ad6b7169203331"
    assert create.parent is not None
    assert create.parent.span_id == server.context.span_id
    assert process.parent is not None
    assert process.parent.span_id == create.context.span_id
    assert process.attributes is not None
    assert dict(process.attributes) == {
        "messaging.system": "kafka",
        "messaging.operation.name": "process",
        "messaging.operation.type": "process",
        "messaging.destination.name": "example.done",
        "messaging.destination.partition.id": "3",
        "messaging.kafka.offset": 41,
        "saguaro.event_type": "saguaro.example.v1.Done",
        "saguaro.causation_id": "event-1",
        "saguaro.correlation_id": str(EPISODE),
    }


def test_a_retry_links_to_the_create_span_in_a_trace_of_its_own(spans: InMemorySpanExporter) -> None:
    traceparent = tracing.create_span("T", "t", CONTEXT)
    with tracing.process_span("T", "t", 0, 1, traceparent, str(EPISODE), retry=True):
        pass
    create, process = only(spans, SpanKind.PRODUCER), only(spans, SpanKind.CONSUMER)
    assert process.parent is None
    assert process.context.trace_id != create.context.trace_id
    assert [link.context.span_id for link in process.links] == [create.context.span_id]
    assert process.attributes is not None
    assert process.attributes["saguaro.redelivered"] is True


def test_every_span_of_a_call_carries_the_episode(spans: InMemorySpanExporter) -> None:
    with tracing.server_span(RPC, CONTEXT), tracing.client_span("a.B/C"), tracing.internal_span("look"):
        tracing.create_span("T", "t")
    found = spans.get_finished_spans()
    assert len(found) == 4
    assert {(span.attributes or {}).get("saguaro.correlation_id") for span in found} == {str(EPISODE)}
    assert tracing.current_correlation_id() is None
    assert tracing.current_traceparent() is None


def test_a_span_does_not_inherit_the_episode_of_another_call(spans: InMemorySpanExporter) -> None:
    with tracing.server_span(RPC, CONTEXT), tracing.process_span("T", "t", 0, 1, None, None):
        pass
    assert "saguaro.correlation_id" not in (only(spans, SpanKind.CONSUMER).attributes or {})


def test_a_failure_is_marked_by_type_and_reason_without_its_text(spans: InMemorySpanExporter) -> None:
    with pytest.raises(FailedPrecondition), tracing.server_span(RPC, CONTEXT):
        raise FailedPrecondition("CHAIR_TAKEN", field="chair_id", rule="Mary Smith sits there")
    span = only(spans, SpanKind.SERVER)
    assert span.status.status_code is StatusCode.ERROR
    assert span.attributes is not None
    assert span.attributes["error.type"] == "FailedPrecondition"
    assert span.attributes["saguaro.reason"] == "CHAIR_TAKEN"
    assert "Mary" not in span.to_json()


def test_what_may_not_leave_is_stripped(spans: InMemorySpanExporter) -> None:
    with tracing.server_span(RPC, CONTEXT) as span:
        span.set_attribute("patient.name", "Mary")
        span.set_attribute("saguaro.reason", "Mary Smith called")
        span.add_event("noted", {"phone": "555-0100"})
        span.record_exception(ValueError("born 1970-01-01"))
    shown = only(spans, SpanKind.SERVER).to_json()
    for value in ("Mary", "555-0100", "1970-01-01"):
        assert value not in shown
    assert CONTEXT.site_id in shown


@pytest.mark.parametrize("text", [None, "", "nonsense", "00-" + "0" * 32 + "-b7ad6b7169203331-01", "01-ab-cd-00"])
def test_a_broken_traceparent_begins_a_new_trace(spans: InMemorySpanExporter, text: str | None) -> None:
    with tracing.server_span(RPC, CONTEXT, text):
        assert tracing.current_traceparent() is not None
    assert only(spans, SpanKind.SERVER).parent is None


def test_without_an_endpoint_ids_are_still_passed_on() -> None:
    tracing.configure("example", "api")
    with tracing.server_span(RPC, CONTEXT, "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01") as span:
        traceparent = tracing.create_span("T", "t", CONTEXT)
        assert not span.is_recording()
    assert traceparent is not None
    assert traceparent.startswith("00-0af7651916cd43dd8448eb211c80319c-")


class Collector:
    """A receiver of OTLP over HTTP that keeps what it is sent."""

    def __init__(self) -> None:
        self.requests: list[ExportTraceServiceRequest] = []
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                assert self.path == "/v1/traces"
                body = self.rfile.read(int(self.headers["Content-Length"]))
                outer.requests.append(ExportTraceServiceRequest.FromString(body))
                self.send_response(200)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, format: str, *args: object) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.thread = threading.Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.05})
        self.thread.start()

    def names(self) -> list[str]:
        """The names of all spans received."""
        return [
            span.name
            for request in self.requests
            for resource in request.resource_spans
            for scope in resource.scope_spans
            for span in scope.spans
        ]


@pytest.fixture
def collector() -> Iterator[Collector]:
    found = Collector()
    yield found
    found.server.shutdown()
    found.thread.join()
    found.server.server_close()


@pytest.mark.parametrize("kind", ["api", "worker"])
def test_spans_reach_a_collector_over_http(collector: Collector, kind: str) -> None:
    patch = "from chassis import guards_worker; guards_worker.patch()\n" if kind == "worker" else ""
    program = (
        f"{patch}from chassis import guards; guards.install('{kind}')\n"
        "import sys, json\nfrom chassis import tracing\n"
        f"tracing.configure('example', '{kind}', endpoint=sys.argv[1])\n"
        "for _ in range(3):\n"
        "    with tracing.internal_span('tick'):\n"
        "        tracing.create_span('T', 't')\n"
        "tracing.shutdown()\n"
        "print(json.dumps(sorted(m for m in sys.modules if m.split('.')[0] in ('grpc', 'eventlet'))[:1]))\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program, f"http://127.0.0.1:{collector.server.server_port}"],
        env={"PYTHONPATH": str(SERVICES), "PATH": "", "http_proxy": "http://127.0.0.1:9"},
        capture_output=True, text=True, timeout=60, check=True,
    )  # fmt: skip
    assert sorted(collector.names()) == ["create t"] * 3 + ["tick"] * 3
    resource = collector.requests[0].resource_spans[0].resource
    assert {one.key: one.value.string_value for one in resource.attributes}["service.name"] == f"example-{kind}"
    assert json.loads(done.stdout) == (["eventlet"] if kind == "worker" else [])


@pytest.mark.timeout(60)
def test_a_collector_that_is_away_does_not_hold_the_process() -> None:
    program = (
        "from chassis import tracing\n"
        "tracing.configure('example', 'api', endpoint='http://127.0.0.1:9')\n"
        "with tracing.internal_span('tick'): pass\n"
        "import time; begin = time.monotonic(); tracing.shutdown(); print(time.monotonic() - begin)"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], env={"PYTHONPATH": str(SERVICES), "PATH": ""},
        capture_output=True, text=True, timeout=55, check=True,
    )  # fmt: skip
    assert float(done.stdout) < 6
