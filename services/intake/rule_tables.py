"""Policy data of decisions: medications, who is asked about pregnancy, closed lists of reasons, codes of visits; and the visits."""

from sqlalchemy import (
    ARRAY,
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
)

from chassis.policy import policy_columns, review_state_check
from intake.tables import about_person, metadata, moment

# `equal_to_1_mg_lorazepam_mg` is set for benzodiazepines only.
medication = Table(
    "medication",
    metadata,
    Column("code", Text, nullable=False),
    Column("interaction_codes", ARRAY(Text), nullable=False),
    Column("equal_to_1_mg_lorazepam_mg", Numeric(8, 3), nullable=True),
    *policy_columns(),
    PrimaryKeyConstraint("code", "scope", "effective_from", name="medication_pk"),
    CheckConstraint("equal_to_1_mg_lorazepam_mg > 0", name="medication_equivalent"),
    review_state_check("medication"),
)

pregnancy_question = Table(
    "pregnancy_question",
    metadata,
    Column("administrative_sex", Text, nullable=False),
    Column("asked", Boolean, nullable=False),
    *policy_columns(),
    PrimaryKeyConstraint("administrative_sex", "scope", "effective_from", name="pregnancy_question_pk"),
    review_state_check("pregnancy_question"),
)

# Closed lists: a reason that is not in its list, or no longer allowed, is refused.
reason_code = Table(
    "reason_code",
    metadata,
    Column("list_code", Text, nullable=False),
    Column("reason_code", Text, nullable=False),
    Column("allowed", Boolean, nullable=False),
    *policy_columns(),
    PrimaryKeyConstraint("list_code", "reason_code", "scope", "effective_from", name="reason_code_pk"),
    review_state_check("reason_code"),
)

evaluation_code = Table(
    "evaluation_code",
    metadata,
    Column("cpt_code", Text, nullable=False),
    Column("new_patient", Boolean, nullable=False),
    *policy_columns(),
    PrimaryKeyConstraint("cpt_code", "scope", "effective_from", name="evaluation_code_pk"),
    review_state_check("evaluation_code"),
)

evaluation = Table(
    "evaluation",
    metadata,
    Column("evaluation_id", Uuid, nullable=False),
    *about_person(),
    Column("practitioner_id", Uuid, nullable=False),
    Column("cpt_code", Text, nullable=False),
    moment("evaluated_at"),
    PrimaryKeyConstraint("evaluation_id", name="evaluation_pk"),
    Index("evaluation_person", "person_id", "evaluated_at"),
)

# Who had to see to a flag, from the raising on; the last one is its owner.
flag_assignment = Table(
    "flag_assignment",
    metadata,
    Column("flag_id", Uuid, nullable=False),
    Column("position", Integer, nullable=False),
    *about_person(),
    Column("owner_id", Uuid, nullable=False),
    moment("assigned_at"),
    Column("assigned_by", Uuid, nullable=False),
    PrimaryKeyConstraint("flag_id", "position", name="flag_assignment_pk"),
    ForeignKeyConstraint(["flag_id"], ["safety_flag.flag_id"], name="flag_assignment_flag"),
)
