"""Copies of who may do what, and where: intake's practitioners, scheduling's sites."""

from sqlalchemy import ARRAY, BigInteger, Column, Date, ForeignKeyConstraint, PrimaryKeyConstraint, Table, Text

from treatment_plan.columns import code, identifier, metadata

practitioner = Table(
    "practitioner",
    metadata,
    identifier("practitioner_id"),
    # Of intake's record: the highest holds.
    Column("revision", BigInteger, nullable=False),
    code("licence_type"),
    code("licence_state"),
    Column("licence_expires_on", Date, nullable=False),
    PrimaryKeyConstraint("practitioner_id", name="practitioner_pk"),
)

practitioner_site = Table(
    "practitioner_site",
    metadata,
    identifier("practitioner_id"),
    identifier("site_id"),
    Column("privileges", ARRAY(Text), nullable=False),
    Column("dea_expires_on", Date, nullable=True),
    PrimaryKeyConstraint("practitioner_id", "site_id", name="practitioner_site_pk"),
    ForeignKeyConstraint(
        ["practitioner_id"], ["practitioner.practitioner_id"], name="practitioner_site_of_practitioner"
    ),
)

site = Table(
    "site",
    metadata,
    identifier("site_id"),
    # IANA: the day of a licence or registration is the site's.
    code("time_zone"),
    PrimaryKeyConstraint("site_id", name="site_pk"),
)
