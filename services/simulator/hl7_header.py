"""The first segments of what simulated devices send over HL7 v2.6 (IHE PCD Technical Framework, volume 2)."""

from dataclasses import dataclass
from datetime import datetime
from typing import Final

# Transaction -> MSH-9 and MSH-21.
_PROFILES: Final = {
    "pcd01": ("ORU^R01^ORU_R01", "IHE_PCD_001^IHE PCD^1.3.6.1.4.1.19376.1.6.1.1.1^ISO"),
    "pcd04": ("ORU^R40^ORU_R40", "IHE_PCD_ACM_001^IHE PCD^1.3.6.1.4.1.19376.1.6.1.4.1^ISO"),
    "pcd10": ("ORU^R42^ORU_R01", "IHE_PCD_010^IHE PCD^1.3.6.1.4.1.19376.1.6.4.10^ISO"),
}


@dataclass(frozen=True)
class Sender:
    """A device on HL7: its id in OBX-18, and its MDS and VMD with their MDC codes."""

    equipment_id: str
    mds: str
    vmd: str = ""


MONITOR_MDS: Final = "69965^MDC_DEV_MON_PHYSIO_MULTI_PARAM_MDS^MDC"
PUMP_MDS: Final = "70049^MDC_DEV_PUMP_INFUS_LVP_MDS^MDC"
PUMP_VMD: Final = "70050^MDC_DEV_PUMP_INFUS_LVP_VMD^MDC"


def hl7_time(at: datetime) -> str:
    """An aware time to the millisecond, with its offset."""
    whole = at.strftime("%Y%m%d%H%M%S")
    fraction = f".{at.microsecond // 1000:03d}" if at.microsecond else ""
    return whole + fraction + (at.strftime("%z") or "+0000")


def opening(transaction: str, sender: Sender, control_id: str, at: datetime, ordered: str = "") -> list[str]:
    """MSH, PID, PV1 and OBR. Nobody is named: the device is, in OBX-18. `ordered` is OBR-4, by default the MDS."""
    kind, profile = _PROFILES[transaction]
    entity = f"{control_id}^SAGUARO_SIM^{sender.equipment_id}^EUI-64"
    time = hl7_time(at)
    return [
        rf"MSH|^~\&|SAGUARO_SIM^{sender.equipment_id}^EUI-64|Saguaro simulator|||{time}||{kind}|{control_id}|P|2.6|||AL|NE"
        f"||UNICODE UTF-8|||{profile}",
        "PID|||^^^^MR",
        "PV1||U",
        f"OBR|1|{entity}|{entity}|{ordered or sender.mds}|||{time}",
    ]


def device_rows(sender: Sender) -> list[str]:
    """The rows of MDS and VMD, numbered from 1."""
    equipment = f"{sender.equipment_id}^^{sender.equipment_id}^EUI-64"
    rows = [f"OBX|1||{sender.mds}|1.0.0.0|||||||X|||||||{equipment}"]
    if sender.vmd:
        rows.append(f"OBX|2||{sender.vmd}|1.1.0.0|||||||X")
    return rows


def written(lines: list[str]) -> bytes:
    """The message as bytes, each segment with its CR."""
    return "".join(f"{line}\r" for line in lines).encode()
