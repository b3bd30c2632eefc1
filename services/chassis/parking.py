"""Events that could not be applied, in order for each key.

Kept sealed, and let go on when what they wait for has come or an operator says so.
"""

import json
from collections.abc import Sequence
from typing import TYPE_CHECKING

from chassis import metrics
from chassis.database import Database, is_transient
from chassis.envelope import Envelope, read_envelope, text_headers, wire_headers
from chassis.errors import Early, Poison, SaguaroError
from chassis.index import Service
from chassis.records import Record, lock_keys, plumbing_context, sequence_mark
from chassis.unit_of_work import UnitOfWork

if TYPE_CHECKING:
    from chassis.consumer import Reader

_SEAL_SUBJECT = "parked"


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


class Parking:
    """The parked table of one service."""

    def __init__(self, index: Service, database: Database, reader: "Reader") -> None:
        self.index = index
        self.database = database
        self.reader = reader

    def park(self, record: Record, expected: int, error: BaseException) -> str:
        """Parks one record in a transaction of its own that also moves the offset over it. Returns "early" or "poison"."""
        headers = text_headers(record.headers)
        try:
            envelope: Envelope | None = read_envelope(record.key, headers)
        except Poison:
            envelope = None
        reason = "early" if isinstance(error, Early) and envelope is not None else "poison"
        with self.database.unit_of_work(plumbing_context()) as uow:
            self.reader.move_offset(uow, record.topic, record.partition, expected, record.offset + 1)
            lock_keys(uow, record.topic, [_key_of(record, envelope)])
            waits_for = error.waits_for if isinstance(error, Early) else None
            self.keep(uow, record, envelope, reason=reason, rule=rule_of(error), waits_for=waits_for)
        return reason

    def keep(
        self,
        uow: UnitOfWork,
        record: Record,
        envelope: Envelope | None,
        *,
        reason: str,
        rule: str,
        waits_for: str | None = None,
    ) -> None:
        """Writes the row. A record that came before (the same topic, partition and offset) is kept once."""
        headers = text_headers(record.headers)
        uow.driver.execute(
            "INSERT INTO parked (topic, partition, record_offset, key, sequence, event_id, type, headers, value_sealed, reason,"
            " waits_for, rule) VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s) ON CONFLICT DO NOTHING",
            (
                record.topic,
                record.partition,
                record.offset,
                _key_of(record, envelope),
                0 if envelope is None else envelope.sequence,
                headers.get("ce_id", ""),
                headers.get("ce_type", ""),
                json.dumps(headers),
                uow.seal(_SEAL_SUBJECT, record.value or b""),
                reason,
                waits_for,
                rule,
            ),
        )

    def rows(self, topic: str, key: str) -> list[str]:
        """The ids of a key's parked events, in order."""
        with self.database.unit_of_work(plumbing_context(), read_only=True) as uow:
            found = uow.driver.execute(
                "SELECT event_id FROM parked WHERE topic = %s AND key = %s ORDER BY sequence, record_offset",
                (topic, key),
            ).fetchall()
        return [row[0] for row in found]

    def waiting_keys(self, arrivals: Sequence[str] | None) -> list[tuple[str, str]]:
        """The (topic, key) whose first parked event is early: all of them, or those that wait for one of `arrivals`."""
        condition = "" if arrivals is None else " AND waits_for = ANY(%s)"
        values: tuple[list[str], ...] = () if arrivals is None else (list(arrivals),)
        with self.database.unit_of_work(plumbing_context(), read_only=True) as uow:
            rows = uow.driver.execute(
                f"SELECT DISTINCT topic, key FROM parked WHERE reason = 'early'{condition} ORDER BY topic, key", values
            ).fetchall()
        return [(row[0], row[1]) for row in rows]

    def retry_waiting(self, arrivals: Sequence[str] | None) -> int:
        """Drains the keys whose wait may be over, and again for what they in turn let go on. Returns how many events were applied."""
        applied = 0
        todo = self.waiting_keys(arrivals)
        while todo:
            arrived: list[str] = []
            for topic, key in todo:
                applied += self.drain(topic, key, arrived)
            todo = self.waiting_keys(arrived) if arrived else []
        return applied

    def drain(self, topic: str, key: str, arrived: list[str] | None = None, *, actor: str | None = None) -> int:
        """Applies the parked events of a key in order, each in its own transaction, until one cannot be. Returns how many were."""
        arrivals = [] if arrived is None else arrived
        count = 0
        while self._drain_one(topic, key, arrivals, actor):
            count += 1
        return count

    def _drain_one(self, topic: str, key: str, arrivals: list[str], actor: str | None) -> bool:
        parked_id = None
        try:
            with self.database.unit_of_work(plumbing_context()) as uow:
                lock_keys(uow, topic, [key])
                row = first_parked(uow, topic, key)
                if row is None:
                    return False
                parked_id, record = row
                self._apply_parked(uow, record, arrivals)
                uow.driver.execute("DELETE FROM parked WHERE parked_id = %s", (parked_id,))
                if actor is not None:
                    record_act(uow, actor, "retry", record, "")
            metrics.event_handled(self.index.name, topic, "unparked")
            return True
        except Exception as error:  # noqa: BLE001
            if parked_id is not None and not is_transient(error):
                self._failed_again(parked_id, error)
            return False

    def _apply_parked(self, uow: UnitOfWork, record: Record, arrivals: list[str]) -> None:
        envelope = read_envelope(record.key, text_headers(record.headers))
        last = uow.driver.execute(
            "SELECT last FROM inbox_position WHERE topic = %s AND key = %s", (record.topic, envelope.key)
        ).fetchone()
        position = 0 if last is None else int(last[0])
        if envelope.sequence <= position:
            return
        if envelope.sequence > position + 1:
            raise Early(sequence_mark(record.topic, envelope.key, envelope.sequence - 1))
        uow.driver.execute("INSERT INTO inbox (event_id) VALUES (%s) ON CONFLICT DO NOTHING", (envelope.event_id,))
        self.reader.react(uow, envelope, record, arrivals, retry=True)
        self.reader.keep_position(uow, record.topic, envelope.key, envelope.sequence)

    def _failed_again(self, parked_id: int, error: BaseException) -> None:
        early = isinstance(error, Early)
        with self.database.unit_of_work(plumbing_context()) as uow:
            uow.driver.execute(
                "UPDATE parked SET attempts = attempts + 1, reason = %s, rule = %s, waits_for = %s WHERE parked_id = %s",
                (
                    "early" if early else "poison",
                    rule_of(error),
                    error.waits_for if isinstance(error, Early) else None,
                    parked_id,
                ),
            )

    def skip(self, topic: str, key: str, *, actor: str, reason_code: str) -> bool:
        """Gives up the first parked event of a key for a stated reason, and lets its followers go on. False when there is none."""
        with self.database.unit_of_work(plumbing_context()) as uow:
            lock_keys(uow, topic, [key])
            row = first_parked(uow, topic, key)
            if row is None:
                return False
            parked_id, record = row
            sequence = uow.driver.execute("SELECT sequence FROM parked WHERE parked_id = %s", (parked_id,)).fetchone()[
                0
            ]
            if sequence > 0:
                uow.driver.execute(
                    "INSERT INTO inbox_position (topic, key, last) VALUES (%s, %s, %s) ON CONFLICT (topic, key)"
                    " DO UPDATE SET last = greatest(inbox_position.last, excluded.last)",
                    (topic, key, sequence),
                )
            uow.driver.execute("DELETE FROM parked WHERE parked_id = %s", (parked_id,))
            record_act(uow, actor, "skip", record, reason_code)
        self.drain(topic, key)
        return True


def _key_of(record: Record, envelope: Envelope | None) -> str:
    if envelope is not None:
        return envelope.key
    return (record.key or b"").decode("utf-8", "replace")


def first_parked(uow: UnitOfWork, topic: str, key: str) -> tuple[int, Record] | None:
    """The parked event of a key that has to go first: by sequence, then by place."""
    row = uow.driver.execute(
        "SELECT parked_id, partition, record_offset, headers, value_sealed FROM parked WHERE topic = %s AND key = %s"
        " ORDER BY sequence, record_offset LIMIT 1 FOR UPDATE",
        (topic, key),
    ).fetchone()
    if row is None:
        return None
    headers = json.loads(row[3])
    value = uow.open_bytes(_SEAL_SUBJECT, row[4])
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
