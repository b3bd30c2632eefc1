"""Rows of the parked table: what they may hold, which goes first, and the record of what an operator did to one."""

import json
from collections.abc import Mapping

from chassis.envelope import Envelope, printable, text_headers, wire_headers
from chassis.errors import Early, Poison, SaguaroError
from chassis.records import Record
from chassis.unit_of_work import UnitOfWork

SEAL_SUBJECT = "parked"
# What an index can hold with room to spare.
_MAX_KEY, _MAX_WORDS = 200, 500


def rule_of(error: BaseException) -> str:
    """Why an event could not be applied, without any value: our own rules in words, anything else by its type and place."""
    if isinstance(error, Early):
        return f"waits for {error.waits_for}"
    if isinstance(error, Poison):
        return error.rule
    if isinstance(error, SaguaroError):
        return f"{error.reason}: {error.field}: {error.rule}"
    trace = error.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    place = "" if trace is None else f" at {trace.tb_frame.f_code.co_name}:{trace.tb_lineno}"
    return f"{type(error).__name__}{place}"


def key_of_record(record: Record, envelope: Envelope | None) -> str:
    if envelope is not None:
        return envelope.key
    return printable((record.key or b"").decode("utf-8", "replace"))[:_MAX_KEY]


def words(text: str) -> str:
    """As the parked table can hold it: an event brings its ids from outside."""
    return printable(text)[:_MAX_WORDS]


def sequence_of_torn(uow: UnitOfWork, topic: str, key: str, headers: Mapping[str, str]) -> int:
    """The version that a torn envelope claims, believed only where it is the one that comes next; else 0, not known."""
    last = uow.driver.execute("SELECT last FROM inbox_position WHERE topic = %s AND key = %s", (topic, key)).fetchone()
    following = 1 if last is None else int(last[0]) + 1
    return following if headers.get("ce_sequence") == str(following) else 0


def promote(uow: UnitOfWork, topic: str, key: str) -> int | None:
    """Makes what is now the first parked event of a key one that is due, so that it is tried again if this process ends here.

    Returns its sequence, None when nothing is left.
    """
    row = uow.driver.execute(
        "WITH first AS (SELECT parked_id FROM parked WHERE topic = %(topic)s AND key = %(key)s"
        " ORDER BY sequence, record_offset LIMIT 1), due AS (UPDATE parked p SET reason = 'early', waits_for = %(mark)s,"
        " rule = 'its turn has come' FROM first WHERE p.parked_id = first.parked_id AND p.reason = 'follower')"
        " SELECT sequence FROM parked JOIN first USING (parked_id)",
        {"topic": topic, "key": key, "mark": words(f"turn:{topic}:{key}")},
    ).fetchone()
    return None if row is None else int(row[0])


def first_parked(uow: UnitOfWork, topic: str, key: str, *, opened: bool = True) -> tuple[int, Record] | None:
    """The parked event of a key that has to go first: by sequence, then by place. Its value only where `opened`."""
    row = uow.driver.execute(
        "SELECT parked_id, partition, record_offset, headers, value_sealed FROM parked WHERE topic = %s AND key = %s"
        " ORDER BY sequence, record_offset LIMIT 1 FOR UPDATE",
        (topic, key),
    ).fetchone()
    if row is None:
        return None
    headers = json.loads(row[3])
    value = uow.open_bytes(SEAL_SUBJECT, row[4]) if opened else None
    return row[0], Record(topic, row[1], row[2], key.encode(), value, tuple(wire_headers(headers)), 0)


def record_act(uow: UnitOfWork, actor: str, act: str, record: Record, reason_code: str) -> None:
    """Keeps what an operator did to an event."""
    headers = text_headers(record.headers)
    uow.driver.execute(
        "INSERT INTO operator_act (actor, act, topic, key, event_id, reason_code) VALUES (%s, %s, %s, %s, %s, %s)",
        (
            actor,
            act,
            record.topic,
            (record.key or b"").decode("utf-8", "replace"),
            headers.get("ce_id", ""),
            reason_code,
        ),
    )
