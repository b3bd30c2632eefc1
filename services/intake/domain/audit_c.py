"""AUDIT-C, the three questions of the Alcohol Use Disorders Identification Test about consumption.

Bush 1998 (Arch Intern Med 158:1789); a cut-off for each sex: Bradley 2007 (Alcohol Clin Exp Res 31:1208). For an administrative sex that
is neither the lower cut-off is used (house policy). Points from question 1 alone probably mean drinking below the limits: a clinician
looks at them.
"""

from collections.abc import Mapping
from dataclasses import replace

from intake.domain import summed
from intake.domain.scale import Form, Score

INSTRUMENT = "AUDIT-C"
FREQUENCY, AMOUNT, BINGE = "1", "2", "3"
REVIEW_Q1_ONLY = "review_q1_only"
CUT_OF_SEX = {
    "ADMINISTRATIVE_SEX_FEMALE": "cut.positive.female",
    "ADMINISTRATIVE_SEX_MALE": "cut.positive.male",
}
CUT_OF_OTHERS = "cut.positive.other"


def score(form: Form, given: Mapping[str, int], administrative_sex: str) -> Score:
    """Sum and cut-off, from answers that `checked_answers` has passed. `administrative_sex`: the contract's name of it."""
    found = summed.score(form, given)
    if found.total is None:
        return found
    findings = summed.cut(form, found.total, CUT_OF_SEX.get(administrative_sex, CUT_OF_OTHERS))
    if given[FREQUENCY] > 0 and given[AMOUNT] == given[BINGE] == 0:
        findings = (*findings, REVIEW_Q1_ONLY)
    return replace(found, findings=findings)
