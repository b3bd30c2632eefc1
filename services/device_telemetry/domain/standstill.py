"""Free flow and no flow: the counter of a pump against what the pump says of itself.

House policy after the Open PCA System Requirements ("free flow or no flow: immediately"): volume out of a pump that stands is told at
the report that shows it; none out of a pump that infuses, as soon as its own period has passed and a volume that its counter must
show was due. What flows freely is delivered drug. A pump that keeps the vein open does not stand, a counter that was cleared begins
anew, and a report that does not say the counter tells neither.
"""

from decimal import Decimal

from device_telemetry.domain import alarm_kinds as kinds
from device_telemetry.domain.policy import Policy
from device_telemetry.domain.pump_conditions import Condition
from device_telemetry.domain.pump_report import Report
from device_telemetry.domain.pump_state import Meter

_MS_PER_HOUR = Decimal(3_600_000)


def judge(meter: Meter, report: Report, policy: Policy) -> tuple[Condition, ...]:
    """Both conditions at this report, where it says anything of them; `meter` is as the last report left it."""
    if policy.pump is None:
        return ()
    flows = _free_flow(meter, report, policy.pump.free_flow_ml)
    stays = _no_flow(meter, report, policy.pump.no_flow_ml)
    found = ((kinds.FREE_FLOW, flows), (kinds.NO_FLOW, stays))
    return tuple(Condition(kind, on) for kind, on in found if on is not None)


def _free_flow(meter: Meter, report: Report, tolerance_ml: Decimal) -> bool | None:
    """Measured since the pump came to stand, so that a slow leak adds up. None: neither begins nor ends, as while the pump infuses."""
    still = meter.still
    if report.infusing or report.keep_vein_open:
        still.stood_ml = None
        return None
    if not report.total_known:
        # The segment that just ended went in before the pump stood.
        if report.segment_ml is not None:
            still.stood_ml = None
        return None
    if still.stood_ml is None or report.counter_cleared or report.total_ml < still.stood_ml:
        still.stood_ml = report.total_ml
        return None
    risen_ml = report.total_ml - still.stood_ml
    if risen_ml > tolerance_ml:
        still.stood_ml = report.total_ml
        if meter.account is None:
            meter.free_ml += risen_ml
        return True
    return False if report.total_ml == meter.last_total_ml else None


def _no_flow(meter: Meter, report: Report, due_ml: Decimal) -> bool | None:
    """Not asked of a pump that stands or keeps the vein open."""
    still = meter.still
    if not report.infusing or report.keep_vein_open:
        still.risen_ms = None
        return False
    if not report.total_known:
        return None
    if still.risen_ms is None or report.counter_cleared or report.total_ml != still.risen_ml:
        still.risen_ms, still.risen_ml = report.at_ms, report.total_ml
        return False
    rate_ml_per_h = report.current_rate_ml_per_h
    if rate_ml_per_h is None:
        rate_ml_per_h = report.programme.rate_ml_per_h or Decimal(0)
    waited_ms = report.at_ms - still.risen_ms
    return waited_ms >= meter.period_ms and rate_ml_per_h * waited_ms / _MS_PER_HOUR >= due_ml
