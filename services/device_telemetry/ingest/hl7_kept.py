"""HL7 messages in the database: sealed as they came, once each, with the frames that were made of them."""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from chassis.unit_of_work import UnitOfWork
from device_telemetry.domain.pcd01 import Observation


@dataclass(frozen=True)
class Kept:
    """A message on record: the sequence that each device's frame has, and whether all of them are durable."""

    message_id: UUID
    sequences: dict[str, int]
    durable: bool


def devices_of(uow: UnitOfWork, observations: Sequence[Observation]) -> dict[str, str]:
    """Equipment id -> device id, of the registered ones among those that the observations name."""
    named = sorted({text for observation in observations for text in observation.equipment})
    rows = uow.driver.execute(
        "SELECT equipment_id, device_id::text FROM device WHERE equipment_id = ANY(%s)", (named,)
    ).fetchall()
    return dict(rows)


def keep(uow: UnitOfWork, content: bytes, devices: Sequence[str], usable: int) -> Kept:
    """Keeps the message the first time, with a new sequence for each device; a repeated message is found as it is."""
    digest = hashlib.sha256(content).digest()
    uow.driver.execute("SELECT pg_advisory_xact_lock(hashtext('hl7_message'), hashtext(%s))", (digest.hex(),))
    row = uow.driver.execute(
        "SELECT message_id, frames, durable FROM hl7_message WHERE digest = %s", (digest,)
    ).fetchone()
    if row is not None:
        return Kept(row[0], dict(row[1]), row[2])
    sequences = {}
    for device_id in sorted(devices):
        given = uow.driver.execute(
            "UPDATE device SET hl7_sequence = hl7_sequence + 1 WHERE device_id = %s RETURNING hl7_sequence",
            (UUID(device_id),),
        ).fetchone()
        sequences[device_id] = int(given[0])
    message_id = uow.new_id()
    uow.driver.execute(
        "INSERT INTO hl7_message (message_id, digest, content_sealed, frames, usable_samples, durable) VALUES (%s, %s, %s, %s, %s, %s)",
        (
            message_id,
            digest,
            uow.seal(f"hl7:{message_id}", content),
            json.dumps(list(sequences.items())),
            usable,
            not sequences,
        ),
    )
    return Kept(message_id, sequences, not sequences)


def mark_durable(uow: UnitOfWork, message_id: UUID) -> None:
    """All frames of the message are in the log."""
    uow.driver.execute("UPDATE hl7_message SET durable = true WHERE message_id = %s", (message_id,))
