"""The pump of a session: its own reports alone move the infusion on. A command is an objective, the device's report is the fact.

House policy: a pump that infuses without authorisation, or changes drug, concentration, rate or VTBI while it runs, raises HIGH
within one frame. A counter that falls without a report of having been cleared is an alarm: it may still hold another person's
volume.
"""

from dataclasses import dataclass, field
from decimal import Decimal
from typing import Literal

from device_telemetry.domain import alarm_kinds as kinds
from device_telemetry.domain import delivery
from device_telemetry.domain.delivery import Delivery
from device_telemetry.domain.programme import differences
from device_telemetry.domain.pump_report import COMPLETED, OCCLUDED, STOPPED, Authorisation, Report

Phase = Literal["waiting", "infusing", "paused", "completed", "aborted"]
LIVE: tuple[Phase, ...] = ("infusing", "paused")
OVER: tuple[Phase, ...] = ("completed", "aborted")


@dataclass
class PumpState:
    """What is known of the pump after its last report."""

    phase: Phase = "waiting"
    started_ms: int | None = None
    stopped_ms: int | None = None
    last_ms: int | None = None
    last_infusing: bool = False
    last_total_ml: Decimal | None = None
    start_total_ml: Decimal | None = None
    account: Delivery = field(default_factory=Delivery)


@dataclass(frozen=True)
class Moved:
    """The infusion moved on: "started", "paused", "resumed", "completed" or "aborted", at this time of the pump's clock."""

    what: Literal["started", "paused", "resumed", "completed", "aborted"]
    at_ms: int
    reason: str = ""


@dataclass(frozen=True)
class Condition:
    """An alarm condition of the pump holds, or no longer does."""

    kind: kinds.Kind
    on: bool


def follow(
    state: PumpState, report: Report, authorisation: Authorisation | None, tolerance_ms: int
) -> tuple[tuple[Moved, ...], tuple[Condition, ...]]:
    """Takes one report in. A report older than the last one changes nothing."""
    if state.last_ms is not None and report.at_ms < state.last_ms:
        return (), ()
    valid = authorisation if authorisation is not None and authorisation.at_ms <= report.at_ms + tolerance_ms else None
    fell = not report.counter_cleared and state.last_total_ml is not None and report.total_ml < state.last_total_ml
    moves: tuple[Moved, ...] = ()
    if state.phase == "waiting" and report.infusing and valid is not None:
        moves = (_start(state, report, fell),)
    elif state.phase in LIVE and valid is not None:
        vtbi_ml, rate_ml_per_h = (
            valid.programme.vtbi_ml or delivery.ZERO,
            valid.programme.rate_ml_per_h or delivery.ZERO,
        )
        delivery.advance(state.account, report, vtbi_ml, rate_ml_per_h)
        moves = _move(state, report)
    conditions = _conditions(state, report, valid, fell)
    state.last_ms, state.last_infusing, state.last_total_ml = report.at_ms, report.infusing, report.total_ml
    return moves, conditions


def _start(state: PumpState, report: Report, fell: bool) -> Moved:
    """The first infusing report after the authorisation. The counter at the start is that of the standing pump before it."""
    if report.counter_cleared:
        baseline_ml = delivery.ZERO
    elif state.last_total_ml is None or state.last_infusing or fell:
        baseline_ml = report.total_ml
    else:
        baseline_ml = state.last_total_ml
    state.phase, state.started_ms, state.start_total_ml = "infusing", report.at_ms, baseline_ml
    state.account = delivery.begin(report, baseline_ml)
    return Moved("started", report.at_ms)


def _move(state: PumpState, report: Report) -> tuple[Moved, ...]:
    """Pause, resume or end of a live infusion. It is over only when the pump stands still: until then it may keep the vein open."""
    if report.infusing:
        if state.phase == "paused":
            state.phase = "infusing"
            return (Moved("resumed", report.at_ms),)
        return ()
    reason = report.not_delivering_reason
    if state.account.ended_ms is not None or reason == COMPLETED:
        state.phase = "completed"
        state.stopped_ms = state.account.ended_ms if state.account.ended_ms is not None else report.at_ms
        return (Moved("completed", state.stopped_ms, COMPLETED),)
    if reason == STOPPED:
        state.phase, state.stopped_ms = "aborted", report.at_ms
        return (Moved("aborted", report.at_ms, STOPPED),)
    if state.phase == "infusing":
        state.phase = "paused"
        return (Moved("paused", report.at_ms, reason or "unknown"),)
    return ()


def _conditions(state: PumpState, report: Report, valid: Authorisation | None, fell: bool) -> tuple[Condition, ...]:
    """Every alarm condition of the pump, as it stands after this report."""
    live = state.phase in LIVE
    unauthorised = report.infusing and not live and not (report.keep_vein_open and state.phase in OVER)
    found = [
        Condition(kinds.UNAUTHORISED_START, unauthorised),
        Condition(kinds.OCCLUDED, not report.infusing and report.not_delivering_reason == OCCLUDED),
    ]
    # These two stay on: what went wrong is not undone by a later report.
    if fell:
        found.append(Condition(kinds.COUNTER_FELL, True))
    if valid is not None and state.phase != "waiting":
        ordered_ml = valid.programme.vtbi_ml
        if ordered_ml is not None and state.account.delivered_ml > ordered_ml:
            found.append(Condition(kinds.OVER_DELIVERY, True))
        if live and report.infusing and not report.keep_vein_open:
            found.append(Condition(kinds.PROGRAMME_CHANGED, bool(differences(report.programme, valid.programme))))
    return tuple(found)
