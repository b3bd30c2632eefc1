"""Instruments whose score is the sum of their items: GAD-7, PCL-5, PEG, Y-BOCS, MADRS, OCI-R.

Spitzer 2006 (Arch Intern Med 166:1092), Weathers 2013 (National Center for PTSD), Krebs 2009 (J Gen Intern Med 24:733), Goodman 1989
(Arch Gen Psychiatry 46:1006), Montgomery and Asberg 1979 (Br J Psychiatry 134:382), Foa 2002 (Psychol Assess 14:485). None of them is
prorated: with an answer missing there is no total (house policy).
"""

from collections.abc import Mapping

from intake.domain.scale import NOT_SCORABLE, Form, Score, Subscore, band_of, missing_items, scored_answers

CUT = "cut.positive"
CUT_POSITIVE = "cut_positive"
CUT_NEGATIVE = "cut_negative"
# At what value of an answer an item counts as a symptom.
SYMPTOM = "symptom.item"
# How many symptoms a subscale needs: "criteria.B".
CRITERIA = "criteria."
CRITERIA_POSITIVE = "criteria_positive"
CRITERIA_NEGATIVE = "criteria_negative"


def score(form: Form, given: Mapping[str, int]) -> Score:
    """Sum, band, cut-off, subscores and criteria, from answers that `checked_answers` has passed."""
    parts = subscores(form, given)
    if missing_items(form, given):
        return Score(None, NOT_SCORABLE, False, (), (), parts)
    total = sum(scored_answers(form, given).values())
    return Score(total, band_of(form, total), False, (), (*cut(form, total), *criteria(form, parts)), parts)


def cut(form: Form, total: int, rule: str = CUT) -> tuple[str, ...]:
    """At or above the cut-off, or below it; nothing where the form has none."""
    if rule not in form.rules:
        return ()
    return (CUT_POSITIVE if total >= form.rules[rule] else CUT_NEGATIVE,)


def subscores(form: Form, given: Mapping[str, int]) -> tuple[Subscore, ...]:
    """Each part of which every item is answered, in the form's order."""
    parts: dict[str, list[str]] = {}
    for item in form.items:
        if item.subscale:
            parts.setdefault(item.subscale, []).append(item.name)
    return tuple(
        Subscore(code, sum(given[name] for name in names), _symptoms(form, given, names))
        for code, names in parts.items()
        if all(name in given for name in names)
    )


def _symptoms(form: Form, given: Mapping[str, int], names: list[str]) -> int | None:
    if SYMPTOM not in form.rules:
        return None
    return sum(given[name] >= form.rules[SYMPTOM] for name in names)


def criteria(form: Form, parts: tuple[Subscore, ...]) -> tuple[str, ...]:
    """Whether every part has the symptoms that a provisional diagnosis needs (PCL-5: B, C, D, E); nothing without such a rule."""
    needed = {code.removeprefix(CRITERIA): number for code, number in form.rules.items() if code.startswith(CRITERIA)}
    if not needed:
        return ()
    found = {part.code: part.symptoms or 0 for part in parts}
    met = all(found.get(code, 0) >= number for code, number in needed.items())
    return (CRITERIA_POSITIVE if met else CRITERIA_NEGATIVE,)
