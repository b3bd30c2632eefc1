"""What a person said about contraindications, and what their medications say for them.

Benzodiazepines are added up as lorazepam equivalents (Ashton 2002); above a daily amount a reviewer decides (PMC6884875 table 1).
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation

from chassis.errors import Finding, InvalidArgument

YES, NO, UNKNOWN = "yes", "no", "unknown"
NOT_ASKED = "not_asked"
BENZODIAZEPINES = "benzodiazepine_over_2mg_lorazepam_equivalent"


@dataclass(frozen=True)
class Drug:
    """A medication of the policy data. `equal_to_1_mg_lorazepam_mg` is None for all but benzodiazepines."""

    interactions: tuple[str, ...]
    equal_to_1_mg_lorazepam_mg: Decimal | None


def said(yes_codes: Sequence[str], answers: Sequence[tuple[str, str]], known: Iterable[str]) -> dict[str, str]:
    """Code -> answer. InvalidArgument with every finding: an unknown code, one answered twice, or yes in one list and not in the other."""
    rule = f"must be one of: {', '.join(sorted(known))}"
    given: dict[str, str] = {}
    findings = [Finding(f"contraindication_codes[{n}]", rule) for n, code in enumerate(yes_codes) if code not in known]
    for number, (code, answer) in enumerate(answers):
        if code not in known:
            findings.append(Finding(f"answers[{number}].code", rule))
        elif code in given:
            findings.append(Finding(f"answers[{number}].code", "each question may be answered once"))
        elif code in yes_codes and answer != YES:
            findings.append(Finding(f"answers[{number}].answer", "must agree with contraindication_codes"))
        given[code] = answer
    if findings:
        raise InvalidArgument(findings[0].field, findings[0].rule, findings=findings)
    return given | dict.fromkeys(yes_codes, YES)


def from_medications(
    taken: Sequence[tuple[str, str]], drugs: Mapping[str, Drug], most_lorazepam_mg: Decimal
) -> set[str]:
    """Contraindication codes to which the medications say yes. `taken`: code and mg a day as text.

    InvalidArgument for a medication that the policy does not know, and for a benzodiazepine without its daily dose.
    """
    found: set[str] = set()
    findings: list[Finding] = []
    lorazepam_mg = Decimal(0)
    for number, (code, dose) in enumerate(taken):
        drug = drugs.get(code)
        if drug is None:
            findings.append(Finding(f"medications[{number}].code", "must be a medication of the policy data"))
            continue
        found.update(drug.interactions)
        daily_mg = _positive(dose)
        if drug.equal_to_1_mg_lorazepam_mg is not None and daily_mg is not None:
            lorazepam_mg += daily_mg / drug.equal_to_1_mg_lorazepam_mg
        elif drug.equal_to_1_mg_lorazepam_mg is not None or (dose and daily_mg is None):
            findings.append(Finding(f"medications[{number}].daily_dose_mg", "must be a decimal number of mg above 0"))
    if findings:
        raise InvalidArgument(findings[0].field, findings[0].rule, findings=findings)
    return found | ({BENZODIAZEPINES} if lorazepam_mg > most_lorazepam_mg else set())


def _positive(text: str) -> Decimal | None:
    try:
        value = Decimal(text)
    except InvalidOperation:
        return None
    return value if value.is_finite() and value > 0 else None


def unasked(questions: Iterable[str], given: Mapping[str, str]) -> list[str]:
    """Questions without an answer, by code."""
    return sorted(code for code in questions if code not in given)
