"""What may appear in logs and spans: names from this list, values that look like ids, codes and numbers.

One list for both, so that a field is either harmless everywhere or nowhere. Clinical and identifying values have no name
here; whoever adds a name says by that that its values are of class none or pseudonymous.
"""

from __future__ import annotations

import re

FIELDS = frozenset(
    {
        # who and what, as opaque ids
        "actor_id", "alarm_id", "causation_id", "correlation_id", "device_id", "error_id", "event_id", "order_id",
        "person_id",
        "plan_id", "request_id", "session_id", "site_id", "span_id", "trace_id",
        # where in the network
        "address", "addresses", "caller", "code", "component", "consumer", "endpoint", "event_type", "group", "handler",
        "importer", "kind", "method", "module", "offset", "partition", "partitions", "peer", "pid", "port", "process",
        "role", "rpc", "service", "slot", "source", "timer", "topic", "variable", "waits_for",
        # how much and how long
        "accepted", "active", "age_s", "attempt", "attempts", "batch", "bytes", "count", "delay_ms", "delay_s",
        "duration_ms", "expected", "failed", "found", "frames", "lag", "limit", "parked", "published", "pool_size",
        "refused", "rows", "samples", "sequence", "size", "timeout_s", "version",
        # what came of it
        "check", "constraint", "error_type", "field", "live", "outcome", "phase", "ready", "reason", "revision",
        "signal", "sqlstate", "state", "status", "strict",
    }
)  # fmt: skip
"""Names of fields whose values may be logged."""

SPAN_ATTRIBUTES = frozenset(
    {
        "error.type",
        "messaging.batch.message_count",
        "messaging.consumer.group.name",
        "messaging.destination.name",
        "messaging.destination.partition.id",
        "messaging.kafka.offset",
        "messaging.message.id",
        "messaging.operation.name",
        "messaging.operation.type",
        "messaging.system",
        "rpc.grpc.status_code",
        "rpc.method",
        "rpc.response.status_code",
        "rpc.service",
        "rpc.system",
        "saguaro.actor_id",
        "saguaro.causation_id",
        "saguaro.correlation_id",
        "saguaro.event_type",
        "saguaro.kind",
        "saguaro.outcome",
        "saguaro.reason",
        "saguaro.redelivered",
        "saguaro.role",
        "saguaro.site_id",
        "server.address",
        "server.port",
    }
)
"""Names of span attributes that may leave the process: OpenTelemetry's conventions for messaging and RPC, and our ids."""

WITHHELD = "[withheld]"

# Ids, codes, topics, addresses, type names: nothing with a space in it, so no sentence and no full name.
_TOKEN = re.compile(r"[\w.:/@+=,\[\]\-<>*]{0,200}", re.ASCII)


def is_token(text: str) -> bool:
    """Whether the text can be an id or a code."""
    return _TOKEN.fullmatch(text) is not None


def safe_value(value: object) -> object:
    """The value if it is a number, a code or a list or mapping of such; else a note that it was withheld."""
    if value is None or isinstance(value, bool | int | float):
        return value
    if isinstance(value, str):
        return value if is_token(value) else WITHHELD
    if isinstance(value, dict):
        return {str(safe_value(str(name))): safe_value(one) for name, one in list(value.items())[:50]}
    if isinstance(value, list | tuple | set | frozenset):
        return [safe_value(one) for one in list(value)[:50]]
    text = str(value)
    return text if is_token(text) else WITHHELD
