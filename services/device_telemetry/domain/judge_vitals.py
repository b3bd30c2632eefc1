"""The samples of one frame against limits and freshness.

Fresh is a usable, newly measured sample with a value above 0 that is later than the last fresh one of its metric. A held value, 0
and an unusable quality neither keep a metric fresh, nor raise or clear an alarm (house policy).
"""

import numpy as np
from numpy.typing import NDArray

from device_telemetry.domain import breaches, silence
from device_telemetry.domain.alarm_board import AlarmBoard
from device_telemetry.domain.alarm_kinds import HIGH, PHYSIOLOGICAL, TECHNICAL
from device_telemetry.domain.codes import CHANNEL_OF_METRIC, USABLE
from device_telemetry.domain.columns import Columns, Milliseconds
from device_telemetry.domain.findings import Finding, Gap
from device_telemetry.domain.policy import Policy, SilenceLimit
from device_telemetry.domain.pump_state import LIVE
from device_telemetry.domain.session_state import MetricState, SessionState

_NONE: Milliseconds = np.empty(0, np.int64)
_METRIC_OF_CHANNEL = {channel: metric for metric, channel in CHANNEL_OF_METRIC.items()}

Fresh = dict[str, tuple[Milliseconds, NDArray[np.int64]]]


def fresh_samples(state: SessionState, columns: Columns, horizon_ms: int | None = None) -> Fresh:
    """Times and values of the fresh samples of each metric in the frame; none of those measured after `horizon_ms`."""
    fresh: Fresh = {}
    usable = (columns.quality == USABLE) & (columns.value_e6 > 0)
    if horizon_ms is not None and int(columns.at_ms[-1]) > horizon_ms:
        usable &= columns.at_ms <= horizon_ms
    for channel in np.unique(columns.channel).tolist():
        metric = _METRIC_OF_CHANNEL.get(channel)
        if metric is None:
            continue
        chosen = usable & (columns.channel == channel)
        known = state.metrics.get(metric)
        if known is not None and int(columns.at_ms[0]) <= known.last_ms:
            chosen &= columns.at_ms > known.last_ms
        at_ms = columns.at_ms[chosen]
        if len(at_ms):
            fresh[metric] = (at_ms, columns.value_e6[chosen])
    return fresh


def judge_limits(state: SessionState, fresh: Fresh, period_ms: int, policy: Policy, board: AlarmBoard) -> None:
    """Every limit of every metric that the frame brought."""
    for metric in CHANNEL_OF_METRIC:
        if metric not in fresh:
            continue
        at_ms, values = fresh[metric]
        limits = policy.by_metric.get(metric)
        if limits is None or limits.quiet(values, state.runs, state.active):
            continue
        for limit in limits.limits:
            run, crossings = breaches.follow(
                limit, state.runs.get(limit.kind), board.is_on(limit.kind), at_ms, values, period_ms
            )
            if run is None:
                state.runs.pop(limit.kind, None)
            else:
                state.runs[limit.kind] = run
            for crossing in crossings:
                if crossing.on:
                    if limit.priority == HIGH and state.pump.phase in LIVE:
                        state.pump.stop_limit_now = True
                    board.on(limit.kind, limit.priority, PHYSIOLOGICAL, crossing.at_ms)
                else:
                    board.off(limit.kind, crossing.at_ms)


def judge_silences(
    state: SessionState, fresh: Fresh, period_ms: int, policy: Policy, watch: tuple[int | None, int | None],
    board: AlarmBoard, found: list[Finding],
) -> None:  # fmt: skip
    """Every silence limit, on the session's clock. `watch`: start of a live infusion, and when the monitor was taken off."""
    started_ms, until_ms = watch
    for limit in policy.silences:
        since_ms = _since(state, limit, started_ms)
        times = [fresh[metric][0] for metric in limit.metrics if metric in fresh]
        if since_ms is None and not times:
            continue
        fresh_ms = _NONE if not times else times[0] if len(times) == 1 else np.unique(np.concatenate(times))
        if since_ms is None:
            since_ms, fresh_ms = int(fresh_ms[0]), fresh_ms[1:]
        known = [state.metrics[metric].period_ms for metric in limit.metrics if metric in state.metrics]
        bound = silence.bound_ms(limit, max([*known, period_ms] if times else known, default=0), policy.feed_slack_ms)
        outcome = silence.follow(
            since_ms=since_ms, fresh_ms=fresh_ms, log_ms=state.log_ms, limit_ms=bound,
            active=board.is_on(limit.kind), until_ms=until_ms,
        )  # fmt: skip
        if outcome.silent_since_ms is not None:
            first = limit.metrics[0]
            device_id = state.metrics[first].device_id if first in state.metrics else ""
            board.on(limit.kind, limit.priority, TECHNICAL, outcome.silent_since_ms, device_id)
            for metric in limit.metrics if len(limit.metrics) == 1 else ():
                found.append(Gap(CHANNEL_OF_METRIC[metric], device_id, outcome.silent_since_ms, state.log_ms))
        if outcome.fresh_again_ms is not None:
            board.off(limit.kind, outcome.fresh_again_ms)


def _since(state: SessionState, limit: SilenceLimit, started_ms: int | None) -> int | None:
    """The last fresh sample of any of the metrics; of one never seen, the start of the infusion if it is required."""
    marks = [state.metrics[metric].last_ms for metric in limit.metrics if metric in state.metrics]
    if limit.required and started_ms is not None and len(marks) < len(limit.metrics):
        marks.append(started_ms)
    return max(marks, default=None)


def remember(state: SessionState, fresh: Fresh, period_ms: int, device_id: str) -> None:
    """Keeps the last fresh sample of each metric for the next frame."""
    for metric, (at_ms, values_e6) in fresh.items():
        state.metrics[metric] = MetricState(int(at_ms[-1]), period_ms, device_id, int(values_e6[-1]))
