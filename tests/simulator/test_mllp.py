"""MLLP against receivers that answer as real ones do: late, in pieces, or not at all."""

import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from simulator.hl7_file import END, START
from simulator.hl7_messages import PUBLISHED, published
from simulator.mllp_client import MllpClient, MllpFailed, acknowledgement, send_hl7

ACK = b"MSH|^~\\&|RECEIVER||||20260714||ACK^R01^ACK|1|P|2.6\rMSA|CA|CONTROL-1\r"
MESSAGE = b"MSH|^~\\&|SIM||||20260714||ORU^R01^ORU_R01|CONTROL-1|P|2.6\r"


@contextmanager
def receiver(answer: Callable[[socket.socket, bytes], None]) -> Iterator[int]:
    """A server for one connection; `answer` gets each message out of its frame."""
    listener = socket.create_server(("127.0.0.1", 0))

    def serve() -> None:
        connection, _ = listener.accept()
        with connection:
            received = b""
            while piece := connection.recv(4096):
                received += piece
                while END in received:
                    message, _, received = received.partition(END)
                    assert message.startswith(START)
                    try:
                        answer(connection, message[1:])
                    except OSError:
                        return

    thread = threading.Thread(target=serve)
    thread.start()
    try:
        yield listener.getsockname()[1]
    finally:
        thread.join(5)
        listener.close()
        assert not thread.is_alive()


def failed(port: int, timeout_s: float) -> str:
    """What sending one message comes to where it must fail."""
    with MllpClient("127.0.0.1", port, timeout_s) as client, pytest.raises(MllpFailed) as caught:
        client.send(MESSAGE)
    return str(caught.value)


def byte_by_byte(connection: socket.socket, _: bytes) -> None:
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    for place in range(len(START + ACK + END)):
        connection.sendall((START + ACK + END)[place : place + 1])


def test_an_acknowledgement_may_come_a_byte_at_a_time() -> None:
    with receiver(byte_by_byte) as port, MllpClient("127.0.0.1", port, 5) as client:
        found = client.send(MESSAGE)
    assert (found.code, found.message_control_id) == ("CA", "CONTROL-1")


def test_two_acknowledgements_in_one_piece_belong_to_two_messages() -> None:
    pending: list[bytes] = []

    def both_at_once(connection: socket.socket, message: bytes) -> None:
        pending.append(message)
        if len(pending) == 1:
            framed = START + ACK + END
            connection.sendall(framed + framed.replace(b"CONTROL-1", b"CONTROL-2"))

    with receiver(both_at_once) as port, MllpClient("127.0.0.1", port, 5) as client:
        assert client.send(MESSAGE).message_control_id == "CONTROL-1"
        assert client.send(MESSAGE).message_control_id == "CONTROL-2"


def test_a_receiver_that_says_nothing_is_not_waited_for_for_ever() -> None:
    began = time.monotonic()
    with receiver(lambda *_: None) as port:
        assert "no whole acknowledgement within 0.2 s" in failed(port, 0.2)
    assert time.monotonic() - began < 3


def test_an_acknowledgement_without_end_is_none() -> None:
    with receiver(lambda connection, _: connection.sendall(START + ACK)) as port:
        assert "no whole acknowledgement" in failed(port, 0.2)


def test_a_connection_that_is_ended_half_way_is_named() -> None:
    def half(connection: socket.socket, _: bytes) -> None:
        connection.sendall((START + ACK)[:20])
        connection.shutdown(socket.SHUT_WR)

    with receiver(half) as port:
        assert "ended before the acknowledgement was whole" in failed(port, 5)


def test_an_endless_answer_is_cut_off() -> None:
    def endless(connection: socket.socket, _: bytes) -> None:
        while True:
            connection.sendall(b"x" * 8192)

    with receiver(endless) as port:
        assert "at most" in failed(port, 5)


def test_a_refusal_is_read_with_its_rule() -> None:
    refusal = b"MSH|^~\\&|R\nMSA|CR|CONTROL-1\nERR|||102^Data type error^HL70357|E||||OBX-5: must be a number\n"
    found = acknowledgement(refusal)
    assert (found.code, found.error_code, found.rule) == ("CR", "102", "OBX-5: must be a number")
    with pytest.raises(MllpFailed, match="MSA-1"):
        acknowledgement(b"MSH|^~\\&|R\r")


def test_a_file_is_sent_byte_for_byte_in_or_out_of_a_frame(tmp_path: Path) -> None:
    came: list[bytes] = []

    def keep(connection: socket.socket, message: bytes) -> None:
        came.append(message)
        connection.sendall(START + ACK + END)

    plain, framed = tmp_path / "plain.hl7", tmp_path / "framed.hl7"
    plain.write_bytes(MESSAGE.replace(b"\r", b"\n"))
    framed.write_bytes(START + MESSAGE + END)
    for file in (plain, framed):
        with receiver(keep) as port:
            answer = send_hl7("127.0.0.1", port, file, 5)
        assert (answer["code"], answer["message_control_id"]) == ("CA", "CONTROL-1")
    assert came == [plain.read_bytes(), MESSAGE]


def test_where_nobody_listens_the_answer_says_so(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    file = tmp_path / "message.hl7"
    file.write_bytes(MESSAGE)
    answer = send_hl7("127.0.0.1", port, file, 1)
    assert answer["code"] == ""
    assert "no connection" in answer["rule"]


@pytest.mark.parametrize("name", PUBLISHED)
def test_the_published_messages_are_whole(name: str) -> None:
    message = published(name)
    assert message.startswith(b"MSH|^~\\&|")
    assert b"\rOBX|" in message
