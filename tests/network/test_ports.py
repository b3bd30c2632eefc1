"""A home keeps its ports."""

from __future__ import annotations

import socket
from pathlib import Path

from network.ports import PortBook, free_port, is_free


def test_a_name_keeps_its_port_over_restarts(tmp_path: Path) -> None:
    book = tmp_path / "ports.json"
    first = PortBook(book).port("postgres")
    assert PortBook(book).port("postgres") == first
    assert PortBook(book).known("postgres") == first
    assert PortBook(book).port("kafka") != first


def test_a_port_in_use_is_given_up_for_another(tmp_path: Path) -> None:
    book = PortBook(tmp_path / "ports.json")
    first = book.port("kafka")
    with socket.create_server(("127.0.0.1", first)):
        assert not is_free(first)
        second = book.port("kafka")
    assert second != first
    assert book.port("kafka") == second


def test_a_port_whose_connections_linger_is_free(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", free_port())) as server:
        port = server.getsockname()[1]
        client = socket.create_connection(("127.0.0.1", port))
        accepted, _ = server.accept()
        accepted.close()  # the side that closes first is left in TIME_WAIT
        client.recv(1)
        client.close()
    assert is_free(port)


def test_ports_lie_where_the_kernel_lends_none() -> None:
    lowest = int(Path("/proc/sys/net/ipv4/ip_local_port_range").read_text().split()[0])
    assert lowest < 16_100 or all(free_port() < lowest for _ in range(50))
