"""What an infusion pump says over HL7: PCD-01 reports and PCD-10 events (IHE PCD Infusion Pump Event Communication 1.5)."""

from dataclasses import dataclass
from datetime import datetime
from typing import Final

from saguaro.device_telemetry.v1 import types_pb2 as types
from simulator.hl7_header import PUMP_MDS, PUMP_VMD, Sender, device_rows, opening, written

_ML_PER_H: Final = "265266^MDC_DIM_MILLI_L_PER_HR^MDC^mL/h^mL/h^UCUM"
_ML: Final = "263762^MDC_DIM_MILLI_L^MDC^mL^mL^UCUM"
_MG_PER_ML: Final = "264306^MDC_DIM_MILLI_G_PER_ML^MDC^mg/mL^mg/mL^UCUM"
START: Final = "197288^MDC_EVT_PUMP_DELIV_START^MDC"
STOP: Final = "0^MDC_EVT_PUMP_DELIV_STOP^MDC"
COMPLETE: Final = "197292^MDC_EVT_PUMP_DELIV_COMP^MDC"
COUNTERS_CLEARED: Final = "0^MDC_EVT_PUMP_VOL_COUNTERS_CLEARED^MDC"
PROGRAM_CLEARED: Final = "0^MDC_EVT_PUMP_PROG_CLEARED^MDC"
# Reason of a report -> what the pump says, where it stands still.
_REASONS: Final = {
    "paused": "pump-stopped-by-clinician",
    "occluded": "pump-stopped-alarming",
    "completed": "pump-stopped-alarming",
}


@dataclass(frozen=True)
class Said:
    """What goes into one message: the report, its flow, and for an event which one and whether the pump goes on behind it."""

    report: types.PumpReport
    flow_ml_per_h: str
    event: str = ""
    transitioning: bool = False


def sender_of(equipment_id: str) -> Sender:
    """A volumetric pump."""
    return Sender(equipment_id, PUMP_MDS, PUMP_VMD)


def pump_message(equipment_id: str, control_id: str, at: datetime, said: Said) -> bytes:
    """A PCD-10 message where `said` is of an event, else a PCD-01 report; `at` is aware."""
    sender = sender_of(equipment_id)
    lines = opening("pcd10" if said.event else "pcd01", sender, control_id, at)
    rows = device_rows(sender)
    if said.event:
        rows.insert(1, f"OBX|2|CWE|68487^MDC_ATTR_EVT_COND^MDC|1.0.0.1|{said.event}||||||R")
        rows.insert(2, "OBX|3|ST|68488^MDC_ATTR_EVT_SOURCE^MDC|1.0.0.2|1.1.2.0||||||R")
    rows += _delivery(said)
    # The numbers of the rows, as they now stand.
    lines += [f"OBX|{number}|{row.split('|', 2)[2]}" for number, row in enumerate(rows, 1)]
    return written(lines)


def _delivery(said: Said) -> list[str]:
    report = said.report
    status = "pump-status-infusing" if report.infusing else "pump-status-not-infusing"
    rows = [
        "OBX|||70067^MDC_DEV_PUMP_DELIVERY_INFO^MDC|1.1.1.0|||||||X",
        _word("184519^MDC_PUMP_INFUSING_STATUS^MDC", "1.1.1.1", f"^{status}"),
        _amount("158014^MDC_FLOW_FLUID_PUMP_CURRENT^MDC", "1.1.1.2", said.flow_ml_per_h, _ML_PER_H),
        _word("158016^MDC_DEV_PUMP_ACTIVE_SOURCES^MDC", "1.1.1.3", "^pump-source-info-primary"),
        "OBX|||70071^MDC_DEV_PUMP_INFUSATE_SOURCE_PRIMARY_CHAN^MDC|1.1.2.0|||||||X",
        _word("158005^MDC_PUMP_CURRENT_DELIVERY_STATUS^MDC", "1.1.2.1", f"^{_delivery_status(said)}"),
        _word("158008^MDC_PUMP_PROGRAM_DELIVERY_MODE^MDC", "1.1.2.3", "^pump-program-delivery-mode-continuous"),
        _text("158012^MDC_PUMP_SOURCE_CHANNEL_LABEL^MDC", "1.1.2.4", "Primary"),
        _amount("157784^MDC_FLOW_FLUID_PUMP^MDC", "1.1.2.5", report.rate_ml_per_h, _ML_PER_H),
        _amount("157884^MDC_VOL_FLUID_TBI^MDC", "1.1.2.6", report.vtbi_ml, _ML),
        _amount("157993^MDC_VOL_FLUID_DELIV_TOTAL^MDC", "1.1.2.7", report.delivered_total_ml, _ML),
        _text("184514^MDC_DRUG_NAME_LABEL^MDC", "1.1.2.8", report.drug_code),
        _amount("157760^MDC_CONC_DRUG^MDC", "1.1.2.9", report.concentration_mg_per_ml, _MG_PER_ML),
    ]
    if report.vtbi_remaining_ml:
        rows.append(_amount("157872^MDC_VOL_FLUID_TBI_REMAIN^MDC", "1.1.2.10", report.vtbi_remaining_ml, _ML))
    if not report.infusing and not said.transitioning:
        reason = _REASONS.get(report.not_delivering_reason, "pump-stopped-not-specified")
        rows.append(_word("158006^MDC_PUMP_NOT_DELIVERING_REASON^MDC", "1.1.2.2", f"^{reason}"))
    return rows


def _delivery_status(said: Said) -> str:
    if said.transitioning:
        return "pump-delivery-status-transitioning"
    if not said.report.infusing:
        return "pump-delivery-status-not-delivering"
    return "pump-delivery-status-kvo" if said.report.keep_vein_open else "pump-delivery-status-delivering"


def _amount(code: str, place: str, value: str, unit: str) -> str:
    return f"OBX||NM|{code}|{place}|{value}|{unit}|||||{'R' if value else 'X'}"


def _word(code: str, place: str, value: str) -> str:
    return f"OBX||CWE|{code}|{place}|{value}||||||R"


def _text(code: str, place: str, value: str) -> str:
    return f"OBX||ST|{code}|{place}|{value}||||||R"
