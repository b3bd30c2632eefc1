"""A file of HL7 messages in any form gives the same messages, in their order."""

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from simulator.hl7_file import END, START, answers_wanted, messages_in
from simulator.mllp_client import send_hl7

ONE = b"MSH|^~\\&|A||||20260715||ORU^R01^ORU_R01|1|P|2.6|||AL|NE\rPID|||1\r"
TWO = ONE.replace(b"|1|P", b"|2|P")


def bare(message: bytes) -> bytes:
    return message.replace(b"\r\n", b"\r").replace(b"\n", b"\r").strip(b"\r")


@pytest.mark.parametrize("end", [b"\r", b"\n", b"\r\n"])
@pytest.mark.parametrize(
    ("before", "between", "after"),
    [
        (b"", b"", b""),
        (START, END + START, END),
        (START, END + b"\r\n" + START, b"\x1c"),
        (b"\xef\xbb\xbf", b"\r\n\r\n", b"\r\n"),
        (b"FHS|^~\\&|x\rBHS|^~\\&|x\r", b"", b"BTS|2\rFTS|1\r"),
    ],
)
def test_every_form_of_a_file(end: bytes, before: bytes, between: bytes, after: bytes) -> None:
    content = before + ONE.replace(b"\r", end) + between + TWO.replace(b"\r", end) + after
    assert [bare(part) for part in messages_in(content)] == [bare(ONE), bare(TWO)]


def test_what_stands_before_the_first_message_is_not_lost() -> None:
    assert messages_in(b"PID|||9\r" + ONE) == [b"PID|||9\r", ONE]
    assert messages_in(b"odd" + START + ONE + END) == [b"odd", ONE]


def test_a_file_without_messages_holds_none() -> None:
    assert messages_in(b"") == messages_in(b"\r\n \n") == []


@given(st.binary(max_size=80))
def test_any_bytes_are_cut_without_loss_of_a_byte_that_says_something(content: bytes) -> None:
    kept = b"".join(messages_in(content))
    for frame in (START, END, b"\x1c", b"\xef\xbb\xbf"):
        content, kept = content.replace(frame, b""), kept.replace(frame, b"")
    if not any(name in content for name in (b"FHS", b"BHS", b"BTS", b"FTS")):
        assert b"".join(kept.split()) == b"".join(content.split())


@pytest.mark.parametrize(
    ("asked", "wanted"),
    [
        (b"|", 1),
        (b"AL|NE", 1),
        (b"AL|AL", 2),
        (b"NE|AL", 1),
        (b"NE|NE", 0),
        (b"ER|NE", None),
        (b"AL|SU", None),
        (b"|AL", 1),
    ],
)
def test_how_many_acknowledgements_are_owed(asked: bytes, wanted: int | None) -> None:
    assert answers_wanted(ONE.replace(b"AL|NE", asked)) == wanted


def test_without_a_control_id_none_is_owed() -> None:
    assert answers_wanted(ONE.replace(b"|1|P", b"||P")) == answers_wanted(b"odd") == 0


@contextmanager
def receiver(codes: dict[bytes, list[bytes]]) -> Iterator[int]:
    """Answers each message by its MSH-10; hangs up where there is no entry."""
    listener = socket.create_server(("127.0.0.1", 0))
    listener.settimeout(5)
    done = threading.Event()

    def serve() -> None:
        while not done.is_set():
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            with connection:
                received = b""
                while piece := connection.recv(4096):
                    received += piece
                    while END in received:
                        message, _, received = received.partition(END)
                        control = message.split(b"|")[9]
                        if control not in codes:
                            received = b""
                            break
                        for code in codes[control]:
                            answer = b"MSH|^~\\&|R\rMSA|" + code + b"|" + control + b"\rERR|||1|E||||rule of " + control
                            connection.sendall(START + answer + b"\r" + END)
                    else:
                        continue
                    break

    thread = threading.Thread(target=serve)
    thread.start()
    try:
        yield listener.getsockname()[1]
    finally:
        done.set()
        socket.create_connection(listener.getsockname()).close()
        thread.join(5)
        listener.close()
        assert not thread.is_alive()


def test_each_message_of_a_file_is_told_and_counted(tmp_path: Path) -> None:
    """taken + refused = sent, where each asks for an answer; one that is cut off does not stop those behind it."""
    file = tmp_path / "many.hl7"
    both = ONE.replace(b"|1|P", b"|4|P").replace(b"AL|NE", b"AL|AL")
    lost = ONE.replace(b"|1|P", b"|5|P")
    file.write_bytes(ONE + TWO + both + lost + ONE.replace(b"|1|P", b"|6|P"))
    answers = {b"1": [b"CA"], b"2": [b"CE"], b"4": [b"CA", b"AE"], b"6": [b"CA"]}
    with receiver(answers) as port:
        found = send_hl7("127.0.0.1", port, file, 2)
    assert (found["sent"], found["taken"], found["refused"], found["unanswered"]) == (5, 2, 2, 1)
    assert [one["code"] for one in found["messages"]] == ["CA", "CE", "AE", "", "CA"]
    assert (found["code"], found["message_control_id"], found["rule"]) == ("CE", "2", "rule of 2")
    assert "ended before the acknowledgement" in found["messages"][3]["rule"]
