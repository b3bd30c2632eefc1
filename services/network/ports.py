"""Ports on 127.0.0.1 that a home keeps: clients must find a killed server again where it was."""

from __future__ import annotations

import json
import os
import random
import socket
import threading
from pathlib import Path

_LOWEST = 15_000
_HIGHEST = 32_767  # macOS and the others begin their ephemeral ports above this
_ATTEMPTS = 200


def free_port() -> int:
    """A port that nobody listens on, from below the ephemeral range.

    From inside that range a port could not be kept: while its server is dead, the kernel may lend it to some outgoing
    connection, or a client that retries may even be connected to itself, and the server could not come back.
    """
    highest = _below_ephemeral()
    for _ in range(_ATTEMPTS):
        port = random.randint(_LOWEST, highest)
        if is_free(port):
            return port
    raise RuntimeError(f"found no free port on 127.0.0.1 between {_LOWEST} and {highest}")


def is_free(port: int) -> bool:
    """Whether a server could listen on this port of 127.0.0.1 now."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        # As the servers themselves do: a port whose last connections are in TIME_WAIT is free to a server.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
            probe.listen(1)  # with SO_REUSEADDR the bind alone may succeed beside another server
        except OSError:
            return False
    return True


class PortBook:
    """The ports of one home, by name, remembered in one file. Safe for the threads of one process."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._lock = threading.Lock()

    def port(self, name: str) -> int:
        """The port this name had before if it is free now, else a new one, remembered.

        Ask only when the server of that name is known to be dead, otherwise its port looks taken.
        """
        with self._lock:
            kept = self._read().get(name)
            return kept if kept is not None and is_free(kept) else self._choose(name)

    def renew(self, name: str) -> int:
        """A new port for this name: another program took the kept one between the look and the bind."""
        with self._lock:
            return self._choose(name)

    def known(self, name: str) -> int | None:
        """The remembered port, whether anybody listens on it or not."""
        with self._lock:
            return self._read().get(name)

    def keep(self, name: str, port: int) -> None:
        """Remember a port that a process chose itself and reported."""
        with self._lock:
            self._write(self._read() | {name: port})

    def _choose(self, name: str) -> int:
        book = self._read()
        port = free_port()
        while port in book.values():
            port = free_port()
        self._write(book | {name: port})
        return port

    def _write(self, book: dict[str, int]) -> None:
        self._path.parent.mkdir(parents=True, exist_ok=True)
        fresh = self._path.with_suffix(".new")
        fresh.write_text(json.dumps(book, indent=1, sort_keys=True) + "\n")
        os.replace(fresh, self._path)

    def _read(self) -> dict[str, int]:
        try:
            book = json.loads(self._path.read_text())
        except FileNotFoundError:
            return {}
        return {str(name): int(port) for name, port in book.items()}


def _below_ephemeral() -> int:
    try:
        lowest_ephemeral = int(Path("/proc/sys/net/ipv4/ip_local_port_range").read_text().split()[0])
    except (OSError, ValueError, IndexError):
        return _HIGHEST
    # A machine whose ephemeral range reaches all the way down leaves no such port: then any will do.
    return min(lowest_ephemeral - 1, _HIGHEST) if lowest_ephemeral > _LOWEST + 1_000 else _HIGHEST
