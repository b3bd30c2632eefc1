"""Policy data of the session record: which items of the gate are soft, hold limits, due times, bands of scores, vial products."""

from sqlalchemy import CheckConstraint, Column, Integer, PrimaryKeyConstraint, Table

from chassis.policy import Policy, policy_columns, review_state_check
from treatment_plan.columns import code, exact, metadata

ready_item = Table(
    "ready_item",
    metadata,
    code("item_code"),
    code("severity"),
    *policy_columns(),
    PrimaryKeyConstraint("item_code", "scope", "effective_from", name="ready_item_pk"),
    CheckConstraint("severity IN ('soft', 'hard')", name="ready_item_severity"),
    review_state_check("ready_item"),
)

# Bounds that hold a start. `at_bound`: what a value exactly at the bound is.
pre_infusion_limit = Table(
    "pre_infusion_limit",
    metadata,
    code("item_code"),
    code("measure_code"),
    code("side"),
    exact("bound"),
    code("at_bound"),
    code("unit"),
    *policy_columns(),
    PrimaryKeyConstraint("item_code", "measure_code", "side", "scope", "effective_from", name="pre_infusion_limit_pk"),
    CheckConstraint("side IN ('lower', 'upper')", name="pre_infusion_limit_side"),
    CheckConstraint("at_bound IN ('allowed', 'refused')", name="pre_infusion_limit_at_bound"),
    review_state_check("pre_infusion_limit"),
)

# When an observation is due: at a minute of its phase, and each so many minutes after it; 0: once.
observation_step = Table(
    "observation_step",
    metadata,
    code("phase"),
    code("measure_code"),
    Column("at_minute", Integer, nullable=False),
    Column("repeat_minutes", Integer, nullable=False),
    *policy_columns(),
    PrimaryKeyConstraint("phase", "measure_code", "at_minute", "scope", "effective_from", name="observation_step_pk"),
    CheckConstraint("phase IN ('infusion', 'recovery')", name="observation_step_phase"),
    CheckConstraint("at_minute >= 0 AND repeat_minutes >= 0", name="observation_step_minutes"),
    review_state_check("observation_step"),
)

# A band of a scale, from this score on until the next begins.
score_band = Table(
    "score_band",
    metadata,
    code("scale_code"),
    code("band_code"),
    exact("lower_score"),
    *policy_columns(),
    PrimaryKeyConstraint("scale_code", "band_code", "scope", "effective_from", name="score_band_pk"),
    review_state_check("score_band"),
)

# Vials in use, by labeler and product: the first nine digits of the NDC.
vial_product = Table(
    "vial_product",
    metadata,
    code("product_code"),
    exact("concentration_mg_per_ml"),
    exact("vial_ml"),
    *policy_columns(),
    PrimaryKeyConstraint("product_code", "scope", "effective_from", name="vial_product_pk"),
    CheckConstraint("product_code ~ '^[0-9]{9}$'", name="vial_product_code"),
    CheckConstraint("concentration_mg_per_ml > 0 AND vial_ml > 0", name="vial_product_positive"),
    review_state_check("vial_product"),
)

POLICIES = (
    Policy(ready_item, ("item_code",), ("severity",), "Items of the gate before a start", units={"severity": "code"}),
    Policy(
        pre_infusion_limit,
        ("item_code", "measure_code", "side"),
        ("bound", "at_bound"),
        "Limits that hold a start",
        unit_column="unit",
    ),
    Policy(
        observation_step,
        ("phase", "measure_code", "at_minute"),
        ("repeat_minutes",),
        "When observations are due",
        units={"repeat_minutes": "min"},
    ),
    Policy(
        score_band, ("scale_code", "band_code"), ("lower_score",), "Bands of scores", units={"lower_score": "{score}"}
    ),
    Policy(
        vial_product,
        ("product_code",),
        ("concentration_mg_per_ml", "vial_ml"),
        "Vial products in use",
        units={"concentration_mg_per_ml": "mg/mL", "vial_ml": "mL"},
    ),
)
