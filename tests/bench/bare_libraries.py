"""A process that imports what an api or a worker stands on and does nothing. Argument: api or worker."""

import json
import sys
from importlib import import_module

_BOTH = (
    "sqlalchemy",
    "psycopg",
    "google.protobuf.message",
    "opentelemetry.sdk.trace",
    "structlog",
    "pydantic_settings",
    "prometheus_client",
)
_OWN = {
    "api": ("grpc", "grpc_health.v1.health", "grpc_reflection.v1alpha.reflection", "protovalidate"),
    "worker": ("kafka",),
}


def main() -> None:
    """Prints a line when everything is there, then waits to be ended."""
    kind = sys.argv[1]
    if kind == "worker":
        import eventlet

        eventlet.monkey_patch()
        import_module("nameko.containers")
    for name in (*_BOTH, *_OWN[kind]):
        import_module(name)
    print(json.dumps({"ready": True}), flush=True)
    sys.stdin.read()


if __name__ == "__main__":
    main()
