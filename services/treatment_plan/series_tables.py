"""The person's response over a series: the rule that it is judged by, results of instruments, and what they suggested."""

from sqlalchemy import (
    ARRAY,
    CheckConstraint,
    Column,
    ForeignKeyConstraint,
    Index,
    Integer,
    PrimaryKeyConstraint,
    Table,
    Text,
    UniqueConstraint,
    Uuid,
)

from chassis.policy import policy_columns, review_state_check
from treatment_plan.columns import code, exact, identifier, metadata, moment


def whole(name: str, *, nullable: bool = False) -> Column[int]:
    """A whole number: sessions, days, minutes, a total of an instrument."""
    return Column(name, Integer, nullable=nullable)


series_rule = Table(
    "series_rule",
    metadata,
    code("indication"),
    # The instrument that decides; others are read by people.
    code("leading_instrument"),
    # After so many infusions a dose without gain is reviewed, and a series without response ends.
    whole("first_review_after", nullable=True),
    whole("final_review_after"),
    exact("min_gain_percent"),
    exact("raise_least_mg_per_kg", nullable=True),
    exact("raise_most_mg_per_kg", nullable=True),
    whole("remissions_in_a_row"),
    whole("interval_start_days"),
    whole("interval_step_days"),
    whole("interval_least_days"),
    whole("interval_most_days"),
    exact("relapse_interval_fraction"),
    exact("relapse_rise", nullable=True),
    exact("relapse_least_score", nullable=True),
    # Nothing is judged before one infusion of at least this dose, longer than this.
    exact("trial_dose_mg", nullable=True),
    whole("trial_minutes", nullable=True),
    # A result counts for an infusion until the next one starts, at most so long.
    whole("result_window_days"),
    *policy_columns(),
    PrimaryKeyConstraint("indication", "scope", "effective_from", name="series_rule_pk"),
    CheckConstraint(
        "final_review_after > 0 AND (first_review_after IS NULL OR first_review_after < final_review_after)",
        name="series_rule_reviews",
    ),
    CheckConstraint(
        "(raise_least_mg_per_kg IS NULL) = (raise_most_mg_per_kg IS NULL) AND (raise_least_mg_per_kg IS NULL"
        " OR (raise_least_mg_per_kg > 0 AND raise_most_mg_per_kg >= raise_least_mg_per_kg))",
        name="series_rule_raise",
    ),
    CheckConstraint(
        "interval_least_days > 0 AND interval_most_days >= interval_start_days"
        " AND interval_start_days >= interval_least_days AND interval_step_days > 0 AND relapse_interval_fraction > 0"
        " AND relapse_interval_fraction < 1 AND remissions_in_a_row > 0 AND result_window_days > 0",
        name="series_rule_intervals",
    ),
    review_state_check("series_rule"),
)

# intake's words about one result: what was answered, and what it shows against the baseline that is known by now.
instrument_result = Table(
    "instrument_result",
    metadata,
    identifier("result_id"),
    identifier("person_id"),
    identifier("site_id"),
    code("instrument"),
    code("instrument_version"),
    whole("total", nullable=True),
    exact("score", nullable=True),
    moment("completed_at"),
    whole("baseline_total", nullable=True),
    exact("improvement_percent", nullable=True),
    Column("outcome_codes", ARRAY(Text), nullable=False),
    PrimaryKeyConstraint("result_id", name="instrument_result_pk"),
    Index("instrument_result_person", "person_id", "instrument", "completed_at"),
)

suggestion = Table(
    "suggestion",
    metadata,
    identifier("suggestion_id"),
    identifier("plan_id"),
    identifier("person_id"),
    identifier("site_id"),
    code("kind_code"),
    whole("after_sessions"),
    identifier("result_id"),
    exact("suggested_dose_mg_per_kg", nullable=True),
    whole("suggested_interval_days", nullable=True),
    moment("suggested_at"),
    code("state"),
    Column("decided_by", Uuid, nullable=True),
    code("reason_code", nullable=True),
    moment("decided_at", nullable=True),
    PrimaryKeyConstraint("suggestion_id", name="suggestion_pk"),
    UniqueConstraint("plan_id", "kind_code", "after_sessions", name="suggestion_once"),
    ForeignKeyConstraint(["plan_id"], ["plan.plan_id"], name="suggestion_of_plan"),
    CheckConstraint(
        "kind_code IN ('raise_dose', 'stop_no_response', 'end_early_remission', 'maintenance_extend', 'maintenance_shorten')",
        name="suggestion_kind",
    ),
    CheckConstraint("state IN ('open', 'accepted', 'declined', 'withdrawn')", name="suggestion_state"),
    CheckConstraint(
        "(state IN ('accepted', 'declined')) = (decided_at IS NOT NULL)"
        " AND (decided_at IS NULL) = (decided_by IS NULL) AND (decided_at IS NULL) = (reason_code IS NULL)",
        name="suggestion_decided_by_somebody",
    ),
    Index("suggestion_person", "person_id", "suggestion_id"),
)

RULE_UNITS = {
    "leading_instrument": "code",
    "first_review_after": "{infusions}",
    "final_review_after": "{infusions}",
    "min_gain_percent": "%",
    "raise_least_mg_per_kg": "mg/kg",
    "raise_most_mg_per_kg": "mg/kg",
    "remissions_in_a_row": "{results}",
    "interval_start_days": "d",
    "interval_step_days": "d",
    "interval_least_days": "d",
    "interval_most_days": "d",
    "relapse_interval_fraction": "1",
    "relapse_rise": "{score}",
    "relapse_least_score": "{score}",
    "trial_dose_mg": "mg",
    "trial_minutes": "min",
    "result_window_days": "d",
}
