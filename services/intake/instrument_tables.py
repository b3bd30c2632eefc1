"""Policy data of the instruments: forms, items, bands, the numbers of their rules, and verified codes. Rows for each version apart."""

from typing import Any

from sqlalchemy import CheckConstraint, Column, Integer, Numeric, PrimaryKeyConstraint, Table, Text

from chassis.policy import DEFAULT, policy_columns, review_state_check
from intake.tables import metadata


def _in_effect() -> tuple[Any, ...]:
    """The columns of every policy table, and `status`, which the first release wrote: `review_state` says it now."""
    return (*policy_columns(), Column("status", Text, nullable=False, server_default=DEFAULT))


# `rated_by`: who gives the answers, "person" or "clinician".
instrument_form = Table(
    "instrument_form",
    metadata,
    Column("instrument", Text, nullable=False),
    Column("version", Text, nullable=False),
    Column("max_missing", Integer, nullable=False),
    Column("rated_by", Text, nullable=False),
    *_in_effect(),
    PrimaryKeyConstraint("instrument", "version", "scope", "effective_from", name="instrument_form_pk"),
    CheckConstraint("rated_by IN ('person', 'clinician')", name="instrument_form_rated_by"),
    review_state_check("instrument_form"),
)

# `level` is the risk level that a yes stands for (C-SSRS), empty elsewhere; `subscale` and `loinc` may be empty.
instrument_item = Table(
    "instrument_item",
    metadata,
    Column("instrument", Text, nullable=False),
    Column("version", Text, nullable=False),
    Column("position", Integer, nullable=False),
    Column("item", Text, nullable=False),
    Column("lowest", Integer, nullable=False),
    Column("highest", Integer, nullable=False),
    Column("level", Text, nullable=False),
    Column("loinc", Text, nullable=False),
    Column("subscale", Text, nullable=False),
    *_in_effect(),
    PrimaryKeyConstraint("instrument", "version", "item", "scope", "effective_from", name="instrument_item_pk"),
    CheckConstraint("level IN ('', 'low', 'moderate', 'high')", name="instrument_item_level"),
    CheckConstraint("lowest <= highest", name="instrument_item_range"),
    review_state_check("instrument_item"),
)

# Asked and kept, and in no total. Apart from the items, so that code of the first release never counts one as a missing answer.
instrument_question = Table(
    "instrument_question",
    metadata,
    Column("instrument", Text, nullable=False),
    Column("version", Text, nullable=False),
    Column("position", Integer, nullable=False),
    Column("item", Text, nullable=False),
    Column("lowest", Integer, nullable=False),
    Column("highest", Integer, nullable=False),
    Column("loinc", Text, nullable=False),
    *policy_columns(),
    PrimaryKeyConstraint("instrument", "version", "item", "scope", "effective_from", name="instrument_question_pk"),
    CheckConstraint("lowest <= highest", name="instrument_question_range"),
    review_state_check("instrument_question"),
)

instrument_band = Table(
    "instrument_band",
    metadata,
    Column("instrument", Text, nullable=False),
    Column("version", Text, nullable=False),
    Column("code", Text, nullable=False),
    Column("lowest", Integer, nullable=False),
    Column("highest", Integer, nullable=False),
    *_in_effect(),
    PrimaryKeyConstraint("instrument", "version", "code", "scope", "effective_from", name="instrument_band_pk"),
    CheckConstraint("lowest <= highest", name="instrument_band_range"),
    review_state_check("instrument_band"),
)

# "cut.positive", "response.percent", "remission.total": see intake.domain.summed and intake.domain.outcome. A rule that has no row does
# not apply to that version.
instrument_rule = Table(
    "instrument_rule",
    metadata,
    Column("instrument", Text, nullable=False),
    Column("version", Text, nullable=False),
    Column("rule_code", Text, nullable=False),
    Column("value", Numeric(12, 4), nullable=False),
    Column("unit", Text, nullable=False),
    *policy_columns(),
    PrimaryKeyConstraint("instrument", "version", "rule_code", "scope", "effective_from", name="instrument_rule_pk"),
    CheckConstraint("value >= 0", name="instrument_rule_value"),
    review_state_check("instrument_rule"),
)

# LOINC codes of a whole instrument. Items have theirs in instrument_item.
instrument_code = Table(
    "instrument_code",
    metadata,
    Column("instrument", Text, nullable=False),
    Column("version", Text, nullable=False),
    Column("part", Text, nullable=False),
    Column("loinc", Text, nullable=False),
    *policy_columns(),
    PrimaryKeyConstraint("instrument", "version", "part", "scope", "effective_from", name="instrument_code_pk"),
    CheckConstraint("part IN ('panel', 'total')", name="instrument_code_part"),
    review_state_check("instrument_code"),
)
