"""The alarm conditions of a pump, as they stand after one of its reports.

House policy: a pump that infuses or goes on without authorisation, changes drug, concentration, rate or VTBI while it runs, or runs on
after a stop was asked for, raises HIGH within one frame; so does one whose status and flow exclude each other: its
report is kept, and alarmed. A counter that falls without a report of having been cleared is an alarm:
it may still hold another person's volume. Reserves after the Open PCA System Requirements.
"""

from dataclasses import dataclass

from device_telemetry.domain import alarm_kinds as kinds
from device_telemetry.domain import flow
from device_telemetry.domain.policy import Policy, PumpPolicy
from device_telemetry.domain.programme import changes
from device_telemetry.domain.pump_report import OCCLUDED, Allowed, Authorisation, Report, Stop
from device_telemetry.domain.pump_state import LIVE, OVER, PumpState


@dataclass(frozen=True)
class Condition:
    """An alarm condition of the pump holds, or no longer does."""

    kind: kinds.Kind
    on: bool


def conditions(
    state: PumpState, device_id: str, report: Report, allowed: Allowed, grant: Authorisation | None, stop: Stop | None,
    fell: bool, policy: Policy,
) -> tuple[Condition, ...]:  # fmt: skip
    """Every condition, after the report was taken in."""
    runs = report.infusing and state.phase in LIVE and state.pump_id == device_id and grant is not None
    ends = report.keep_vein_open and state.pump_id == device_id and state.phase in (*OVER, "paused")
    found = [
        Condition(kinds.UNAUTHORISED_START, report.infusing and not runs and not ends),
        Condition(kinds.UNAUTHORISED_RESUME, runs and state.unauthorised_resume),
        Condition(kinds.STOP_REQUESTED, report.infusing and state.phase in LIVE and stop is not None),
        Condition(kinds.OCCLUDED, not report.infusing and report.not_delivering_reason == OCCLUDED),
    ]
    if report.current_rate_ml_per_h is not None:
        found.append(Condition(kinds.REPORT_CONTRADICTS, report.contradicts))
    # These two stay on: what went wrong is not undone by a later report.
    if fell:
        found.append(Condition(kinds.COUNTER_FELL, True))
    start = allowed.start
    if start is not None and start.programme.vtbi_ml is not None and state.delivered_ml > start.programme.vtbi_ml:
        found.append(Condition(kinds.OVER_DELIVERY, True))
    if runs and grant is not None and not report.keep_vein_open:
        found.append(Condition(kinds.PROGRAMME_CHANGED, bool(changes(report.programme, grant.programme))))
    if policy.pump is not None:
        direction = state.meters[device_id].flow.found
        found.append(Condition(kinds.OVER_INFUSION, direction == flow.FAST))
        found.append(Condition(kinds.UNDER_INFUSION, direction == flow.SLOW))
        found += _reserves(report, policy.pump)
    return tuple(found)


def _reserves(report: Report, policy: PumpPolicy) -> list[Condition]:
    """Of what the pump says; it may say nothing of them."""
    found = []
    left_ml, left_min = report.reservoir_ml, report.battery_left_min
    if left_ml is not None:
        empty = left_ml < policy.reservoir_empty_ml
        found.append(Condition(kinds.RESERVOIR_EMPTY, empty))
        found.append(Condition(kinds.RESERVOIR_LOW, not empty and left_ml < policy.reservoir_low_ml))
    if left_min is not None:
        found.append(Condition(kinds.BATTERY_LOW, left_min < policy.battery_low_min))
    return found
