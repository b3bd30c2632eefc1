"""The settings of the embedded PostgreSQL.

They are given on the command line, where they win over every file: the data directory belongs to another user under
root and nothing of ours is ever written into it, and a new version of Saguaro brings its settings to an old home.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path


class PostgresFailed(RuntimeError):
    """PostgreSQL could not be made or started."""


SETTINGS: Mapping[str, str] = {
    "listen_addresses": "127.0.0.1",
    "password_encryption": "scram-sha-256",
    "max_connections": "200",
    "shared_buffers": "128MB",
    "max_wal_size": "1GB",
    "checkpoint_timeout": "2min",
    "jit": "off",
    "timezone": "UTC",
    "log_timezone": "UTC",
    "log_line_prefix": "%m [%p] %u@%d ",
    # What a person's record holds never reaches the log. An ERROR may quote a value in its first line ('invalid input
    # syntax for type integer: "…"'), so from ERROR down nothing is logged at all: the caller has the error, mapped by
    # constraint name. Start, recovery, checkpoints, FATAL and PANIC are.
    "log_min_messages": "log",
    "log_min_error_statement": "panic",
    "log_error_verbosity": "terse",
    "log_parameter_max_length": "0",
    "log_parameter_max_length_on_error": "0",
    "log_statement": "none",
    "log_min_duration_statement": "-1",
}


def arguments(port: int, data: Path, socket_dir: Path, overrides: Mapping[str, str]) -> list[str]:
    """The command line of `postgres`, without the program."""
    settings = {**SETTINGS, "port": str(port), "unix_socket_directories": str(socket_dir), **overrides}
    line = ["-D", str(data)]
    for name, value in settings.items():
        line += ["-c", f"{name}={value}"]
    return line


def environment() -> dict[str, str]:
    """Ours without what would steer PostgreSQL (PGDATA, PGPORT, …) or name a locale that is not installed."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("PG", "LC_", "LANG"))}
    return {**kept, "LC_ALL": "C"}
