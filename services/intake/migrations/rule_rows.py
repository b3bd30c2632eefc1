"""The policy data that revision 0004 inserts: what a contraindication leads to, medications, gates, reasons. Frozen with that revision."""

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import sqlalchemy as sa

# These rows succeed those of the first release.
FROM = datetime(2026, 1, 1, tzinfo=UTC)
BEGINNING = datetime(2000, 1, 1, tzinfo=UTC)
HOUSE = "house policy"
LABEL = "Spravato (esketamine) prescribing information"
KETAMINE_LABEL = "Ketamine hydrochloride injection prescribing information"
ASRA = "ASRA/AAPM/ASA consensus guidelines on intravenous ketamine for chronic pain, 2018"
EXCLUSIONS = "Outpatient ketamine infusion programme, exclusion criteria, PMC6884875 table 1"
STOP_BANG = (
    "College of Physicians and Surgeons of British Columbia, draft standard (STOP-BANG, ECG, renal and liver tests)"
)
ASHTON = "Ashton 2002, The Ashton Manual: benzodiazepine equivalents"
CPT = "CPT, office or other outpatient evaluation and management"

NOBODY: tuple[str, ...] = ()
PHYSICIAN = ("MD", "DO")
PRESCRIBER = ("MD", "DO", "NP", "PA")
BLOOD_PRESSURE = ("monitor.blood_pressure_closer",)
SEDATION = ("monitor.sedation_closer", "recovery.longer")

# Code, level, licence types that may let it pass, what to watch, source.
CONTRAINDICATIONS: tuple[tuple[str, str, tuple[str, ...], tuple[str, ...], str], ...] = (
    ("ketamine_hypersensitivity", "block", NOBODY, (), LABEL),
    ("aneurysm_or_avm", "block", NOBODY, (), LABEL),
    ("intracerebral_hemorrhage_history", "block", NOBODY, (), LABEL),
    ("uncontrolled_hypertension", "block", PHYSICIAN, BLOOD_PRESSURE, KETAMINE_LABEL),
    ("blood_pressure_rise_hazard", "block", PHYSICIAN, BLOOD_PRESSURE, KETAMINE_LABEL),
    ("poorly_controlled_cardiovascular_disease", "block", PHYSICIAN, BLOOD_PRESSURE, ASRA),
    ("active_psychosis", "block", PHYSICIAN, (), ASRA),
    ("schizophrenia", "block", PHYSICIAN, (), ASRA),
    ("poorly_controlled_psychosis", "block", PHYSICIAN, (), ASRA),
    ("severe_hepatic_impairment", "block", NOBODY, (), ASRA),
    ("moderate_hepatic_impairment", "warn", NOBODY, ("monitor.liver_function",), ASRA),
    ("raised_intracranial_pressure", "block", PHYSICIAN, ("dose.lower_extreme_caution",), ASRA),
    ("raised_intraocular_pressure", "block", PHYSICIAN, ("dose.lower_extreme_caution",), ASRA),
    ("active_substance_use_disorder", "review", PRESCRIBER, ("plan.no_serial_infusions", "monitor.urine_drug_screen"), ASRA),
    ("pregnancy", "block", NOBODY, (), LABEL),
    ("lactation", "block", NOBODY, (), LABEL),
    ("bipolar_mania", "review", PRESCRIBER, (), EXCLUSIONS),
    ("personality_disorder_primary", "review", PRESCRIBER, (), EXCLUSIONS),
    ("benzodiazepine_over_2mg_lorazepam_equivalent", "review", PRESCRIBER, ("effect.may_be_blunted",), EXCLUSIONS),
    ("mao_inhibitor", "warn", NOBODY, BLOOD_PRESSURE, LABEL),
    ("psychostimulant", "warn", NOBODY, BLOOD_PRESSURE, LABEL),
    ("cns_depressant", "warn", NOBODY, SEDATION, LABEL),
    ("opioid", "warn", NOBODY, SEDATION, LABEL),
    ("barbiturate", "warn", NOBODY, SEDATION, LABEL),
    ("alcohol", "warn", NOBODY, SEDATION, LABEL),
    ("theophylline_or_aminophylline", "warn", NOBODY, ("monitor.seizure_threshold",), HOUSE),
    ("vasopressin_or_ergonovine", "warn", NOBODY, BLOOD_PRESSURE, HOUSE),
    ("lamotrigine", "warn", NOBODY, ("effect.may_be_blunted",), HOUSE),
    ("untreated_hyperthyroidism", "review", PRESCRIBER, BLOOD_PRESSURE, STOP_BANG),
    ("sleep_apnea", "review", PRESCRIBER, ("assess.stop_bang", *SEDATION), STOP_BANG),
    ("cystitis_symptoms", "warn", NOBODY, ("check.cystitis_every_sessions",), HOUSE),
)  # fmt: skip
OF_THOSE_WHO_CAN_BE_PREGNANT = ("pregnancy", "lactation")

# Code -> interactions that it stands for, and how many mg equal 1 mg lorazepam by mouth (benzodiazepines only).
MEDICATIONS: dict[str, tuple[tuple[str, ...], str | None]] = {
    "lorazepam": (("cns_depressant",), "1"), "diazepam": (("cns_depressant",), "10"),
    "alprazolam": (("cns_depressant",), "0.5"), "clonazepam": (("cns_depressant",), "0.5"),
    "temazepam": (("cns_depressant",), "20"), "oxazepam": (("cns_depressant",), "20"),
    "chlordiazepoxide": (("cns_depressant",), "25"),
    "zolpidem": (("cns_depressant",), None), "gabapentin": (("cns_depressant",), None),
    "phenelzine": (("mao_inhibitor",), None), "tranylcypromine": (("mao_inhibitor",), None),
    "isocarboxazid": (("mao_inhibitor",), None), "selegiline": (("mao_inhibitor",), None),
    "amphetamine": (("psychostimulant",), None), "lisdexamfetamine": (("psychostimulant",), None),
    "methylphenidate": (("psychostimulant",), None), "modafinil": (("psychostimulant",), None),
    "oxycodone": (("opioid", "cns_depressant"), None), "hydrocodone": (("opioid", "cns_depressant"), None),
    "morphine": (("opioid", "cns_depressant"), None), "buprenorphine": (("opioid", "cns_depressant"), None),
    "phenobarbital": (("barbiturate", "cns_depressant"), None), "butalbital": (("barbiturate", "cns_depressant"), None),
    "theophylline": (("theophylline_or_aminophylline",), None), "aminophylline": (("theophylline_or_aminophylline",), None),
    "vasopressin": (("vasopressin_or_ergonovine",), None), "ergonovine": (("vasopressin_or_ergonovine",), None),
    "lamotrigine": (("lamotrigine",), None),
    "sertraline": ((), None), "escitalopram": ((), None), "venlafaxine": ((), None), "bupropion": ((), None),
    "lisinopril": ((), None), "metformin": ((), None), "levothyroxine": ((), None), "ibuprofen": ((), None),
}  # fmt: skip

# Interactions that the label names; the others are house policy, as is that a medication has none.
LABELLED = {"cns_depressant", "opioid", "barbiturate", "mao_inhibitor", "psychostimulant"}

CONSENT = "Arizona Administrative Code R4-22-503; house policy"
# Gate, code, position, licence types that may let it pass, source. All block.
GATES = (
    ("clearance", "flag.review.none_overdue", 7, NOBODY, HOUSE),
    ("clearance", "pregnancy.test.negative", 8, PRESCRIBER, LABEL),
    ("start", "age.minimum", 4, NOBODY, HOUSE),
    ("start", "pregnancy.absent_at_clearance", 5, NOBODY, LABEL),
    ("start", "consent.ketamine.for_series", 6, NOBODY, CONSENT),
    ("start", "flag.review.none_overdue", 7, NOBODY, HOUSE),
    ("start", "privilege.administer", 8, NOBODY, "house policy after A.A.C. R4-19-508"),
)

NUMBERS = (
    ("pregnancy.asked_from_years", "10", "a", HOUSE),
    ("pregnancy.asked_until_years", "55", "a", HOUSE),
    ("pregnancy.test_valid_days", "7", "d", HOUSE),
    ("benzodiazepine.review_over_lorazepam_mg", "2", "mg/d", EXCLUSIONS),
    ("cystitis.check_every_sessions", "6", "{sessions}", HOUSE),
    ("evaluation.new_patient_after_years", "3", "a", CPT),
)

# A flag of these is cleared only after a C-SSRS of the day on which it was raised, or later.
NEEDS_CSSRS = ("phq9.item9", "cssrs.moderate")

REASONS = {
    "match.not_same": (
        "different_identity_document", "different_birth_certificate", "relative_with_same_name", "twin",
        "confirmed_by_person", "confirmed_by_previous_clinic",
    ),
    # Only of people that a simulation drew.
    "match.not_same.synthetic": ("drawn_by_another_run",),
    "eligibility.decision": (
        "psychiatrist_evaluated_stable", "cleared_by_specialist", "controlled_under_treatment", "benefit_outweighs_risk",
        "in_remission", "dose_reduced_or_tapered", "cannot_be_pregnant", "risk_outweighs_benefit", "not_enough_known",
    ),
    "follow_up.outcome": ("reached_well", "reached_concern", "reached_advised", "not_reached", "seen_in_person"),
}  # fmt: skip

EVALUATIONS = {
    "99202": True,
    "99203": True,
    "99204": True,
    "99205": True,
    "99213": False,
    "99214": False,
    "99215": False,
}
SEXES = {"FEMALE": True, "MALE": False, "OTHER": True, "UNKNOWN": True}

_LIST = sa.ARRAY(sa.Text)
KINDS: dict[str, tuple[Any, ...]] = {
    "may_override": (_LIST,),
    "monitoring_codes": (_LIST,),
    "interaction_codes": (_LIST,),
}


def rows() -> dict[str, list[dict[str, Any]]]:
    """Table name -> rows."""
    new = {"effective_from": BEGINNING, "source": HOUSE}
    return {
        "contraindication": [
            {"code": code, "level": level, "asked_of": _asked_of(code), "may_override": list(who), "source": source}
            | {"monitoring_codes": list(watch), "effective_from": FROM}
            for code, level, who, watch, source in CONTRAINDICATIONS
        ],
        "gate_rule": [
            {"gate": gate, "code": code, "position": position, "level": "block", "may_override": list(who)}
            | {"source": source, "effective_from": FROM}
            for gate, code, position, who, source in GATES
        ],
        "policy_number": [
            {"policy_code": code, "value": Decimal(value), "unit": unit, "source": source, "effective_from": BEGINNING}
            for code, value, unit, source in NUMBERS
        ],
        "medication": [
            {"code": code, "interaction_codes": list(found), "effective_from": BEGINNING}
            | {"equal_to_1_mg_lorazepam_mg": Decimal(mg) if mg else None, "source": _source(found, mg)}
            for code, (found, mg) in MEDICATIONS.items()
        ],
        "reason_code": [
            {**new, "list_code": name, "reason_code": code, "allowed": True}
            for name, codes in REASONS.items()
            for code in codes
        ],
        "evaluation_code": [
            {**new, "cpt_code": code, "new_patient": is_new, "source": CPT} for code, is_new in EVALUATIONS.items()
        ],
        "pregnancy_question": [
            {**new, "administrative_sex": f"ADMINISTRATIVE_SEX_{sex}", "asked": asked} for sex, asked in SEXES.items()
        ],
    }


def _source(interactions: tuple[str, ...], lorazepam_mg: str | None) -> str:
    """Where the row of a medication rests."""
    if lorazepam_mg:
        return ASHTON
    return LABEL if LABELLED & set(interactions) else HOUSE


def _asked_of(code: str) -> str:
    return "can_be_pregnant" if code in OF_THOSE_WHO_CAN_BE_PREGNANT else "everyone"
