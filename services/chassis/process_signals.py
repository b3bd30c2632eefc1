"""How a process is told to end: SIGTERM or SIGINT once to drain, twice to stop at once; and death with its parent."""

from __future__ import annotations

import os
import signal
import socket
import sys
import threading
from collections.abc import Callable

EXIT_NOT_DRAINED = 1
_PR_SET_PDEATHSIG = 1


class Stop:
    """Set by the first SIGTERM or SIGINT. Works under native threads and in a process that eventlet has patched.

    The signal arrives as a byte on a socket that a thread reads. An event set from the handler itself would not wake
    eventlet's hub, which goes on waiting after an interrupted system call.
    """

    def __init__(self) -> None:
        self._event = threading.Event()
        self._callbacks: list[Callable[[], None]] = []

    def install(self) -> None:
        """Take over both signals; from the main thread, once."""
        reader, writer = socket.socketpair()
        writer.setblocking(False)
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, _leave_to_the_socket)
        signal.set_wakeup_fd(writer.fileno(), warn_on_full_buffer=False)
        threading.Thread(target=self._listen, args=(reader, writer), name="signals", daemon=True).start()

    def _listen(self, reader: socket.socket, _writer: socket.socket) -> None:
        while True:
            for number in reader.recv(16):
                if number not in {signal.SIGTERM, signal.SIGINT}:
                    continue
                if self._event.is_set():
                    os._exit(EXIT_NOT_DRAINED)
                self.set()

    def set(self) -> None:
        """Ask this process to drain and end."""
        self._event.set()
        for callback in self._callbacks:
            callback()

    def is_set(self) -> bool:
        """Whether it was asked."""
        return self._event.is_set()

    def wait(self, timeout_s: float | None = None) -> bool:
        """Wait until it is asked, or the time is over; whether it was asked."""
        return self._event.wait(timeout_s)

    def call(self, callback: Callable[[], None]) -> None:
        """Call this too when the process is asked to end; it must return at once."""
        self._callbacks.append(callback)


def _leave_to_the_socket(_number: int, _frame: object) -> None:
    """Python writes to the wakeup socket only for signals that have a handler."""


def exit_by(seconds: float) -> None:
    """End the process hard if it has not ended by then: a drain that hangs must not outlive its time."""
    timer = threading.Timer(seconds, os._exit, (EXIT_NOT_DRAINED,))
    timer.daemon = True
    timer.start()


def die_with_parent() -> None:
    """With SAGUARO_DIE_WITH_PARENT=1 on Linux: SIGTERM when the thread that started this process ends, by kill -9 even."""
    if os.environ.get("SAGUARO_DIE_WITH_PARENT") != "1" or sys.platform != "linux":
        return
    import ctypes  # noqa: PLC0415

    parent = os.getppid()
    if ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_PDEATHSIG, int(signal.SIGTERM), 0, 0, 0) != 0:
        raise OSError(ctypes.get_errno(), "prctl(PR_SET_PDEATHSIG) was refused")
    if os.getppid() != parent or parent == 1:
        raise SystemExit("the process that started this one is gone already")
