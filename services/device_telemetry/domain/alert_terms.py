"""What alert messages (PCD-04) say: events, phases, states, priorities, types.

Sources: IHE PCD Technical Framework Rev. 8, volume 2 (PCD-04 and its OBX set; priority and type in OBX-8 is the deprecated form);
ISO/IEEE 11073-10101 for the events; IEC 60601-1-8 for the priorities. An event that is not here keeps its own number or REFID as its kind.
"""

import re
from typing import Final

from device_telemetry.domain.alarm_kinds import HIGH, LOW, MEDIUM, PHYSIOLOGICAL, TECHNICAL

# The manager's watchdog: the sender is alive, and nothing is wrong.
HEARTBEAT: Final = 196614
# Event -> last part of the kind of alarm, "device.line_occluded".
_EVENTS: Final = {
    HEARTBEAT: "heartbeat",
    196670: "low",
    196648: "high",
    196674: "below_limit",
    196652: "above_limit",
    196940: "line_occluded",
    197218: "syringe_not_held",
    197334: "near_completion",
}
RANKED_ANEW: Final = frozenset({"escalate", "de-escalate"})
RAISING: Final = frozenset({"start", "continue", "update", *RANKED_ANEW})
ENDING: Final = frozenset({"end"})
# An event without length: raised and cleared at its time.
POINT: Final = "tpoint"
PHASES: Final = frozenset({*RAISING, *ENDING, POINT})
# "latched": the condition may be over, the alarm is not until somebody has seen it.
STATES: Final = {"active": True, "latched": True, "inactive": False}
# PN says that the device does not rank its alert: house policy, what is not said to be low is not low.
PRIORITIES: Final = {"PN": MEDIUM, "PL": LOW, "PM": MEDIUM, "PH": HIGH}
# Physiological, technical, advisory.
TYPES: Final = {"SP": PHYSIOLOGICAL, "ST": TECHNICAL, "SA": TECHNICAL}
_REFID: Final = re.compile(r"MDCX?_(?:EVT_)?([A-Z0-9_]{1,48})")


def kind_of(code: int, name: str) -> str:
    """The kind of alarm of an event: stable, and nothing but letters, digits and underscores of a term's own name."""
    if code in _EVENTS:
        return f"device.{_EVENTS[code]}"
    named = _REFID.fullmatch(name)
    if named is not None:
        return f"device.{named[1].lower()}"
    return f"device.mdc_{code}" if code else "device.alert"
