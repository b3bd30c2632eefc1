"""The tables of what treatment plan owns: plans, orders, the record of each session.

Doses in mg and mg/kg, volumes in mL, rates in mL/h, weights in kg, all exact. What it decides by stands in `reference_tables`.
"""

from sqlalchemy import (
    ARRAY,
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    ForeignKeyConstraint,
    Index,
    Integer,
    Numeric,
    PrimaryKeyConstraint,
    Table,
    Text,
    Uuid,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB

from treatment_plan.columns import TENTHS, VITAL, code, dose_rate_check, exact, identifier, metadata, moment
from treatment_plan.domain.session_state import STATES
from treatment_plan.reference_tables import (
    clearance,
    consent,
    dosing_weight_rule,
    library_concentration,
    library_limit,
    policy_number,
    protocol,
    safety_flag,
)

__all__ = [
    "adverse_event",
    "clearance",
    "consent",
    "dosing_weight_rule",
    "library_concentration",
    "library_limit",
    "metadata",
    "plan",
    "plan_version",
    "policy_number",
    "protocol",
    "pump_totals",
    "safety_flag",
    "session_closure",
    "session_readiness",
    "session_record",
    "treatment_order",
]

# --- plans and orders -------------------------------------------------------------------------------------------------

plan = Table(
    "plan",
    metadata,
    identifier("plan_id"),
    identifier("person_id"),
    identifier("site_id"),
    code("protocol_code"),
    Column("protocol_version", Integer, nullable=False),
    code("library_code"),
    code("indication"),
    code("state"),
    # The newest row of plan_version.
    Column("version", Integer, nullable=False),
    identifier("drafted_by"),
    moment("drafted_at"),
    Column("signed_by", Uuid, nullable=True),
    moment("signed_at", nullable=True),
    moment("suspended_at", nullable=True),
    code("suspended_reason_code", nullable=True),
    moment("completed_at", nullable=True),
    # "induction" or "maintenance", as its protocol.
    code("phase"),
    # Of a plan that a prescriber ended before its last session.
    code("ended_reason_code", nullable=True),
    PrimaryKeyConstraint("plan_id", name="plan_pk"),
    ForeignKeyConstraint(
        ["protocol_code", "protocol_version"], ["protocol.protocol_code", "protocol.version"], name="plan_of_protocol"
    ),
    CheckConstraint("state IN ('draft', 'signed', 'suspended', 'completed')", name="plan_state"),
    CheckConstraint(
        "state = 'draft' OR (signed_at IS NOT NULL AND signed_by IS NOT NULL)", name="plan_signed_by_somebody"
    ),
    CheckConstraint("phase IN ('induction', 'maintenance')", name="plan_phase"),
    Index("plan_person", "person_id", "plan_id"),
)

# The numbers of a plan. A revision adds a row; none is ever changed.
plan_version = Table(
    "plan_version",
    metadata,
    identifier("plan_id"),
    Column("version", Integer, nullable=False),
    identifier("person_id"),
    identifier("site_id"),
    exact("weight_kg"),
    exact("dose_mg_per_kg"),
    Column("duration_min", Integer, nullable=False),
    exact("concentration_mg_per_ml"),
    Column("sessions_planned", Integer, nullable=False),
    exact("ordered_mg"),
    exact("dose_mg"),
    Column("rate_ml_per_h", TENTHS, nullable=False),
    Column("vtbi_ml", TENTHS, nullable=False),
    Column("programme_duration_min", Numeric(9, 2), nullable=False),
    # The soft limits passed, and the reason given.
    Column("limits", JSONB, nullable=False),
    code("soft_limit_reason_code", nullable=True),
    identifier("recorded_by"),
    moment("recorded_at"),
    # weight_kg is what the dose is computed from; this is what the scales showed, and the rule between the two.
    exact("measured_weight_kg"),
    code("weight_rule"),
    exact("height_cm", nullable=True),
    # The dose as a rate, where it is ordered so.
    exact("dose_rate", nullable=True),
    code("dose_rate_unit", nullable=True),
    Column("interval_days", Integer, nullable=True),
    PrimaryKeyConstraint("plan_id", "version", name="plan_version_pk"),
    ForeignKeyConstraint(["plan_id"], ["plan.plan_id"], name="plan_version_of_plan"),
    CheckConstraint("dose_mg <= ordered_mg", name="plan_version_never_above_ordered"),
    CheckConstraint("weight_rule IN ('actual', 'cap', 'adjusted')", name="plan_version_weight_rule"),
    dose_rate_check("plan_version"),
)

session_record = Table(
    "session_record",
    metadata,
    identifier("session_id"),
    identifier("person_id"),
    identifier("site_id"),
    identifier("plan_id"),
    Column("ordinal", Integer, nullable=False),
    code("state"),
    moment("starts_at"),
    moment("booked_at"),
    moment("cancelled_at", nullable=True),
    code("cancelled_reason_code", nullable=True),
    PrimaryKeyConstraint("session_id", name="session_record_pk"),
    ForeignKeyConstraint(["plan_id"], ["plan.plan_id"], name="session_record_of_plan"),
    CheckConstraint(f"state IN ({', '.join(repr(state) for state in STATES)})", name="session_record_state"),
    Index("session_record_plan", "plan_id", "state"),
    Index("session_record_person", "person_id", "session_id"),
    Index("session_record_site", "site_id", "starts_at", "session_id"),
)

treatment_order = Table(
    "treatment_order",
    metadata,
    identifier("order_id"),
    identifier("plan_id"),
    Column("plan_version", Integer, nullable=False),
    identifier("session_id"),
    identifier("person_id"),
    identifier("site_id"),
    code("drug_code"),
    exact("concentration_mg_per_ml"),
    Column("rate_ml_per_h", TENTHS, nullable=False),
    Column("vtbi_ml", TENTHS, nullable=False),
    exact("ordered_mg"),
    exact("dose_mg"),
    Column("duration_min", Numeric(9, 2), nullable=False),
    exact("weight_kg"),
    identifier("prescriber_id"),
    moment("issued_at"),
    moment("expires_at"),
    moment("used_at", nullable=True),
    Column("pump_id", Uuid, nullable=True),
    Column("authorisation_id", Uuid, nullable=True),
    moment("revoked_at", nullable=True),
    code("revoked_reason_code", nullable=True),
    # What the weight on arrival is held against.
    exact("measured_weight_kg"),
    identifier("responsible_prescriber_id"),
    PrimaryKeyConstraint("order_id", name="treatment_order_pk"),
    ForeignKeyConstraint(
        ["plan_id", "plan_version"], ["plan_version.plan_id", "plan_version.version"], name="treatment_order_of_plan"
    ),
    ForeignKeyConstraint(["session_id"], ["session_record.session_id"], name="treatment_order_of_session"),
    CheckConstraint("used_at IS NULL OR revoked_at IS NULL", name="treatment_order_used_or_revoked"),
    CheckConstraint(
        "(used_at IS NULL) = (pump_id IS NULL) AND (used_at IS NULL) = (authorisation_id IS NULL)",
        name="treatment_order_used_by_a_pump",
    ),
    Index("treatment_order_one_live", "session_id", unique=True, postgresql_where=text("revoked_at IS NULL")),
    Index("treatment_order_unused", "person_id", postgresql_where=text("revoked_at IS NULL AND used_at IS NULL")),
)

# --- the record of a session ------------------------------------------------------------------------------------------

session_readiness = Table(
    "session_readiness",
    metadata,
    identifier("session_id"),
    identifier("order_id"),
    identifier("person_id"),
    identifier("site_id"),
    exact("arrival_weight_kg"),
    identifier("bag_prepared_by"),
    identifier("bag_checked_by"),
    code("ndc"),
    exact("vial_concentration_mg_per_ml"),
    exact("drawn_ml"),
    exact("bag_volume_ml"),
    identifier("recorded_by"),
    moment("ready_at"),
    # Absent in rows of the first release.
    Column("bag_id", Uuid, nullable=True),
    Column("responsible_prescriber_id", Uuid, nullable=True),
    Column("administering_clinician_id", Uuid, nullable=True),
    Column("baseline_systolic_mmhg", VITAL, nullable=True),
    Column("baseline_diastolic_mmhg", VITAL, nullable=True),
    Column("baseline_heart_rate_per_min", VITAL, nullable=True),
    Column("baseline_spo2_percent", VITAL, nullable=True),
    Column("baseline_respiratory_rate_per_min", VITAL, nullable=True),
    code("baseline_cadss_form", nullable=True),
    Column("baseline_cadss_total", Integer, nullable=True),
    # A session whose order was revoked is made ready anew for the next order.
    PrimaryKeyConstraint("order_id", name="session_readiness_pk"),
    ForeignKeyConstraint(["order_id"], ["treatment_order.order_id"], name="session_readiness_of_order"),
    CheckConstraint("bag_prepared_by <> bag_checked_by", name="session_readiness_two_people"),
    CheckConstraint("ndc ~ '^[0-9]{11}$'", name="session_readiness_ndc"),
)

# What the pump itself reported when the infusion ended.
pump_totals = Table(
    "pump_totals",
    metadata,
    identifier("session_id"),
    identifier("order_id"),
    identifier("person_id"),
    identifier("site_id"),
    code("outcome"),
    moment("started_at", nullable=True),
    moment("stopped_at", nullable=True),
    exact("delivered_ml"),
    exact("keep_vein_open_ml"),
    exact("expected_ml"),
    Column("delivering_seconds", BigInteger, nullable=False),
    Column("paused_seconds", BigInteger, nullable=False),
    code("reason_code", nullable=True),
    PrimaryKeyConstraint("session_id", name="pump_totals_pk"),
    ForeignKeyConstraint(["order_id"], ["treatment_order.order_id"], name="pump_totals_of_order"),
    CheckConstraint("outcome IN ('completed', 'aborted')", name="pump_totals_outcome"),
)

session_closure = Table(
    "session_closure",
    metadata,
    identifier("session_id"),
    identifier("person_id"),
    identifier("site_id"),
    exact("opened_mg"),
    exact("returned_mg"),
    exact("wasted_mg"),
    # By the pump's own volume: what the account balances with.
    exact("pump_mg"),
    # What is reported: the larger of pump and rate times time when they are too far apart.
    exact("delivered_ml"),
    exact("delivered_mg"),
    Column("discrepancy", Boolean, nullable=False),
    identifier("closed_by"),
    identifier("witnessed_by"),
    moment("closed_at"),
    PrimaryKeyConstraint("session_id", name="session_closure_pk"),
    ForeignKeyConstraint(["session_id"], ["session_record.session_id"], name="session_closure_of_session"),
    CheckConstraint("opened_mg - pump_mg - returned_mg - wasted_mg = 0", name="session_closure_balances"),
    CheckConstraint("wasted_mg = 0 OR witnessed_by <> closed_by", name="session_closure_witness"),
)

adverse_event = Table(
    "adverse_event",
    metadata,
    identifier("adverse_event_id"),
    identifier("session_id"),
    identifier("person_id"),
    identifier("site_id"),
    code("kind_code"),
    code("severity_code"),
    identifier("recorded_by"),
    moment("occurred_at"),
    # Absent in rows of the first release.
    Column("action_codes", ARRAY(Text), nullable=True),
    code("outcome_code", nullable=True),
    PrimaryKeyConstraint("adverse_event_id", name="adverse_event_pk"),
    ForeignKeyConstraint(["session_id"], ["session_record.session_id"], name="adverse_event_of_session"),
    CheckConstraint("severity_code IN ('mild', 'moderate', 'severe')", name="adverse_event_severity"),
    Index("adverse_event_session", "session_id"),
)
