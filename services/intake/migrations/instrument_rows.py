"""The instruments that revision 0002 adds: versions, items, bands, rules and codes, as defaults to be reviewed. Frozen with that revision.

By item number: no wording of an item is kept, since that of some instruments is protected.
"""

from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal
from typing import Any

from intake.migrations.first_policy import FROM, HOUSE, PHQ9, PHQ9_VERSION

KROENKE = "Kroenke, Spitzer, Williams 2001, J Gen Intern Med 16:606"
SPITZER = "Spitzer, Kroenke, Williams, Loewe 2006, Arch Intern Med 166:1092"
PCL5 = "Weathers et al. 2013, National Center for PTSD, PTSD Checklist for DSM-5"
MARX = "Marx et al. 2022, Psychol Assess 34:197"
KREBS = "Krebs et al. 2009, J Gen Intern Med 24:733"
IMMPACT = "Dworkin et al. 2008, J Pain 9:105 (IMMPACT)"
GOODMAN = "Goodman et al. 1989, Arch Gen Psychiatry 46:1006"
OCD_CONSENSUS = "Mataix-Cols et al. 2016, World Psychiatry 15:80"
STORCH = "Storch et al. 2010, Psychol Assess 22:223"
PINCIOTTI = "Pinciotti et al. 2025, J Affect Disord 390:119719"
BUSH = "Bush et al. 1998, Arch Intern Med 158:1789"
BRADLEY = "Bradley et al. 2007, Alcohol Clin Exp Res 31:1208"
MADRS = "Montgomery, Asberg 1979, Br J Psychiatry 134:382"
FOA = "Foa et al. 2002, Psychol Assess 14:485"
ABRAMOVITCH = "Abramovitch et al. 2020, OCI-R severity benchmarks"
LOINC = "LOINC, as used by HL7 US Core"

# Instrument, version, items, highest answer (the lowest is 0), who rates, source. Answers may not be missing from any of them.
FORMS = (
    ("GAD-7", "2006", 7, 3, "person", SPITZER),
    ("PCL-5", "past-month", 20, 4, "person", PCL5),
    ("PCL-5", "past-week", 20, 4, "person", PCL5),
    ("PEG", "2009", 3, 10, "person", KREBS),
    ("Y-BOCS", "1989", 10, 4, "clinician", GOODMAN),
    ("Y-BOCS", "II-2010", 10, 5, "clinician", STORCH),
    ("AUDIT-C", "1998", 3, 4, "person", BUSH),
    ("MADRS", "1979", 10, 6, "clinician", MADRS),
    ("OCI-R", "2002", 18, 4, "person", FOA),
)

_PCL5_CLUSTERS = {"B": range(1, 6), "C": range(6, 8), "D": range(8, 15), "E": range(15, 21)}
_YBOCS_PARTS = {"obsessions": range(1, 6), "compulsions": range(6, 11)}
SUBSCALES: dict[tuple[str, str], Mapping[str, Sequence[int]]] = {
    ("PCL-5", "past-month"): _PCL5_CLUSTERS,
    ("PCL-5", "past-week"): _PCL5_CLUSTERS,
    ("Y-BOCS", "1989"): _YBOCS_PARTS,
    ("Y-BOCS", "II-2010"): _YBOCS_PARTS,
    ("OCI-R", "2002"): {
        "hoarding": (1, 7, 13),
        "checking": (2, 8, 14),
        "ordering": (3, 9, 15),
        "neutralizing": (4, 10, 16),
        "washing": (5, 11, 17),
        "obsessing": (6, 12, 18),
    },
}

# Instrument, version, code, lowest and highest total, source. PCL-5, PEG and AUDIT-C have no empirical bands.
BANDS = (
    ("GAD-7", "2006", "minimal", 0, 4, SPITZER),
    ("GAD-7", "2006", "mild", 5, 9, SPITZER),
    ("GAD-7", "2006", "moderate", 10, 14, SPITZER),
    ("GAD-7", "2006", "severe", 15, 21, SPITZER),
    ("Y-BOCS", "1989", "subclinical", 0, 7, GOODMAN),
    ("Y-BOCS", "1989", "mild", 8, 15, GOODMAN),
    ("Y-BOCS", "1989", "moderate", 16, 23, GOODMAN),
    ("Y-BOCS", "1989", "severe", 24, 31, GOODMAN),
    ("Y-BOCS", "1989", "extreme", 32, 40, GOODMAN),
    ("Y-BOCS", "II-2010", "subclinical", 0, 14, PINCIOTTI),
    ("Y-BOCS", "II-2010", "mild", 15, 21, PINCIOTTI),
    ("Y-BOCS", "II-2010", "moderate", 22, 34, PINCIOTTI),
    ("Y-BOCS", "II-2010", "severe", 35, 50, PINCIOTTI),
    ("MADRS", "1979", "normal", 0, 6, f"{HOUSE}, after the bands in common use"),
    ("MADRS", "1979", "mild", 7, 19, f"{HOUSE}, after the bands in common use"),
    ("MADRS", "1979", "moderate", 20, 34, f"{HOUSE}, after the bands in common use"),
    ("MADRS", "1979", "severe", 35, 60, f"{HOUSE}, after the bands in common use"),
    ("OCI-R", "2002", "mild", 0, 15, ABRAMOVITCH),
    ("OCI-R", "2002", "moderate", 16, 27, ABRAMOVITCH),
    ("OCI-R", "2002", "severe", 28, 72, ABRAMOVITCH),
)

SCORE, PERCENT, SYMPTOMS, PLACES = "{score}", "%", "{symptoms}", "{decimals}"
# Instrument, version, rule, value, unit, source.
RULES = (
    (PHQ9, PHQ9_VERSION, "cut.positive", "10", SCORE, KROENKE),
    (PHQ9, PHQ9_VERSION, "response.percent", "50", PERCENT, KROENKE),
    (PHQ9, PHQ9_VERSION, "remission.total", "4", SCORE, KROENKE),
    (PHQ9, PHQ9_VERSION, "reliable_change.points", "5", SCORE, "Loewe et al. 2004, Med Care 42:1194"),
    ("GAD-7", "2006", "cut.positive", "10", SCORE, SPITZER),
    ("GAD-7", "2006", "response.percent", "50", PERCENT, HOUSE),
    ("PCL-5", "past-month", "cut.positive", "33", SCORE, f"{HOUSE} within 31 to 33 of the National Center for PTSD"),
    ("PCL-5", "past-month", "symptom.item", "2", SCORE, PCL5),
    ("PCL-5", "past-month", "criteria.B", "1", SYMPTOMS, PCL5),
    ("PCL-5", "past-month", "criteria.C", "1", SYMPTOMS, PCL5),
    ("PCL-5", "past-month", "criteria.D", "2", SYMPTOMS, PCL5),
    ("PCL-5", "past-month", "criteria.E", "2", SYMPTOMS, PCL5),
    ("PCL-5", "past-month", "reliable_change.points", "15", SCORE, MARX),
    ("PCL-5", "past-month", "clinically_significant.total", "28", SCORE, MARX),
    # The cut-off and the criteria are about the past month: a weekly form has neither.
    ("PCL-5", "past-week", "symptom.item", "2", SCORE, PCL5),
    ("PCL-5", "past-week", "reliable_change.points", "15", SCORE, f"{HOUSE}, after {MARX}"),
    ("PCL-5", "past-week", "clinically_significant.total", "28", SCORE, f"{HOUSE}, after {MARX}"),
    ("PEG", "2009", "shown.mean_decimals", "1", PLACES, KREBS),
    ("PEG", "2009", "response.percent", "30", PERCENT, IMMPACT),
    ("Y-BOCS", "1989", "response.percent", "35", PERCENT, OCD_CONSENSUS),
    ("Y-BOCS", "1989", "remission.total", "12", SCORE, OCD_CONSENSUS),
    ("Y-BOCS", "II-2010", "response.percent", "35", PERCENT, f"{HOUSE}, after the first edition"),
    ("AUDIT-C", "1998", "cut.positive.female", "3", SCORE, BRADLEY),
    ("AUDIT-C", "1998", "cut.positive.male", "4", SCORE, BRADLEY),
    ("AUDIT-C", "1998", "cut.positive.other", "3", SCORE, HOUSE),
    ("MADRS", "1979", "response.percent", "50", PERCENT, HOUSE),
    ("MADRS", "1979", "remission.total", "10", SCORE, f"{HOUSE} (12 in one trial of ketamine)"),
    ("OCI-R", "2002", "cut.positive", "21", SCORE, FOA),
)

# Instrument, version, part, LOINC: those that are verified.
CODES = (
    (PHQ9, PHQ9_VERSION, "panel", "44249-1"),
    (PHQ9, PHQ9_VERSION, "total", "44261-6"),
    ("GAD-7", "2006", "total", "70274-6"),
    ("AUDIT-C", "1998", "panel", "72109-2"),
    ("AUDIT-C", "1998", "total", "75626-2"),
)
ITEM_CODES = {("AUDIT-C", "2"): "68519-8", ("AUDIT-C", "3"): "68520-6"}
# Instrument, version, position, item, highest answer, LOINC, source: asked and kept, in no total.
QUESTIONS = ((PHQ9, PHQ9_VERSION, 10, "difficulty", 3, "69722-7", KROENKE),)


def _items() -> Iterator[dict[str, Any]]:
    for name, version, count, highest, _rater, source in FORMS:
        parts = {number: code for code, numbers in SUBSCALES.get((name, version), {}).items() for number in numbers}
        for number in range(1, count + 1):
            item = str(number)
            yield {
                **_of(name, version, source),
                "position": number,
                "item": item,
                "lowest": 0,
                "highest": highest,
                "level": "",
                "loinc": ITEM_CODES.get((name, item), ""),
                "subscale": parts.get(number, ""),
            }


def _of(instrument: str, version: str, source: str) -> dict[str, Any]:
    return {"instrument": instrument, "version": version, "effective_from": FROM, "source": source}


def rows() -> dict[str, list[dict[str, Any]]]:
    """Table name -> rows. What they do not name has a default: the whole network, to be reviewed."""
    return {
        "instrument_form": [
            {**_of(name, version, source), "max_missing": 0, "rated_by": rater}
            for name, version, _count, _highest, rater, source in FORMS
        ],
        "instrument_item": list(_items()),
        "instrument_question": [
            {**_of(name, version, source), "position": position, "item": item, "lowest": 0, "highest": highest}
            | {"loinc": loinc}
            for name, version, position, item, highest, loinc, source in QUESTIONS
        ],
        "instrument_band": [
            {**_of(name, version, source), "code": code, "lowest": lowest, "highest": highest}
            for name, version, code, lowest, highest, source in BANDS
        ],
        "instrument_rule": [
            {**_of(name, version, source), "rule_code": code, "value": Decimal(value), "unit": unit}
            for name, version, code, value, unit, source in RULES
        ],
        "instrument_code": [
            {**_of(name, version, LOINC), "part": part, "loinc": loinc} for name, version, part, loinc in CODES
        ],
    }
