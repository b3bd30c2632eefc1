"""What one frame brought to light. Times are milliseconds since 1970: measured by the device's clock, detected by the session's log."""

from dataclasses import dataclass
from decimal import Decimal
from typing import Literal


@dataclass(frozen=True)
class AlarmOn:
    """An alarm condition was entered."""

    alarm_id: str
    kind: str
    priority: int
    category: int
    device_id: str
    measured_ms: int
    detected_ms: int


@dataclass(frozen=True)
class AlarmOff:
    """An alarm condition was left."""

    alarm_id: str
    at_ms: int


@dataclass(frozen=True)
class AlarmAgain:
    """Nobody acknowledged an alarm whose condition lasts: it is told again, the `repetition`th time, to `who`."""

    alarm_id: str
    repetition: int
    priority: int
    who: str
    at_ms: int


@dataclass(frozen=True)
class Gap:
    """A channel gave nothing fresh for longer than it may."""

    channel: int
    device_id: str
    since_ms: int
    detected_ms: int


@dataclass(frozen=True)
class Infusion:
    """The infusion moved on, with the account as it stands. Volumes in mL, times of the pump's clock."""

    what: Literal["started", "paused", "resumed", "completed", "aborted"]
    at_ms: int
    reason: str
    pump_id: str
    order_id: str
    started_ms: int
    start_total_ml: Decimal
    delivered_ml: Decimal
    keep_vein_open_ml: Decimal
    expected_ml: Decimal
    delivering_ms: int
    paused_ms: int
    # Who let a paused infusion go on, and why; empty otherwise.
    authorised_by: str = ""
    resume_reason: str = ""


Finding = AlarmOn | AlarmOff | AlarmAgain | Gap | Infusion
