"""People whose plan answers to them over weeks: how they do between infusions, and what the prescriber decides.

The numbers are those of people who never were: a house choice for each kind of course that a series may take.
"""

from dataclasses import dataclass, field
from typing import Final

# Days from the first infusion: three a week for two weeks, never on a weekend; the first is a Tuesday.
_INDUCTION_DAYS: Final = (0, 2, 6, 8, 10, 13)


@dataclass(frozen=True)
class Decision:
    """A suggestion that must come after so many infusions, and what the prescriber says to it."""

    kind_code: str
    accept: bool


@dataclass(frozen=True)
class Series:
    """A course: the days of its infusions, PHQ-9 before each and at the end, and what is to be decided after which infusion."""

    days: tuple[int, ...]
    # Before the first infusion, before each further one, and two days after the last.
    phq9_totals: tuple[int, ...]
    decisions: dict[int, Decision] = field(default_factory=dict)
    # The day of a maintenance infusion after the series, and PHQ-9 a week after it; None: there is none.
    maintenance_day: int | None = None
    maintenance_total: int = 0

    @property
    def ends_after(self) -> int:
        """How many infusions are given: an accepted end leaves the others out."""
        ends = [
            after
            for after, decision in self.decisions.items()
            if decision.kind_code == "end_early_remission" and decision.accept
        ]
        return min(ends, default=len(self.days))


SERIES: Final[dict[str, Series]] = {
    "series_responder": Series(_INDUCTION_DAYS, (20, 17, 14, 11, 10, 8, 7)),
    "series_raised": Series(_INDUCTION_DAYS, (20, 20, 19, 18, 13, 11, 9), {3: Decision("raise_dose", accept=True)}),
    "series_declined": Series(
        _INDUCTION_DAYS,
        (20, 20, 19, 18, 18, 17, 17),
        {3: Decision("raise_dose", accept=False), 6: Decision("stop_no_response", accept=True)},
    ),
    "series_early_remission": Series(
        _INDUCTION_DAYS, (20, 12, 8, 4, 3, 3, 3), {4: Decision("end_early_remission", accept=True)}
    ),
    "series_relapse": Series(
        _INDUCTION_DAYS,
        (20, 14, 9, 7, 6, 5, 4),
        {7: Decision("maintenance_shorten", accept=True)},
        maintenance_day=21,
        maintenance_total=14,
    ),
}


def phq9_answers(total: int) -> tuple[int, ...]:
    """Nine answers of that total, the ninth 0. ValueError above 24."""
    if not 0 <= total <= 24:
        raise ValueError("total: must be 0 to 24, as the ninth answer stays 0")
    return (*(min(3, max(0, total - 3 * item)) for item in range(8)), 0)
