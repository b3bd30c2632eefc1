"""Events of infusion pumps (PCD-10). Source: IHE PCD Infusion Pump Event Communication 1.5, table X.1.2-1; codes from live messages."""

from collections.abc import Sequence
from enum import Enum
from typing import Final


class PumpEvent(Enum):
    """What happened at the pump."""

    START = "MDC_EVT_PUMP_DELIV_START"
    STOP = "MDC_EVT_PUMP_DELIV_STOP"
    COMPLETE = "MDC_EVT_PUMP_DELIV_COMP"
    COMMUNICATION = "MDC_EVT_COMM_STATUS_CHANGE"
    PROGRAM_CLEARED = "MDC_EVT_PUMP_PROG_CLEARED"
    AUTO_PROGRAM_CLEARED = "MDC_EVT_PUMP_AUTO_PROG_CLEARED"
    PATIENT = "MDC_EVT_PATIENT_CHANGE"
    PATIENT_ID = "MDC_EVT_PATIENT_ID_CHANGE"
    PATIENT_PARAMETER = "MDC_EVT_PATIENT_PARAMETER_CHANGE"
    COUNTERS_CLEARED = "MDC_EVT_PUMP_VOL_COUNTERS_CLEARED"
    TIME_CHANGED = "MDC_EVT_DEVICE_TIME_CHANGED"


DELIVERY: Final = frozenset({PumpEvent.START, PumpEvent.STOP, PumpEvent.COMPLETE})
# The codes of the others are pending in the profile: they are known by their REFID.
_BY_CODE: Final = {"197288": PumpEvent.START, "197292": PumpEvent.COMPLETE}
_BY_NAME: Final = {event.value: event for event in PumpEvent}


def event_of(components: Sequence[str]) -> PumpEvent | None:
    """The event in a coded value; None where it is no known one, or code and REFID disagree."""
    named = next((_BY_NAME[part.strip()] for part in components if part.strip() in _BY_NAME), None)
    coded = next((_BY_CODE[part.strip()] for part in components if part.strip() in _BY_CODE), None)
    if named is not None and coded is not None and named is not coded:
        return None
    return named or coded
