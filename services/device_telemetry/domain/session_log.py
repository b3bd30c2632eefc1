"""One frame into the log of its session: a pure function of the ordered log and of facts whose time is clinic time.

The same frames in the same order give the same findings, however they are cut into batches and however often a frame is repeated.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from device_telemetry.domain import delivery, flow, judge_vitals, pump, silence
from device_telemetry.domain.alarm_board import AlarmBoard, key_of
from device_telemetry.domain.alarm_kinds import CLOCK_AHEAD, TECHNICAL, VOLUME_DISCREPANCY, Kind
from device_telemetry.domain.columns import Columns
from device_telemetry.domain.escalation import escalate
from device_telemetry.domain.findings import Finding, Infusion
from device_telemetry.domain.policy import Policy
from device_telemetry.domain.pump_report import Allowed, Authorisation, Report, Stop
from device_telemetry.domain.pump_state import LIVE, OVER
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
    # When the device sent it, where it says so.
    sent_ms: int | None = None


@dataclass(frozen=True)
class Facts:
    """What the database knows beside the log."""

    policy: Policy
    authorisation: Authorisation | None = None
    # When the last monitor was taken off; None while one is attached.
    monitor_off_ms: int | None = None
    # In the order of their time.
    resumes: tuple[Authorisation, ...] = ()
    stop: Stop | None = None
    # Ids of alarms that are on and acknowledged.
    acknowledged: frozenset[str] = frozenset()

    @property
    def allowed(self) -> Allowed:
        """What the session's pumps may do."""
        return Allowed(self.authorisation, self.resumes, self.stop)


def apply(state: SessionState, frame: ReceivedFrame, facts: Facts) -> tuple[Finding, ...] | None:
    """Changes the state and returns what was found; None for a frame that was taken in before."""
    if not state.devices.setdefault(frame.device_id, Sequences()).take(frame.sequence):
        return None
    found: list[Finding] = []
    board = AlarmBoard(state, frame.device_id, found)
    horizon_ms = None if frame.sent_ms is None else frame.sent_ms + facts.policy.clock_tolerance_ms
    state.log_ms = max(state.log_ms, frame.end_ms if horizon_ms is None else min(frame.end_ms, horizon_ms))
    fresh: judge_vitals.Fresh = {}
    if frame.columns is not None:
        fresh = judge_vitals.fresh_samples(state, frame.columns, horizon_ms)
        judge_vitals.judge_limits(state, fresh, frame.period_ms, facts.policy, board)
    if horizon_ms is not None:
        _judge_clock(frame, horizon_ms, state, board)
    if frame.report is not None and (horizon_ms is None or frame.report.at_ms <= horizon_ms):
        _judge_pump(state, frame, frame.report, facts, board, found)
    _judge_pump_silence(state, facts.policy, board)
    live = state.pump.phase in LIVE
    watch = (state.pump.started_ms if live else None, None if live else facts.monitor_off_ms)
    judge_vitals.judge_silences(state, fresh, frame.period_ms, facts.policy, watch, board, found)
    judge_vitals.remember(state, fresh, frame.period_ms, frame.device_id)
    if state.active:
        escalate(state, facts.policy, facts.acknowledged, found)
    return tuple(found)


def _judge_clock(frame: ReceivedFrame, horizon_ms: int, state: SessionState, board: AlarmBoard) -> None:
    """House policy: what was measured later than it was sent, beyond the tolerance, is unusable and alarmed."""
    key = key_of(CLOCK_AHEAD.code, frame.device_id)
    if frame.end_ms > horizon_ms:
        _on(board, CLOCK_AHEAD, horizon_ms, frame.device_id, key)
    else:
        board.off(key, state.log_ms)


def _judge_pump(
    state: SessionState, frame: ReceivedFrame, report: Report, facts: Facts, board: AlarmBoard, found: list[Finding]
) -> None:
    """Only pumps that were authorised move the infusion; what any pump does without authorisation is an alarm."""
    state.pump.meter(frame.device_id).period_ms = frame.period_ms
    moves, conditions = pump.follow(state.pump, frame.device_id, report, facts.allowed, facts.policy)
    found.extend(infusion_moves(state, moves, facts, board))
    for condition in conditions:
        key = key_of(condition.kind.code, frame.device_id)
        if condition.on:
            _on(board, condition.kind, report.at_ms, frame.device_id, key)
        else:
            board.off(key, report.at_ms)
            # An alarm that an earlier release raised, when a session had one pump.
            board.off(condition.kind.code, report.at_ms)


def _judge_pump_silence(state: SessionState, policy: Policy, board: AlarmBoard) -> None:
    """House policy: a lost link never stops an infusion silently; freshness of a pump that infuses is judged as that of a metric."""
    limit, pump_id = policy.pump_silence, state.pump.pump_id
    meter = state.pump.meters.get(pump_id)
    if limit is None or meter is None or meter.last_ms is None:
        return
    key = key_of(limit.kind, pump_id)
    bound_ms = silence.bound_ms(limit, meter.period_ms, policy.feed_slack_ms)
    if state.pump.phase == "infusing" and state.log_ms - meter.last_ms > bound_ms:
        board.on(limit.kind, limit.priority, TECHNICAL, meter.last_ms, pump_id, key)
    elif state.active:
        board.off(key, meter.last_ms)


def infusion_moves(
    state: SessionState, moves: Sequence[pump.Moved], facts: Facts, board: AlarmBoard
) -> Iterator[Infusion]:
    """The account at each move; a volume at the end that does not agree with rate times time is an alarm."""
    for move in moves:
        if facts.authorisation is None:
            continue
        made = _infusion(state, move, facts.authorisation)
        yield made
        given_ml = made.delivered_ml - made.keep_vein_open_ml
        policy = facts.policy.pump
        if state.pump.phase in OVER and policy is not None and flow.discrepancy(given_ml, made.expected_ml, policy):
            _on(board, VOLUME_DISCREPANCY, move.at_ms, made.pump_id, "")


def _on(board: AlarmBoard, kind: Kind, at_ms: int, device_id: str, key: str) -> None:
    board.on(kind.code, kind.priority, kind.category, at_ms, device_id, key)


def _infusion(state: SessionState, move: pump.Moved, authorisation: Authorisation) -> Infusion:
    of_pump, programme = state.pump, authorisation.programme
    started_ms = move.at_ms if of_pump.started_ms is None else of_pump.started_ms
    vtbi_ml, rate_ml_per_h = programme.vtbi_ml or delivery.ZERO, programme.rate_ml_per_h or delivery.ZERO
    return Infusion(
        what=move.what,
        at_ms=move.at_ms,
        reason=move.reason,
        pump_id=of_pump.pump_id or authorisation.pump_id,
        order_id=authorisation.order_id,
        started_ms=started_ms,
        start_total_ml=of_pump.start_total_ml or delivery.ZERO,
        delivered_ml=of_pump.delivered_ml,
        keep_vein_open_ml=max(of_pump.delivered_ml - vtbi_ml, delivery.ZERO),
        expected_ml=delivery.expected_ml(rate_ml_per_h, of_pump.delivering_ms),
        delivering_ms=of_pump.delivering_ms,
        paused_ms=max(move.at_ms - started_ms - of_pump.delivering_ms, 0),
        authorised_by=move.grant.authorised_by if move.grant is not None else "",
        resume_reason=move.grant.reason if move.grant is not None else "",
    )
