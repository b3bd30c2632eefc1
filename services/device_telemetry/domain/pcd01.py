"""IHE PCD-01 (ORU^R01): which observations of a message become samples, of which equipment, when, and how usable.

House policy on unusable values: OBX-11 X (or deleted), OBX-8 INV, NAV, BUSY, CAL, TEST or DEMO, a message that is not for
production, a unit that does not fit, and a time more than the tolerance after the message's own: none of them is fresh, raises or
clears an alarm.
"""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal, InvalidOperation
from typing import Any, Final

import hl7

from device_telemetry.domain import codes
from device_telemetry.domain.hl7_header import Header, Hl7Error, moment_of, offset_of

_UNUSABLE_FLAGS: Final = frozenset({"INV", "NAV", "BUSY", "CAL", "TEST", "DEMO"})
_WITH_VALUE: Final = frozenset({"R", "F", "P", "C"})
# Older senders write code 0 for a term that had none yet: then its name counts.
_BY_NAME: Final = {
    "MDC_ECG_HEART_RATE": codes.HEART_RATE,
    "MDC_ECG_CARD_BEAT_RATE": codes.HEART_RATE,
    "MDC_PULS_OXIM_SAT_O2": codes.OXYGEN_SATURATION,
    "MDC_RESP_RATE": codes.RESPIRATION_RATE,
    "MDC_PRESS_BLD_NONINV_SYS": codes.CUFF_SYSTOLIC,
    "MDC_PRESS_BLD_NONINV_DIA": codes.CUFF_DIASTOLIC,
    "MDC_PRESS_BLD_NONINV_MEAN": codes.CUFF_MEAN,
}


@dataclass(frozen=True)
class Observation:
    """One numeric metric. `equipment` lists the ids that may name its device, nearest first."""

    equipment: tuple[str, ...]
    at_ms: int
    channel: int
    value_e6: int
    usable: bool
    zone_assumed: bool
    in_future: bool


def read(text: str, header: Header, tolerance: timedelta) -> tuple[Observation, ...]:
    """The observations of decoded text. Hl7Error names the field and rule of a message that cannot be taken."""
    kind = header.field(9).split("^")
    if kind[:2] != ["ORU", "R01"]:
        raise Hl7Error("MSH-9", "200", "must be ORU^R01", reject=True)
    sent = moment_of(header.field(7), timedelta(0))
    if sent is None:
        raise Hl7Error("MSH-7", "102", "must be a time to the second")
    try:
        segments = hl7.parse(text + "\r")
    except (hl7.ParseException, hl7.MalformedSegmentException, IndexError, ValueError):
        raise Hl7Error("MSH", "102", "the message must be well-formed HL7") from None
    offset = offset_of(header.field(7))
    production = header.field(11).split("^")[0] == "P"
    rows: dict[str, _Row] = {}
    found: list[Observation] = []
    order_time = ""
    for segment in segments:
        name = _field(segment, 0)
        if name == "OBR":
            order_time, rows = _field(segment, 7), {}
        elif name == "OBX":
            row = _Row(segment)
            rows[row.place] = row
            observation = row.observation(rows, order_time, offset, sent[0] + tolerance, production)
            if observation is not None:
                found.append(observation)
    return tuple(found)


class _Row:
    """One OBX."""

    def __init__(self, segment: Any) -> None:
        self._segment = segment
        self.place = _field(segment, 4)

    def observation(
        self, rows: "dict[str, _Row]", order_time: str, offset: timedelta | None, latest: datetime, production: bool
    ) -> Observation | None:
        """None for a device's row, text, and metrics that are not read here."""
        channel = self._channel()
        if channel is None or self._part(2) not in ("NM", ""):
            return None
        above = [rows[place] for place in _above(self.place) if place in rows]
        stamp = next((text for text in (self._part(14), *(row._part(14) for row in above), order_time) if text), "")
        moment = moment_of(stamp, offset)
        value = self._value_e6()
        in_future = moment is not None and moment[0] > latest
        flags = {flag.upper() for repeated in self._part(8).split("~") for flag in repeated.split("^")}
        usable = (
            production and moment is not None and not in_future and value is not None and value > 0
            and self._part(11) in _WITH_VALUE and not flags & _UNUSABLE_FLAGS and self._unit_fits(channel)
        )  # fmt: skip
        at = moment[0] if moment is not None and not in_future else latest
        return Observation(
            equipment=tuple(text for text in (_equipment(row) for row in (self, *above)) if text),
            at_ms=int(at.astimezone(UTC).timestamp() * 1000),
            channel=channel,
            value_e6=value or 0,
            usable=usable,
            zone_assumed=moment is not None and moment[1],
            in_future=in_future,
        )

    def _part(self, number: int) -> str:
        return _field(self._segment, number)

    def _channel(self) -> int | None:
        code, name = [*self._part(3).split("^"), ""][:2]
        channel = int(code) if code.isascii() and code.isdigit() and code.strip("0") else _BY_NAME.get(name, 0)
        return channel if channel in codes.READABLE_CHANNELS else None

    def _value_e6(self) -> int | None:
        try:
            value = Decimal(self._part(5))
        except InvalidOperation:
            return None
        return int(value * 1_000_000) if value.is_finite() and abs(value) < 10**9 else None

    def _unit_fits(self, channel: int) -> bool:
        return bool(codes.units_of(channel).intersection(self._part(6).split("^")))


def _equipment(row: _Row) -> str:
    """OBX-18, first component: the identifier of the equipment."""
    return row._part(18).split("^")[0].strip()


def _above(place: str) -> list[str]:
    """The rows of channel, VMD and MDS above a metric "1.2.3.4": "1.2.3.0", "1.2.0.0", "1.0.0.0"."""
    parts = place.split(".")
    return [".".join(parts[:kept] + ["0"] * (len(parts) - kept)) for kept in range(len(parts) - 1, 0, -1)]


def _field(segment: Any, number: int) -> str:
    return str(segment[number]) if len(segment) > number else ""
