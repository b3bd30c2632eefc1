"""HL7 messages and rows for tests, made by hand."""

from datetime import timedelta
from pathlib import Path

from device_telemetry.domain import hl7_content
from device_telemetry.domain.hl7_content import Refused, Taken
from device_telemetry.domain.hl7_findings import Finding
from device_telemetry.domain.hl7_header import decode, read_header

MESSAGES = Path(__file__).parent / "messages"
TOLERANCE = timedelta(seconds=5)
TRIGGERS = {"R01": "ORU^R01^ORU_R01", "R40": "ORU^R40^ORU_R40", "R42": "ORU^R42^ORU_R01"}
HR = "147842^MDC_ECG_CARD_BEAT_RATE^MDC"
BEAT = "264864^MDC_DIM_BEAT_PER_MIN^MDC"
PUMP_ID = "PUMP-77"


def row(
    code: str, value: str = "", unit: str = "", *, place: str = "1.1.1.1", kind: str = "NM", flag: str = "", status: str = "R",
    at: str = "", equipment: str = "",
) -> str:  # fmt: skip
    return f"OBX|1|{kind}|{code}|{place}|{value}|{unit}||{flag}|||{status}|||{at}||||{equipment}"


def device(
    code: str = "69965^MDC_DEV_MON_PHYSIO_MULTI_PARAM_MDS^MDC",
    place: str = "1.0.0.0",
    equipment: str = "M1",
    at: str = "",
) -> str:
    return row(code, place=place, kind="", status="X", equipment=equipment, at=at)


def message(
    *rows: str, trigger: str = "R01", sent: str = "20260715160000+0000", control: str = "C1", ack: str = "AL|NE",
    charset: str = "UNICODE UTF-8", processing: str = "P", end: str = "\r", patient: str = "PID|||^^^^MR",
    obr_at: str = "20260715160000", profile: str = "",
) -> bytes:  # fmt: skip
    kind = TRIGGERS.get(trigger, trigger)
    head = f"MSH|^~\\&|Device|Ward|||{sent}||{kind}|{control}|{processing}|2.6|||{ack}||{charset}|||{profile}"
    segments = [head, patient, "PV1||U", f"OBR|1||1|69965^MDC_DEV_MON_PHYSIO_MULTI_PARAM_MDS^MDC|||{obr_at}", *rows]
    return "".join(segment + end for segment in segments).encode()


def read(content: bytes) -> Taken:
    """As the api reads it."""
    header = read_header(content)
    assert header is not None
    return hl7_content.read(decode(content, header), header, TOLERANCE)


def findings(content: bytes) -> tuple[Finding, ...]:
    """Why a message is refused."""
    try:
        read(content)
    except Refused as refused:
        return refused.findings
    raise AssertionError("the message was taken")


def rules(content: bytes) -> set[str]:
    """The same as an operator reads it."""
    return {finding.text for finding in findings(content)}


ML_PER_H = "265266^MDC_DIM_MILLI_L_PER_HR^MDC"
ML = "263762^MDC_DIM_MILLI_L^MDC"
MG_PER_ML = "264306^MDC_DIM_MILLI_G_PER_ML^MDC"


def pump_rows(**changed: str) -> list[str]:
    """A pump that runs at 60 mL/h; each row can be changed by its name, or left out by ""."""
    said = {
        "status": row("184519^MDC_PUMP_INFUSING_STATUS^MDC", "^pump-status-infusing", place="1.1.1.1", kind="CWE"),
        "flow": row("158014^MDC_FLOW_FLUID_PUMP_CURRENT^MDC", "60", ML_PER_H, place="1.1.1.2"),
        "sources": row("158016^MDC_PUMP_ACTIVE_SOURCES^MDC", "^pump-source-info-primary", place="1.1.1.3", kind="CWE"),
        "delivery": row(
            "158005^MDC_PUMP_CURRENT_DELIVERY_STATUS^MDC",
            "^pump-delivery-status-delivering",
            place="1.1.2.1",
            kind="CWE",
        ),
        "mode": row(
            "158008^MDC_PUMP_PROGRAM_DELIVERY_MODE^MDC",
            "^pump-program-delivery-mode-continuous",
            place="1.1.2.2",
            kind="CWE",
        ),
        "label": row("158012^MDC_PUMP_SOURCE_CHANNEL_LABEL^MDC", "Primary", place="1.1.2.3", kind="ST"),
        "rate": row("157784^MDC_FLOW_FLUID_PUMP^MDC", "60", ML_PER_H, place="1.1.2.4"),
        "vtbi": row("157884^MDC_VOL_FLUID_TBI^MDC", "40", ML, place="1.1.2.5"),
        "total": row("157993^MDC_VOL_FLUID_DELIV_TOTAL^MDC", "0.5", ML, place="1.1.2.6"),
        "drug": row("184514^MDC_DRUG_NAME_LABEL^MDC", "Ketamine", place="1.1.2.7", kind="ST"),
        "concentration": row("157760^MDC_CONC_DRUG^MDC", "1", MG_PER_ML, place="1.1.2.8"),
    }
    said |= changed
    top = [
        device("70049^MDC_DEV_PUMP_INFUS_LVP_MDS^MDC", "1.0.0.0", PUMP_ID),
        device("70050^MDC_DEV_PUMP_INFUS_LVP_VMD^MDC", "1.1.0.0", ""),
        device("70071^MDC_DEV_PUMP_INFUSATE_SOURCE_PRIMARY_CHAN^MDC", "1.1.2.0", ""),
    ]
    return top + [text for text in said.values() if text]
