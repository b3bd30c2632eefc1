"""One frame into the log of its session: a pure function of the ordered log and of facts whose time is clinic time.

The same frames in the same order give the same findings, however they are cut into batches and however often a frame is repeated.
"""

from dataclasses import dataclass

from device_telemetry.domain import judge_vitals, pump
from device_telemetry.domain.alarm_board import AlarmBoard
from device_telemetry.domain.columns import Columns
from device_telemetry.domain.delivery import ZERO
from device_telemetry.domain.findings import Finding, Infusion
from device_telemetry.domain.policy import Policy
from device_telemetry.domain.pump_report import Authorisation, Report
from device_telemetry.domain.sequences import Sequences
from device_telemetry.domain.session_state import SessionState


@dataclass(frozen=True)
class ReceivedFrame:
    """One frame as the rules see it; `end_ms` is the time of its last sample, or of its report where it holds none."""

    device_id: str
    sequence: int
    period_ms: int
    end_ms: int
    columns: Columns | None
    report: Report | None


@dataclass(frozen=True)
class Facts:
    """What the database knows beside the log."""

    policy: Policy
    authorisation: Authorisation | None = None
    # When the last monitor was taken off; None while one is attached.
    monitor_off_ms: int | None = None


def apply(state: SessionState, frame: ReceivedFrame, facts: Facts) -> tuple[Finding, ...] | None:
    """Changes the state and returns what was found; None for a frame that was taken in before."""
    if not state.devices.setdefault(frame.device_id, Sequences()).take(frame.sequence):
        return None
    found: list[Finding] = []
    board = AlarmBoard(state, frame.device_id, found)
    state.log_ms = max(state.log_ms, frame.end_ms)
    fresh: judge_vitals.Fresh = {}
    if frame.columns is not None:
        fresh = judge_vitals.fresh_samples(state, frame.columns)
        judge_vitals.judge_limits(state, fresh, frame.period_ms, facts.policy, board)
    if frame.report is not None:
        _judge_pump(state, frame, frame.report, facts, board, found)
    live = state.pump.phase in pump.LIVE
    watch = (state.pump.started_ms if live else None, None if live else facts.monitor_off_ms)
    judge_vitals.judge_silences(state, fresh, frame.period_ms, facts.policy, watch, board, found)
    judge_vitals.remember(state, fresh, frame.period_ms, frame.device_id)
    return tuple(found)


def _judge_pump(
    state: SessionState, frame: ReceivedFrame, report: Report, facts: Facts, board: AlarmBoard, found: list[Finding]
) -> None:
    """Only the pump that was authorised moves the infusion; what any pump does without authorisation is an alarm."""
    authorisation = facts.authorisation
    if authorisation is not None and authorisation.pump_id != frame.device_id:
        authorisation = None
    moves, conditions = pump.follow(state.pump, report, authorisation, facts.policy.clock_tolerance_ms)
    for move in moves:
        if authorisation is not None:
            found.append(_infusion(state, move, authorisation))
    for condition in conditions:
        if condition.on:
            board.on(condition.kind.code, condition.kind.priority, condition.kind.category, report.at_ms)
        else:
            board.off(condition.kind.code, report.at_ms)


def _infusion(state: SessionState, move: pump.Moved, authorisation: Authorisation) -> Infusion:
    account = state.pump.account
    programme = authorisation.programme
    return Infusion(
        what=move.what,
        at_ms=move.at_ms,
        reason=move.reason,
        pump_id=authorisation.pump_id,
        order_id=authorisation.order_id,
        started_ms=state.pump.started_ms or move.at_ms,
        start_total_ml=state.pump.start_total_ml or ZERO,
        delivered_ml=account.delivered_ml,
        keep_vein_open_ml=account.keep_vein_open_ml(programme.vtbi_ml or ZERO),
        expected_ml=account.expected_ml(programme.rate_ml_per_h or ZERO),
        delivering_ms=account.delivering_ms,
        paused_ms=account.paused_ms,
    )
