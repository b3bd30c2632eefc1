"""A device's alert as a PCD-04 message (IHE PCD Technical Framework, volume 2): one alert, its phase, state, priority and type."""

from dataclasses import dataclass
from datetime import datetime
from typing import Final

from simulator.hl7_header import MONITOR_MDS, Sender, device_rows, opening, written
from simulator.hl7_pump_messages import sender_of

OCCLUSION: Final = "196940^MDC_EVT_FLUID_LINE_OCCL^MDC"
LOW: Final = "196670^MDC_EVT_LO^MDC"


@dataclass(frozen=True)
class Alert:
    """One alert. `phase`: start, continue, end, tpoint, update, escalate, de-escalate; `priority`: PN, PL, PM, PH; `kind`: SP, ST, SA."""

    event: str
    phase: str = "start"
    state: str = "active"
    priority: str = "PM"
    kind: str = "ST"
    inactivation: str = "enabled"


def pump_alert(equipment_id: str, control_id: str, at: datetime, alert: Alert) -> bytes:
    """Of a pump; `at` is aware."""
    return _alert(sender_of(equipment_id), control_id, at, alert)


def monitor_alert(equipment_id: str, control_id: str, at: datetime, alert: Alert) -> bytes:
    """Of a monitor; `at` is aware."""
    return _alert(Sender(equipment_id, MONITOR_MDS), control_id, at, alert)


def _alert(sender: Sender, control_id: str, at: datetime, alert: Alert) -> bytes:
    lines = opening("pcd04", sender, control_id, at, ordered="196616^MDC_EVT_ALARM^MDC")
    rows = device_rows(sender)
    place = "1.1.0.0" if sender.vmd else "1.0.0.0"
    attributes = (
        ("CWE", "196616^MDC_EVT_ALARM^MDC", alert.event),
        ("CWE", "68480^MDC_ATTR_ALERT_SOURCE^MDC", sender.mds),
        ("ST", "68481^MDC_ATTR_EVENT_PHASE^MDC", alert.phase),
        ("ST", "68482^MDC_ATTR_ALARM_STATE^MDC", alert.state),
        ("ST", "68483^MDC_ATTR_ALARM_INACTIVATION_STATE^MDC", alert.inactivation),
        ("ST", "68484^MDC_ATTR_ALARM_PRIORITY^MDC", alert.priority),
        ("ST", "68485^MDC_ATTR_ALERT_TYPE^MDC", alert.kind),
    )
    for facet, (kind, code, value) in enumerate(attributes, 1):
        rows.append(f"OBX|{len(rows) + 1}|{kind}|{code}|{place}.{facet}|{value}||||||R")
    return written([*lines, *rows])
