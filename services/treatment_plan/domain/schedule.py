"""When observations are due, and which of them were made.

House policy: MOAA/S at 0, 15, 30 and 40 minutes of an infusion, then every 15; CADSS at the baseline, about minute 40 and the end; in
recovery everything each 15 minutes (Yale and Emory series of infusions; A.A.C. R4-22-505 for what is charted). The times are policy data.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

DONE = "done"
DUE = "due"
OVERDUE = "overdue"
MISSED = "missed"


@dataclass(frozen=True)
class Step:
    """Due at a minute of its phase, and each `repeat_minutes` after it; 0: once."""

    phase: str
    measure_code: str
    at_minute: int
    repeat_minutes: int


@dataclass(frozen=True)
class Due:
    """One observation of the schedule and what became of it."""

    phase: str
    measure_code: str
    due_at: datetime
    status_code: str


@dataclass(frozen=True)
class Phase:
    """A phase of a session: from when, and until when where it is over."""

    phase: str
    began_at: datetime
    ended_at: datetime | None


def due_observations(
    steps: Sequence[Step],
    phase: Phase,
    taken: Sequence[tuple[str, datetime]],
    now: datetime,
    grace: timedelta,
) -> list[Due]:
    """The schedule of a phase up to now and the next time of each measure, oldest first.

    `taken`: measure and time of every observation. One that was made from `grace` before its time until `grace` before the next counts.
    """
    found = []
    for measure in sorted({step.measure_code for step in steps if step.phase == phase.phase}):
        times = list(
            _times([step for step in steps if (step.phase, step.measure_code) == (phase.phase, measure)], phase, now)
        )
        made = [moment for code, moment in taken if code == measure]
        for position, due_at in enumerate(times):
            follows = times[position + 1] if position + 1 < len(times) else None
            status = _status(due_at, follows, made, now, grace)
            found.append(Due(phase.phase, measure, due_at, status))
    return sorted(found, key=lambda due: (due.due_at, due.measure_code))


def _times(steps: Sequence[Step], phase: Phase, now: datetime) -> Iterator[datetime]:
    """Due times of one measure, rising: up to the end of the phase, or one beyond now."""
    for due_at in sorted(set(_all_times(steps, phase, now))):
        if phase.ended_at is not None and due_at > phase.ended_at:
            return
        yield due_at
        if due_at > now:
            return


def _all_times(steps: Sequence[Step], phase: Phase, now: datetime) -> Iterator[datetime]:
    for step in steps:
        due_at = phase.began_at + timedelta(minutes=step.at_minute)
        yield due_at
        last = min(now, phase.ended_at) if phase.ended_at is not None else now
        while step.repeat_minutes and due_at <= last:
            due_at += timedelta(minutes=step.repeat_minutes)
            yield due_at


def _status(
    due_at: datetime, follows: datetime | None, made: Sequence[datetime], now: datetime, grace: timedelta
) -> str:
    until = None if follows is None else follows - grace
    if any(moment >= due_at - grace and (until is None or moment < until) for moment in made):
        return DONE
    if until is not None and now >= until:
        return MISSED
    return OVERDUE if now > due_at + grace else DUE
