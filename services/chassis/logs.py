"""Logs: JSON, one line an event, on standard error, with trace ids, and nothing identifying in it by accident.

Three rules make that last part hold. The text of a line is a literal of somebody's source, never put together from values.
Fields have names from chassis.telemetry_words, and values that look like ids, codes or numbers. Of an exception the
types and the stack are logged, never its text nor its locals, since libraries quote values there. Standard logging
(Kafka, gRPC, nameko, alembic, SQLAlchemy), warnings and uncaught exceptions come out the same way.
"""

from __future__ import annotations

import logging
import sys
from collections.abc import Mapping, MutableMapping
from typing import Any, TextIO

from chassis import tracing
from chassis.logs_foreign import Router, hook_uncaught
from chassis.logs_safety import exception_shape, is_literal
from chassis.telemetry_words import FIELDS, safe_value

# structlog's console renderer would load rich, 0.25 s of start-up for colours that JSON has not.
_rich = sys.modules.get("rich")
if _rich is None:
    sys.modules["rich"] = None  # type: ignore[assignment]
try:
    import structlog
finally:
    if _rich is None:
        del sys.modules["rich"]

Logger = structlog.stdlib.BoundLogger
Event = MutableMapping[str, Any]

UNSAFE_TEXT = "a text that is not a literal"
_OWN = frozenset({"event", "level", "time", "logger", "exception", "message", "dropped", "advice"})


def configure(service: str, kind: str, level: str = "INFO", stream: TextIO | None = None) -> None:
    """Set up logging for this process: ours and everybody's. `stream` is standard error unless a test says otherwise."""
    threshold = logging.getLevelNamesMapping()[level]
    process = {"service": service, "kind": kind}

    def name_process(_logger: Any, _method: str, event: Event) -> Event:
        event.update(process)
        return event

    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True, key="time"),
            literal_text,
            shape_exception,
            name_process,
            trace_ids,
            keep_allowed,
            structlog.processors.JSONRenderer(ensure_ascii=True),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(threshold),
        logger_factory=structlog.WriteLoggerFactory(stream if stream is not None else sys.stderr),
        cache_logger_on_first_use=False,
    )
    logging.captureWarnings(True)
    root = logging.getLogger()
    root.handlers[:] = [Router(get_logger())]
    root.setLevel(max(threshold, logging.INFO))
    # Chatty at INFO by design; what they report there is in our metrics.
    for name in ("kafka", "alembic.runtime.plugins", "sqlalchemy.engine", "urllib3"):
        logging.getLogger(name).setLevel(max(threshold, logging.WARNING))
    hook_uncaught(get_logger())


def get_logger(**bound: Any) -> Any:
    """A logger: `log.info("booked", session_id=...)`. The text is a literal; the fields are in telemetry_words."""
    return structlog.get_logger(**bound)


def literal_text(_logger: Any, _method: str, event: Event) -> Event:
    """Withhold a text that was put together at run time; the Router vouches for the ones that it passes on."""
    if not event.pop("_vouched", False) and not is_literal(event.get("event"), sys._getframe(1)):
        event["event"] = UNSAFE_TEXT
    return event


def shape_exception(_logger: Any, method: str, event: Event) -> Event:
    """Replace exc_info by types and places."""
    info = event.pop("exc_info", None)
    if info is None and method == "exception":
        info = True
    if isinstance(info, BaseException):
        error: BaseException | None = info
    elif isinstance(info, tuple):
        error = info[1]
    else:
        error = sys.exc_info()[1] if info else None
    if error is not None:
        event["exception"] = exception_shape(error)
    return event


def trace_ids(_logger: Any, _method: str, event: Event) -> Event:
    """The ids of the span that this line belongs to, if there is one."""
    ids = tracing.current_ids()
    if ids is not None:
        event["trace_id"], event["span_id"] = ids
    correlation_id = tracing.current_correlation_id()
    if correlation_id is not None:
        event.setdefault("correlation_id", correlation_id)
    return event


def keep_allowed(_logger: Any, _method: str, event: Event) -> Mapping[str, Any]:
    """Keep the allowed names with values that look harmless, and say which names were dropped."""
    kept = {
        name: value if name in _OWN else safe_value(value)
        for name, value in event.items()
        if name in _OWN or name in FIELDS
    }
    dropped = sorted(name for name in event if name not in kept)
    return kept | {"dropped": dropped} if dropped else kept
