"""RequestContext as gRPC metadata, and back. A call that does not say who acts, why and when is refused.

Keys: saguaro-actor (uuid), saguaro-role, saguaro-site (uuid; empty for roles that span the network), saguaro-purpose,
saguaro-correlation-id (uuid; made anew when absent), saguaro-clinic-time (RFC 3339 with offset) and W3C traceparent.
"""

import re
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Final
from uuid import UUID

import grpc
import uuid_utils.compat

from chassis.context import NETWORK_WIDE, RequestContext
from chassis.errors import DeadlineExceeded, InvalidArgument, Unauthenticated

ACTOR: Final = "saguaro-actor"
ROLE: Final = "saguaro-role"
SITE: Final = "saguaro-site"
PURPOSE: Final = "saguaro-purpose"
CORRELATION: Final = "saguaro-correlation-id"
CLINIC_TIME: Final = "saguaro-clinic-time"
TRACEPARENT: Final = "traceparent"

CONTEXT_REQUIRED: Final = "CONTEXT_REQUIRED"
DEADLINE_REQUIRED: Final = "DEADLINE_REQUIRED"
MAX_DEADLINE_S: Final = 60.0
# Clocks of two machines differ a little, and grpc rounds.
_DEADLINE_SLACK_S: Final = 1.0

_KEYS: Final = frozenset({ACTOR, ROLE, SITE, PURPOSE, CORRELATION, CLINIC_TIME, TRACEPARENT})
# Without these nobody knows who calls; without the others nobody knows why and when.
_WHO: Final = (ACTOR, ROLE)
_REQUIRED: Final = (*_WHO, PURPOSE, CLINIC_TIME)
_ROLE: Final = re.compile(r"[a-z][a-z0-9_]{0,39}")
_PURPOSE: Final = re.compile(r"[A-Za-z][A-Za-z0-9_.-]{0,39}")
_UUID: Final = re.compile(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")
_RFC_3339: Final = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,9})?(Z|[+-]\d\d:\d\d)")
# W3C Trace Context, version 00; all zeroes is no id.
_TRACEPARENT: Final = re.compile(r"00-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}")

Metadata = tuple[tuple[str, str], ...]


def read_context(metadata: Iterable[tuple[str, str | bytes]]) -> RequestContext:
    """The caller's context. Unauthenticated or InvalidArgument (CONTEXT_REQUIRED) names what is missing or wrong."""
    said: dict[str, str] = {}
    for key, value in metadata:
        if key in _KEYS and isinstance(value, str):
            if key in said:
                raise _refused(key, "must be given once")
            said[key] = value
    missing = [key for key in _REQUIRED if not said.get(key)]
    if missing:
        rule = f"the call must say {', '.join(missing)}"
        if any(key in _WHO for key in missing):
            raise Unauthenticated(CONTEXT_REQUIRED, field=missing[0], rule=rule)
        raise _refused(missing[0], rule)
    site, correlation, traceparent = said.get(SITE, NETWORK_WIDE), said.get(CORRELATION), said.get(TRACEPARENT, "")
    return RequestContext(
        actor_id=_uuid(ACTOR, said[ACTOR]),
        role=_matching(ROLE, said[ROLE], _ROLE, "must be lower_snake, at most 40 letters"),
        site_id=str(_uuid(SITE, site)) if site else NETWORK_WIDE,
        purpose=_matching(PURPOSE, said[PURPOSE], _PURPOSE, "must be a code of at most 40 letters"),
        correlation_id=_uuid(CORRELATION, correlation) if correlation else new_correlation_id(),
        clinic_time=_moment(said[CLINIC_TIME]),
        # Trace Context asks to start a new trace, not to fail, when the header makes no sense.
        traceparent=traceparent if _TRACEPARENT.fullmatch(traceparent) else None,
    )


def write_context(context: RequestContext, traceparent: str | None = None) -> Metadata:
    """The metadata of a call in this context; `traceparent` is that of the calling span, else the context's own."""
    trace = traceparent or context.traceparent
    said = (
        (ACTOR, str(context.actor_id)),
        (ROLE, context.role),
        (SITE, context.site_id),
        (PURPOSE, context.purpose),
        (CORRELATION, str(context.correlation_id)),
        (CLINIC_TIME, context.clinic_time.isoformat()),
    )
    return (*said, (TRACEPARENT, trace)) if trace else said


def read_deadline(call: grpc.ServicerContext) -> float:
    """Seconds that the caller still waits. InvalidArgument without a deadline or with one over 60 s.

    DeadlineExceeded when it passed while the call waited for a thread: nobody works for a caller that is gone.
    """
    # Without a deadline grpc answers with a moment far ahead.
    left_s = call.time_remaining()
    if left_s > MAX_DEADLINE_S + _DEADLINE_SLACK_S:
        rule = f"the call must have a deadline of at most {MAX_DEADLINE_S:.0f} s"
        raise InvalidArgument("deadline", rule, reason=DEADLINE_REQUIRED)
    if left_s <= 0:
        raise DeadlineExceeded("DEADLINE_EXCEEDED", rule="the call waited for a thread until its deadline")
    return left_s


def new_correlation_id() -> UUID:
    """A new care episode's id, UUIDv7."""
    return uuid_utils.compat.uuid7()


def _moment(text: str) -> datetime:
    if _RFC_3339.fullmatch(text):
        try:
            return datetime.fromisoformat(text).astimezone(UTC)
        except (ValueError, OverflowError):
            pass
    raise _refused(CLINIC_TIME, "must be a time with offset as RFC 3339 writes it")


def _uuid(key: str, text: str) -> UUID:
    return UUID(_matching(key, text, _UUID, "must be a UUID"))


def _matching(key: str, text: str, form: "re.Pattern[str]", rule: str) -> str:
    if not form.fullmatch(text):
        raise _refused(key, rule)
    return text


def _refused(key: str, rule: str) -> InvalidArgument:
    return InvalidArgument(key, rule, reason=CONTEXT_REQUIRED)
