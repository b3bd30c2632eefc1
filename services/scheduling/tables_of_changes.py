"""Holds, changes of sessions, consultations, the waiting list, the checklist, misses and overrides."""

from sqlalchemy import (
    ARRAY,
    Boolean,
    CheckConstraint,
    Column,
    Index,
    Integer,
    PrimaryKeyConstraint,
    Table,
    Text,
    Uuid,
    func,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB, TSTZRANGE, ExcludeConstraint

from scheduling.domain import words
from scheduling.schema import TIME, metadata, one_of

# A time that is kept for somebody; excludes by its claims, until it is confirmed, released, or over by clinic time.
hold = Table(
    "hold",
    metadata,
    Column("hold_id", Uuid, nullable=False),
    Column("person_id", Uuid, nullable=False),
    Column("site_id", Uuid, nullable=False),
    Column("plan_id", Uuid, nullable=False),
    Column("ordinal", Integer, nullable=False),
    Column("state", Text, nullable=False),
    Column("starts_at", TIME, nullable=False),
    Column("infusion_min", Integer, nullable=False),
    Column("infusion_starts_at", TIME, nullable=False),
    Column("infusion_ends_at", TIME, nullable=False),
    Column("ends_at", TIME, nullable=False),
    Column("chair_id", Uuid, nullable=False),
    Column("pump_id", Uuid, nullable=False),
    Column("monitor_id", Uuid, nullable=False),
    Column("nurse_id", Uuid, nullable=False),
    # Whose offer it is.
    Column("waiting_id", Uuid),
    Column("held_at", TIME, nullable=False),
    Column("expires_at", TIME, nullable=False),
    Column("changed_at", TIME, nullable=False),
    PrimaryKeyConstraint("hold_id", name="hold_pkey"),
    CheckConstraint(one_of("state", words.HOLD_STATES), name="hold_state"),
    CheckConstraint("held_at < expires_at", name="hold_expires_later"),
    Index("hold_by_site", "site_id", "expires_at", postgresql_where=text("state = 'held'")),
    Index("hold_by_waiting", "waiting_id", postgresql_where=text("waiting_id IS NOT NULL")),
)

# A move or a cancellation on which treatment-plan and device-telemetry have to agree. What of the new time the session
# does not hold already is claimed under two ids: what lies before its own stretch of a resource, and what lies after.
session_change = Table(
    "session_change",
    metadata,
    Column("change_id", Uuid, nullable=False),
    Column("session_id", Uuid, nullable=False),
    Column("person_id", Uuid, nullable=False),
    Column("site_id", Uuid, nullable=False),
    Column("kind", Text, nullable=False),
    Column("state", Text, nullable=False),
    Column("reason_code", Text, nullable=False),
    Column("refused_reason_code", Text),
    Column("plan_accepted", Boolean),
    Column("devices_accepted", Boolean),
    Column("proposed_at", TIME, nullable=False),
    Column("settled_at", TIME),
    Column("starts_at", TIME),
    Column("infusion_starts_at", TIME),
    Column("infusion_ends_at", TIME),
    Column("ends_at", TIME),
    Column("cleaned_at", TIME),
    Column("person_free_at", TIME),
    Column("chair_id", Uuid),
    Column("pump_id", Uuid),
    Column("monitor_id", Uuid),
    Column("nurse_id", Uuid),
    Column("earlier_hold_id", Uuid),
    Column("later_hold_id", Uuid),
    # What the new time takes of each kind, as policy said when it was proposed.
    Column("phases", JSONB),
    # By the machine's clock: how long an answer takes is a matter of machines.
    Column("asked_at", TIME, nullable=False, server_default=func.clock_timestamp()),
    Column("correlation_id", Uuid, nullable=False),
    PrimaryKeyConstraint("change_id", name="session_change_pkey"),
    CheckConstraint(one_of("kind", words.CHANGE_KINDS), name="session_change_kind"),
    CheckConstraint(one_of("state", words.CHANGE_STATES), name="session_change_state"),
    CheckConstraint("(state = 'proposed') = (settled_at IS NULL)", name="session_change_settled"),
    CheckConstraint("(state = 'refused') = (refused_reason_code IS NOT NULL)", name="session_change_refused"),
    CheckConstraint(
        "(kind = 'cancel') = (num_nonnulls(starts_at, infusion_starts_at, infusion_ends_at, ends_at, cleaned_at,"
        " person_free_at, chair_id, pump_id, monitor_id, nurse_id, earlier_hold_id, later_hold_id, phases) = 0)",
        name="session_change_new_time",
    ),
    Index("session_change_one_at_a_time", "session_id", unique=True, postgresql_where=text("state = 'proposed'")),
    Index("session_change_asked", "asked_at", postgresql_where=text("state = 'proposed'")),
)

consultation = Table(
    "consultation",
    metadata,
    Column("consultation_id", Uuid, nullable=False),
    Column("person_id", Uuid, nullable=False),
    Column("site_id", Uuid, nullable=False),
    Column("practitioner_id", Uuid, nullable=False),
    Column("room_id", Uuid, nullable=False),
    Column("state", Text, nullable=False),
    Column("during", TSTZRANGE, nullable=False),
    Column("booked_at", TIME, nullable=False),
    Column("changed_at", TIME, nullable=False),
    Column("cancel_reason_code", Text),
    PrimaryKeyConstraint("consultation_id", name="consultation_pkey"),
    CheckConstraint(one_of("state", words.CONSULTATION_STATES), name="consultation_state"),
    CheckConstraint("NOT isempty(during)", name="consultation_not_empty"),
    CheckConstraint("(state = 'cancelled') = (cancel_reason_code IS NOT NULL)", name="consultation_cancel_reason"),
    ExcludeConstraint(
        ("person_id", "="),
        ("during", "&&"),
        name="consultation_one_a_person",
        using="gist",
        where=text("state <> 'cancelled'"),
    ),
    Index("consultation_by_site", "site_id", "during", postgresql_using="gist"),
)

# Who would come when a time becomes free, in the order in which they joined. `site_id` is the first of the wished sites.
waiting_entry = Table(
    "waiting_entry",
    metadata,
    Column("waiting_id", Uuid, nullable=False),
    Column("person_id", Uuid, nullable=False),
    Column("site_id", Uuid, nullable=False),
    Column("site_ids", ARRAY(Uuid), nullable=False),
    Column("plan_id", Uuid, nullable=False),
    Column("ordinal", Integer, nullable=False),
    Column("infusion_min", Integer, nullable=False),
    Column("earliest", TIME, nullable=False),
    Column("latest", TIME, nullable=False),
    Column("state", Text, nullable=False),
    Column("joined_at", TIME, nullable=False),
    Column("changed_at", TIME, nullable=False),
    PrimaryKeyConstraint("waiting_id", name="waiting_entry_pkey"),
    CheckConstraint(one_of("state", words.WAITING_STATES), name="waiting_entry_state"),
    CheckConstraint("earliest < latest", name="waiting_entry_window"),
    Index(
        "waiting_entry_one_an_ordinal",
        "plan_id",
        "ordinal",
        unique=True,
        postgresql_where=text("state IN ('waiting', 'offered')"),
    ),
    Index("waiting_entry_in_order", "joined_at", "waiting_id", postgresql_where=text("state = 'waiting'")),
)

# What was confirmed of the checklist of a visit, with whom, by whom and when.
visit_check = Table(
    "visit_check",
    metadata,
    Column("session_id", Uuid, nullable=False),
    Column("item_code", Text, nullable=False),
    Column("person_id", Uuid, nullable=False),
    Column("site_id", Uuid, nullable=False),
    Column("confirmed_with", Text, nullable=False),
    Column("confirmed_by", Uuid, nullable=False),
    Column("confirmed_at", TIME, nullable=False),
    PrimaryKeyConstraint("session_id", "item_code", name="visit_check_pkey"),
)

no_show = Table(
    "no_show",
    metadata,
    Column("session_id", Uuid, nullable=False),
    Column("person_id", Uuid, nullable=False),
    Column("site_id", Uuid, nullable=False),
    Column("recorded_at", TIME, nullable=False),
    PrimaryKeyConstraint("session_id", name="no_show_pkey"),
    Index("no_show_by_person", "person_id"),
)

# Each rule that somebody set aside for a session or a consultation, with who, in which role, why and when.
rule_override = Table(
    "rule_override",
    metadata,
    Column("session_id", Uuid, nullable=False),
    Column("rule", Text, nullable=False),
    Column("overridden_at", TIME, nullable=False),
    Column("person_id", Uuid, nullable=False),
    Column("site_id", Uuid, nullable=False),
    Column("reason_code", Text, nullable=False),
    Column("overridden_by", Uuid, nullable=False),
    Column("role", Text, nullable=False),
    PrimaryKeyConstraint("session_id", "rule", "overridden_at", name="rule_override_pkey"),
)
