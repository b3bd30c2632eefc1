"""The policy tables of the instruments, as ListPolicy and docs/clinical-policy.md show them."""

from chassis.policy import Policy
from intake.instrument_tables import (
    instrument_band,
    instrument_code,
    instrument_form,
    instrument_item,
    instrument_question,
    instrument_rule,
)

VERSION = ("instrument", "version")
SCORE = {"lowest": "{score}", "highest": "{score}"}

POLICIES = (
    Policy(
        instrument_form,
        keys=VERSION,
        values=("max_missing", "rated_by"),
        title="Instruments and their versions",
        units={"max_missing": "{answers}", "rated_by": "code"},
    ),
    Policy(
        instrument_item,
        keys=(*VERSION, "item"),
        values=("position", "lowest", "highest", "level", "subscale", "loinc"),
        title="Items of the instruments",
        units={
            **SCORE,
            "position": "{position}",
            "level": "code",
            "subscale": "code",
            "loinc": "code",
        },
    ),
    Policy(
        instrument_question,
        keys=(*VERSION, "item"),
        values=("position", "lowest", "highest", "loinc"),
        title="Questions of the instruments that enter no total",
        units={**SCORE, "position": "{position}", "loinc": "code"},
    ),
    Policy(
        instrument_band,
        keys=(*VERSION, "code"),
        values=("lowest", "highest"),
        title="Bands of the instruments' totals",
        units=SCORE,
    ),
    Policy(
        instrument_rule,
        keys=(*VERSION, "rule_code"),
        values=("value",),
        title="Cut-offs and outcomes of the instruments",
        unit_column="unit",
    ),
    Policy(
        instrument_code,
        keys=(*VERSION, "part"),
        values=("loinc",),
        title="LOINC codes of the instruments",
        units={"loinc": "code"},
    ),
)
