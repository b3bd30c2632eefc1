"""Sessions with a monitor each, in the database before the clock runs, and the frames that the monitors send.

A frame has 250 samples of heart rate and oxygen saturation over half a second of clinic time. In some frames the last heart rate is too
low: that raises two alarms (below 50 and below 40 a minute), and the next frame clears them.
"""

from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import md5
from typing import Any
from uuid import UUID

from device_telemetry.domain import codes, columns
from saguaro.device_telemetry.v1 import types_pb2 as types
from tests.bench.fair import Arrived

SAMPLES = 250
STREAMS = 10
WARD = 20
_STEP_MS = 2
START = datetime(2026, 7, 15, 16, 0, tzinfo=UTC)
_START_MS = int(START.timestamp()) * 1000
_SITE = UUID(int=0x5173 << 64)


def device_id(number: int) -> UUID:
    """The monitor of a session."""
    return UUID(int=(0xDE << 64) + number)


def session_id(number: int) -> UUID:
    """The session."""
    return UUID(int=(0x5E << 64) + number)


def fill(connection: Any) -> None:
    """Twenty sessions, each with its monitor."""
    for number in range(WARD):
        person = UUID(int=(0xA << 64) + number)
        connection.execute(
            "INSERT INTO device (device_id, site_id, kind) VALUES (%s, %s, 'monitor')", (device_id(number), _SITE)
        )
        connection.execute(
            "INSERT INTO infusion_session (session_id, person_id, site_id, correlation_id, booked_at) VALUES (%s, %s, %s, %s, %s)",
            (session_id(number), person, _SITE, UUID(int=5), START),
        )
        connection.execute(
            "INSERT INTO attachment (attachment_id, device_id, kind, session_id, person_id, site_id, during, attached_by)"
            " VALUES (%s, %s, 'monitor', %s, %s, %s, tstzrange('2026-07-15T00:00Z', NULL), %s)",
            (UUID(int=number + 1), device_id(number), session_id(number), person, _SITE, UUID(int=1)),
        )
    connection.execute("SELECT make_frame_partition(current_date)")


@dataclass(frozen=True)
class Sent:
    """One frame as its sender knows it."""

    device: int
    sequence: int
    end_ms: int
    dips: bool
    raw: bytes

    @property
    def mark(self) -> str:
        """What is compared with what was stored."""
        return f"{device_id(self.device)}:{self.sequence}:{md5(self.raw).hexdigest()}"


def frames(number: int, dip_every: int) -> list[Sent]:
    """`number` frames, the monitors in turn; of each monitor's frames every `dip_every`th ends with a heart rate of 35."""
    calm, dip = (_columns(35 if dips else 72) for dips in (False, True))
    made = []
    for place in range(number):
        device, turn = place % WARD, place // WARD
        dips = (turn + device) % dip_every == dip_every - 1
        delta_ms, channel, value_e6, quality = dip if dips else calm
        frame = types.Frame(
            device_id=str(device_id(device)), sequence=turn + 1, declared_period_ms=2 * _STEP_MS,
            delta_ms=delta_ms, channel=channel, value_e6=value_e6, quality=quality,
        )  # fmt: skip
        first_ms = _START_MS + turn * SAMPLES * _STEP_MS
        frame.first_sample_at.FromMilliseconds(first_ms)
        made.append(Sent(device, turn + 1, first_ms + (SAMPLES - 1) * _STEP_MS, dips, frame.SerializeToString()))
    return made


def _columns(last_heart_rate: int) -> tuple[bytes, bytes, bytes, bytes]:
    samples = []
    for place in range(SAMPLES):
        heart = place % 2 == 1
        value = (last_heart_rate if place == SAMPLES - 1 else 72) if heart else 97
        channel = codes.HEART_RATE if heart else codes.OXYGEN_SATURATION
        samples.append((_START_MS + place * _STEP_MS, channel, value * 1_000_000, codes.USABLE))
    _, delta_ms, channel_bytes, value_e6, quality = columns.write(samples)
    return delta_ms, channel_bytes, value_e6, quality


def arrived_of(sent: list[Sent]) -> Arrived:
    """What should be stored."""
    return Arrived.of(frame.mark for frame in sent)
