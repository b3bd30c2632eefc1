"""What has to be sealed is sealed, and the plumbing tables hold ids and codes beside it, no text."""

from __future__ import annotations

import json
import re
from typing import Any

from psycopg import sql

from verify.check_envelopes import ALLOWED
from verify.outcome import Check, Outcome
from verify.world import World

# AES-256-GCM: one byte version, twelve of nonce, sixteen of tag (NIST SP 800-38D).
_VERSION, _LEAST_BYTES = b"\x01", 29
# An id, a number, a time or a code; anything with a space is prose.
_PLAIN_ID = re.compile(r"[A-Za-z0-9_.:,+|^/-]{0,200}")


def is_sealed(value: bytes) -> bool:
    """Whether bytes have the form of a sealed value, and do not read as text."""
    if len(value) < _LEAST_BYTES or value[:1] != _VERSION:
        return False
    try:
        return not value[1:].decode("utf-8").isprintable()
    except UnicodeDecodeError:
        return True


def sealed_columns(world: World) -> Outcome:
    """Every value of every column named `*_sealed`, and every wrapped key, in every database."""
    outcome = Outcome()
    for service in world.databases.services:
        for table, column in world.databases.rows(
            service,
            "SELECT c.table_name, c.column_name FROM information_schema.columns c JOIN information_schema.tables t"
            " USING (table_schema, table_name) WHERE table_schema = 'public' AND t.table_type = 'BASE TABLE'"
            " AND (c.column_name LIKE '%\\_sealed' OR c.column_name = 'wrapped_key') AND c.data_type = 'bytea' ORDER BY 1, 2",
        ):
            broken = sum(not is_sealed(bytes(value)) for value in _values(world, service, table, column, outcome))
            if broken:
                outcome.found.append(f"{service}: {table}.{column}: {broken} values are not sealed")
    return outcome


def _values(world: World, service: str, table: str, column: str, outcome: Outcome) -> list[bytes]:
    statement = sql.SQL("SELECT {column} FROM {table} WHERE {column} IS NOT NULL").format(
        column=sql.Identifier(column), table=sql.Identifier(table)
    )
    values = [row[0] for row in world.databases.rows(service, statement)]
    outcome.looked_at += len(values)
    return values


def plumbing_holds_no_text(world: World) -> Outcome:
    """Idempotency keeps a digest and ids; parked and outbox rows keep headers of the envelope only; quarantine says where from by id."""
    outcome, data = Outcome(), world.databases
    for service in data.services:
        for row in data.rows(service, "SELECT request_id, rpc, body_sha256, result_ids FROM idempotency"):
            outcome.look(
                len(row.body_sha256) == 32 and _only_ids(row.result_ids),
                f"{service}: idempotency {row.request_id} ({row.rpc}): holds more than a digest and ids",
            )
        for row in data.rows(
            service,
            "SELECT 'parked' AS place, event_id, headers FROM parked UNION ALL SELECT 'outbox', event_id::text, headers FROM outbox"
            " UNION ALL SELECT 'outbox_refused', event_id::text, headers FROM outbox_refused",
        ):
            outcome.look(
                set(json.loads(row.headers)) <= ALLOWED,
                f"{service}: {row.place} of event {row.event_id}: has a header that the envelope does not know",
            )
        for row in data.rows(service, "SELECT quarantine_id, source, source_id FROM quarantine"):
            outcome.look(
                _PLAIN_ID.fullmatch(row.source) and _PLAIN_ID.fullmatch(row.source_id),
                f"{service}: quarantine {row.quarantine_id}: says where it came from with more than an id",
            )
    return outcome


def _only_ids(text: str) -> bool:
    try:
        return all(_is_id(value) for value in json.loads(text).values())
    except (ValueError, AttributeError):
        return False


def _is_id(value: Any) -> bool:
    """Ids and codes, also where they lie in a list or an object written as text."""
    if isinstance(value, str):
        if value[:1] in ("[", "{"):
            try:
                return _is_id(json.loads(value))
            except ValueError:
                return False
        return _PLAIN_ID.fullmatch(value) is not None
    if isinstance(value, dict):
        return all(_is_id(item) for item in (*value.keys(), *value.values()))
    if isinstance(value, list):
        return all(_is_id(item) for item in value)
    return value is None or isinstance(value, int | float | bool)


CHECKS = (Check("sealed.columns", sealed_columns), Check("sealed.plumbing", plumbing_holds_no_text))
