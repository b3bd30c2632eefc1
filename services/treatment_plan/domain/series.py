"""What a person's response over a series suggests to the prescriber. Nothing here changes a plan.

The session-count rule is house policy after published series: six infusions, most who respond do so by the third (Andrade, J Clin
Psychiatry 2017; CANMAT 2021); maintenance weekly first, then individualised; relapse by PHQ-9 after Kroenke 2001. The same facts give the
same suggestions in whatever order they became known.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import ROUND_DOWN, Decimal
from uuid import UUID

from treatment_plan.domain.numbers import EXACT, difference, multiply, total

RAISE = "raise_dose"
STOP = "stop_no_response"
END_EARLY = "end_early_remission"
EXTEND = "maintenance_extend"
SHORTEN = "maintenance_shorten"
RESPONSE = "response"
REMISSION = "remission"
HUNDREDTH = Decimal("0.01")


@dataclass(frozen=True)
class SeriesRule:
    """A row of series_rule. Doses in mg/kg and mg, intervals and windows in days; None where a part does not apply."""

    first_review_after: int | None
    final_review_after: int
    min_gain_percent: Decimal
    raise_least_mg_per_kg: Decimal | None
    raise_most_mg_per_kg: Decimal | None
    remissions_in_a_row: int
    interval_start_days: int
    interval_step_days: int
    interval_least_days: int
    interval_most_days: int
    relapse_interval_fraction: Decimal
    relapse_rise: Decimal | None
    relapse_least_score: Decimal | None
    trial_dose_mg: Decimal | None
    trial_minutes: int | None
    result_window_days: int


@dataclass(frozen=True)
class Infusion:
    """An infusion that ended, completed or aborted, with the plan's numbers that it was ordered by."""

    started_at: datetime
    ended_at: datetime
    dose_mg_per_kg: Decimal
    # The largest dose inside every limit, in mg/kg; None where no limit says so.
    largest_mg_per_kg: Decimal | None
    ordered_mg: Decimal
    duration_min: Decimal
    interval_days: int | None


@dataclass(frozen=True)
class Result:
    """A result of the leading instrument. `improvement_percent` and `baseline` are None without a baseline."""

    result_id: UUID
    completed_at: datetime
    score: Decimal
    improvement_percent: Decimal | None
    outcomes: frozenset[str]
    baseline: Decimal | None = None

    @property
    def responds(self) -> bool:
        """Whether intake calls it a response or a remission."""
        return bool(self.outcomes & {RESPONSE, REMISSION})


@dataclass(frozen=True)
class Suggested:
    """One suggestion, after so many infusions of the plan, resting on one result."""

    kind_code: str
    after_sessions: int
    result_id: UUID
    at: datetime
    dose_mg_per_kg: Decimal | None = None
    interval_days: int | None = None


@dataclass(frozen=True)
class Series:
    """A plan's infusions, and the results of the person."""

    rule: SeriesRule
    maintenance: bool
    sessions_planned: int
    infusions: Sequence[Infusion]
    results: Sequence[Result]
    # When infusions of the person's other plans started.
    other_starts: Sequence[datetime] = ()


@dataclass(frozen=True)
class Window:
    """The time after one infusion until the next: the last result in it is what the infusion showed."""

    number: int
    infusion: Infusion
    result: Result


def suggestions(series: Series) -> list[Suggested]:
    """Everything that the series suggests, one infusion after the other."""
    found: list[Suggested] = []
    seen = windows(series)
    for place, window in enumerate(seen):
        in_maintenance = series.maintenance or window.number > series.rule.final_review_after
        judge = judge_maintenance if in_maintenance else judge_induction
        found.extend(judge(series, window))
        if not in_maintenance:
            found.extend(judge_remission(series, seen, place))
    return found


def windows(series: Series) -> list[Window]:
    """Each infusion with the last result between its end and the next one's start. One without a result has no window."""
    ordered = sorted(series.infusions, key=lambda infusion: (infusion.started_at, infusion.ended_at))
    longest = timedelta(days=series.rule.result_window_days)
    found = []
    for place, infusion in enumerate(ordered):
        later = [start for start in series.other_starts if start > infusion.started_at]
        later += [item.started_at for item in ordered[place + 1 : place + 2]]
        until = min([infusion.ended_at + longest, *later])
        inside = [result for result in series.results if infusion.ended_at <= result.completed_at < until]
        if inside:
            last = max(inside, key=lambda result: (result.completed_at, str(result.result_id)))
            found.append(Window(place + 1, infusion, last))
    return found


def judge_induction(series: Series, window: Window) -> list[Suggested]:
    """The first review looks for a gain, the final one for a response. A result without a baseline is not judged."""
    rule, improvement = series.rule, window.result.improvement_percent
    if improvement is None or not trial_given(series, window.number):
        return []
    if window.number == rule.first_review_after and improvement < rule.min_gain_percent:
        dose = raised_dose(rule, window.infusion)
        return [of(window, STOP) if dose is None else of(window, RAISE, dose=dose)]
    if window.number == rule.final_review_after and not window.result.responds:
        return [of(window, STOP)]
    return []


def trial_given(series: Series, number: int) -> bool:
    """Whether one of the first `number` infusions was large and long enough for a judgement."""
    least_mg, minutes = series.rule.trial_dose_mg, series.rule.trial_minutes
    if least_mg is None or minutes is None:
        return True
    ordered = sorted(series.infusions, key=lambda infusion: (infusion.started_at, infusion.ended_at))
    return any(item.ordered_mg >= least_mg and item.duration_min > minutes for item in ordered[:number])


def raised_dose(rule: SeriesRule, infusion: Infusion) -> Decimal | None:
    """The dose raised by the largest step that the rule and every limit allow, to 0.01 mg/kg; None when the least step is too much."""
    least, most = rule.raise_least_mg_per_kg, rule.raise_most_mg_per_kg
    if least is None or most is None:
        return None
    highest = total(infusion.dose_mg_per_kg, most)
    if infusion.largest_mg_per_kg is not None:
        highest = min(highest, infusion.largest_mg_per_kg)
    dose = highest.quantize(HUNDREDTH, rounding=ROUND_DOWN, context=EXACT)
    return dose if difference(dose, infusion.dose_mg_per_kg) >= least else None


def judge_remission(series: Series, seen: Sequence[Window], place: int) -> list[Suggested]:
    """Remission so many times in a row, with sessions left. Suggested once in a run of remissions."""
    needed = series.rule.remissions_in_a_row
    run = 0
    for window in reversed(seen[: place + 1]):
        if REMISSION not in window.result.outcomes:
            break
        run += 1
    if run != needed or seen[place].number >= series.sessions_planned:
        return []
    return [of(seen[place], END_EARLY)]


def judge_maintenance(series: Series, window: Window) -> list[Suggested]:
    """A relapse halves the interval, a response that holds lengthens it, both within the rule's bounds."""
    rule, result = series.rule, window.result
    current = window.infusion.interval_days or rule.interval_start_days
    if relapsed(series, result):
        shorter = int(multiply(Decimal(current), rule.relapse_interval_fraction))
        shorter = max(shorter, rule.interval_least_days)
        return [of(window, SHORTEN, days=shorter)] if shorter < current else []
    longer = min(current + rule.interval_step_days, rule.interval_most_days)
    return [of(window, EXTEND, days=longer)] if response_holds(series, result) and longer > current else []


def episode(series: Series, result: Result) -> list[Result]:
    """The earlier results of the series in which the person responded last, and all since.

    A maintenance plan is a series of its own to intake, with a baseline that is already the response: what was reached is measured by the
    series before it. Without any response: since the plan's first infusion.
    """
    before = [item for item in series.results if item.completed_at < result.completed_at]
    responses = [item for item in before if item.responds]
    if responses:
        baseline = max(responses, key=lambda item: item.completed_at).baseline
        begins = min(item.completed_at for item in before if item.baseline == baseline)
    else:
        begins = min(infusion.started_at for infusion in series.infusions)
    return [item for item in before if item.completed_at >= begins]


def response_holds(series: Series, result: Result) -> bool:
    """A response by itself, or a score no worse than one that was a response in the series before."""
    reached = [item.score for item in episode(series, result) if item.responds]
    return result.responds or (bool(reached) and result.score <= max(reached))


def relapsed(series: Series, result: Result) -> bool:
    """A score that rose by so much above the best one of the episode, and is at least so high."""
    rise, least = series.rule.relapse_rise, series.rule.relapse_least_score
    before = [item.score for item in episode(series, result)]
    if rise is None or least is None or not before:
        return False
    return result.score >= least and difference(result.score, min(before)) >= rise


def of(window: Window, kind_code: str, *, dose: Decimal | None = None, days: int | None = None) -> Suggested:
    """A suggestion that rests on a window, from the moment on at which both its facts were there."""
    at = max(window.result.completed_at, window.infusion.ended_at)
    return Suggested(kind_code, window.number, window.result.result_id, at, dose, days)
