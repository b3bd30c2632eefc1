"""The tables of scheduling. The migration makes them; a test compares the two."""

from sqlalchemy import (
    ARRAY,
    Boolean,
    CheckConstraint,
    Column,
    DateTime,
    ForeignKey,
    Index,
    Integer,
    MetaData,
    PrimaryKeyConstraint,
    Table,
    Text,
    UniqueConstraint,
    Uuid,
    func,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB, TSTZRANGE, ExcludeConstraint

from chassis.policy import policy_columns, policy_number_table, review_state_check
from scheduling.domain import words

metadata = MetaData()
_TIME = DateTime(timezone=True)


def _one_of(column: str, allowed: tuple[str, ...]) -> str:
    return f"{column} IN ({', '.join(repr(word) for word in allowed)})"


site = Table(
    "site",
    metadata,
    Column("site_id", Uuid, nullable=False),
    Column("site_code", Text, nullable=False),
    Column("time_zone", Text, nullable=False),
    Column("opened_at", _TIME, nullable=False),
    PrimaryKeyConstraint("site_id", name="site_pkey"),
    UniqueConstraint("site_code", name="site_code_taken"),
)

resource = Table(
    "resource",
    metadata,
    Column("resource_id", Uuid, nullable=False),
    Column("site_id", Uuid, ForeignKey("site.site_id", name="resource_of_site"), nullable=False),
    Column("kind", Text, nullable=False),
    Column("resource_code", Text, nullable=False),
    PrimaryKeyConstraint("resource_id", name="resource_pkey"),
    UniqueConstraint("resource_code", name="resource_code_taken"),
    CheckConstraint(_one_of("kind", words.RESOURCE_KINDS), name="resource_kind"),
    Index("resource_by_site", "site_id", "kind", "resource_code"),
)

# A nurse is in one place at a time, so the shifts of a nurse do not overlap, whatever the site.
shift = Table(
    "shift",
    metadata,
    Column("shift_id", Uuid, nullable=False),
    Column("nurse_id", Uuid, ForeignKey("resource.resource_id", name="shift_of_nurse"), nullable=False),
    Column("site_id", Uuid, ForeignKey("site.site_id", name="shift_at_site"), nullable=False),
    Column("during", TSTZRANGE, nullable=False),
    PrimaryKeyConstraint("shift_id", name="shift_pkey"),
    CheckConstraint("NOT isempty(during)", name="shift_not_empty"),
    ExcludeConstraint(("nurse_id", "="), ("during", "&&"), name="shift_no_overlap", using="gist"),
    Index("shift_by_site", "site_id", "during", postgresql_using="gist"),
)

# One row a version and scope. The bounds are what the proof in domain/visit.py rests on: the interval is never shorter
# than a preparation and a recovery together.
booking_policy = Table(
    "booking_policy",
    metadata,
    Column("effective_from", _TIME, nullable=False),
    Column("type_code", Text, nullable=False),
    Column("preparation_min", Integer, nullable=False),
    Column("recovery_min", Integer, nullable=False),
    Column("first_recovery_min", Integer, nullable=False),
    Column("pain_recovery_min", Integer, nullable=False),
    Column("infusion_interval_min", Integer, nullable=False),
    Column("grid_min", Integer, nullable=False),
    Column("search_max_days", Integer, nullable=False),
    Column("cleaning_min", Integer, nullable=False),
    Column("soft_interval_min", Integer, nullable=False),
    *(column for column in policy_columns() if column.name != "effective_from"),
    PrimaryKeyConstraint("type_code", "scope", "effective_from", name="booking_policy_pkey"),
    CheckConstraint("type_code = 'infusion'", name="booking_policy_type"),
    CheckConstraint("preparation_min BETWEEN 0 AND 120", name="booking_policy_preparation"),
    CheckConstraint(
        "recovery_min BETWEEN 0 AND 240 AND first_recovery_min BETWEEN 0 AND 240"
        " AND pain_recovery_min BETWEEN 0 AND 240",
        name="booking_policy_recovery",
    ),
    CheckConstraint("infusion_interval_min >= 360", name="booking_policy_interval"),
    CheckConstraint("soft_interval_min >= infusion_interval_min", name="booking_policy_soft_interval"),
    CheckConstraint("cleaning_min BETWEEN 0 AND 120", name="booking_policy_cleaning"),
    CheckConstraint("grid_min BETWEEN 1 AND 30 AND 60 % grid_min = 0", name="booking_policy_grid"),
    CheckConstraint("search_max_days BETWEEN 1 AND 366", name="booking_policy_search"),
    review_state_check("booking_policy"),
)

# What an appointment of a type takes, and from which moment of the visit to which.
appointment_resource = Table(
    "appointment_resource",
    metadata,
    Column("type_code", Text, nullable=False),
    Column("resource_kind", Text, nullable=False),
    Column("from_phase", Text, nullable=False),
    Column("until_phase", Text, nullable=False),
    *policy_columns(),
    PrimaryKeyConstraint("type_code", "resource_kind", "scope", "effective_from", name="appointment_resource_pkey"),
    CheckConstraint(_one_of("type_code", words.TYPES), name="appointment_resource_type"),
    CheckConstraint(_one_of("resource_kind", words.CLAIM_KINDS), name="appointment_resource_kind"),
    CheckConstraint(_one_of("from_phase", words.FROM_PHASES), name="appointment_resource_from"),
    CheckConstraint(_one_of("until_phase", words.UNTIL_PHASES), name="appointment_resource_until"),
    # The proof in domain/visit.py is about this stretch of the person and no other.
    CheckConstraint(
        "resource_kind <> 'person' OR (from_phase = 'infusion_start' AND until_phase = 'interval_end')",
        name="appointment_resource_person",
    ),
    review_state_check("appointment_resource"),
)

# Wall times of the site, "08:00" to "24:00"; a day that opens and closes at one time is closed. A site without rows is
# never closed.
opening_hours = Table(
    "opening_hours",
    metadata,
    Column("iso_weekday", Integer, nullable=False),
    Column("opens", Text, nullable=False),
    Column("closes", Text, nullable=False),
    *policy_columns(),
    PrimaryKeyConstraint("iso_weekday", "scope", "effective_from", name="opening_hours_pkey"),
    CheckConstraint("iso_weekday BETWEEN 1 AND 7", name="opening_hours_weekday"),
    CheckConstraint("opens ~ '^([01][0-9]|2[0-3]):[0-5][0-9]$'", name="opening_hours_opens"),
    CheckConstraint(
        "closes ~ '^(([01][0-9]|2[0-3]):[0-5][0-9]|24:00)$' AND closes >= opens", name="opening_hours_closes"
    ),
    review_state_check("opening_hours"),
)

# What has to be confirmed before somebody may arrive for an infusion.
checklist_policy = Table(
    "checklist_policy",
    metadata,
    Column("item_code", Text, nullable=False),
    Column("required", Boolean, nullable=False),
    *policy_columns(),
    PrimaryKeyConstraint("item_code", "scope", "effective_from", name="checklist_policy_pkey"),
    review_state_check("checklist_policy"),
)

policy_number = policy_number_table(metadata)

# A copy, brought by the events of treatment-plan.
plan = Table(
    "plan",
    metadata,
    Column("plan_id", Uuid, nullable=False),
    Column("person_id", Uuid, nullable=False),
    Column("site_id", Uuid, nullable=False),
    Column("state", Text, nullable=False),
    Column("sessions_planned", Integer, nullable=False),
    Column("indication", Text, nullable=False),
    PrimaryKeyConstraint("plan_id", name="plan_pkey"),
    CheckConstraint(_one_of("state", words.PLAN_STATES), name="plan_state"),
)

# No foreign keys on the two hot tables: the one statement that fills them has read every row it refers to in the same
# transaction, nothing it refers to is ever deleted, and key locks on the rows of busy chairs would only cost.
booking = Table(
    "booking",
    metadata,
    Column("session_id", Uuid, nullable=False),
    Column("person_id", Uuid, nullable=False),
    Column("site_id", Uuid, nullable=False),
    Column("plan_id", Uuid, nullable=False),
    Column("ordinal", Integer, nullable=False),
    Column("state", Text, nullable=False),
    Column("starts_at", _TIME, nullable=False),
    Column("infusion_min", Integer, nullable=False),
    Column("ends_at", _TIME, nullable=False),
    Column("chair_id", Uuid, nullable=False),
    Column("pump_id", Uuid, nullable=False),
    Column("monitor_id", Uuid, nullable=False),
    Column("nurse_id", Uuid, nullable=False),
    Column("booked_at", _TIME, nullable=False),
    # Of the last change, by clinic time.
    Column("changed_at", _TIME, nullable=False),
    Column("cancel_reason_code", Text),
    Column("infusion_starts_at", _TIME, nullable=False),
    Column("infusion_ends_at", _TIME, nullable=False),
    # How often it was moved.
    Column("moves", Integer, nullable=False, server_default="0"),
    PrimaryKeyConstraint("session_id", name="booking_pkey"),
    CheckConstraint(_one_of("state", words.BOOKING_STATES), name="booking_state"),
    CheckConstraint("(state = 'cancelled') = (cancel_reason_code IS NOT NULL)", name="booking_cancel_reason"),
    CheckConstraint("starts_at < ends_at", name="booking_ends_later"),
    Index(
        "booking_one_an_ordinal",
        "plan_id",
        "ordinal",
        unique=True,
        postgresql_where=text(_one_of("state", words.STANDING_STATES)),
    ),
    Index("booking_by_site", "site_id", "starts_at", "session_id"),
)

# Who holds what. One row for each of chair, pump, monitor, nurse and person of a session, a hold or a change's new time,
# of practitioner and room of a consultation; a freed claim stays as a record and stops excluding others. `session_id`
# is the id of whichever it is; a hold that is confirmed becomes the session of the same id.
claim = Table(
    "claim",
    metadata,
    Column("session_id", Uuid, nullable=False),
    Column("kind", Text, nullable=False),
    Column("resource_id", Uuid, nullable=False),
    Column("person_id", Uuid, nullable=False),
    Column("site_id", Uuid, nullable=False),
    Column("during", TSTZRANGE, nullable=False),
    Column("active", Boolean, nullable=False),
    PrimaryKeyConstraint("session_id", "kind", name="claim_pkey"),
    CheckConstraint(_one_of("kind", words.CLAIM_KINDS), name="claim_kind"),
    CheckConstraint("NOT isempty(during)", name="claim_not_empty"),
    ExcludeConstraint(
        ("resource_id", "="), ("during", "&&"), name="claim_no_overlap", using="gist", where=text("active")
    ),
)

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
    Column("starts_at", _TIME, nullable=False),
    Column("infusion_min", Integer, nullable=False),
    Column("infusion_starts_at", _TIME, nullable=False),
    Column("infusion_ends_at", _TIME, nullable=False),
    Column("ends_at", _TIME, nullable=False),
    Column("chair_id", Uuid, nullable=False),
    Column("pump_id", Uuid, nullable=False),
    Column("monitor_id", Uuid, nullable=False),
    Column("nurse_id", Uuid, nullable=False),
    # Whose offer it is.
    Column("waiting_id", Uuid),
    Column("held_at", _TIME, nullable=False),
    Column("expires_at", _TIME, nullable=False),
    Column("changed_at", _TIME, nullable=False),
    PrimaryKeyConstraint("hold_id", name="hold_pkey"),
    CheckConstraint(_one_of("state", words.HOLD_STATES), name="hold_state"),
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
    Column("proposed_at", _TIME, nullable=False),
    Column("settled_at", _TIME),
    Column("starts_at", _TIME),
    Column("infusion_starts_at", _TIME),
    Column("infusion_ends_at", _TIME),
    Column("ends_at", _TIME),
    Column("cleaned_at", _TIME),
    Column("person_free_at", _TIME),
    Column("chair_id", Uuid),
    Column("pump_id", Uuid),
    Column("monitor_id", Uuid),
    Column("nurse_id", Uuid),
    Column("earlier_hold_id", Uuid),
    Column("later_hold_id", Uuid),
    # What the new time takes of each kind, as policy said when it was proposed.
    Column("phases", JSONB),
    # By the machine's clock: how long an answer takes is a matter of machines.
    Column("asked_at", _TIME, nullable=False, server_default=func.clock_timestamp()),
    Column("correlation_id", Uuid, nullable=False),
    PrimaryKeyConstraint("change_id", name="session_change_pkey"),
    CheckConstraint(_one_of("kind", words.CHANGE_KINDS), name="session_change_kind"),
    CheckConstraint(_one_of("state", words.CHANGE_STATES), name="session_change_state"),
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
    Column("booked_at", _TIME, nullable=False),
    Column("changed_at", _TIME, nullable=False),
    Column("cancel_reason_code", Text),
    PrimaryKeyConstraint("consultation_id", name="consultation_pkey"),
    CheckConstraint(_one_of("state", words.CONSULTATION_STATES), name="consultation_state"),
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
    Column("earliest", _TIME, nullable=False),
    Column("latest", _TIME, nullable=False),
    Column("state", Text, nullable=False),
    Column("joined_at", _TIME, nullable=False),
    Column("changed_at", _TIME, nullable=False),
    PrimaryKeyConstraint("waiting_id", name="waiting_entry_pkey"),
    CheckConstraint(_one_of("state", words.WAITING_STATES), name="waiting_entry_state"),
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
    Column("confirmed_at", _TIME, nullable=False),
    PrimaryKeyConstraint("session_id", "item_code", name="visit_check_pkey"),
)

no_show = Table(
    "no_show",
    metadata,
    Column("session_id", Uuid, nullable=False),
    Column("person_id", Uuid, nullable=False),
    Column("site_id", Uuid, nullable=False),
    Column("recorded_at", _TIME, nullable=False),
    PrimaryKeyConstraint("session_id", name="no_show_pkey"),
    Index("no_show_by_person", "person_id"),
)

# Each rule that somebody set aside for a session or a consultation, with who, in which role, why and when.
rule_override = Table(
    "rule_override",
    metadata,
    Column("session_id", Uuid, nullable=False),
    Column("rule", Text, nullable=False),
    Column("overridden_at", _TIME, nullable=False),
    Column("person_id", Uuid, nullable=False),
    Column("site_id", Uuid, nullable=False),
    Column("reason_code", Text, nullable=False),
    Column("overridden_by", Uuid, nullable=False),
    Column("role", Text, nullable=False),
    PrimaryKeyConstraint("session_id", "rule", "overridden_at", name="rule_override_pkey"),
)
