"""Default policy of the session record. Every row waits for the medical director's review.

Sources stand in each row. Soft items and hold limits are house policy after the Spravato label (blood pressure above 140/90: weigh a
delay) and published clinic rules; times of observation after published series of infusions; vial products as DailyMed lists them.
"""

from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

FROM = "2020-01-01T00:00:00Z"
HOUSE = "house policy"
SPRAVATO = "house policy after the Spravato label"
DAILYMED = "DailyMed, ketamine hydrochloride injection"

SOFT_ITEMS = (
    ("fasting_food", SPRAVATO),
    ("fasting_liquids", SPRAVATO),
    ("medication_reconciliation", HOUSE),
    ("baseline_dissociation", HOUSE),
    ("blood_pressure_review", SPRAVATO),
)
HARD_ITEMS = (
    "order",
    "identity",
    "arrival_weight",
    "arrival_weight_tolerance",
    "suicide_risk_screening",
    "safety_flag",
    "consent",
    "pregnancy",
    "pregnancy_excluded",
    "driver",
    "baseline_blood_pressure",
    "baseline_heart_rate",
    "baseline_spo2",
    "baseline_respiratory_rate",
    "baseline_sedation",
    "bag_prepared",
    "bag_checked",
    "bag_concentration",
    "bag_in_date",
    "bag_agrees",
    "responsible_prescriber",
    "administering_clinician",
    "blood_pressure_high",
    "blood_pressure_low",
    "heart_rate",
    "spo2",
    "respiratory_rate",
    "sedation",
)
# item, measure, side, bound, at the bound, unit, source.
LIMITS = (
    ("blood_pressure_review", "systolic_mmhg", "upper", "140", "allowed", "mm[Hg]", SPRAVATO),
    ("blood_pressure_review", "diastolic_mmhg", "upper", "90", "allowed", "mm[Hg]", SPRAVATO),
    ("blood_pressure_high", "systolic_mmhg", "upper", "160", "refused", "mm[Hg]", HOUSE),
    ("blood_pressure_high", "diastolic_mmhg", "upper", "100", "refused", "mm[Hg]", HOUSE),
    ("blood_pressure_low", "systolic_mmhg", "lower", "90", "allowed", "mm[Hg]", HOUSE),
    ("blood_pressure_low", "diastolic_mmhg", "lower", "50", "allowed", "mm[Hg]", HOUSE),
    ("heart_rate", "heart_rate_per_min", "lower", "50", "allowed", "/min", HOUSE),
    ("heart_rate", "heart_rate_per_min", "upper", "110", "allowed", "/min", HOUSE),
    ("spo2", "spo2_percent", "lower", "94", "allowed", "%", HOUSE),
    ("respiratory_rate", "respiratory_rate_per_min", "lower", "10", "allowed", "/min", HOUSE),
    ("respiratory_rate", "respiratory_rate_per_min", "upper", "24", "allowed", "/min", HOUSE),
    ("sedation", "moaas", "lower", "5", "allowed", "{score}", HOUSE),
)
# phase, measure, minute, then each so many minutes (0: once).
STEPS = (
    ("infusion", "moaas", 0, 0),
    ("infusion", "moaas", 15, 0),
    ("infusion", "moaas", 30, 0),
    ("infusion", "moaas", 40, 15),
    ("infusion", "cadss", 40, 0),
    ("recovery", "moaas", 15, 15),
    ("recovery", "blood_pressure", 15, 15),
    ("recovery", "heart_rate", 15, 15),
    ("recovery", "spo2", 15, 15),
    ("recovery", "aldrete", 15, 15),
    ("recovery", "cadss", 60, 0),
)
# Scale, band, from this score on. Above 4 of 92 is dissociation; the short form has no published cut, its bound is scaled.
BANDS = (
    ("CADSS", "none", 0, "Bremner 1998; above 4 is commonly taken as dissociation"),
    ("CADSS", "dissociation", 5, "Bremner 1998; above 4 is commonly taken as dissociation"),
    ("CADSS-6", "none", 0, "house policy: the cut of the full scale times 6/23"),
    ("CADSS-6", "dissociation", 2, "house policy: the cut of the full scale times 6/23"),
    ("MOAA/S", "unresponsive", 0, "BMC Anesthesiology 2022, 22:252"),
    ("MOAA/S", "deep", 1, "BMC Anesthesiology 2022, 22:252"),
    ("MOAA/S", "moderate", 2, "BMC Anesthesiology 2022, 22:252"),
    ("MOAA/S", "light", 4, "BMC Anesthesiology 2022, 22:252"),
    ("MOAA/S", "alert", 5, "BMC Anesthesiology 2022, 22:252"),
    ("ALDRETE", "recovering", 0, "Aldrete 1995"),
    ("ALDRETE", "recovered", 9, "Aldrete 1995"),
)
# Labeler and product, mg/mL, mL of a vial.
VIALS = (
    ("674570001", "10", "20"),
    ("674570108", "50", "10"),
    ("674570181", "100", "10"),
    ("420230137", "50", "10"),
    ("420230138", "100", "5"),
)


def upgrade() -> None:
    """Inserts the rows, network-wide."""
    for item, source in (*SOFT_ITEMS, *((item, HOUSE) for item in HARD_ITEMS)):
        severity = "soft" if (item, source) in SOFT_ITEMS else "hard"
        row("ready_item", item_code=item, severity=severity, source=source)
    for item, measure, side, bound, at_bound, unit, source in LIMITS:
        row(
            "pre_infusion_limit",
            item_code=item,
            measure_code=measure,
            side=side,
            bound=bound,
            at_bound=at_bound,
            unit=unit,
            source=source,
        )
    for phase, measure, minute, repeat in STEPS:
        row(
            "observation_step", phase=phase, measure_code=measure, at_minute=minute, repeat_minutes=repeat, source=HOUSE
        )
    for scale, band, lower, source in BANDS:
        row("score_band", scale_code=scale, band_code=band, lower_score=lower, source=source)
    for product, strength, volume in VIALS:
        row("vial_product", product_code=product, concentration_mg_per_ml=strength, vial_ml=volume, source=DAILYMED)


def row(table: str, **values: str | int) -> None:
    """One default. Colons are escaped: to SQLAlchemy they would begin a parameter."""
    values["effective_from"] = FROM
    literals = ", ".join("'" + str(value).replace("'", "''").replace(":", r"\:") + "'" for value in values.values())
    op.execute(f"INSERT INTO {table} ({', '.join(values)}) VALUES ({literals})")
