"""A scored form: its items, its bands, and the answers that were given to it."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from decimal import ROUND_HALF_UP, Decimal

from chassis.errors import FailedPrecondition, Finding, InvalidArgument

# Band of a result that has too few answers to be scored, but misses none of the answers that safety rests on.
NOT_SCORABLE = "not_scorable"
# Band of a result that misses an answer that safety rests on: flagged, never taken as negative.
INCOMPLETE = "incomplete"
PERSON = "person"
CLINICIAN = "clinician"


@dataclass(frozen=True)
class Item:
    """One item as the instrument numbers it, with its inclusive range. `level` is the risk level a yes stands for, or empty.

    An item that is not `scored` is asked and kept, and enters no total. `subscale` is the part that it belongs to, or empty.
    """

    name: str
    lowest: int
    highest: int
    level: str = ""
    scored: bool = True
    subscale: str = ""


@dataclass(frozen=True)
class Band:
    """An inclusive range of totals and its code."""

    code: str
    lowest: int
    highest: int


@dataclass(frozen=True)
class Form:
    """One version of an instrument. `max_missing` is how many answers may be missing from a total that is still scored.

    `rules`: numbers of the policy data by code ("cut.positive", "response.percent"); a rule that is not there does not apply.
    `rated_by`: who gives the answers, PERSON or CLINICIAN.
    """

    instrument: str
    version: str
    items: tuple[Item, ...]
    bands: tuple[Band, ...]
    max_missing: int
    rules: Mapping[str, Decimal] = field(default_factory=dict)
    rated_by: str = PERSON


@dataclass(frozen=True)
class Subscore:
    """The sum of a part. `symptoms`: how many of its items count as a symptom, where the form has such a rule."""

    code: str
    total: int
    symptoms: int | None = None


@dataclass(frozen=True)
class Score:
    """What the answers come to. `total` is None where the form has none or it cannot be told. `flags` are stable reason codes.

    `band` is empty for a form without bands. `findings` are what the result shows by itself, such as "cut_positive".
    """

    total: int | None
    band: str
    prorated: bool
    flags: tuple[str, ...]
    findings: tuple[str, ...] = ()
    subscores: tuple[Subscore, ...] = ()


def checked_answers(form: Form, answers: Iterable[tuple[str, int]]) -> dict[str, int]:
    """Answers by item name. InvalidArgument with every finding: unknown item, item answered twice, value out of its range."""
    items = {item.name: item for item in form.items}
    given: dict[str, int] = {}
    findings: list[Finding] = []
    for position, (name, value) in enumerate(answers):
        item = items.get(name)
        if item is None:
            findings.append(Finding(f"answers[{position}].item", f"must be an item of this form: {', '.join(items)}"))
        elif name in given:
            findings.append(Finding(f"answers[{position}].item", "each item may be answered once"))
        elif not item.lowest <= value <= item.highest:
            rule = f"must be from {item.lowest} to {item.highest} for this item"
            findings.append(Finding(f"answers[{position}].value", rule))
        else:
            given[name] = value
    if findings:
        raise InvalidArgument(findings[0].field, findings[0].rule, findings=findings)
    return given


def band_of(form: Form, total: int) -> str:
    """The code of the band that holds a total; empty for a form without bands. POLICY_INCOMPLETE when they leave a gap."""
    if not form.bands:
        return ""
    for band in form.bands:
        if band.lowest <= total <= band.highest:
            return band.code
    raise FailedPrecondition(
        "POLICY_INCOMPLETE", field="instrument", rule="the bands of the form must cover every total"
    )


def missing_items(form: Form, given: Mapping[str, int]) -> list[str]:
    """Names of the scored items without an answer, in the form's order."""
    return [item.name for item in form.items if item.scored and item.name not in given]


def scored_answers(form: Form, given: Mapping[str, int]) -> dict[str, int]:
    """The answers that enter the total."""
    return {item.name: given[item.name] for item in form.items if item.scored and item.name in given}


def shown(form: Form, total: int | None) -> str:
    """The score as it is shown, a decimal: the total, or with the rule "shown.mean_decimals" the mean of the items, half up.

    Empty without a total. It is for reading only: results are compared by their sums.
    """
    if total is None:
        return ""
    if "shown.mean_decimals" not in form.rules:
        return str(total)
    items = sum(item.scored for item in form.items)
    unit = Decimal(1).scaleb(-int(form.rules["shown.mean_decimals"]))
    return str((Decimal(total) / items).quantize(unit, ROUND_HALF_UP))
