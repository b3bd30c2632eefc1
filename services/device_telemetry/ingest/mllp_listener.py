"""HL7 over MLLP: a bounded number of connections, a native thread each, answers on the same connection in their order."""

import socket
import threading
import time
from collections.abc import Mapping, Sequence
from typing import Any, Final

from chassis import metrics
from device_telemetry.domain.mllp import Deframer, Torn, wrap
from device_telemetry.ingest.receive_hl7 import Receiver

MAX_MESSAGE_BYTES: Final = 1_000_000
# A message that began must end within this; between messages a connection may rest.
_MESSAGE_TIMEOUT_S: Final = 30.0
_LOOK_S: Final = 0.5
_SEND_TIMEOUT_S: Final = 10.0


class MllpListener:
    """Listens from when it is made until `stop`."""

    def __init__(
        self, receiver: Receiver, host: str, port: int, limit: int, log: Any, *, message_timeout_s: float = _MESSAGE_TIMEOUT_S,
        max_message_bytes: int = MAX_MESSAGE_BYTES,
    ) -> None:  # fmt: skip
        self._receiver, self._log = receiver, log
        self._message_timeout_s, self._max_bytes = message_timeout_s, max_message_bytes
        self._slots = threading.BoundedSemaphore(limit)
        self._stopping = threading.Event()
        self._threads: set[threading.Thread] = set()
        self._socket = socket.create_server((host, port), backlog=64)
        self._socket.settimeout(_LOOK_S)
        self.host, self.port = self._socket.getsockname()[:2]
        self._acceptor = threading.Thread(target=self._accept, name="mllp-accept", daemon=True)
        self._acceptor.start()

    @property
    def addresses(self) -> Mapping[str, str]:
        """Where it listens."""
        return {"mllp": f"{self.host}:{self.port}"}

    def stop(self) -> None:
        """Takes no further message, finishes the one under way, closes every connection."""
        self._stopping.set()
        self._acceptor.join(2 * _LOOK_S)
        self._socket.close()
        until = time.monotonic() + 5.0
        for thread in list(self._threads):
            thread.join(max(0.0, until - time.monotonic()))

    def _accept(self) -> None:
        while not self._stopping.is_set():
            try:
                connection, _ = self._socket.accept()
            except TimeoutError:
                continue
            except OSError:
                return
            if not self._slots.acquire(blocking=False):
                # Refused at once, so that the sender tries another time and does not hang.
                connection.close()
                continue
            thread = threading.Thread(target=self._serve, args=(connection,), name="mllp", daemon=True)
            self._threads.add(thread)
            thread.start()

    def _serve(self, connection: socket.socket) -> None:
        try:
            with connection, metrics.STREAMS_OPEN.labels("hl7").track_inprogress():
                connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                self._converse(connection)
        except OSError as error:
            self._log.info("an MLLP connection ended", error_type=type(error).__name__)
        except Exception as error:  # noqa: BLE001
            self._log.error("an MLLP connection broke", error_type=type(error).__name__)
        finally:
            self._threads.discard(threading.current_thread())
            self._slots.release()

    def _converse(self, connection: socket.socket) -> None:
        """Until the sender hangs up: a torn frame is kept, and the connection goes on."""
        deframer = Deframer(self._max_bytes)
        began: float | None = None
        while not self._stopping.is_set():
            received = _receive(connection)
            if received == b"":
                self._keep(deframer.end())
                return
            for item in deframer.feed(received or b""):
                if isinstance(item, Torn):
                    _send(connection, self._receiver.torn(item.content, item.rule, answer=item.too_long))
                else:
                    _send(connection, self._receiver.receive(item.content))
            if not deframer.inside:
                began = None
            elif began is None:
                began = time.monotonic()
            elif time.monotonic() - began > self._message_timeout_s:
                self._keep(deframer.end("frame: must end within the time allowed"))
                began = None

    def _keep(self, torn: Torn | None) -> None:
        if torn is not None:
            self._receiver.torn(torn.content, torn.rule)


def _send(connection: socket.socket, answers: Sequence[bytes]) -> None:
    """The acknowledgements, each in a frame."""
    if answers:
        connection.settimeout(_SEND_TIMEOUT_S)
        connection.sendall(b"".join(wrap(answer) for answer in answers))


def _receive(connection: socket.socket) -> bytes | None:
    """What came; b"" when the sender hung up, None when nothing came for a moment."""
    connection.settimeout(_LOOK_S)
    try:
        return connection.recv(65_536)
    except TimeoutError:
        return None
