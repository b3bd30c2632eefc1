"""The HTTP side of health: GET /started, /ready, /live (200 or 503, JSON that names each check) and /metrics.

Standard library, one thread a connection, the same code under native threads and in a process that eventlet has patched. It
accepts in a loop of its own: socketserver's waits in a poll() that eventlet takes away.
"""

from __future__ import annotations

import contextlib
import json
import socket
import threading
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from chassis.health import Finding, Health
from chassis.settings_types import Address

READ_TIMEOUT_S = 5.0


class HealthServer:
    """Listens from the moment it is made; `address` says where."""

    def __init__(self, health: Health, listen: Address) -> None:
        self._server = _Server((listen.host, listen.port), health)
        self.address = Address(listen.host, self._server.server_address[1])
        self._thread = threading.Thread(target=self._server.accept_all, name="health-http", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Stop listening; answers under way are finished by their own threads."""
        self._server.end()


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False
    request_queue_size = 64

    def __init__(self, address: tuple[str, int], health: Health) -> None:
        self.address_family = socket.AF_INET6 if ":" in address[0] else socket.AF_INET
        self.health = health
        self.pages: dict[str, Callable[[], list[Finding]]] = {
            "/started": health.started,
            "/ready": health.ready,
            "/live": health.live,
        }
        self._ended = threading.Event()
        super().__init__(address, _Handler)

    def server_bind(self) -> None:
        """Bind without asking a name server for our own name, as HTTPServer does."""
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self.socket.bind(self.server_address)
        self.server_address = self.socket.getsockname()
        self.server_name, self.server_port = str(self.server_address[0]), int(self.server_address[1])

    def accept_all(self) -> None:
        """Answer until the end."""
        while not self._ended.is_set():
            try:
                request, client = self.get_request()
            except OSError:
                continue
            self.process_request(request, client)

    def end(self) -> None:
        """Wake the accepting thread and close."""
        self._ended.set()
        with contextlib.suppress(OSError):
            self.socket.shutdown(socket.SHUT_RDWR)
        self.socket.close()

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A prober that hangs up is nobody's error."""


class _Handler(BaseHTTPRequestHandler):
    server: _Server
    timeout = READ_TIMEOUT_S
    server_version = "saguaro"
    sys_version = ""

    def do_GET(self) -> None:
        """Answer one of the pages."""
        path = self.path.partition("?")[0]
        if path == "/metrics":
            from chassis import metrics  # noqa: PLC0415

            for loop in self.server.health.loops():
                metrics.POLL_AGE.labels(loop).set(self.server.health.beat_age_s(loop))
            kind, body = metrics.exposition()
            self._answer(200, kind, body)
            return
        page = self.server.pages.get(path)
        if page is None:
            self._answer(404, "application/json", b'{"error":"no such page"}')
            return
        findings = page()
        ok = all(finding.ok for finding in findings)
        answer = {"ok": ok, "checks": [finding.as_json() for finding in findings]}
        self._answer(200 if ok else 503, "application/json", json.dumps(answer).encode())

    def _answer(self, status: int, kind: str, body: bytes) -> None:
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: Any) -> None:
        """Probes come every second; they are not logged."""
