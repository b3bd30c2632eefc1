"""Alarms that come from rules rather than from limits: kind, priority, category. Priorities and categories as in IEC 60601-1-8."""

from dataclasses import dataclass
from typing import Final

LOW: Final = 1
MEDIUM: Final = 2
HIGH: Final = 3

PHYSIOLOGICAL: Final = 1
TECHNICAL: Final = 2


@dataclass(frozen=True)
class Kind:
    """A stable code with what IEC 60601-1-8 asks about it."""

    code: str
    priority: int
    category: int


# House policy: HIGH within one frame.
UNAUTHORISED_START = Kind("pump.unauthorised_start", HIGH, TECHNICAL)
PROGRAMME_CHANGED = Kind("pump.programme_changed", HIGH, TECHNICAL)
# More went in than was ordered, keep-vein-open included.
OVER_DELIVERY = Kind("pump.over_delivery", MEDIUM, TECHNICAL)
# The counter fell without having been cleared.
COUNTER_FELL = Kind("pump.counter_fell", MEDIUM, TECHNICAL)
OCCLUDED = Kind("pump.occluded", MEDIUM, TECHNICAL)
# A session under infusion from which the wall heard nothing; an outage of ours, counted apart from the clinical alarms.
LOG_STOPPED = Kind("log.stopped", HIGH, TECHNICAL)
# A device whose measurements lie in the future of its own message.
CLOCK_AHEAD = Kind("device.clock_ahead", MEDIUM, TECHNICAL)
