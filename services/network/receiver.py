"""A small bounded receiver of spans (OTLP/HTTP), so that `saguaro trace` works on a machine without a collector.

Spans go to SQLite under the home; the oldest go when there are too many. It only ever holds what processes export: ids, names and times.
"""

from __future__ import annotations

import gzip
import queue
import sqlite3
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

MAX_SPANS = 1_000_000
_MAX_BODY_BYTES = 8_000_000
_TRIM_EVERY = 50_000
_SCHEMA = """
CREATE TABLE IF NOT EXISTS span (
    n INTEGER PRIMARY KEY AUTOINCREMENT,
    trace_id TEXT NOT NULL, span_id TEXT NOT NULL, parent_id TEXT NOT NULL, link_ids TEXT NOT NULL,
    service TEXT NOT NULL, name TEXT NOT NULL, kind INTEGER NOT NULL, started_ns INTEGER NOT NULL, ended_ns INTEGER NOT NULL,
    failed INTEGER NOT NULL, correlation_id TEXT NOT NULL, what TEXT NOT NULL
);
CREATE INDEX IF NOT EXISTS span_correlation ON span (correlation_id);
CREATE INDEX IF NOT EXISTS span_trace ON span (trace_id);
"""
_INSERT = """
INSERT INTO span (trace_id, span_id, parent_id, link_ids, service, name, kind, started_ns, ended_ns, failed, correlation_id, what)
VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
"""
Row = tuple[str, str, str, str, str, str, int, int, int, int, str, str]


def rows_of(body: bytes) -> list[Row]:
    """The spans of an ExportTraceServiceRequest as rows."""
    from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest  # noqa: PLC0415

    request = ExportTraceServiceRequest.FromString(body)
    rows: list[Row] = []
    for group in request.resource_spans:
        service = next(
            (item.value.string_value for item in group.resource.attributes if item.key == "service.name"), ""
        )
        for scope in group.scope_spans:
            for span in scope.spans:
                values = {item.key: item.value.string_value for item in span.attributes}
                rows.append(
                    (
                        span.trace_id.hex(),
                        span.span_id.hex(),
                        span.parent_span_id.hex(),
                        " ".join(link.span_id.hex() for link in span.links),
                        service,
                        span.name,
                        int(span.kind),
                        span.start_time_unix_nano,
                        span.end_time_unix_nano,
                        int(span.status.code == 2),
                        values.get("saguaro.correlation_id", ""),
                        values.get("saguaro.event_type", "") or values.get("rpc.method", ""),
                    )
                )
    return rows


class Receiver:
    """Listens on a port of 127.0.0.1 and writes in a thread of its own."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._queue: queue.Queue[list[Row] | None] = queue.Queue(maxsize=1_000)
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            """POST /v1/traces."""

            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                """Takes one export; 503 when the writer cannot follow, so that the sender tries again."""
                length = int(self.headers.get("Content-Length", "0"))
                if length > _MAX_BODY_BYTES or self.path != "/v1/traces":
                    self._answer(413 if self.path == "/v1/traces" else 404)
                    return
                body = self.rfile.read(length)
                if self.headers.get("Content-Encoding") == "gzip":
                    body = gzip.decompress(body)
                self._answer(200 if receiver.take(body) else 503)

            def _answer(self, status: int) -> None:
                self.send_response(status)
                self.send_header("Content-Type", "application/x-protobuf")
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, format: str, *args: Any) -> None:
                """Says nothing of each request."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self._threads = [
            threading.Thread(target=self._server.serve_forever, name="otlp", daemon=True),
            threading.Thread(target=self._write, name="spans", daemon=True),
        ]

    @property
    def endpoint(self) -> str:
        """The base URL for SAGUARO_OTLP_ENDPOINT."""
        return f"http://127.0.0.1:{self._server.server_address[1]}"

    def start(self) -> None:
        """Begins to listen."""
        for thread in self._threads:
            thread.start()

    def take(self, body: bytes) -> bool:
        """Queues an export; False when the queue is full."""
        try:
            self._queue.put_nowait(rows_of(body))
        except queue.Full:
            return False
        return True

    def _write(self) -> None:
        connection = sqlite3.connect(self._path)
        connection.execute("PRAGMA journal_mode=WAL")
        connection.execute("PRAGMA synchronous=NORMAL")
        connection.executescript(_SCHEMA)
        written = 0
        while True:
            rows = self._queue.get()
            if rows is None:
                break
            with connection:
                connection.executemany(_INSERT, rows)
                written += len(rows)
                if written >= _TRIM_EVERY:
                    connection.execute("DELETE FROM span WHERE n <= (SELECT max(n) FROM span) - ?", (MAX_SPANS,))
                    written = 0
        connection.close()

    def stop(self) -> None:
        """Writes what is queued and closes."""
        self._server.shutdown()
        self._server.server_close()
        self._queue.put(None)
        self._threads[1].join(timeout=5)
