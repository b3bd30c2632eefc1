"""What went in: the pump's own cumulative counter, summed over segments. Rate times time is a cross-check only.

House policy: delivered = cumulative volume at the end minus at the authorised start, summed over the segments between clearings
of the counter; volume that keeps the vein open after the VTBI is delivered drug but not infusion time: the infusion ends at the
VTBI.
"""

from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal

from device_telemetry.domain.pump_report import Report

ZERO = Decimal(0)
_MS_PER_HOUR = Decimal(3_600_000)
_MICROLITRE = Decimal("0.001")


@dataclass
class Delivery:
    """The running account of one infusion; mL, and milliseconds by the pump's clock."""

    # Counter value from which the present segment counts, and what earlier segments gave.
    segment_from_ml: Decimal = ZERO
    carried_ml: Decimal = ZERO
    last_total_ml: Decimal = ZERO
    last_ms: int = 0
    last_delivering: bool = False
    last_paused: bool = False
    delivering_ms: int = 0
    paused_ms: int = 0
    # When the volume to be infused was in.
    ended_ms: int | None = None

    @property
    def delivered_ml(self) -> Decimal:
        """All that went in since the authorised start."""
        return self.carried_ml + self.last_total_ml - self.segment_from_ml


def expected_ml(rate_ml_per_h: Decimal, delivering_ms: int) -> Decimal:
    """Rate times delivering time, to a microlitre."""
    return (rate_ml_per_h * delivering_ms / _MS_PER_HOUR).quantize(_MICROLITRE, ROUND_HALF_UP)


def begin(report: Report, baseline_ml: Decimal) -> Delivery:
    """The account at the first report of an authorised infusion; `baseline_ml` is the counter at the authorised start."""
    return Delivery(
        segment_from_ml=baseline_ml,
        last_total_ml=report.total_ml,
        last_ms=report.at_ms,
        last_delivering=report.infusing and not report.keep_vein_open,
    )


def take_volume(account: Delivery, report: Report) -> None:
    """Takes the counter in, and no time: all that is asked of a report after the end of an infusion."""
    if report.counter_cleared:
        account.carried_ml, account.segment_from_ml = account.delivered_ml, ZERO
    elif report.total_ml < account.last_total_ml:
        # The counter fell unannounced: nothing is assumed to have gone in meanwhile, and an alarm says so.
        account.carried_ml, account.segment_from_ml = account.delivered_ml, report.total_ml
    account.last_total_ml = report.total_ml


def advance(account: Delivery, report: Report, vtbi_ml: Decimal, rate_ml_per_h: Decimal) -> None:
    """Takes the next report in: volume, delivering and paused time, and whether the VTBI is in now."""
    before_ml = account.delivered_ml
    take_volume(account, report)
    elapsed_ms = report.at_ms - account.last_ms
    if account.ended_ms is None:
        if account.last_delivering:
            if account.delivered_ml >= vtbi_ml:
                account.ended_ms = _end_ms(account, report.at_ms, vtbi_ml - before_ml, rate_ml_per_h)
                elapsed_ms = account.ended_ms - account.last_ms
            account.delivering_ms += elapsed_ms
        elif account.last_paused:
            account.paused_ms += elapsed_ms
    account.last_ms = report.at_ms
    account.last_delivering = report.infusing and not report.keep_vein_open
    account.last_paused = not report.infusing


def _end_ms(account: Delivery, at_ms: int, missing_ml: Decimal, rate_ml_per_h: Decimal) -> int:
    """When the VTBI was in: between two reports, by the programmed rate, never after the report that shows it passed."""
    if account.last_total_ml == account.segment_from_ml or rate_ml_per_h <= 0:
        return at_ms
    after_ms = int((missing_ml / rate_ml_per_h * _MS_PER_HOUR).to_integral_value(ROUND_HALF_UP))
    return min(max(account.last_ms + after_ms, account.last_ms), at_ms)
