"""The call that this thread is answering: its context and its deadline, for the calls to peers that it makes.

Set by the gRPC servicer around a use case, read by the client kit. Free of grpc.
"""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass

from chassis.context import RequestContext


@dataclass(frozen=True)
class CurrentCall:
    """Whose call it is, and until when (time.monotonic) its caller waits."""

    context: RequestContext
    until: float


_CURRENT: ContextVar[CurrentCall | None] = ContextVar("saguaro_current_call", default=None)


@contextmanager
def answering(context: RequestContext, deadline_s: float) -> Iterator[None]:
    """Calls to peers inside the block are made in this context and end within `deadline_s` seconds from now."""
    token = _CURRENT.set(CurrentCall(context, time.monotonic() + deadline_s))
    try:
        yield
    finally:
        _CURRENT.reset(token)


def current_call() -> CurrentCall | None:
    """The call being answered, or None outside of one."""
    return _CURRENT.get()
