"""The policy data that revision 0001 inserts: defaults, to be reviewed by a medical director. Frozen with that revision.

Later changes are rows of later revisions, or rows that a site adds: this file is never edited.
"""

from collections.abc import Iterator
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

FROM = datetime(2000, 1, 1, tzinfo=UTC)
DEFAULT = "default, to be reviewed"
HOUSE = "house policy"
KROENKE = "Kroenke, Spitzer, Williams 2001, J Gen Intern Med 16:606"
CSSRS = "Columbia Lighthouse Project, C-SSRS screener with triage points; Posner et al. 2011, Am J Psychiatry 168:1266"
LABEL = "Spravato (esketamine) prescribing information"
KETAMINE_LABEL = "Ketamine hydrochloride injection prescribing information"
ASRA = "ASRA/AAPM/ASA consensus guidelines on intravenous ketamine for chronic pain, 2018"
EXCLUSIONS = "Outpatient ketamine infusion programme, exclusion criteria, PMC6884875 table 1"
ICD = "ICD-10-CM, April 2026 release"

PHQ9 = "PHQ-9"
SCREENER = "C-SSRS-SCREENER"
PHQ9_VERSION = "2001"
LIFETIME_RECENT = "lifetime-recent"
SINCE_LAST_VISIT = "since-last-visit"

NUMBERS = (
    ("age.minimum_years", "18", HOUSE),
    ("identity.oldest_years", "130", HOUSE),
    ("match.threshold", "0.80", HOUSE),
    ("match.most_candidates", "20", HOUSE),
    ("match.weight.family_name", "0.30", HOUSE),
    ("match.weight.given_name", "0.25", HOUSE),
    ("match.weight.birth_date", "0.30", HOUSE),
    ("match.weight.phone", "0.05", HOUSE),
    ("match.weight.email", "0.05", HOUSE),
    ("match.weight.postal_code", "0.05", HOUSE),
    ("clearance.valid_days", "180", HOUSE),
    ("clearance.screening_valid_days", "30", HOUSE),
    ("follow_up.after_session_hours", "24", HOUSE),
)

FORMS = ((PHQ9, PHQ9_VERSION, 2, HOUSE), (SCREENER, LIFETIME_RECENT, 0, CSSRS), (SCREENER, SINCE_LAST_VISIT, 0, CSSRS))

PHQ9_LOINC = ("44250-9", "44255-8", "44259-0", "44254-1", "44251-7", "44258-2", "44252-5", "44253-3", "44260-8")
# Item, level that a yes stands for, LOINC.
SCREENER_ITEMS = (
    ("1", "low", "93246-7"),
    ("2", "low", "93247-5"),
    ("3", "moderate", "93248-3"),
    ("4", "high", "93249-1"),
    ("5", "high", "93250-9"),
)
BEHAVIOUR_ITEMS = (
    (LIFETIME_RECENT, "6.lifetime", "moderate", "93267-3"),
    (LIFETIME_RECENT, "6.3months", "high", "93269-9"),
    (SINCE_LAST_VISIT, "6", "high", ""),
)

BANDS = (("minimal", 0, 4), ("mild", 5, 9), ("moderate", 10, 14), ("moderately_severe", 15, 19), ("severe", 20, 27))

# Reason code, blocks, minutes until due (None: the end of the same day at the site).
FLAGS = (
    ("cssrs.high", True, 15, HOUSE),
    ("cssrs.incomplete", True, 15, HOUSE),
    ("cssrs.moderate", False, None, HOUSE),
    ("phq9.item9", False, None, HOUSE),
    ("phq9.incomplete", True, 15, HOUSE),
)

GROUPS = {
    "depression": (
        "F32.0", "F32.1", "F32.2", "F32.3", "F32.4", "F32.5", "F32.89", "F32.9", "F32.A", "F33", "F31.30", "F31.32", "F34.1",
    ),
    "anxiety": ("F41.0", "F41.1", "F41.8", "F41.9", "F40.10"),
    "ptsd": ("F43.1", "F43.81"),
    "ocd": ("F42",),
    "pain": ("G89.0", "G89.2", "G89.4", "G90.5", "M79.7", "G43.709"),
}  # fmt: skip

CONTRAINDICATIONS = (
    ("ketamine_hypersensitivity", "block", LABEL),
    ("aneurysm_or_avm", "block", LABEL),
    ("intracerebral_hemorrhage_history", "block", LABEL),
    ("uncontrolled_hypertension", "block", KETAMINE_LABEL),
    ("blood_pressure_rise_hazard", "block", KETAMINE_LABEL),
    ("poorly_controlled_cardiovascular_disease", "block", ASRA),
    ("active_psychosis", "block", ASRA),
    ("schizophrenia", "block", ASRA),
    ("severe_hepatic_impairment", "block", ASRA),
    ("raised_intracranial_pressure", "block", ASRA),
    ("raised_intraocular_pressure", "block", ASRA),
    ("pregnancy", "block", LABEL),
    ("lactation", "block", LABEL),
    ("active_substance_use_disorder", "review", ASRA),
    ("moderate_hepatic_impairment", "review", ASRA),
    ("bipolar_mania", "review", EXCLUSIONS),
    ("personality_disorder_primary", "review", EXCLUSIONS),
    ("benzodiazepine_over_2mg_lorazepam_equivalent", "review", EXCLUSIONS),
    ("mao_inhibitor", "review", LABEL),
    ("psychostimulant", "review", LABEL),
    ("cns_depressant", "review", LABEL),
    ("theophylline_or_aminophylline", "review", HOUSE),
    ("vasopressin_or_ergonovine", "review", HOUSE),
    ("lamotrigine", "review", HOUSE),
    ("untreated_hyperthyroidism", "review", HOUSE),
    ("sleep_apnea", "review", HOUSE),
    ("cystitis_symptoms", "review", HOUSE),
)

# Rules of each gate in order. The contraindications of their own table come after those of the clearance.
CONSENT_SOURCE = "Arizona Administrative Code R4-22-503; house policy"
GATES = {
    "clearance": (
        ("age.minimum", HOUSE),
        ("consent.ketamine.in_force", CONSENT_SOURCE),
        ("phq9.done", HOUSE),
        ("cssrs.done", HOUSE),
        ("flag.blocking.none_open", HOUSE),
        ("diagnosis.for_indication", f"house policy over {ICD}"),
    ),
    "start": (
        ("consent.ketamine.in_force", CONSENT_SOURCE),
        ("flag.blocking.none_open", HOUSE),
        ("clearance.in_force", HOUSE),
    ),
}


def _row(source: str, **columns: Any) -> dict[str, Any]:
    return {**columns, "effective_from": FROM, "effective_until": None, "source": source, "status": DEFAULT}


def _items() -> Iterator[dict[str, Any]]:
    for position, loinc in enumerate(PHQ9_LOINC, 1):
        yield _item(PHQ9, PHQ9_VERSION, position, str(position), 3, "", loinc, KROENKE)
    for version in (LIFETIME_RECENT, SINCE_LAST_VISIT):
        behaviour = [row[1:] for row in BEHAVIOUR_ITEMS if row[0] == version]
        for position, (item, level, loinc) in enumerate((*SCREENER_ITEMS, *behaviour), 1):
            yield _item(SCREENER, version, position, item, 1, level, loinc, CSSRS)


def _item(
    instrument: str, version: str, position: int, item: str, highest: int, level: str, loinc: str, source: str
) -> dict[str, Any]:
    return _row(
        source,
        instrument=instrument,
        version=version,
        position=position,
        item=item,
        lowest=0,
        highest=highest,
        level=level,
        loinc=loinc,
    )


def rows() -> dict[str, list[dict[str, Any]]]:
    """Table name -> rows."""
    return {
        "policy_value": [_row(source, code=code, value=Decimal(value)) for code, value, source in NUMBERS],
        "instrument_form": [
            _row(s, instrument=name, version=version, max_missing=most) for name, version, most, s in FORMS
        ],
        "instrument_item": list(_items()),
        "instrument_band": [
            _row(KROENKE, instrument=PHQ9, version=PHQ9_VERSION, code=code, lowest=lowest, highest=highest)
            for code, lowest, highest in BANDS
        ],
        "flag_policy": [_row(s, reason_code=code, blocks=blocks, due_minutes=due) for code, blocks, due, s in FLAGS],
        "diagnosis_group": [
            _row(ICD, indication=name, code_group=code) for name, codes in GROUPS.items() for code in codes
        ],
        "contraindication": [_row(source, code=code, level=level) for code, level, source in CONTRAINDICATIONS],
        "gate_rule": [
            _row(source, gate=gate, code=code, position=position, level="block")
            for gate, rules in GATES.items()
            for position, (code, source) in enumerate(rules, 1)
        ],
    }
