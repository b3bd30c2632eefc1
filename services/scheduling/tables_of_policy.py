"""Policy: lengths of visits, what an appointment takes, opening hours, the checklist, single numbers."""

from sqlalchemy import (
    Boolean,
    CheckConstraint,
    Column,
    Integer,
    PrimaryKeyConstraint,
    Table,
    Text,
)

from chassis.policy import policy_columns, policy_number_table, review_state_check
from scheduling.domain import words
from scheduling.schema import TIME, metadata, one_of

# One row a version and scope. The bounds are what the proof in domain/visit.py rests on: the interval is never shorter
# than a preparation and a recovery together.
booking_policy = Table(
    "booking_policy",
    metadata,
    Column("effective_from", TIME, nullable=False),
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
    CheckConstraint(one_of("type_code", words.TYPES), name="appointment_resource_type"),
    CheckConstraint(one_of("resource_kind", words.CLAIM_KINDS), name="appointment_resource_kind"),
    CheckConstraint(one_of("from_phase", words.FROM_PHASES), name="appointment_resource_from"),
    CheckConstraint(one_of("until_phase", words.UNTIL_PHASES), name="appointment_resource_until"),
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
