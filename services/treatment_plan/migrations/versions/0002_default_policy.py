"""Default protocols, drug libraries and numbers of policy. Every row waits for the medical director's review.

Sources: 0.5 mg/kg over 40 min in a series of six is the usual psychiatric protocol, 0.1 to 1.0 mg/kg the range that was studied (Fava et
al., Mol Psychiatry 2020; Andrade, J Clin Psychiatry 2017). 0.35 mg/kg/h over 4 h on ten days is a protocol for complex regional pain
syndrome (ASRA/AAPM/ASA consensus, Reg Anesth Pain Med 2018). Absolute limits, the range of weights, the pump's range and the numbers of
policy are house policy. 176 lb typed as kg gives 88 mg: inside every limit by weight, so the absolute limit has to catch it.
"""

from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

FROM = "2020-01-01T00:00:00Z"
REVIEW = "default, to be reviewed"
INDUCTION = ("0.5", 40, 6)
# protocol_code, library_code, indication, mg/kg over the whole infusion, minutes, sessions.
PROTOCOLS = (
    ("depression", "psychiatry", "depression", *INDUCTION),
    ("anxiety", "psychiatry", "anxiety", *INDUCTION),
    ("ptsd", "psychiatry", "ptsd", *INDUCTION),
    ("ocd", "psychiatry", "ocd", *INDUCTION),
    ("pain", "pain", "pain", "1.4", 240, 10),
)
# library_code, limit_code, severity, lower, upper; None leaves a side open.
LIMITS = (
    ("psychiatry", "weight_kg", "hard", "35", "200"),
    ("psychiatry", "dose_mg_per_kg", "soft", "0.3", "0.75"),
    ("psychiatry", "dose_mg_per_kg", "hard", "0.1", "1.0"),
    ("psychiatry", "duration_min", "soft", "40", "60"),
    ("psychiatry", "duration_min", "hard", "30", "120"),
    ("psychiatry", "rate_mg_per_kg_per_min", "hard", None, "0.025"),
    ("psychiatry", "absolute_dose_mg", "soft", None, "60"),
    ("psychiatry", "absolute_dose_mg", "hard", None, "120"),
    ("psychiatry", "rate_ml_per_h", "hard", "1", "999"),
    ("pain", "weight_kg", "hard", "35", "200"),
    ("pain", "rate_mg_per_kg_per_h", "soft", "0.1", "0.35"),
    ("pain", "rate_mg_per_kg_per_h", "hard", "0.05", "0.5"),
    ("pain", "duration_min", "hard", "30", "300"),
    ("pain", "dose_mg_per_kg", "hard", None, "2"),
    ("pain", "absolute_dose_mg", "hard", None, "200"),
    ("pain", "rate_ml_per_h", "hard", "1", "999"),
)
# Milligrams in a millilitre of the finished bag: each is an entry of its own.
CONCENTRATIONS = (
    ("psychiatry", "0.5"),
    ("psychiatry", "1"),
    ("psychiatry", "2"),
    ("pain", "0.5"),
    ("pain", "1"),
    ("pain", "2"),
)
# The unit is the end of the code: _s seconds, _h hours, _ml millilitres, _fraction of one.
NUMBERS = (
    ("order_expiry_h", "24"),
    ("weight_tolerance_fraction", "0.10"),
    ("echo_max_age_s", "120"),
    ("echo_max_ahead_s", "5"),
    ("discrepancy_fraction", "0.05"),
    ("discrepancy_ml", "0.5"),
)


def upgrade() -> None:
    """Inserts the rows, network-wide."""
    for code, library, indication, dose, minutes, sessions in PROTOCOLS:
        op.execute(
            "INSERT INTO protocol (protocol_code, version, library_code, indications, dose_mg_per_kg, duration_min,"
            " sessions_planned, effective_from, review_state)"
            f" VALUES ('{code}', 1, '{library}', ARRAY['{indication}'], {dose}, {minutes}, {sessions},"
            f" {moment()}, '{REVIEW}')"
        )
    for library, limit, severity, lower, upper in LIMITS:
        op.execute(
            "INSERT INTO library_limit (library_code, limit_code, severity, scope, effective_from, lower_bound, upper_bound,"
            " review_state)"
            f" VALUES ('{library}', '{limit}', '{severity}', 'network', {moment()}, {lower or 'NULL'}, {upper or 'NULL'},"
            f" '{REVIEW}')"
        )
    for library, concentration in CONCENTRATIONS:
        op.execute(
            "INSERT INTO library_concentration (library_code, concentration_mg_per_ml, scope, effective_from, in_use, review_state)"
            f" VALUES ('{library}', {concentration}, 'network', {moment()}, true, '{REVIEW}')"
        )
    for code, value in NUMBERS:
        op.execute(
            "INSERT INTO policy_number (policy_code, scope, effective_from, value, review_state)"
            f" VALUES ('{code}', 'network', {moment()}, {value}, '{REVIEW}')"
        )


def moment() -> str:
    """The time literal. Its colons are escaped: to SQLAlchemy they would begin a parameter."""
    return "'" + FROM.replace(":", r"\:") + "'"
