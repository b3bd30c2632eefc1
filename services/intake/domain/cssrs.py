"""Columbia-Suicide Severity Rating Scale, screener version.

Triage levels and branching: Columbia Lighthouse Project, C-SSRS screener with triage points (Posner et al. 2011, Am J Psychiatry
168:1266). Items 1 to 5 ask about the past month, item 6 about suicidal behaviour: lifetime and past three months, or since the last
visit. Which level a yes stands for is policy data (`Item.level`).
"""

from collections.abc import Mapping

from chassis.errors import InvalidArgument
from intake.domain.scale import INCOMPLETE, Form, Score

INSTRUMENT = "C-SSRS-SCREENER"
NEGATIVE = "negative"
# Lowest first.
LEVELS = (NEGATIVE, "low", "moderate", "high")
HIGHEST = LEVELS[-1]
FLAGGED = {"moderate": "cssrs.moderate", HIGHEST: "cssrs.high", INCOMPLETE: "cssrs.incomplete"}

LIFETIME = "6.lifetime"
PAST_3_MONTHS = "6.3months"
# Asked only when item 2 (non-specific active suicidal thoughts) is a yes.
BRANCH_ITEM = "2"
BRANCH = ("3", "4", "5")


def score(form: Form, given: Mapping[str, int]) -> Score:
    """The highest level that any yes stands for; `incomplete` when a higher level cannot be ruled out.

    InvalidArgument when behaviour in the past three months is reported without a lifetime.
    """
    if given.get(PAST_3_MONTHS) == 1 and given.get(LIFETIME) != 1:
        raise InvalidArgument(
            "answers", "6.3months yes needs 6.lifetime yes: the past three months are part of a lifetime"
        )
    level = max((item.level for item in form.items if given.get(item.name) == 1), key=LEVELS.index, default=NEGATIVE)
    if level != HIGHEST and unanswered(form, given):
        level = INCOMPLETE
    return Score(None, level, False, (FLAGGED[level],) if level in FLAGGED else ())


def unanswered(form: Form, given: Mapping[str, int]) -> list[str]:
    """Items that had to be asked and have no answer. A no to item 2 skips 3 to 5; a no to a lifetime skips the past three months."""
    skipped: set[str] = set()
    if given.get(BRANCH_ITEM) == 0:
        skipped.update(BRANCH)
    if given.get(LIFETIME) == 0:
        skipped.add(PAST_3_MONTHS)
    return [item.name for item in form.items if item.name not in given and item.name not in skipped]
