"""Default numbers of the session record. Each waits for the medical director's review.

Fasting after the Spravato label (food 2 h, liquids 30 min). Aldrete: within 20 and 50 mmHg, or 20 and 49 %, of the baseline; SpO2 above
92 % on room air or 90 % on oxygen; 9 points to leave (Aldrete 1995). Observation of at least 60 minutes, 120 for a first session and
for pain; the check of the next day after 24 hours; a vial of 100 mg/mL with at least an equal volume (its label). The rest is house policy.
"""

from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

FROM = "2020-01-01T00:00:00Z"
# Minutes and hours end in _min and _h, the smallest allowed value in _least; a fraction is of one.
NUMBERS = (
    ("suicide_risk_screening_max_age_h", "168"),
    ("fasting_food_min", "120"),
    ("fasting_liquids_min", "30"),
    ("baseline_max_age_min", "60"),
    ("dilution_from_mg_per_ml", "100"),
    ("dilution_min_ratio", "2"),
    ("aldrete_circulation_near_mmhg", "20"),
    ("aldrete_circulation_far_mmhg", "50"),
    ("aldrete_circulation_near_percent", "20"),
    ("aldrete_circulation_far_percent", "49"),
    ("aldrete_spo2_room_air_percent", "92"),
    ("aldrete_spo2_on_oxygen_percent", "90"),
    ("discharge_aldrete_least", "9"),
    ("discharge_aldrete_respiration_least", "2"),
    ("discharge_aldrete_spo2_least", "2"),
    ("discharge_moaas_least", "5"),
    ("discharge_moaas_apart_min", "15"),
    ("discharge_systolic_least_mmhg", "90"),
    ("discharge_diastolic_least_mmhg", "50"),
    ("discharge_systolic_below_mmhg", "140"),
    ("discharge_diastolic_below_mmhg", "90"),
    ("discharge_blood_pressure_fraction", "0.20"),
    ("discharge_heart_rate_fraction", "0.20"),
    ("discharge_observation_max_age_min", "30"),
    ("recovery_observation_min", "60"),
    ("recovery_observation_first_min", "120"),
    ("recovery_observation_pain_min", "120"),
    ("observation_grace_min", "5"),
    ("observation_horizon_h", "12"),
    ("follow_up_due_h", "24"),
)


def upgrade() -> None:
    """Inserts the rows, network-wide. The colons of the time are escaped: to SQLAlchemy they would begin a parameter."""
    moment = FROM.replace(":", r"\:")
    for code, value in NUMBERS:
        op.execute(
            "INSERT INTO policy_number (policy_code, scope, effective_from, value, review_state)"
            f" VALUES ('{code}', 'network', '{moment}', {value}, 'default, to be reviewed')"
        )
