"""What a whole HL7 message holds: PCD-01 (R01), PCD-04 (R40) or PCD-10 (R42) by the trigger in MSH-9, and the patient that it names."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from device_telemetry.domain import pcd01, pcd04, pcd10
from device_telemetry.domain.event_terms import PumpEvent
from device_telemetry.domain.hl7_findings import Finding
from device_telemetry.domain.hl7_header import Header, Hl7Error
from device_telemetry.domain.hl7_message import Segment, segments_of
from device_telemetry.domain.hl7_rows import Sent, groups_of, sent_of
from device_telemetry.domain.pcd01 import Observation
from device_telemetry.domain.pcd04 import Alert
from device_telemetry.domain.pump_said import PumpSaid

# Trigger (MSH-9, second component) -> transaction.
TRANSACTIONS: Final = {"R01": "pcd01", "R40": "pcd04", "R42": "pcd10"}


class Refused(Exception):
    """Nothing of the message can be taken. `reject` for what is not done here at all (AR, CR), else an error (AE, CE)."""

    def __init__(self, findings: tuple[Finding, ...], *, reject: bool = False) -> None:
        super().__init__("a message was refused")
        self.findings, self.reject = findings, reject


@dataclass(frozen=True)
class Taken:
    """The content of a message. `patients` are the identifiers of PID-3; `warnings` the rows that were refused."""

    transaction: str
    sent: Sent
    patients: tuple[str, ...]
    observations: tuple[Observation, ...] = ()
    pumps: tuple[PumpSaid, ...] = ()
    alert: Alert | None = None
    event: PumpEvent | None = None
    # Who is named beside those: the equipment of an event that says nothing of its delivery.
    equipment: tuple[str, ...] = ()
    warnings: tuple[Finding, ...] = ()

    @property
    def named(self) -> tuple[str, ...]:
        """Every id that may name a device, each once."""
        found = [*self.equipment]
        for part in (*self.observations, *self.pumps, *((self.alert,) if self.alert else ())):
            found += part.equipment
        return tuple(dict.fromkeys(found))

    @property
    def zone_assumed(self) -> bool:
        """Whether a time took the offset of MSH-7."""
        parts = (*self.observations, *self.pumps, *((self.alert,) if self.alert else ()))
        return any(part.zone_assumed for part in parts)


def read(text: str, header: Header, tolerance: timedelta) -> Taken:
    """The content of decoded text. Refused names the field and rule of each thing that is wrong with a message that cannot be taken."""
    kind = [*(part.strip() for part in header.field(9).split(header.component_separator)), ""]
    transaction = TRANSACTIONS.get(kind[1])
    if kind[0] != "ORU" or transaction is None:
        raise Refused((Finding("MSH-9", "200", "must be ORU with the trigger R01, R40 or R42"),), reject=True)
    try:
        sent = sent_of(header, tolerance)
        segments = segments_of(text)
    except Hl7Error as error:
        raise Refused((Finding(error.location, error.code, error.rule),), reject=error.reject) from None
    groups = groups_of(segments)
    patients = _patients(segments)
    if transaction == "pcd01":
        content = pcd01.read(groups, sent)
        if content.all_refused:
            raise Refused(content.findings)
        return Taken(transaction, sent, patients, content.observations, content.pumps, warnings=content.findings)
    if transaction == "pcd04":
        alert, findings = pcd04.read(groups, sent)
        if alert is None:
            raise Refused(findings)
        return Taken(transaction, sent, patients, alert=alert)
    event, findings = pcd10.read(groups, sent)
    if event is None:
        raise Refused(findings)
    pumps = (event.said,) if event.said is not None else ()
    return Taken(transaction, sent, patients, pumps=pumps, event=event.what, equipment=event.equipment)


def _patients(segments: tuple[Segment, ...]) -> tuple[str, ...]:
    """Identifiers of PID-3; none where PID-31 says that the patient is not known (as pumps do that were never told)."""
    found: list[str] = []
    for segment in segments:
        if segment.name != "PID" or segment.field(31).strip() == "Y":
            continue
        for again in segment.repetitions(3):
            identifier = segment.parts(again)[0].strip()
            if identifier not in ("", '""') and identifier.lower() != "unknown patient":
                found.append(identifier)
    return tuple(dict.fromkeys(found))
