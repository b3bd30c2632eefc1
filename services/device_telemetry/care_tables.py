"""Tables of who may act, of resumes, stops and changes, and of devices that belong to nobody."""

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    Date,
    ForeignKey,
    Index,
    PrimaryKeyConstraint,
    SmallInteger,
    Table,
    Text,
    Uuid,
    text,
)
from sqlalchemy.dialects.postgresql import ARRAY

from device_telemetry.tables import AMOUNT, MOMENT, about_person, metadata

# A copy of what scheduling opened: the zone in which a licence's last day ends.
site = Table(
    "site",
    metadata,
    Column("site_id", Uuid, primary_key=True),
    Column("time_zone", Text, nullable=False),
)

# A copy of what intake recorded; the highest revision holds.
practitioner = Table(
    "practitioner",
    metadata,
    Column("practitioner_id", Uuid, primary_key=True),
    Column("revision", BigInteger, nullable=False),
    Column("licence_type", Text, nullable=False),
    Column("licence_state", Text, nullable=False),
    Column("licence_expires_on", Date, nullable=False),
    Column("recorded_at", MOMENT, nullable=False),
)

practitioner_site = Table(
    "practitioner_site",
    metadata,
    Column(
        "practitioner_id",
        Uuid,
        ForeignKey("practitioner.practitioner_id", name="practitioner_site_practitioner_fk"),
        nullable=False,
    ),
    Column("site_id", Uuid, nullable=False),
    Column("privileges", ARRAY(Text), nullable=False),
    Column("dea_expires_on", Date),
    PrimaryKeyConstraint("practitioner_id", "site_id", name="practitioner_site_pk"),
)

# A paused infusion that may go on: the programme is what the pump echoed, which may be another pump than before.
resume = Table(
    "resume",
    metadata,
    Column("resume_id", Uuid, primary_key=True),
    Column("session_id", Uuid, nullable=False),
    Column("order_id", Uuid, nullable=False),
    *about_person(),
    Column("pump_id", Uuid, nullable=False),
    Column("drug_code", Text, nullable=False),
    Column("concentration_mg_per_ml", AMOUNT, nullable=False),
    Column("rate_ml_per_h", AMOUNT, nullable=False),
    Column("vtbi_ml", AMOUNT, nullable=False),
    Column("remaining_ml", AMOUNT, nullable=False),
    Column("reason_code", Text, nullable=False),
    # What the one who resumed it needed to have.
    Column("privilege", Text, nullable=False),
    Column("authorised_at", MOMENT, nullable=False),
    Column("authorised_by", Uuid, nullable=False),
    CheckConstraint("privilege IN ('administer', 'sign')", name="resume_privilege"),
    Index("resume_session", "session_id", "authorised_at"),
)

# The infusion is to end before its volume is in.
infusion_stop = Table(
    "infusion_stop",
    metadata,
    Column(
        "session_id", Uuid, ForeignKey("infusion_session.session_id", name="infusion_stop_session_fk"), primary_key=True
    ),
    *about_person(),
    Column("reason_code", Text, nullable=False),
    Column("recorded_at", MOMENT, nullable=False),
    Column("recorded_by", Uuid, nullable=False),
)

# A change of the booking that scheduling proposed, what we answered, and how it was settled.
session_change = Table(
    "session_change",
    metadata,
    Column("change_id", Uuid, primary_key=True),
    Column("session_id", Uuid, nullable=False),
    *about_person(),
    Column("kind", Text, nullable=False),
    Column("accepted", Boolean, nullable=False),
    Column("reason_code", Text, nullable=False),
    Column("proposed_at", MOMENT, nullable=False),
    Column("settled_at", MOMENT),
    Column("outcome", Text),
    CheckConstraint("outcome IN ('moved', 'cancelled', 'refused')", name="session_change_outcome"),
    Index("session_change_pending", "session_id", postgresql_where=text("settled_at IS NULL")),
)

# A technical alarm of a device that measures and is attached to nothing; times are the device's own.
device_alarm = Table(
    "device_alarm",
    metadata,
    Column("device_alarm_id", Uuid, primary_key=True),
    Column("device_id", Uuid, ForeignKey("device.device_id", name="device_alarm_device_fk"), nullable=False),
    Column("site_id", Uuid, nullable=False),
    Column("kind_code", Text, nullable=False),
    Column("priority", SmallInteger, nullable=False),
    Column("first_at", MOMENT, nullable=False),
    Column("last_at", MOMENT, nullable=False),
    Column("frames", BigInteger, nullable=False),
    Column("cleared_at", MOMENT),
    CheckConstraint("priority BETWEEN 1 AND 3", name="device_alarm_priority"),
    Index("device_alarm_on", "device_id", "kind_code", unique=True, postgresql_where=text("cleared_at IS NULL")),
    Index("device_alarm_site", "site_id", "first_at", "device_alarm_id"),
)
