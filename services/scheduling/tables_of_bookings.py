"""Sites, resources, shifts, the copy of plans, bookings and the claims that keep them apart."""

from sqlalchemy import (
    Boolean,
    CheckConstraint,
    Column,
    ForeignKey,
    Index,
    Integer,
    PrimaryKeyConstraint,
    Table,
    Text,
    UniqueConstraint,
    Uuid,
    text,
)
from sqlalchemy.dialects.postgresql import TSTZRANGE, ExcludeConstraint

from scheduling.domain import words
from scheduling.schema import TIME, metadata, one_of

site = Table(
    "site",
    metadata,
    Column("site_id", Uuid, nullable=False),
    Column("site_code", Text, nullable=False),
    Column("time_zone", Text, nullable=False),
    Column("opened_at", TIME, nullable=False),
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
    CheckConstraint(one_of("kind", words.RESOURCE_KINDS), name="resource_kind"),
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
    CheckConstraint(one_of("state", words.PLAN_STATES), name="plan_state"),
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
    Column("starts_at", TIME, nullable=False),
    Column("infusion_min", Integer, nullable=False),
    Column("ends_at", TIME, nullable=False),
    Column("chair_id", Uuid, nullable=False),
    Column("pump_id", Uuid, nullable=False),
    Column("monitor_id", Uuid, nullable=False),
    Column("nurse_id", Uuid, nullable=False),
    Column("booked_at", TIME, nullable=False),
    # Of the last change, by clinic time.
    Column("changed_at", TIME, nullable=False),
    Column("cancel_reason_code", Text),
    Column("infusion_starts_at", TIME, nullable=False),
    Column("infusion_ends_at", TIME, nullable=False),
    # How often it was moved.
    Column("moves", Integer, nullable=False, server_default="0"),
    PrimaryKeyConstraint("session_id", name="booking_pkey"),
    CheckConstraint(one_of("state", words.BOOKING_STATES), name="booking_state"),
    CheckConstraint("(state = 'cancelled') = (cancel_reason_code IS NOT NULL)", name="booking_cancel_reason"),
    CheckConstraint("starts_at < ends_at", name="booking_ends_later"),
    Index(
        "booking_one_an_ordinal",
        "plan_id",
        "ordinal",
        unique=True,
        postgresql_where=text(one_of("state", words.STANDING_STATES)),
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
    CheckConstraint(one_of("kind", words.CLAIM_KINDS), name="claim_kind"),
    CheckConstraint("NOT isempty(during)", name="claim_not_empty"),
    ExcludeConstraint(
        ("resource_id", "="), ("during", "&&"), name="claim_no_overlap", using="gist", where=text("active")
    ),
)
