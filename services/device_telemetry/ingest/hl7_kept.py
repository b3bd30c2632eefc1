"""HL7 messages in the database: sealed as they came, once each, with the frames that were made of them and whether they were refused."""

import hashlib
import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from uuid import UUID

from chassis.unit_of_work import UnitOfWork
from device_telemetry.domain.hl7_header import Header


@dataclass(frozen=True)
class Message:
    """A message on its way to its row. `digest` knows it again."""

    content: bytes
    digest: bytes
    transaction: str
    usable: int = 0
    zone_assumed: bool = False
    refused: bool = False


@dataclass(frozen=True)
class Kept:
    """A message on record: the sequences of each device's frames, whether all are durable. `repeated` when it was there before."""

    message_id: UUID
    sequences: dict[str, list[int]]
    durable: bool
    repeated: bool


def digest_of(content: bytes, header: Header) -> bytes:
    """SHA-256 by which a message is known when it comes again: the same MSH-10 and body, however its segments end and whenever it is sent.

    MSH-10 alone does not do: a device that was switched off may count from 1 again, and its messages must not be lost.
    """
    lines = [line for line in re.split(rb"[\r\n]+", content) if line]
    separator = lines[0][3:4]
    fields = lines[0].split(separator)
    if len(fields) > 6 and header.field(7):
        fields[6] = b""
    return hashlib.sha256(b"\r".join([separator.join(fields), *lines[1:]])).digest()


def devices_of(uow: UnitOfWork, named: Iterable[str]) -> dict[str, str]:
    """Equipment id -> device id, of the registered ones among those that a message names."""
    rows = uow.driver.execute(
        "SELECT equipment_id, device_id::text FROM device WHERE equipment_id = ANY(%s)", (sorted(named),)
    ).fetchall()
    return dict(rows)


def keep(uow: UnitOfWork, message: Message, counts: Mapping[str, int]) -> Kept:
    """Keeps the message the first time, with new sequences for the frames of each device; a repeated message is found as it is."""
    uow.driver.execute("SELECT pg_advisory_xact_lock(hashtext('hl7_message'), hashtext(%s))", (message.digest.hex(),))
    row = uow.driver.execute(
        "SELECT message_id, frames, durable FROM hl7_message WHERE digest = %s", (message.digest,)
    ).fetchone()
    if row is not None:
        return Kept(row[0], _by_device(row[1]), row[2], repeated=True)
    sequences = {device_id: _numbers(uow, device_id, count) for device_id, count in sorted(counts.items())}
    message_id = uow.new_id()
    pairs = [(device_id, number) for device_id, numbers in sequences.items() for number in numbers]
    uow.driver.execute(
        "INSERT INTO hl7_message (message_id, digest, content_sealed, frames, usable_samples, durable, transaction, zone_assumed, refused)"
        " VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s)",
        (
            message_id, message.digest, uow.seal(f"hl7:{message_id}", message.content), json.dumps(pairs), message.usable, not pairs,
            message.transaction, message.zone_assumed, message.refused,
        ),
    )  # fmt: skip
    return Kept(message_id, sequences, not pairs, repeated=False)


def mark_durable(uow: UnitOfWork, message_id: UUID) -> None:
    """All frames of the message are in the log."""
    uow.driver.execute("UPDATE hl7_message SET durable = true WHERE message_id = %s", (message_id,))


def _numbers(uow: UnitOfWork, device_id: str, count: int) -> list[int]:
    given = uow.driver.execute(
        "UPDATE device SET hl7_sequence = hl7_sequence + %s WHERE device_id = %s RETURNING hl7_sequence",
        (count, UUID(device_id)),
    ).fetchone()
    last = int(given[0])
    return list(range(last - count + 1, last + 1))


def _by_device(pairs: list[list[str | int]]) -> dict[str, list[int]]:
    found: dict[str, list[int]] = {}
    for device_id, number in pairs:
        found.setdefault(str(device_id), []).append(int(number))
    return found
