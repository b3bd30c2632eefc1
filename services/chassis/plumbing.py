"""The tables that every service's database has beside its own: outbox, inbox, offsets, parked, idempotency, keys.

None of them holds an identifying value outside a sealed column. Times here are machine time.
"""

from typing import Any

PLUMBING_TABLES = (
    "outbox",
    "outbox_refused",
    "event_sequence",
    "relay_idle",
    "inbox",
    "inbox_position",
    "consumer_offset",
    "parked",
    "idempotency",
    "quarantine",
    "operator_act",
    "sealing_key",
)

_STATEMENTS = (
    # What has happened and is not yet on Kafka. The relay deletes a row when the broker has it.
    """
    CREATE TABLE outbox (
        id bigint GENERATED ALWAYS AS IDENTITY CONSTRAINT outbox_pk PRIMARY KEY,
        event_id uuid NOT NULL,
        topic text NOT NULL,
        key text NOT NULL,
        sequence bigint NOT NULL,
        headers text NOT NULL,
        value bytea NOT NULL,
        recorded_at timestamptz NOT NULL DEFAULT clock_timestamp()
    ) WITH (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 5000)
    """,
    # What the broker refuses for good, with every later row of its key, until an operator lets it go on.
    """
    CREATE TABLE outbox_refused (
        id bigint CONSTRAINT outbox_refused_pk PRIMARY KEY,
        event_id uuid NOT NULL,
        topic text NOT NULL,
        key text NOT NULL,
        sequence bigint NOT NULL,
        headers text NOT NULL,
        value bytea NOT NULL,
        recorded_at timestamptz NOT NULL,
        rule text NOT NULL,
        refused_at timestamptz NOT NULL DEFAULT clock_timestamp()
    )
    """,
    "CREATE INDEX outbox_refused_key ON outbox_refused (topic, key)",
    # The version of each aggregate: its row lock also keeps the order of a key's events.
    """
    CREATE TABLE event_sequence (
        topic text NOT NULL,
        key text NOT NULL,
        last bigint NOT NULL,
        CONSTRAINT event_sequence_pk PRIMARY KEY (topic, key)
    ) WITH (fillfactor = 70)
    """,
    # True while the relay sleeps, so that a commit wakes it only then.
    "CREATE TABLE relay_idle (one boolean CONSTRAINT relay_idle_pk PRIMARY KEY CHECK (one), idle boolean NOT NULL)",
    "INSERT INTO relay_idle VALUES (true, false)",
    """
    CREATE TABLE inbox (
        event_id text CONSTRAINT inbox_pk PRIMARY KEY,
        received_at timestamptz NOT NULL DEFAULT clock_timestamp()
    )
    """,
    "CREATE INDEX inbox_received ON inbox USING brin (received_at)",
    # The last sequence applied of each key; what comes with a lower one is a duplicate, with a gap is early.
    """
    CREATE TABLE inbox_position (
        topic text NOT NULL,
        key text NOT NULL,
        last bigint NOT NULL,
        CONSTRAINT inbox_position_pk PRIMARY KEY (topic, key)
    ) WITH (fillfactor = 70)
    """,
    """
    CREATE TABLE consumer_offset (
        topic text NOT NULL,
        partition integer NOT NULL,
        next bigint NOT NULL,
        complete_until timestamptz,
        moved_at timestamptz NOT NULL DEFAULT clock_timestamp(),
        CONSTRAINT consumer_offset_pk PRIMARY KEY (topic, partition)
    ) WITH (fillfactor = 50)
    """,
    """
    CREATE TABLE parked (
        parked_id bigint GENERATED ALWAYS AS IDENTITY CONSTRAINT parked_pk PRIMARY KEY,
        topic text NOT NULL,
        partition integer NOT NULL,
        record_offset bigint NOT NULL,
        key text NOT NULL,
        sequence bigint NOT NULL,
        event_id text NOT NULL,
        type text NOT NULL,
        headers text NOT NULL,
        value_sealed bytea NOT NULL,
        reason text NOT NULL CONSTRAINT parked_reason CHECK (reason IN ('early', 'poison', 'follower')),
        waits_for text,
        rule text NOT NULL,
        attempts integer NOT NULL DEFAULT 1,
        parked_at timestamptz NOT NULL DEFAULT clock_timestamp(),
        CONSTRAINT parked_place UNIQUE (topic, partition, record_offset)
    )
    """,
    "CREATE INDEX parked_key ON parked (topic, key, record_offset)",
    "CREATE INDEX parked_waits_for ON parked (waits_for) WHERE waits_for IS NOT NULL",
    """
    CREATE TABLE idempotency (
        actor_id uuid NOT NULL,
        request_id uuid NOT NULL,
        rpc text NOT NULL,
        body_sha256 bytea NOT NULL,
        result_ids text NOT NULL,
        recorded_at timestamptz NOT NULL DEFAULT clock_timestamp(),
        CONSTRAINT idempotency_pk PRIMARY KEY (actor_id, request_id)
    )
    """,
    # What was received and counted for nothing, sealed; the rule says why.
    """
    CREATE TABLE quarantine (
        quarantine_id uuid CONSTRAINT quarantine_pk PRIMARY KEY,
        source text NOT NULL,
        source_id text NOT NULL,
        rule text NOT NULL,
        content_sealed bytea NOT NULL,
        received_at timestamptz NOT NULL DEFAULT clock_timestamp()
    )
    """,
    "CREATE INDEX quarantine_received ON quarantine (received_at DESC, quarantine_id)",
    # What an operator did, kept for ever.
    """
    CREATE TABLE operator_act (
        act_id bigint GENERATED ALWAYS AS IDENTITY CONSTRAINT operator_act_pk PRIMARY KEY,
        actor text NOT NULL,
        act text NOT NULL,
        topic text NOT NULL,
        key text NOT NULL,
        event_id text NOT NULL,
        reason_code text NOT NULL,
        acted_at timestamptz NOT NULL DEFAULT clock_timestamp()
    )
    """,
    # A data key for each subject, wrapped by the service's sealing key. Dropping a row erases what it sealed.
    """
    CREATE TABLE sealing_key (
        subject_id text CONSTRAINT sealing_key_pk PRIMARY KEY,
        wrapped_key bytea NOT NULL,
        made_at timestamptz NOT NULL DEFAULT clock_timestamp()
    )
    """,
)


def create_plumbing(op: Any) -> None:
    """Creates the plumbing tables; `op` is alembic's. The first line of every service's first migration."""
    for statement in _STATEMENTS:
        op.execute(statement)
