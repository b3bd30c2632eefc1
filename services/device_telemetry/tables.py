"""The tables of this service. Clinic facts carry clinic time; columns named `received_*` and `applied_at` are machine time."""

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    Date,
    DateTime,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    Numeric,
    SmallInteger,
    Table,
    Text,
    UniqueConstraint,
    Uuid,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB, TSTZRANGE, ExcludeConstraint

metadata = MetaData()

MOMENT = DateTime(timezone=True)
# mL, mL/h and mg/mL, to a millionth.
AMOUNT = Numeric(15, 6)
NOW = text("clock_timestamp()")


def about_person() -> tuple[Column[object], Column[object]]:
    """Whose a row is, and where."""
    return Column("person_id", Uuid, nullable=False), Column("site_id", Uuid, nullable=False)


device = Table(
    "device",
    metadata,
    Column("device_id", Uuid, primary_key=True),
    Column("site_id", Uuid, nullable=False),
    Column("kind", Text, nullable=False),
    # As it stands in HL7 OBX-18; None for a device that speaks no HL7.
    Column("equipment_id", Text),
    # The last number that an HL7 message of this device was given.
    Column("hl7_sequence", BigInteger, nullable=False, server_default=text("0")),
    CheckConstraint("kind IN ('pump', 'monitor')", name="device_kind"),
    UniqueConstraint("equipment_id", name="device_equipment_id"),
)

# A copy of what scheduling booked; the person and the site of everything measured in it.
infusion_session = Table(
    "infusion_session",
    metadata,
    Column("session_id", Uuid, primary_key=True),
    *about_person(),
    Column("correlation_id", Uuid, nullable=False),
    Column("booked_at", MOMENT, nullable=False),
    Column("ready_at", MOMENT),
    Column("cancelled_at", MOMENT),
    # Measured before the infusion: limits that are relative to the person are judged against it.
    *(Column(f"baseline_{metric}", Numeric(9, 3)) for metric in ("sbp", "dbp", "hr", "spo2", "rr")),
    Column("responsible_prescriber_id", Uuid),
    Column("administering_clinician_id", Uuid),
)

# A copy of what treatment-plan ordered.
infusion_order = Table(
    "infusion_order",
    metadata,
    Column("order_id", Uuid, primary_key=True),
    Column("session_id", Uuid, nullable=False),
    *about_person(),
    Column("drug_code", Text, nullable=False),
    Column("concentration_mg_per_ml", AMOUNT, nullable=False),
    Column("rate_ml_per_h", AMOUNT, nullable=False),
    Column("vtbi_ml", AMOUNT, nullable=False),
    Column("issued_at", MOMENT, nullable=False),
    Column("expires_at", MOMENT, nullable=False),
    Column("used_at", MOMENT),
    Column("revoked_at", MOMENT),
    # The dosing weight; None in what an earlier release kept.
    Column("weight_kg", Numeric(9, 3)),
    Index("infusion_order_session", "session_id"),
)

attachment = Table(
    "attachment",
    metadata,
    Column("attachment_id", Uuid, primary_key=True),
    Column("device_id", Uuid, ForeignKey("device.device_id", name="attachment_device_fk"), nullable=False),
    Column("kind", Text, nullable=False),
    Column("session_id", Uuid, ForeignKey("infusion_session.session_id", name="attachment_session_fk"), nullable=False),
    *about_person(),
    Column("during", TSTZRANGE, nullable=False),
    Column("attached_by", Uuid, nullable=False),
    Column("detached_by", Uuid),
    ExcludeConstraint(("device_id", "="), ("during", "&&"), name="attachment_one_session_a_device", using="gist"),
    ExcludeConstraint(
        ("session_id", "="), ("kind", "="), ("during", "&&"), name="attachment_one_of_a_kind_a_session", using="gist"
    ),
)

# One row: counts the changes of attachments, so that the streams see each at once without reading them all again.
attachment_version = Table(
    "attachment_version",
    metadata,
    Column("one", Boolean, primary_key=True),
    Column("version", BigInteger, nullable=False),
    CheckConstraint("one", name="attachment_version_one"),
)

authorisation = Table(
    "authorisation",
    metadata,
    Column("authorisation_id", Uuid, primary_key=True),
    Column("session_id", Uuid, nullable=False),
    Column("order_id", Uuid, nullable=False),
    *about_person(),
    Column("pump_id", Uuid, nullable=False),
    Column("drug_code", Text, nullable=False),
    Column("concentration_mg_per_ml", AMOUNT, nullable=False),
    Column("rate_ml_per_h", AMOUNT, nullable=False),
    Column("vtbi_ml", AMOUNT, nullable=False),
    Column("authorised_at", MOMENT, nullable=False),
    Column("authorised_by", Uuid, nullable=False),
    UniqueConstraint("session_id", name="authorisation_one_a_session"),
    UniqueConstraint("order_id", name="authorisation_one_an_order"),
)

# What a start rested on when it first asked, so that a repeated start asks the same.
start_attempt = Table(
    "start_attempt",
    metadata,
    Column("request_id", Uuid, primary_key=True),
    Column("session_id", Uuid, nullable=False),
    Column("order_id", Uuid, nullable=False),
    *about_person(),
    Column("pump_id", Uuid, nullable=False),
    Column("drug_code", Text, nullable=False),
    Column("concentration_mg_per_ml", AMOUNT, nullable=False),
    Column("rate_ml_per_h", AMOUNT, nullable=False),
    Column("vtbi_ml", AMOUNT, nullable=False),
    Column("echoed_at", MOMENT, nullable=False),
)

# What the rules remember of a session between two frames, kept with the alarms that follow from it.
session_state = Table(
    "session_state",
    metadata,
    Column("session_id", Uuid, primary_key=True),
    *about_person(),
    Column("state", JSONB, nullable=False),
    Column("phase", Text, nullable=False),
    Column("log_at", MOMENT, nullable=False),
    Column("applied_at", MOMENT, nullable=False, server_default=NOW),
    # The alarm of a log that the wall saw stop, while it is on.
    Column("stopped_alarm_id", Uuid),
    Index("session_state_live", "applied_at", postgresql_where=text("phase IN ('infusing', 'paused')")),
)

# A device whose frames belong to no session: kept for an operator, never charted.
unassigned_feed = Table(
    "unassigned_feed",
    metadata,
    Column("device_id", Uuid, primary_key=True),
    Column("sequences", JSONB, nullable=False),
    Column("frames", BigInteger, nullable=False),
    Column("first_received_at", MOMENT, nullable=False, server_default=NOW),
    Column("last_received_at", MOMENT, nullable=False, server_default=NOW),
)

# The frames as they came, partitioned by the day they were received; the bytes are a serialised device_telemetry.v1.Frame.
frame = Table(
    "frame",
    metadata,
    Column("received_day", Date, nullable=False),
    Column("session_id", Uuid, nullable=False),
    *about_person(),
    Column("device_id", Uuid, nullable=False),
    Column("sequence", BigInteger, nullable=False),
    Column("ends_at", MOMENT, nullable=False),
    Column("samples", Integer, nullable=False),
    Column("payload", LargeBinary, nullable=False),
    Index("frame_session", "session_id", "ends_at"),
    postgresql_partition_by="RANGE (received_day)",
)

unassigned_frame = Table(
    "unassigned_frame",
    metadata,
    Column("device_id", Uuid, nullable=False),
    Column("sequence", BigInteger, nullable=False),
    Column("ends_at", MOMENT, nullable=False),
    Column("received_day", Date, nullable=False),
    Column("payload", LargeBinary, nullable=False),
    Index("unassigned_frame_device", "device_id", "sequence"),
)

alarm = Table(
    "alarm",
    metadata,
    Column("alarm_id", Uuid, primary_key=True),
    Column("session_id", Uuid, nullable=False),
    *about_person(),
    Column("device_id", Uuid),
    Column("kind_code", Text, nullable=False),
    # IEC 60601-1-8: 1 low, 2 medium, 3 high; 1 physiological, 2 technical.
    Column("priority", SmallInteger, nullable=False),
    Column("category", SmallInteger, nullable=False),
    Column("measured_at", MOMENT, nullable=False),
    Column("detected_at", MOMENT, nullable=False),
    Column("cleared_at", MOMENT),
    Column("acknowledged_at", MOMENT),
    Column("acknowledged_by", Uuid),
    # How often it was told again, and to whom the last time.
    Column("repetitions", SmallInteger, nullable=False, server_default=text("0")),
    Column("escalated_to", Text),
    # IEC 60601-1-8: stays after its condition is over, until it is acknowledged.
    Column("latching", Boolean, nullable=False, server_default=text("false")),
    CheckConstraint("priority BETWEEN 1 AND 3", name="alarm_priority"),
    CheckConstraint("category BETWEEN 1 AND 2", name="alarm_category"),
    Index("alarm_session", "session_id", "measured_at", "alarm_id"),
    Index(
        "alarm_acknowledged_on",
        "session_id",
        postgresql_where=text("acknowledged_at IS NOT NULL AND cleared_at IS NULL"),
    ),
)

# The last report of each pump in each session.
pump_echo = Table(
    "pump_echo",
    metadata,
    Column("session_id", Uuid, primary_key=True),
    Column("device_id", Uuid, primary_key=True),
    *about_person(),
    Column("reported_at", MOMENT, nullable=False),
    # A serialised device_telemetry.v1.PumpReport.
    Column("report", LargeBinary, nullable=False),
)

# HL7 messages as they came, sealed; `digest` (SHA-256 of the bytes) makes a repeated message one.
hl7_message = Table(
    "hl7_message",
    metadata,
    Column("message_id", Uuid, primary_key=True),
    Column("digest", LargeBinary, nullable=False),
    Column("content_sealed", LargeBinary, nullable=False),
    # [[device_id, sequence], ...] of the frames made of it.
    Column("frames", JSONB, nullable=False),
    Column("usable_samples", Integer, nullable=False),
    Column("durable", Boolean, nullable=False),
    Column("received_at", MOMENT, nullable=False, server_default=NOW),
    Column("transaction", Text, nullable=False, server_default="pcd01"),
    # Whether a time without a zone took the offset of MSH-7.
    Column("zone_assumed", Boolean, nullable=False, server_default=text("false")),
    Column("refused", Boolean, nullable=False, server_default=text("false")),
    CheckConstraint("transaction IN ('pcd01', 'pcd04', 'pcd10', 'other')", name="hl7_message_transaction"),
    UniqueConstraint("digest", name="hl7_message_digest"),
)

# The identifiers (PID-3) that devices first gave for the person of a session, sealed: later messages must agree with them.
session_patient = Table(
    "session_patient",
    metadata,
    Column(
        "session_id",
        Uuid,
        ForeignKey("infusion_session.session_id", name="session_patient_session_fk"),
        primary_key=True,
    ),
    *about_person(),
    Column("identifiers_sealed", LargeBinary, nullable=False),
)
