"""The tables of scheduling. The migration makes them; a test compares the two."""

from sqlalchemy import (
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
    text,
)
from sqlalchemy.dialects.postgresql import TSTZRANGE, ExcludeConstraint

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

# One row a version; the row in force on a day is the latest that began by then. The bounds are what the proof in
# domain/visit.py rests on: the interval is never shorter than a preparation and a recovery together.
booking_policy = Table(
    "booking_policy",
    metadata,
    Column("effective_from", _TIME, nullable=False),
    Column("preparation_min", Integer, nullable=False),
    Column("recovery_min", Integer, nullable=False),
    Column("first_recovery_min", Integer, nullable=False),
    Column("pain_recovery_min", Integer, nullable=False),
    Column("infusion_interval_min", Integer, nullable=False),
    Column("grid_min", Integer, nullable=False),
    Column("search_max_days", Integer, nullable=False),
    Column("review_state", Text, nullable=False),
    PrimaryKeyConstraint("effective_from", name="booking_policy_pkey"),
    CheckConstraint("preparation_min BETWEEN 0 AND 120", name="booking_policy_preparation"),
    CheckConstraint(
        "recovery_min BETWEEN 0 AND 240 AND first_recovery_min BETWEEN 0 AND 240"
        " AND pain_recovery_min BETWEEN 0 AND 240",
        name="booking_policy_recovery",
    ),
    CheckConstraint("infusion_interval_min >= 360", name="booking_policy_interval"),
    CheckConstraint("grid_min BETWEEN 1 AND 30 AND 60 % grid_min = 0", name="booking_policy_grid"),
    CheckConstraint("search_max_days BETWEEN 1 AND 366", name="booking_policy_search"),
)

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

# Who holds what. One row for each of chair, pump, monitor, nurse and person of a session; a freed claim stays as a
# record and stops excluding others.
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
