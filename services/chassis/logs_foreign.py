"""What others log, brought into our form: standard logging, warnings, and exceptions that nobody caught."""

from __future__ import annotations

import logging
import sys
import threading
from types import TracebackType
from typing import Any

from chassis.logs_safety import is_literal, place


class Router(logging.Handler):
    """Passes records of standard logging on: the template if it is a literal, never the values put into it."""

    def __init__(self, log: Any) -> None:
        super().__init__()
        self._log = log

    def emit(self, record: logging.LogRecord) -> None:
        """Log the record in our form. Never raises: a log line must not end what it reports on."""
        try:
            literal = is_literal(record.msg, sys._getframe(1))
            level = record.levelname.lower() if record.levelno in _LEVELS else "info"
            getattr(self._log, level)(
                record.msg if literal else "a library's message",
                _vouched=True,
                source=f"{place(record.pathname)}:{record.lineno}",
                component=record.name,
                **({"exc_info": record.exc_info} if record.exc_info and record.exc_info[1] is not None else {}),
            )
        except Exception:  # noqa: BLE001
            self._log.error("a log record could not be passed on", component=record.name)


_LEVELS = {logging.DEBUG, logging.INFO, logging.WARNING, logging.ERROR, logging.CRITICAL}


def hook_uncaught(log: Any) -> None:
    """Log what ends a process, a thread, a finaliser or a greenthread by an exception, in place of Python's own print."""

    def of_process(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
        if issubclass(kind, KeyboardInterrupt):
            return
        log.critical("uncaught exception", exc_info=error.with_traceback(trace))

    def of_thread(caught: threading.ExceptHookArgs) -> None:
        if caught.exc_value is not None and not isinstance(caught.exc_value, SystemExit):
            log.error("uncaught exception in a thread", exc_info=caught.exc_value)

    def of_finaliser(caught: Any) -> None:
        if caught.exc_value is not None:
            log.error("uncaught exception in a finaliser", exc_info=caught.exc_value)

    def of_greenthread(_timer_or_number: Any, info: Any) -> None:
        if not isinstance(info[1], SystemExit):
            log.error("uncaught exception in a greenthread", exc_info=info[1])

    def of_descriptor(number: int, info: Any) -> None:
        of_greenthread(number, info)
        hub.remove_descriptor(number)

    sys.excepthook = of_process
    threading.excepthook = of_thread
    sys.unraisablehook = of_finaliser
    hubs = sys.modules.get("eventlet.hubs")
    hub: Any = None if hubs is None else hubs.get_hub()
    if hub is not None:
        # The hub would print the exception with its text.
        hub.squelch_timer_exception = of_greenthread
        hub.squelch_generic_exception = lambda info: of_greenthread(None, info)
        hub.squelch_exception = of_descriptor
