"""Freshness: a metric is silent when its session's own log has advanced past the bound without it.

House policy: every silence limit is max(policy, twice the feed's declared period plus a slack), by measurement time, on the
session's clock. Only a fresh, usable, newly measured sample counts: 0, an unusable quality or a held value does not.
"""

from dataclasses import dataclass

import numpy as np

from device_telemetry.domain.columns import Milliseconds
from device_telemetry.domain.policy import SilenceLimit


@dataclass(frozen=True)
class SilenceFinding:
    """What one frame did to a silence: the gap that was found, if any, and when fresh samples came back, if they did."""

    silent_since_ms: int | None
    fresh_again_ms: int | None


_NOTHING = SilenceFinding(None, None)


def bound_ms(limit: SilenceLimit, period_ms: int, slack_ms: int) -> int:
    """How long this feed may be silent."""
    return max(limit.after_ms, 2 * period_ms + slack_ms)


def follow(
    *, since_ms: int, fresh_ms: Milliseconds, log_ms: int, limit_ms: int, active: bool, until_ms: int | None
) -> SilenceFinding:
    """`since_ms` is the last fresh sample before this frame, `fresh_ms` those in it, `log_ms` the session's clock after it.

    `until_ms` is when the watch ended (the monitor was taken off); a bound passed later is no silence.
    """
    if not active and log_ms - since_ms <= limit_ms:
        # Times never fall, so no gap can be longer than all of it.
        return _NOTHING
    marks = np.concatenate(([since_ms], fresh_ms))
    gaps = np.flatnonzero(np.diff(marks) > limit_ms)
    last_ms = int(marks[-1])
    silent_now = log_ms - last_ms > limit_ms and not _over(last_ms + limit_ms, until_ms)
    found = None
    if not active:
        if len(gaps) and not _over(int(marks[gaps[0]]) + limit_ms, until_ms):
            found = int(marks[gaps[0]])
        elif silent_now:
            found = last_ms
    again = None
    if (active or found is not None) and not silent_now and len(fresh_ms):
        again = int(marks[gaps[-1] + 1]) if len(gaps) else int(fresh_ms[0])
    return SilenceFinding(found, again)


def _over(moment_ms: int, until_ms: int | None) -> bool:
    return until_ms is not None and moment_ms > until_ms
