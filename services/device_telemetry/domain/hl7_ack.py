"""Acknowledgements (HL7 v2.6, chapter 2): what MSH-15 and MSH-16 ask for.

MSH-15 empty is the original mode: one answer, AA, AE or AR. MSH-15 valued is the enhanced mode: CA, CE or CR as MSH-15 says (AL always, NE
never, ER of an error, SU of a success), and after it an application acknowledgement, AA, AE or AR, where MSH-16 asks for one. MSH-10 is
echoed in MSA-2. Each finding is an ERR segment: an error where the message was refused, a warning where it was taken without that row.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from device_telemetry.domain.hl7_findings import Finding
from device_telemetry.domain.hl7_header import Header

# HL7 table 0155: (wanted of a success, of an error). What is no code of it asks for an answer, so that nobody waits in vain.
_WANTED: Final = {"AL": (True, True), "ER": (False, True), "SU": (True, False), "NE": (False, False)}
_MOST_ERRORS: Final = 50


@dataclass(frozen=True)
class Outcome:
    """How a message fared: its findings, and whether they refused it, for good (`reject`) or at all."""

    findings: tuple[Finding, ...] = ()
    refused: bool = False
    reject: bool = False


def acknowledgements(header: Header, outcome: Outcome, at: datetime, control_ids: Sequence[str]) -> tuple[str, ...]:
    """The answers in their order: none, one or two. `at` is machine time; `control_ids` are two new ids for them."""
    asked, then = header.field(15).strip().upper(), header.field(16).strip().upper()
    letters = []
    if not asked:
        letters.append("A")
    else:
        if _wanted(asked, outcome):
            letters.append("C")
        if then in _WANTED and _wanted(then, outcome):
            letters.append("A")
    return tuple(
        _message(header, outcome, at, control_id, letter)
        for letter, control_id in zip(letters, control_ids, strict=False)
    )


def _wanted(condition: str, outcome: Outcome) -> bool:
    on_success, on_error = _WANTED.get(condition, (True, True))
    return on_error if outcome.refused else on_success


def _message(header: Header, outcome: Outcome, at: datetime, control_id: str, letter: str) -> str:
    code = letter + ("A" if not outcome.refused else "R" if outcome.reject else "E")
    trigger = [*header.field(9).split(header.component_separator), ""][1]
    kind = f"ACK^{trigger}^ACK" if trigger.isalnum() and trigger.isascii() else "ACK"
    segments = [
        f"MSH|^~\\&|Saguaro||||{at.strftime('%Y%m%d%H%M%S%z')}||{kind}|{control_id}|P|2.6",
        f"MSA|{code}|{_plain(header)}",
    ]
    severity = "E" if outcome.refused else "W"
    for finding in outcome.findings[:_MOST_ERRORS]:
        condition = f"{finding.code}^{_TEXTS.get(finding.code, 'Application error')}^HL70357"
        segments.append(f"ERR||{_location(finding)}|{condition}|{severity}||||{finding.text}")
    return "\r".join(segments) + "\r"


_TEXTS: Final = {
    "100": "Segment sequence error",
    "101": "Required field missing",
    "102": "Data type error",
    "103": "Table value not found",
    "200": "Unsupported message type",
    "205": "Duplicate key identifier",
    "207": "Application internal error",
}


def _plain(header: Header) -> str:
    """MSH-10; where the sender has delimiters of its own, those of the answer are written as escapes."""
    text = header.control_id
    if header.field(2).startswith("^~\\&") and "|" not in text:
        return text
    for sign, name in (("\\", "E"), ("|", "F"), ("^", "S"), ("~", "R"), ("&", "T")):
        text = text.replace(sign, f"\\{name}\\")
    return text


def _location(finding: Finding) -> str:
    """ERR-2 of "OBX-6" in row 3: segment, which one, which field."""
    segment, _, field = finding.location.partition("-")
    number = finding.row or 1
    return f"{segment}^{number}^{field}" if field else segment
