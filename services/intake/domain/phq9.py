"""PHQ-9, the depression module of the Patient Health Questionnaire.

Scoring and bands: Kroenke, Spitzer, Williams 2001 (J Gen Intern Med 16:606). Prorating and the handling of a missing item 9 are
house policy: sum x 9 / answered, rounded half up and marked, for at most `max_missing` answers and never without item 9. The question
how difficult the problems make life may be answered and is not scored.
"""

from collections.abc import Mapping

from intake.domain.scale import INCOMPLETE, NOT_SCORABLE, Form, Score, band_of, missing_items, scored_answers
from intake.domain.summed import cut

INSTRUMENT = "PHQ-9"
# Thoughts of being better off dead or of self-harm.
SAFETY_ITEM = "9"
ITEM_9_POSITIVE = "phq9.item9"
ITEM_9_MISSING = "phq9.incomplete"


def score(form: Form, given: Mapping[str, int]) -> Score:
    """Total 0 to 27, its band and the flags, from answers that `checked_answers` has passed."""
    if SAFETY_ITEM not in given:
        return Score(None, INCOMPLETE, False, (ITEM_9_MISSING,))
    flags = (ITEM_9_POSITIVE,) if given[SAFETY_ITEM] > 0 else ()
    missing = len(missing_items(form, given))
    if missing > form.max_missing:
        return Score(None, NOT_SCORABLE, False, flags)
    answers = scored_answers(form, given)
    total = prorated(sum(answers.values()), answered=len(answers), items=len(answers) + missing)
    return Score(total, band_of(form, total), missing > 0, flags, cut(form, total))


def prorated(total: int, *, answered: int, items: int) -> int:
    """`total` of `answered` items scaled to all `items`, rounded half up, in whole numbers only."""
    return (2 * total * items + answered) // (2 * answered)
