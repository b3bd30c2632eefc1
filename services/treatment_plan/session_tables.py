"""The tables of what happened in a session, before, during and after its infusion. Rows are added, not changed, but where a row says so."""

from sqlalchemy import (
    ARRAY,
    Boolean,
    CheckConstraint,
    Column,
    Date,
    ForeignKeyConstraint,
    Index,
    Integer,
    PrimaryKeyConstraint,
    Table,
    Text,
    Uuid,
)
from sqlalchemy.dialects.postgresql import JSONB

from treatment_plan.columns import VITAL, code, exact, identifier, metadata, moment


def of_session(name: str) -> ForeignKeyConstraint:
    """The session that a row belongs to."""
    return ForeignKeyConstraint(["session_id"], ["session_record.session_id"], name=f"{name}_of_session")


identity_check = Table(
    "identity_check",
    metadata,
    identifier("check_id"),
    identifier("session_id"),
    identifier("person_id"),
    identifier("site_id"),
    # Which kinds of identifier were compared; never their content.
    Column("identifier_kinds", ARRAY(Text), nullable=False),
    identifier("checked_by"),
    moment("checked_at"),
    PrimaryKeyConstraint("check_id", name="identity_check_pk"),
    of_session("identity_check"),
    CheckConstraint("cardinality(identifier_kinds) = 2", name="identity_check_two"),
    Index("identity_check_session", "session_id"),
)

# Each row holds what was answered at one time; the latest answer of each column counts.
arrival_answer = Table(
    "arrival_answer",
    metadata,
    identifier("answer_id"),
    identifier("session_id"),
    identifier("person_id"),
    identifier("site_id"),
    exact("weight_kg", nullable=True),
    code("pregnancy_code", nullable=True),
    moment("last_food_at", nullable=True),
    moment("last_liquids_at", nullable=True),
    Column("fasting_confirmed", Boolean, nullable=True),
    Column("driver_confirmed", Boolean, nullable=True),
    Column("medications_reconciled", Boolean, nullable=True),
    identifier("recorded_by"),
    moment("recorded_at"),
    PrimaryKeyConstraint("answer_id", name="arrival_answer_pk"),
    of_session("arrival_answer"),
    Index("arrival_answer_session", "session_id"),
)

observation = Table(
    "observation",
    metadata,
    identifier("observation_id"),
    identifier("session_id"),
    identifier("person_id"),
    identifier("site_id"),
    code("phase"),
    moment("taken_at"),
    Column("systolic_mmhg", VITAL, nullable=True),
    Column("diastolic_mmhg", VITAL, nullable=True),
    Column("heart_rate_per_min", VITAL, nullable=True),
    Column("spo2_percent", VITAL, nullable=True),
    Column("respiratory_rate_per_min", VITAL, nullable=True),
    Column("on_oxygen", Boolean, nullable=True),
    Column("moaas", Integer, nullable=True),
    code("moaas_variant", nullable=True),
    code("cadss_form", nullable=True),
    Column("cadss_total", Integer, nullable=True),
    Column("cadss_items", ARRAY(Integer), nullable=True),
    code("cadss_band", nullable=True),
    Column("aldrete_activity", Integer, nullable=True),
    Column("aldrete_respiration", Integer, nullable=True),
    Column("aldrete_circulation", Integer, nullable=True),
    Column("aldrete_consciousness", Integer, nullable=True),
    Column("aldrete_oxygen_saturation", Integer, nullable=True),
    code("aldrete_variant", nullable=True),
    # Code and severity of each.
    Column("side_effects", JSONB, nullable=False),
    Column("steady_gait", Boolean, nullable=True),
    Column("nausea_controlled", Boolean, nullable=True),
    Column("iv_out", Boolean, nullable=True),
    identifier("recorded_by"),
    moment("recorded_at"),
    PrimaryKeyConstraint("observation_id", name="observation_pk"),
    of_session("observation"),
    CheckConstraint("phase IN ('baseline', 'infusion', 'recovery')", name="observation_phase"),
    CheckConstraint("(systolic_mmhg IS NULL) = (diastolic_mmhg IS NULL)", name="observation_pressure_whole"),
    CheckConstraint("moaas BETWEEN 0 AND 5", name="observation_moaas"),
    CheckConstraint("(moaas IS NULL) = (moaas_variant IS NULL)", name="observation_moaas_variant"),
    CheckConstraint("(cadss_total IS NULL) = (cadss_form IS NULL)", name="observation_cadss_form"),
    CheckConstraint(
        "num_nulls(aldrete_activity, aldrete_respiration, aldrete_circulation, aldrete_consciousness,"
        " aldrete_oxygen_saturation, aldrete_variant) IN (0, 6)",
        name="observation_aldrete_whole",
    ),
    Index("observation_session", "session_id", "taken_at"),
)

# A second person's check completes a row, once. Of several the one prepared last counts.
bag = Table(
    "bag",
    metadata,
    identifier("bag_id"),
    identifier("session_id"),
    identifier("order_id"),
    identifier("person_id"),
    identifier("site_id"),
    code("ndc"),
    code("lot"),
    Column("expires_on", Date, nullable=False),
    exact("vial_concentration_mg_per_ml"),
    exact("drawn_ml"),
    exact("final_ml"),
    identifier("prepared_by"),
    moment("prepared_at"),
    Column("checked_by", Uuid, nullable=True),
    moment("checked_at", nullable=True),
    PrimaryKeyConstraint("bag_id", name="bag_pk"),
    of_session("bag"),
    ForeignKeyConstraint(["order_id"], ["treatment_order.order_id"], name="bag_of_order"),
    CheckConstraint("ndc ~ '^[0-9]{11}$'", name="bag_ndc"),
    CheckConstraint("prepared_by <> checked_by", name="bag_two_people"),
    CheckConstraint("(checked_by IS NULL) = (checked_at IS NULL)", name="bag_checked_by_somebody"),
    Index("bag_session", "session_id"),
)

ready_override = Table(
    "ready_override",
    metadata,
    identifier("override_id"),
    identifier("session_id"),
    identifier("person_id"),
    identifier("site_id"),
    code("item_code"),
    code("reason_code"),
    identifier("overridden_by"),
    moment("overridden_at"),
    PrimaryKeyConstraint("override_id", name="ready_override_pk"),
    of_session("ready_override"),
    Index("ready_override_session", "session_id"),
)

# One row a session, brought up to date by each report of the pump: the latest times, in whatever order the reports arrive.
infusion_progress = Table(
    "infusion_progress",
    metadata,
    identifier("session_id"),
    identifier("person_id"),
    identifier("site_id"),
    moment("started_at", nullable=True),
    moment("last_paused_at", nullable=True),
    moment("last_resumed_at", nullable=True),
    # The pump's own stop, or when its end was told where the pump gave none.
    moment("ended_at", nullable=True),
    PrimaryKeyConstraint("session_id", name="infusion_progress_pk"),
    of_session("infusion_progress"),
)

abort_reason = Table(
    "abort_reason",
    metadata,
    identifier("session_id"),
    identifier("person_id"),
    identifier("site_id"),
    code("reason_code"),
    identifier("recorded_by"),
    moment("recorded_at"),
    PrimaryKeyConstraint("session_id", name="abort_reason_pk"),
    of_session("abort_reason"),
)

aftercare = Table(
    "aftercare",
    metadata,
    identifier("aftercare_id"),
    identifier("session_id"),
    identifier("person_id"),
    identifier("site_id"),
    code("status_code"),
    Column("instruction_codes", ARRAY(Text), nullable=False),
    identifier("recorded_by"),
    moment("recorded_at"),
    PrimaryKeyConstraint("aftercare_id", name="aftercare_pk"),
    of_session("aftercare"),
    CheckConstraint("status_code IN ('given', 'due')", name="aftercare_status"),
    Index("aftercare_session", "session_id"),
)

session_discharge = Table(
    "session_discharge",
    metadata,
    identifier("session_id"),
    identifier("person_id"),
    identifier("site_id"),
    identifier("discharged_by"),
    moment("discharged_at"),
    PrimaryKeyConstraint("session_id", name="session_discharge_pk"),
    of_session("session_discharge"),
)

# The check of the next day: due until it is given; a call in vain moves it.
follow_up = Table(
    "follow_up",
    metadata,
    identifier("session_id"),
    identifier("person_id"),
    identifier("site_id"),
    code("status_code"),
    moment("due_at"),
    moment("given_at", nullable=True),
    Column("recorded_by", Uuid, nullable=True),
    Column("outcome_codes", ARRAY(Text), nullable=False),
    Column("attempts", Integer, nullable=False),
    PrimaryKeyConstraint("session_id", name="follow_up_pk"),
    of_session("follow_up"),
    CheckConstraint("status_code IN ('due', 'given')", name="follow_up_status"),
    CheckConstraint(
        "(status_code = 'given') = (given_at IS NOT NULL AND recorded_by IS NOT NULL)",
        name="follow_up_given_by_somebody",
    ),
    Index("follow_up_due", "site_id", "status_code", "due_at", "session_id"),
)

# The C-SSRS of a person as intake told them, one row a result.
suicide_risk_screening = Table(
    "suicide_risk_screening",
    metadata,
    identifier("result_id"),
    identifier("person_id"),
    identifier("site_id"),
    code("instrument"),
    code("band"),
    moment("completed_at"),
    PrimaryKeyConstraint("result_id", name="suicide_risk_screening_pk"),
    Index("suicide_risk_screening_person", "person_id", "completed_at"),
)
