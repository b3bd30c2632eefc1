"""An infusion pump: its counter is exact in decimals and moves with clinic time alone.

After the volume to be infused is in it stands still or keeps the vein open at 1 mL/h (the rate of the Open PCA pump requirements). Its
counter shows thousandths of a millilitre and never more than went in.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal
from itertools import count
from typing import Final

from chassis.values import decimal_text
from saguaro.device_telemetry.v1 import types_pb2 as types
from simulator.frames import Timed, frame
from simulator.recording import Sample

FLOW_CURRENT: Final = 158014
VOLUME_TOTAL: Final = 157993
# It reports whenever the bedside does, which is each five minutes at least: a shorter promise would be a silence alarm each time.
PERIOD_S: Final = 300
KEEP_VEIN_OPEN_ML_PER_H: Final = Decimal(1)
_MS_PER_HOUR: Final = Decimal(3_600_000)
_RESOLUTION_ML: Final = Decimal("0.001")
_ZERO: Final = Decimal(0)


@dataclass(frozen=True)
class Programme:
    """What the pump was given."""

    drug_code: str
    concentration_mg_per_ml: Decimal
    rate_ml_per_h: Decimal
    vtbi_ml: Decimal


class Pump:
    """One device with its cumulative counter, which goes on from session to session unless it is cleared."""

    def __init__(self, device_id: str, *, first_sequence: int = 1) -> None:
        self.device_id = device_id
        self._sequence = count(first_sequence)
        self._programme: Programme | None = None
        # Counter before this programme, and milliseconds for which the programme and keep-vein-open ran.
        self._base_ml, self._ran_ms, self._open_ms = _ZERO, 0, 0
        self._at: datetime | None = None
        self._running = self._keeping_open = self._cleared = False
        self._reason = "stopped"

    @property
    def infused_ml(self) -> Decimal:
        """What the programme has given, at most its volume."""
        programme = self._present()
        return min(_volume(programme.rate_ml_per_h, self._ran_ms), programme.vtbi_ml)

    @property
    def delivered_ml(self) -> Decimal:
        """All that went in since the programme was set, keep-vein-open included."""
        return self.infused_ml + _volume(KEEP_VEIN_OPEN_ML_PER_H, self._open_ms)

    @property
    def total_ml(self) -> Decimal:
        """The cumulative counter."""
        return self._base_ml + (self.delivered_ml if self._programme else _ZERO)

    @property
    def infusing(self) -> bool:
        """Whether the programme runs now; keep-vein-open is none."""
        return self._running

    def program(self, programme: Programme, at: datetime, *, clear_counter: bool = False) -> None:
        """Takes a new programme while standing still."""
        self._base_ml = _ZERO if clear_counter else self.total_ml
        self._cleared = clear_counter
        self._programme, self._ran_ms, self._open_ms = programme, 0, 0
        self._running = self._keeping_open = False
        self._reason, self._at = "stopped", at

    def start(self, at: datetime) -> None:
        """Begins, or goes on after a pause."""
        self.advance(at)
        self._running, self._reason = True, ""

    def pause(self, at: datetime, reason: str = "paused") -> None:
        """Stands still: "paused", "occluded", or for good: "stopped"."""
        self.advance(at)
        self._running = self._keeping_open = False
        self._reason = reason

    def keep_vein_open(self, at: datetime) -> None:
        """After the volume is in: goes on at the lowest rate."""
        self.advance(at)
        self._running, self._keeping_open, self._reason = False, True, ""

    def complete(self, at: datetime) -> None:
        """Stands still because all went in."""
        self.pause(at, "completed")

    def ends_at(self) -> datetime:
        """When the volume will be in, if nothing stops the pump from now on; whole milliseconds, never early."""
        programme = self._present()
        needed_ms = int((programme.vtbi_ml / programme.rate_ml_per_h * _MS_PER_HOUR).to_integral_value(ROUND_CEILING))
        return self._moment() + timedelta(milliseconds=max(needed_ms - self._ran_ms, 0))

    def advance(self, at: datetime) -> None:
        """Moves clinic time on. ValueError when it would go back."""
        elapsed_ms = round((at - self._moment()).total_seconds() * 1000)
        if elapsed_ms < 0:
            raise ValueError("a pump's clock does not go back")
        if self._running:
            self._ran_ms += elapsed_ms
        elif self._keeping_open:
            self._open_ms += elapsed_ms
        self._at = at

    def report(self) -> types.PumpReport:
        """What the pump says now."""
        programme = self._present()
        infusing = self._running or self._keeping_open
        return types.PumpReport(
            drug_code=programme.drug_code,
            concentration_mg_per_ml=decimal_text(programme.concentration_mg_per_ml),
            rate_ml_per_h=decimal_text(programme.rate_ml_per_h),
            vtbi_ml=decimal_text(programme.vtbi_ml),
            vtbi_remaining_ml=decimal_text(programme.vtbi_ml - self.infused_ml),
            infusing=infusing,
            current_rate_ml_per_h=decimal_text(self._flow_ml_per_h()),
            delivered_total_ml=decimal_text(self.total_ml),
            counter_cleared=self._cleared,
            keep_vein_open=self._keeping_open,
            not_delivering_reason="" if infusing else self._reason,
        )

    def frame(self) -> types.Frame:
        """The next frame: flow and counter as samples, and the report."""
        at, usable = self._moment(), types.SAMPLE_QUALITY_USABLE
        samples = [
            Timed(at, Sample(FLOW_CURRENT, self._flow_ml_per_h(), usable)),
            Timed(at, Sample(VOLUME_TOTAL, self.total_ml, usable)),
        ]
        made = frame(self.device_id, next(self._sequence), PERIOD_S * 1000, samples, report=self.report())
        self._cleared = False
        return made

    def _flow_ml_per_h(self) -> Decimal:
        if self._keeping_open:
            return KEEP_VEIN_OPEN_ML_PER_H
        return self._present().rate_ml_per_h if self._running else _ZERO

    def _present(self) -> Programme:
        if self._programme is None:
            raise ValueError("the pump has no programme")
        return self._programme

    def _moment(self) -> datetime:
        if self._at is None:
            raise ValueError("the pump has no programme")
        return self._at


def _volume(rate_ml_per_h: Decimal, ran_ms: int) -> Decimal:
    return (rate_ml_per_h * ran_ms / _MS_PER_HOUR).quantize(_RESOLUTION_ML, ROUND_FLOOR)
