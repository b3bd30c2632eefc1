"""The table of contraindications, precautions and interactions, row by row, as the policy data ships it."""

from typing import NamedTuple

from intake.domain.answers import BENZODIAZEPINES
from intake.migrations import rule_rows

NOBODY: tuple[str, ...] = ()
PHYSICIAN = ("MD", "DO")
PRESCRIBER = ("MD", "DO", "NP", "PA")
BLOOD_PRESSURE = "monitor.blood_pressure_closer"


class Rule(NamedTuple):
    """What a yes leads to, who may let it pass, what is watched."""

    level: str
    override: tuple[str, ...]
    watch: tuple[str, ...]


RULES = {code: Rule(level, who, watch) for code, level, who, watch, _ in rule_rows.CONTRAINDICATIONS}


def test_hypersensitivity() -> None:
    """| Hypersensitivity to ketamine/esketamine | block |"""
    assert RULES["ketamine_hypersensitivity"] == Rule("block", NOBODY, ())


def test_vessels_of_the_brain() -> None:
    """| Aneurysmal vascular disease, AV malformation, history of intracerebral haemorrhage | block (label contraindication for
    esketamine) |
    """
    for code in ("aneurysm_or_avm", "intracerebral_hemorrhage_history"):
        assert RULES[code] == Rule("block", NOBODY, ())


def test_blood_pressure() -> None:
    """| Condition where BP rise is a serious hazard; poorly controlled cardiovascular disease; uncontrolled hypertension | block until
    cleared |
    """
    for code in (
        "blood_pressure_rise_hazard",
        "poorly_controlled_cardiovascular_disease",
        "uncontrolled_hypertension",
    ):
        assert RULES[code] == Rule("block", PHYSICIAN, (BLOOD_PRESSURE,))


def test_psychosis() -> None:
    """| Active psychosis / schizophrenia / poorly controlled psychosis | block, psychiatrist override |"""
    for code in ("active_psychosis", "schizophrenia", "poorly_controlled_psychosis"):
        assert RULES[code] == Rule("block", PHYSICIAN, ())


def test_liver() -> None:
    """| Severe hepatic impairment | block; moderate -> monitor LFT |"""
    assert RULES["severe_hepatic_impairment"] == Rule("block", NOBODY, ())
    assert RULES["moderate_hepatic_impairment"] == Rule("warn", NOBODY, ("monitor.liver_function",))


def test_pressure_in_skull_and_eye() -> None:
    """| Raised intracranial / intra-ocular pressure | block or lower dose with extreme caution |"""
    for code in ("raised_intracranial_pressure", "raised_intraocular_pressure"):
        assert RULES[code] == Rule("block", PHYSICIAN, ("dose.lower_extreme_caution",))


def test_substance_use() -> None:
    """| Active substance use disorder | no serial infusions; UDS, monitoring |"""
    found = RULES["active_substance_use_disorder"]
    assert found == Rule("review", PRESCRIBER, ("plan.no_serial_infusions", "monitor.urine_drug_screen"))


def test_pregnancy() -> None:
    """| Pregnancy / lactation | block; pregnancy test for those who can be pregnant |"""
    for code in rule_rows.OF_THOSE_WHO_CAN_BE_PREGNANT:
        assert RULES[code] == Rule("block", NOBODY, ())
    assert ("clearance", "pregnancy.test.negative") in {gate[:2] for gate in rule_rows.GATES}


def test_bipolar_and_personality() -> None:
    """| Bipolar with mania, personality disorder as primary dx | prescriber review |"""
    for code in ("bipolar_mania", "personality_disorder_primary"):
        assert RULES[code] == Rule("review", PRESCRIBER, ())


def test_benzodiazepines() -> None:
    """| Benzodiazepine >2 mg/d lorazepam-eq. | prescriber review (may blunt effect) |"""
    assert RULES[BENZODIAZEPINES] == Rule("review", PRESCRIBER, ("effect.may_be_blunted",))
    assert ("benzodiazepine.review_over_lorazepam_mg", "2", "mg/d") in {number[:3] for number in rule_rows.NUMBERS}


def test_mao_inhibitors_and_stimulants() -> None:
    """| MAO inhibitor; psychostimulant | closer BP monitoring |"""
    for code in ("mao_inhibitor", "psychostimulant"):
        assert RULES[code] == Rule("warn", NOBODY, (BLOOD_PRESSURE,))


def test_depressants() -> None:
    """| CNS depressants, opioids, barbiturates, alcohol | closer sedation monitoring; longer recovery |"""
    for code in ("cns_depressant", "opioid", "barbiturate", "alcohol"):
        assert RULES[code] == Rule("warn", NOBODY, ("monitor.sedation_closer", "recovery.longer"))


def test_what_is_only_warned_of() -> None:
    """| Theophylline/aminophylline (seizure threshold), vasopressin/ergonovine (BP) , lamotrigine (blunts) | warn |"""
    assert RULES["theophylline_or_aminophylline"] == Rule("warn", NOBODY, ("monitor.seizure_threshold",))
    assert RULES["vasopressin_or_ergonovine"] == Rule("warn", NOBODY, (BLOOD_PRESSURE,))
    assert RULES["lamotrigine"] == Rule("warn", NOBODY, ("effect.may_be_blunted",))


def test_thyroid_and_sleep() -> None:
    """| Untreated hyperthyroidism, sleep apnoea (STOP-BANG) | review |"""
    assert RULES["untreated_hyperthyroidism"].level == RULES["sleep_apnea"].level == "review"
    assert "assess.stop_bang" in RULES["sleep_apnea"].watch


def test_bladder() -> None:
    """| Cystitis symptoms on repeated use | check each N sessions |"""
    assert RULES["cystitis_symptoms"] == Rule("warn", NOBODY, ("check.cystitis_every_sessions",))
    assert "cystitis.check_every_sessions" in {number[0] for number in rule_rows.NUMBERS}
