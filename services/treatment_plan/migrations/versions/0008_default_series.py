"""Default rules of a series, of dosing weight, and protocols for pain and for maintenance; units and sources of the older rows.

Every row waits for the medical director's review.
"""

from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

FROM = "2020-01-01T00:00:00Z"
ASRA = "ASRA/AAPM/ASA consensus, Reg Anesth Pain Med 2018"
AMR = "Amr, Pain Physician 2010; ASRA/AAPM/ASA consensus 2018"
WEEKLY = "house policy after Andrade, J Clin Psychiatry 2017: once weekly first, then individualised"
RCT = "Fava et al., Mol Psychiatry 2020: 0.1 to 1.0 mg/kg studied"
USUAL = "Andrade, J Clin Psychiatry 2017; Fava et al., Mol Psychiatry 2020; APA consensus statement 2017"

# code, library, indication, mg/kg over the infusion, minutes, sessions, phase, days between, rate, its unit, source.
PROTOCOLS = (
    *(
        (f"{name}_maintenance", "psychiatry", name, "0.5", 40, 6, "maintenance", 7, None, None, WEEKLY)
        for name in ("depression", "anxiety", "ptsd", "ocd")
    ),
    ("pain_crps", "pain", "pain", "1.4", 240, 10, "induction", None, "0.35", "mg/kg/h", ASRA),
    ("pain_crps_fixed", "pain", "pain", "1.1", 240, 4, "induction", None, "22", "mg/h", ASRA),
    ("pain_spinal_cord_injury", "pain", "pain", "1.0", 300, 7, "induction", None, "16", "mg/h", AMR),
)
UNITS = {
    "weight_kg": "kg",
    "dose_mg_per_kg": "mg/kg",
    "duration_min": "min",
    "rate_mg_per_kg_per_min": "mg/kg/min",
    "rate_mg_per_kg_per_h": "mg/kg/h",
    "absolute_dose_mg": "mg",
    "rate_ml_per_h": "mL/h",
}
LIMIT_SOURCES = (
    ("psychiatry", "dose_mg_per_kg", "hard", RCT),
    ("psychiatry", "duration_min", "hard", "Andrade, J Clin Psychiatry 2017: 2 to 100 min described; house policy"),
    ("pain", "rate_mg_per_kg_per_h", "soft", ASRA),
    ("pain", "rate_mg_per_kg_per_h", "hard", ASRA),
    ("pain", "duration_min", "hard", ASRA),
)
# By the end of the code: the first that fits.
NUMBER_UNITS = (
    ("%_ratio", "1"),
    ("%_fraction", "1"),
    ("%_mg_per_ml", "mg/mL"),
    ("%_mmhg", "mm[Hg]"),
    ("%_percent", "%"),
    ("%_ml", "mL"),
    ("%_min", "min"),
    ("%_least", "{score}"),
    ("%_s", "s"),
    ("%_h", "h"),
)
# indication, leading instrument, first review, final review, least gain, raise least, raise most, relapse rise and score, trial dose and
# minutes, source.
SERIES_SOURCE = "house policy after CANMAT 2021 and Andrade, J Clin Psychiatry 2017"
RELAPSE = "Kroenke 2001: a change of 5 is reliable, 10 screens positive; house policy"
TRIAL = "ASRA/AAPM/ASA consensus 2018: at least 80 mg over more than 2 h before judging; house policy"
SERIES = (
    ("depression", "PHQ-9", "3", "6", "20", "0.1", "0.25", "5", "10", None, None, f"{SERIES_SOURCE}; {RELAPSE}"),
    ("anxiety", "GAD-7", "3", "6", "20", "0.1", "0.25", None, None, None, None, SERIES_SOURCE),
    ("ptsd", "PCL-5", "3", "6", "20", "0.1", "0.25", None, None, None, None, SERIES_SOURCE),
    ("ocd", "Y-BOCS", "3", "6", "20", "0.1", "0.25", None, None, None, None, SERIES_SOURCE),
    ("pain", "PEG", None, "6", "30", None, None, None, None, "80", "120", TRIAL),
)


def upgrade() -> None:
    """Inserts the rows, network-wide, and says of each older row its unit and source."""
    moment = FROM.replace(":", r"\:")
    for code, library, indication, dose, minutes, sessions, phase, days, rate, unit, source in PROTOCOLS:
        op.execute(
            "INSERT INTO protocol (protocol_code, version, library_code, indications, dose_mg_per_kg, duration_min,"
            " sessions_planned, phase, interval_days, dose_rate, dose_rate_unit, effective_from, source)"
            f" VALUES ({text(code)}, 1, {text(library)}, ARRAY[{text(indication)}], {dose}, {minutes}, {sessions},"
            f" {text(phase)}, {days or 'NULL'}, {rate or 'NULL'}, {text(unit)}, '{moment}', {text(source)})"
        )
    op.execute(f"UPDATE protocol SET source = {text(USUAL)} WHERE library_code = 'psychiatry' AND phase = 'induction'")
    op.execute(f"UPDATE protocol SET source = {text(ASRA)} WHERE protocol_code = 'pain'")
    for code, unit in UNITS.items():
        op.execute(f"UPDATE library_limit SET unit = {text(unit)} WHERE limit_code = {text(code)}")
    for library, code, severity, source in LIMIT_SOURCES:
        op.execute(
            f"UPDATE library_limit SET source = {text(source)} WHERE library_code = {text(library)}"
            f" AND limit_code = {text(code)} AND severity = {text(severity)}"
        )
    for ending, unit in NUMBER_UNITS:
        pattern = ending.replace("_", r"\_")
        op.execute(f"UPDATE policy_number SET unit = {text(unit)} WHERE unit = '' AND policy_code LIKE {text(pattern)}")
    for library in ("psychiatry", "pain"):
        op.execute(
            "INSERT INTO dosing_weight_rule (library_code, weight_rule, effective_from, source)"
            f" VALUES ({text(library)}, 'actual', '{moment}', 'Fava et al., Mol Psychiatry 2020: dose by actual weight')"
        )
    for row in SERIES:
        insert_series(moment, row)


def insert_series(moment: str, row: tuple[str | None, ...]) -> None:
    """One rule. Six infusions a series; 7 days between maintenance infusions, longer by 7, half on relapse, at most 28."""
    indication, instrument, first, final, gain, least, most, rise, score, trial_mg, trial_min, source = row
    op.execute(
        "INSERT INTO series_rule (indication, leading_instrument, first_review_after, final_review_after, min_gain_percent,"
        " raise_least_mg_per_kg, raise_most_mg_per_kg, remissions_in_a_row, interval_start_days, interval_step_days,"
        " interval_least_days, interval_most_days, relapse_interval_fraction, relapse_rise, relapse_least_score, trial_dose_mg,"
        " trial_minutes, result_window_days, effective_from, source)"
        f" VALUES ({text(indication)}, {text(instrument)}, {first or 'NULL'}, {final}, {gain}, {least or 'NULL'},"
        f" {most or 'NULL'}, 2, 7, 7, 3, 28, 0.5, {rise or 'NULL'}, {score or 'NULL'}, {trial_mg or 'NULL'},"
        f" {trial_min or 'NULL'}, 35, '{moment}', {text(source)})"
    )


def text(value: str | None) -> str:
    """A literal. Its colons are escaped: to SQLAlchemy they would begin a parameter."""
    return "NULL" if value is None else "'" + value.replace("'", "''").replace(":", r"\:") + "'"
