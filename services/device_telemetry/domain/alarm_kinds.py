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
# A paused infusion went on, and nobody had let it.
UNAUTHORISED_RESUME = Kind("pump.unauthorised_resume", HIGH, TECHNICAL)
# The person, or somebody for them, asked for the end, and the pump still runs.
STOP_REQUESTED = Kind("pump.stop_requested", HIGH, PHYSIOLOGICAL)
# Faster or slower than its rate for longer than the policy allows; priorities as in the Open PCA System Requirements.
OVER_INFUSION = Kind("pump.over_infusion", HIGH, TECHNICAL)
UNDER_INFUSION = Kind("pump.under_infusion", LOW, TECHNICAL)
# Volume goes in while the pump says that it stands, or none while it says that it infuses; both are told at once (Open PCA System
# Requirements). No flow has the priority of an occlusion there.
FREE_FLOW = Kind("pump.free_flow", HIGH, TECHNICAL)
NO_FLOW = Kind("pump.no_flow", MEDIUM, TECHNICAL)
# Status and flow of one report exclude each other (rule of IHE PCD Infusion Pump Event Communication 1.5): what it does is not known.
REPORT_CONTRADICTS = Kind("pump.report_contradicts", HIGH, TECHNICAL)
# At the end, counter and rate times time lie further apart than the policy allows.
VOLUME_DISCREPANCY = Kind("pump.volume_discrepancy", MEDIUM, TECHNICAL)
RESERVOIR_LOW = Kind("pump.reservoir_low", LOW, TECHNICAL)
RESERVOIR_EMPTY = Kind("pump.reservoir_empty", MEDIUM, TECHNICAL)
BATTERY_LOW = Kind("pump.battery_low", LOW, TECHNICAL)
# More went in than was ordered, keep-vein-open included.
OVER_DELIVERY = Kind("pump.over_delivery", MEDIUM, TECHNICAL)
# The counter fell without having been cleared.
COUNTER_FELL = Kind("pump.counter_fell", MEDIUM, TECHNICAL)
OCCLUDED = Kind("pump.occluded", MEDIUM, TECHNICAL)
# A pump that infused, and of which nothing is heard while the session's log goes on; its priority stands in the policy.
PUMP_SILENT = Kind("pump.silent", MEDIUM, TECHNICAL)
# A session under infusion from which the wall heard nothing; an outage of ours, counted apart from the clinical alarms.
LOG_STOPPED = Kind("log.stopped", HIGH, TECHNICAL)
# A device whose measurements lie in the future of its own message.
CLOCK_AHEAD = Kind("device.clock_ahead", MEDIUM, TECHNICAL)
# A device that measures and is attached to nothing.
UNASSIGNED = Kind("device.unassigned", MEDIUM, TECHNICAL)
# A message names another person than the one whose session the device is attached to; nothing of it is charted.
WRONG_PERSON = Kind("device.wrong_person", HIGH, TECHNICAL)
