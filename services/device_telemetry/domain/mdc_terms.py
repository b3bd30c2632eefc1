"""Terms of ISO/IEEE 11073-10101 that devices name in OBX-3, by REFID and by code.

Sources: IHE PCD Technical Framework Rev. 8, volume 2 (examples and appendices); IHE PCD Infusion Pump Event Communication 1.5; messages of
live pumps for the codes that were pending there; HL7/uv-pocd for the vital signs. A term that devices spell in several ways has several
REFIDs and one code. 157985, 157986 and 157994 (PCA limits and the start of a container) are no flow, no concentration and no delivered
volume, and 150020 is the group of a cuff pressure, not its systolic value: none of them is read.
"""

from collections.abc import Sequence
from typing import Final

# Vital signs.
_VITALS: Final = {
    "MDC_ECG_HEART_RATE": 147842,
    "MDC_ECG_CARD_BEAT_RATE": 147842,
    "MDC_PULS_RATE": 149514,
    "MDC_PULS_OXIM_PULS_RATE": 149530,
    "MDC_PULS_RATE_NON_INV": 149546,
    "MDC_PRESS_BLD_NONINV": 150020,
    "MDC_PRESS_BLD_NONINV_SYS": 150021,
    "MDC_PRESS_BLD_NONINV_DIA": 150022,
    "MDC_PRESS_BLD_NONINV_MEAN": 150023,
    "MDC_PRESS_BLD_ART_SYS": 150037,
    "MDC_PRESS_BLD_ART_DIA": 150038,
    "MDC_PRESS_BLD_ART_MEAN": 150039,
    "MDC_PULS_OXIM_SAT_O2": 150456,
    "MDC_RESP_RATE": 151562,
}
# Infusion pumps.
CONCENTRATION: Final = 157760
FLOW_PROGRAMMED: Final = 157784
VOLUME_DELIVERED: Final = 157864
VOLUME_REMAINING: Final = 157872
VTBI: Final = 157884
VOLUME_SEGMENT: Final = 157992
VOLUME_TOTAL: Final = 157993
DELIVERY_STATUS: Final = 158005
NOT_DELIVERING_REASON: Final = 158006
DELIVERY_MODE: Final = 158008
CHANNEL_LABEL: Final = 158012
FLOW_CURRENT: Final = 158014
ACTIVE_SOURCES: Final = 158016
PUMP_STATUS_OLD: Final = 184508
DRUG_LABEL: Final = 184514
INFUSING_STATUS: Final = 184519
SYSTEM_ID: Final = 67972
BATTERY_TIME: Final = 67976
WEIGHT: Final = 68063
DOSE_RATE: Final = 157924
_PUMPS: Final = {
    "MDC_CONC_DRUG": CONCENTRATION,
    "MDC_FLOW_FLUID_PUMP": FLOW_PROGRAMMED,
    "MDC_VOL_FLUID_DELIV": VOLUME_DELIVERED,
    "MDC_VOL_FLUID_TBI_REMAIN": VOLUME_REMAINING,
    "MDC_VOL_FLUID_TBI": VTBI,
    "MDC_VOL_FLUID_DELIV_SEGMENT": VOLUME_SEGMENT,
    "MDC_VOL_FLUID_DELIV_TOTAL": VOLUME_TOTAL,
    "MDC_PUMP_CURRENT_DELIVERY_STATUS": DELIVERY_STATUS,
    "MDC_DEV_PUMP_CURRENT_DELIVERY_STATUS": DELIVERY_STATUS,
    "MDC_PUMP_NOT_DELIVERING_REASON": NOT_DELIVERING_REASON,
    "MDC_DEV_PUMP_NOT_DELIVERING_REASON": NOT_DELIVERING_REASON,
    "MDC_PUMP_PROGRAM_DELIVERY_MODE": DELIVERY_MODE,
    "MDC_DEV_PUMP_PROGRAM_DELIVERY_MODE": DELIVERY_MODE,
    "MDC_PUMP_SOURCE_CHANNEL_LABEL": CHANNEL_LABEL,
    "MDC_DEV_PUMP_SOURCE_CHANNEL_LABEL": CHANNEL_LABEL,
    "MDC_FLOW_FLUID_PUMP_CURRENT": FLOW_CURRENT,
    "MDC_PUMP_ACTIVE_SOURCES": ACTIVE_SOURCES,
    "MDC_DEV_PUMP_ACTIVE_SOURCES": ACTIVE_SOURCES,
    "MDC_PUMP_STAT": PUMP_STATUS_OLD,
    "MDC_DRUG_NAME_LABEL": DRUG_LABEL,
    "MDC_PUMP_INFUSING_STATUS": INFUSING_STATUS,
    "MDC_ATTR_SYS_ID": SYSTEM_ID,
    "MDC_ATTR_TIME_BATT_REMAIN": BATTERY_TIME,
    "MDC_ATTR_PT_WEIGHT": WEIGHT,
    "MDC_RATE_DOSE": DOSE_RATE,
}
# What an alert message (PCD-04) and a pump event (PCD-10) say about themselves.
ALERT: Final = 196616
ALERT_SOURCE: Final = 68480
EVENT_PHASE: Final = 68481
ALARM_STATE: Final = 68482
INACTIVATION_STATE: Final = 68483
ALARM_PRIORITY: Final = 68484
ALERT_TYPE: Final = 68485
EVENT_CONDITION: Final = 68487
EVENT_SOURCE: Final = 68488
_ALERTS: Final = {
    "MDC_EVT_ALARM": ALERT,
    "MDC_ATTR_ALERT_SOURCE": ALERT_SOURCE,
    "MDC_ATTR_EVENT_PHASE": EVENT_PHASE,
    "MDC_ATTR_EVT_PHASE": EVENT_PHASE,
    "MDC_ATTR_ALARM_STATE": ALARM_STATE,
    "MDC_ATTR_ALERT_STATE": ALARM_STATE,
    "MDC_ATTR_ALARM_INACTIVATION_STATE": INACTIVATION_STATE,
    "MDC_ATTR_ALARM_PRIORITY": ALARM_PRIORITY,
    "MDC_ATTR_ALERT_TYPE": ALERT_TYPE,
    "MDC_ATTR_EVT_COND": EVENT_CONDITION,
    "MDC_ATTR_EVT_SOURCE": EVENT_SOURCE,
}
CODE_OF_NAME: Final = {**_VITALS, **_PUMPS, **_ALERTS}
# Misprints of the framework (684800, 8485), and the numbers that alert attributes had before they were given their present ones, as
# public senders still write them.
_SAME_AS: Final = {
    684800: ALERT_SOURCE,
    8485: ALERT_TYPE,
    68164: ALERT_SOURCE,
    68165: EVENT_PHASE,
    68166: ALARM_STATE,
    68167: INACTIVATION_STATE,
    68168: ALARM_PRIORITY,
}


class Contradiction(ValueError):
    """The code is of one term and the name of another."""


def code_of(components: Sequence[str]) -> int:
    """The term of a coded field (CWE): its code, or by its REFID where the code is 0, missing or a known misprint; 0 for neither.

    The second triplet counts where the first is of another coding system. Contradiction where code and name disagree.
    """
    for first in (0, 3):
        code, name, system = [*(part.strip() for part in components[first : first + 3]), "", "", ""][:3]
        if system not in ("MDC", "") and not name.startswith("MDC_"):
            continue
        # Some senders write name and code the other way round.
        if code.startswith("MDC"):
            code, name = name, code
        number = int(code) if code.isascii() and code.isdigit() and len(code) <= 10 else 0
        number = _SAME_AS.get(number, number)
        named = CODE_OF_NAME.get(name, 0)
        if number and named and number != named:
            raise Contradiction
        if number or named:
            return number or named
    return 0
