"""One channel per target per process, which follows a peer that comes back on another port.

A target is `host:port`, or `@/path/of/report` for a file that holds one: either as plain text or as the JSON report of
a process (`addresses.grpc`; `@/path#stream` names another of its addresses). The file is looked at before each
call: after a restart the old port may already belong to somebody else.
"""

import json
import os
import threading
from collections.abc import Callable
from typing import Any, Final

import grpc

_OPTIONS: Final = (
    # Retries are counted in one place, the client; grpc's own would multiply them.
    ("grpc.enable_retries", 0),
    # A peer that was restarted is found again within a second, not after the default's two minutes.
    ("grpc.initial_reconnect_backoff_ms", 50),
    ("grpc.max_reconnect_backoff_ms", 500),
    ("grpc.keepalive_time_ms", 30_000),
    ("grpc.keepalive_timeout_ms", 10_000),
    # The same address in another test or network must not share a connection with its settings.
    ("grpc.use_local_subchannel_pool", 1),
)


class NoAddress(Exception):
    """The report file is missing or names no such address: the peer is not up yet."""


class _Connection:
    """A channel and the callables made on it, which live and go together."""

    def __init__(self, address: str) -> None:
        self.address = address
        self.channel = grpc.insecure_channel(address, options=_OPTIONS)
        self.callables: dict[str, Any] = {}


class Link:
    """The way to one target. Safe to use from several threads."""

    def __init__(self, target: str) -> None:
        self._lock = threading.Lock()
        self._connection: _Connection | None = None
        self._seen: tuple[int, int, int] | None = None
        self._file, self._name = "", "grpc"
        if target.startswith("@"):
            self._file, _, name = target[1:].partition("#")
            self._name = name or "grpc"
        else:
            self._connection = _Connection(target)

    def callable(self, key: str, make: Callable[[grpc.Channel], Any]) -> Any:
        """The multi-callable of one rpc on the present channel, made once. Raises NoAddress."""
        connection = self._connection
        if self._file or connection is None:
            connection = self._followed()
        found = connection.callables.get(key)
        if found is None:
            found = connection.callables.setdefault(key, make(connection.channel))
        return found

    def close(self) -> None:
        """Ends the channel and the calls on it."""
        with self._lock:
            if self._connection is not None:
                self._connection.channel.close()

    def _followed(self) -> _Connection:
        try:
            now = os.stat(self._file)
        except OSError:
            if self._connection is None:
                raise NoAddress from None
            return self._connection
        seen = (now.st_mtime_ns, now.st_ino, now.st_size)
        if seen == self._seen and self._connection is not None:
            return self._connection
        with self._lock:
            address = self._read()
            # The channel that is left behind ends with the last call on it; closing it here would cancel those.
            if self._connection is None or self._connection.address != address:
                self._connection = _Connection(address)
            self._seen = seen
            return self._connection

    def _read(self) -> str:
        try:
            with open(self._file, encoding="utf-8") as file:
                text = file.read().strip()
            address = json.loads(text)["addresses"][self._name] if text.startswith("{") else text
        except (OSError, ValueError, LookupError, TypeError):
            raise NoAddress from None
        if not isinstance(address, str) or not address:
            raise NoAddress
        return address


_links: dict[str, Link] = {}
_links_lock = threading.Lock()


def link_to(target: str) -> Link:
    """The process's one link to a target."""
    with _links_lock:
        return _links.setdefault(target, Link(target)) if target not in _links else _links[target]


def close_links() -> None:
    """Ends every channel of the process, at its end."""
    with _links_lock:
        for link in _links.values():
            link.close()
        _links.clear()
