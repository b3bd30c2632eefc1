"""The pumps of a session: their own reports alone move the infusion on. A command is an objective, the device's report is the fact.

House policy: an infusion may go on with another pump, once that was authorised again; what was delivered is the sum over all pumps.
A pump that starts or goes on without authorisation runs all the same, and is an alarm (domain.pump_conditions).
"""

from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Literal

from device_telemetry.domain import delivery, flow, standstill
from device_telemetry.domain.policy import Policy
from device_telemetry.domain.pump_conditions import Condition, conditions
from device_telemetry.domain.pump_report import COMPLETED, IN_TRANSITION, STOPPED, Allowed, Authorisation, Report, Stop
from device_telemetry.domain.pump_state import LIVE, OVER, Meter, PumpState, Stillness

DETACHED = "detached"


@dataclass(frozen=True)
class Moved:
    """The infusion moved on: "started", "paused", "resumed", "completed" or "aborted", at this time of the pump's clock."""

    what: Literal["started", "paused", "resumed", "completed", "aborted"]
    at_ms: int
    reason: str = ""
    # Only of "resumed": what let it go on, if anything did.
    grant: Authorisation | None = None


def follow(
    state: PumpState, device_id: str, report: Report, allowed: Allowed, policy: Policy
) -> tuple[tuple[Moved, ...], tuple[Condition, ...]]:
    """Takes one report in. A report older than the last one of its pump changes nothing."""
    meter = state.meter(device_id)
    if meter.last_ms is not None and report.at_ms < meter.last_ms:
        return (), ()
    report = _with_counter(report, meter)
    until_ms = report.at_ms + policy.clock_tolerance_ms
    grant, stop = allowed.for_pump(device_id, until_ms), allowed.stop_until(until_ms)
    fell = not report.counter_cleared and meter.last_total_ml is not None and report.total_ml < meter.last_total_ml
    flows = standstill.judge(meter, report, policy)
    moves: tuple[Moved, ...] = ()
    if grant is not None and allowed.start is not None:
        ordered_ml = allowed.start.programme.vtbi_ml or delivery.ZERO
        if state.phase == "waiting" and report.infusing:
            moves = (_start(state, meter, device_id, report, fell),)
        elif state.phase in LIVE and _count(state, meter, report, grant, ordered_ml, policy, fell):
            moves = (
                *_long_transition(state, device_id, report, policy),
                *_move(state, device_id, report, grant, stop, policy),
            )
    if state.phase in OVER and not moves and meter.account is not None:
        # What still goes in after the end is delivered drug.
        delivery.take_volume(meter.account, report)
    found = (*flows, *conditions(state, device_id, report, allowed, grant, stop, fell, policy))
    meter.last_ms, meter.last_infusing, meter.last_total_ml = report.at_ms, report.infusing, report.total_ml
    return moves, found


def _with_counter(report: Report, meter: Meter) -> Report:
    """A report that does not say the counter: it stands where it stood, and what a segment gave that just ended is added."""
    if report.total_known:
        return report
    before_ml = delivery.ZERO if report.counter_cleared else meter.last_total_ml or delivery.ZERO
    return replace(report, total_ml=before_ml + (report.segment_ml or delivery.ZERO))


def interrupt(state: PumpState, device_id: str, at_ms: int) -> tuple[Moved, ...]:
    """The pump that runs is taken off: what it still says of the time before is counted, and the infusion waits.

    What any pump gives to somebody else, until it is put on again, is no free flow here.
    """
    if device_id in state.meters:
        state.meters[device_id].still = Stillness()
    if state.phase != "infusing" or state.pump_id != device_id:
        return ()
    state.phase, state.paused_ms, state.unauthorised_resume = "paused", at_ms, False
    return (Moved("paused", at_ms, DETACHED),)


def end_of_pause(state: PumpState, stop: Stop) -> tuple[Moved, ...]:
    """A stop is recorded while the pump stands: the infusion ended when it came to stand."""
    if state.phase != "paused":
        return ()
    return _abort(state, stop.at_ms if state.paused_ms is None else state.paused_ms, stop.reason)


def _baseline_ml(meter: Meter, report: Report, fell: bool) -> Decimal:
    """The counter at the start is that of the standing pump before its first infusing report."""
    if report.counter_cleared:
        return delivery.ZERO
    if meter.last_total_ml is None or meter.last_infusing or fell:
        return report.total_ml
    return meter.last_total_ml


def _start(state: PumpState, meter: Meter, device_id: str, report: Report, fell: bool) -> Moved:
    """The first infusing report after the authorisation."""
    baseline_ml = _baseline_ml(meter, report, fell)
    state.phase, state.started_ms, state.start_total_ml = "infusing", report.at_ms, baseline_ml
    state.pump_id = device_id
    meter.account = delivery.begin(report, baseline_ml)
    meter.flow.from_ms, meter.flow.from_ml = report.at_ms, meter.account.delivered_ml
    return Moved("started", report.at_ms)


def _count(
    state: PumpState, meter: Meter, report: Report, grant: Authorisation, ordered_ml: Decimal, policy: Policy, fell: bool
) -> bool:  # fmt: skip
    """Takes volume and time in; False for a pump that stands by and has given nothing yet."""
    account, rate_ml_per_h = meter.account, grant.programme.rate_ml_per_h or delivery.ZERO
    if account is None:
        if not report.infusing:
            return False
        account = meter.account = delivery.begin(report, _baseline_ml(meter, report, fell))
    else:
        of_others_ml = state.delivered_ml - account.delivered_ml
        ran = account.last_delivering and account.ended_ms is None and not fell
        delivery.advance(account, report, ordered_ml - of_others_ml, rate_ml_per_h)
        if not ran:
            flow.stand(meter.flow)
    if policy.pump is not None and account.last_delivering and account.ended_ms is None:
        flow.run(meter.flow, report.at_ms, account.delivered_ml, rate_ml_per_h, policy.pump)
    else:
        flow.stand(meter.flow)
    return True


def _long_transition(state: PumpState, device_id: str, report: Report, policy: Policy) -> tuple[Moved, ...]:
    """Between two rates a pump stands for a moment and goes on by itself, which is no pause; for longer than a stretch it is one."""
    if device_id != state.pump_id or state.phase != "infusing":
        return ()
    since_ms, limit_ms = state.transition_ms, 0 if policy.pump is None else policy.pump.flow_stretch_ms
    standing = not report.infusing and report.not_delivering_reason == IN_TRANSITION
    state.transition_ms = (report.at_ms if since_ms is None else since_ms) if standing else None
    if since_ms is None or report.at_ms - since_ms <= limit_ms:
        return ()
    state.phase, state.paused_ms, state.transition_ms = "paused", since_ms, None
    return (Moved("paused", since_ms, IN_TRANSITION),)


def _move(
    state: PumpState, device_id: str, report: Report, grant: Authorisation, stop: Stop | None, policy: Policy
) -> tuple[Moved, ...]:
    """Pause, resume or end of a live infusion. It is over only when the pump stands still: until then it may keep the vein open."""
    paused_ms = state.paused_ms or 0
    if report.infusing:
        if state.phase != "paused" or report.keep_vein_open or report.at_ms < paused_ms:
            return ()
        good = grant.resume and grant.at_ms + policy.clock_tolerance_ms >= paused_ms
        state.phase, state.pump_id, state.unauthorised_resume = "infusing", device_id, not good
        state.stop_limits_before, state.stop_limit_now = state.stop_limits, False
        return (Moved("resumed", report.at_ms, grant=grant if good else None),)
    if device_id != state.pump_id or report.not_delivering_reason == IN_TRANSITION:
        return ()
    if state.ended_ms is not None or report.not_delivering_reason == COMPLETED:
        state.phase = "completed"
        state.stopped_ms = state.ended_ms if state.ended_ms is not None else report.at_ms
        return (Moved("completed", state.stopped_ms, COMPLETED),)
    if stop is not None or report.not_delivering_reason == STOPPED:
        return _abort(state, report.at_ms, STOPPED if stop is None else stop.reason)
    if state.phase == "infusing":
        state.phase, state.paused_ms, state.unauthorised_resume = "paused", report.at_ms, False
        return (Moved("paused", report.at_ms, report.not_delivering_reason or "unknown"),)
    return ()


def _abort(state: PumpState, at_ms: int, reason: str) -> tuple[Moved, ...]:
    state.phase, state.stopped_ms, state.unauthorised_resume = "aborted", at_ms, False
    return (Moved("aborted", at_ms, reason),)
