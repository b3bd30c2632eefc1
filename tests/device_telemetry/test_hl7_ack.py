"""Which acknowledgements a message gets, for every pair of MSH-15 and MSH-16, and what they say."""

from datetime import UTC, datetime

import pytest

from device_telemetry.domain.hl7_ack import Outcome, acknowledgements
from device_telemetry.domain.hl7_findings import Finding
from device_telemetry.domain.hl7_header import Header, read_header
from tests.device_telemetry.hl7_by_hand import message

AT = datetime(2026, 7, 15, 16, tzinfo=UTC)
TAKEN = Outcome()
ERROR = Outcome((Finding("OBX-6", "103", "must be a known unit", 7),), refused=True)
REJECT = Outcome((Finding("MSH-9", "200", "must be a known trigger"),), refused=True, reject=True)


def header(ack: str, control: str = "C1") -> Header:
    found = read_header(message(ack=ack, control=control))
    assert found is not None
    return found


def codes(ack: str, outcome: Outcome) -> list[str]:
    return [text.split("\r")[1].split("|")[1] for text in acknowledgements(header(ack), outcome, AT, ("1", "2"))]


@pytest.mark.parametrize(
    ("ack", "taken", "error", "reject"),
    [
        ("|", ["AA"], ["AE"], ["AR"]),
        ("|NE", ["AA"], ["AE"], ["AR"]),
        ("AL|NE", ["CA"], ["CE"], ["CR"]),
        ("AL|", ["CA"], ["CE"], ["CR"]),
        ("NE|NE", [], [], []),
        ("ER|NE", [], ["CE"], ["CR"]),
        ("SU|NE", ["CA"], [], []),
        ("AL|AL", ["CA", "AA"], ["CE", "AE"], ["CR", "AR"]),
        ("NE|AL", ["AA"], ["AE"], ["AR"]),
        ("NE|ER", [], ["AE"], ["AR"]),
        ("AL|SU", ["CA", "AA"], ["CE"], ["CR"]),
        ("al|ne", ["CA"], ["CE"], ["CR"]),
        ("??|NE", ["CA"], ["CE"], ["CR"]),
    ],
)
def test_modes(ack: str, taken: list[str], error: list[str], reject: list[str]) -> None:
    """Ack: MSH-15 valued: CA/CE/CR; empty: AA/AE/AR."""
    assert (codes(ack, TAKEN), codes(ack, ERROR), codes(ack, REJECT)) == (taken, error, reject)


@pytest.mark.parametrize("control", ["1", "AB-12.3^x", "9" * 199])
def test_the_control_id_is_echoed(control: str) -> None:
    """MSH-10 echoed."""
    (text,) = acknowledgements(header("AL|NE", control), TAKEN, AT, ("1", "2"))
    assert text.split("\r")[1] == f"MSA|CA|{control}"


def test_each_finding_is_an_error_with_its_place_and_rule() -> None:
    outcome = Outcome((*ERROR.findings, *REJECT.findings), refused=True)
    (text,) = acknowledgements(header("AL|NE"), outcome, AT, ("1", "2"))
    assert text.split("\r")[2:4] == [
        "ERR||OBX^7^6|103^Table value not found^HL70357|E||||OBX-6: must be a known unit",
        "ERR||MSH^1^9|200^Unsupported message type^HL70357|E||||MSH-9: must be a known trigger",
    ]


def test_what_was_left_out_of_a_message_that_was_taken_is_a_warning() -> None:
    (text,) = acknowledgements(header("AL|NE"), Outcome(ERROR.findings), AT, ("1", "2"))
    assert "MSA|CA|C1" in text
    assert "HL70357|W||||OBX-6" in text


def test_the_answers_differ_in_their_own_ids() -> None:
    first, second = acknowledgements(header("AL|AL"), TAKEN, AT, ("1", "2"))
    assert (first.split("|")[9], second.split("|")[9]) == ("1", "2")
