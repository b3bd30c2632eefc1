"""Practitioners: every revision of licence, privileges and registrations, and the policy of which licence may hold which privilege."""

from sqlalchemy import (
    ARRAY,
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    Date,
    ForeignKeyConstraint,
    Index,
    LargeBinary,
    PrimaryKeyConstraint,
    Table,
    Text,
    UniqueConstraint,
    Uuid,
)

from chassis.policy import policy_columns, review_state_check
from intake.tables import metadata, moment

# `revision` is the one that holds. The NPI is public; it names one practitioner.
practitioner = Table(
    "practitioner",
    metadata,
    Column("practitioner_id", Uuid, nullable=False),
    Column("revision", BigInteger, nullable=False),
    Column("npi", Text, nullable=False),
    PrimaryKeyConstraint("practitioner_id", name="practitioner_pk"),
    UniqueConstraint("npi", name="practitioner_npi"),
)

practitioner_revision = Table(
    "practitioner_revision",
    metadata,
    Column("practitioner_id", Uuid, nullable=False),
    Column("revision", BigInteger, nullable=False),
    Column("licence_type", Text, nullable=False),
    Column("licence_state", Text, nullable=False),
    Column("licence_number_sealed", LargeBinary, nullable=False),
    Column("licence_expires_on", Date, nullable=False),
    Column("npi", Text, nullable=False),
    moment("recorded_at"),
    Column("recorded_by", Uuid, nullable=False),
    PrimaryKeyConstraint("practitioner_id", "revision", name="practitioner_revision_pk"),
    ForeignKeyConstraint(
        ["practitioner_id"], ["practitioner.practitioner_id"], name="practitioner_revision_practitioner"
    ),
)

# One for each site of a revision. A DEA number forges prescriptions, so it lies sealed with the practitioner's key.
practitioner_site = Table(
    "practitioner_site",
    metadata,
    Column("practitioner_id", Uuid, nullable=False),
    Column("revision", BigInteger, nullable=False),
    Column("site_id", Uuid, nullable=False),
    Column("privileges", ARRAY(Text), nullable=False),
    Column("dea_number_sealed", LargeBinary, nullable=True),
    Column("dea_expires_on", Date, nullable=True),
    PrimaryKeyConstraint("practitioner_id", "revision", "site_id", name="practitioner_site_pk"),
    ForeignKeyConstraint(
        ["practitioner_id", "revision"],
        ["practitioner_revision.practitioner_id", "practitioner_revision.revision"],
        name="practitioner_site_revision",
    ),
    CheckConstraint("(dea_number_sealed IS NULL) = (dea_expires_on IS NULL)", name="practitioner_site_dea"),
    Index("practitioner_site_site", "site_id", "practitioner_id"),
)

licence_privilege = Table(
    "licence_privilege",
    metadata,
    Column("licence_type", Text, nullable=False),
    Column("privilege", Text, nullable=False),
    Column("allowed", Boolean, nullable=False),
    *policy_columns(),
    PrimaryKeyConstraint("licence_type", "privilege", "scope", "effective_from", name="licence_privilege_pk"),
    CheckConstraint("privilege IN ('diagnose', 'clear', 'sign', 'administer')", name="licence_privilege_privilege"),
    review_state_check("licence_privilege"),
)
