"""Unit and source of each number of the session record."""

from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None

HOUSE = "house policy"
SPRAVATO = "house policy after the Spravato label"
ALDRETE = "Aldrete 1995, modified; house policy"
# code, UCUM unit, source.
NUMBERS = (
    ("suicide_risk_screening_max_age_h", "h", HOUSE),
    ("fasting_food_min", "min", SPRAVATO),
    ("fasting_liquids_min", "min", SPRAVATO),
    ("baseline_max_age_min", "min", HOUSE),
    ("dilution_from_mg_per_ml", "mg/mL", "ketamine label, FDA"),
    ("dilution_min_ratio", "1", "ketamine label, FDA"),
    ("aldrete_circulation_near_mmhg", "mm[Hg]", ALDRETE),
    ("aldrete_circulation_far_mmhg", "mm[Hg]", ALDRETE),
    ("aldrete_circulation_near_percent", "%", ALDRETE),
    ("aldrete_circulation_far_percent", "%", ALDRETE),
    ("aldrete_spo2_room_air_percent", "%", ALDRETE),
    ("aldrete_spo2_on_oxygen_percent", "%", ALDRETE),
    ("discharge_aldrete_least", "{score}", ALDRETE),
    ("discharge_aldrete_respiration_least", "{score}", ALDRETE),
    ("discharge_aldrete_spo2_least", "{score}", ALDRETE),
    ("discharge_moaas_least", "{score}", HOUSE),
    ("discharge_moaas_apart_min", "min", HOUSE),
    ("discharge_systolic_least_mmhg", "mm[Hg]", HOUSE),
    ("discharge_diastolic_least_mmhg", "mm[Hg]", HOUSE),
    ("discharge_systolic_below_mmhg", "mm[Hg]", HOUSE),
    ("discharge_diastolic_below_mmhg", "mm[Hg]", HOUSE),
    ("discharge_blood_pressure_fraction", "1", HOUSE),
    ("discharge_heart_rate_fraction", "1", HOUSE),
    ("discharge_observation_max_age_min", "min", HOUSE),
    ("recovery_observation_min", "min", HOUSE),
    ("recovery_observation_first_min", "min", SPRAVATO),
    ("recovery_observation_pain_min", "min", HOUSE),
    ("observation_grace_min", "min", HOUSE),
    ("observation_horizon_h", "h", HOUSE),
    ("follow_up_due_h", "h", HOUSE),
)


def upgrade() -> None:
    """Says of each row its unit and source; rows that somebody signed keep what they say."""
    for code, unit, source in NUMBERS:
        op.execute(
            f"UPDATE policy_number SET unit = '{unit}', source = '{source}'"
            f" WHERE policy_code = '{code}' AND review_state <> 'signed'"
        )
