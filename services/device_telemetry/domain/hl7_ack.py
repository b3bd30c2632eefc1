"""Acknowledgements: MSH-15 valued asks for CA, CE or CR; empty for AA, AE or AR (HL7 v2.6, enhanced and original mode)."""

from datetime import datetime

from device_telemetry.domain.hl7_header import Header, Hl7Error

# Conditions of MSH-15 (HL7 table 0155) under which an acknowledgement is wanted: (of a success, of an error).
_WANTED = {"": (True, True), "AL": (True, True), "ER": (False, True), "SU": (True, False), "NE": (False, False)}


def acknowledgement(header: Header, error: Hl7Error | None, at: datetime, control_id: str) -> str | None:
    """The acknowledging message; None when MSH-15 says that none is wanted. `at` is machine time."""
    asked = header.field(15).strip().upper()
    on_success, on_error = _WANTED.get(asked, (True, True))
    if not (on_success if error is None else on_error):
        return None
    letter = "C" if asked else "A"
    code = letter + ("A" if error is None else "R" if error.reject else "E")
    trigger = [*header.field(9).split("^"), ""][1]
    kind = f"ACK^{trigger}^ACK" if trigger.isalnum() and trigger.isascii() else "ACK"
    stamp = at.strftime("%Y%m%d%H%M%S%z")
    segments = [
        f"MSH|^~\\&|Saguaro||||{stamp}||{kind}|{control_id}|P|2.6",
        f"MSA|{code}|{header.control_id}",
    ]
    if error is not None:
        segments.append(f"ERR||{_location(error.location)}|{error.code}^{_TEXTS[error.code]}^HL70357|E||||{error.rule}")
    return "\r".join(segments) + "\r"


_TEXTS = {
    "101": "Required field missing",
    "102": "Data type error",
    "103": "Table value not found",
    "200": "Unsupported message type",
    "207": "Application internal error",
}


def _location(place: str) -> str:
    """ERR-2 of "MSH-18": segment, which one, which field."""
    segment, _, field = place.partition("-")
    return f"{segment}^1^{field}" if field else segment
