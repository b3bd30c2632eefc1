"""A course over weeks: an infusion, an answer to it, a prescriber's decision, the next infusion."""

from collections.abc import Callable
from datetime import timedelta
from typing import Final

from saguaro.treatment_plan.v1 import service_pb2 as pb
from simulator.bedside import Bench
from simulator.day import Visit
from simulator.episode import Episode
from simulator.planning import Order, book, cancel, order, plan
from simulator.recording import Recording
from simulator.screening import consent, mood
from simulator.series import Decision, Series
from simulator.treatment import Treated, treat
from simulator.unexpected import Unexpected

MAINTENANCE_PROTOCOL: Final = "depression_maintenance"
_ACCEPTED: Final = "response_reviewed"
_DECLINED: Final = "person_prefers_same_dose"
# The person answers on the day before the visit, and the prescriber decides then.
_ANSWERED_BEFORE: Final = timedelta(hours=20)
_ANSWERED_AFTER_LAST: Final = timedelta(days=1)
_ANSWERED_AFTER_MAINTENANCE: Final = timedelta(days=6)


class Weeks:
    """One person's series."""

    def __init__(
        self,
        episode: Episode,
        series: Series,
        benches: dict[str, Bench],
        recording: Recording,
        now: Callable[[str], None],
    ) -> None:
        self._episode, self._series, self._now = episode, series, now
        self._benches, self._recording = benches, recording
        self._visits = episode.day.visits[episode.script.index]
        self.booked = self.cancelled = 0
        self.treated: list[Treated] = []
        # Kind of each suggestion and what was decided: "raise_dose accepted".
        self.decided: list[str] = []

    def run(self, plan_id: str) -> None:
        """Every infusion of the series, and the maintenance infusion of whom has one."""
        visits = self._visits[: len(self._series.days)]
        sessions = [book(self._episode, visit, plan_id, ordinal) for ordinal, visit in enumerate(visits, 1)]
        self.booked += len(sessions)
        for ordinal, (visit, session_id) in enumerate(zip(visits, sessions, strict=True), 1):
            self._episode.at(max(self._episode.now, visit.starts_at - _ANSWERED_BEFORE))
            ordered = order(self._episode, visit, session_id)
            if ordinal > 1:
                mood(self._episode, self._series.phq9_totals[ordinal - 1], visit.lane.place)
            decision = self._series.decisions.get(ordinal - 1)
            if decision is not None:
                revoked = self._decide(plan_id, decision)
                if (ordered.order_id in revoked) != decision.accept:
                    raise Unexpected("an accepted change revokes the order that was not used, a declined one does not")
                if self._series.ends_after < ordinal:
                    # What was booked beyond the end is called off by a person.
                    for left, session in zip(visits[ordinal - 1 :], sessions[ordinal - 1 :], strict=True):
                        cancel(self._episode, left, session)
                        self.cancelled += 1
                    return
                ordered = order(self._episode, visit, session_id) if decision.accept else ordered
            self._treat(visit, ordered, ordinal)
        self._episode.now += _ANSWERED_AFTER_LAST
        mood(self._episode, self._series.phq9_totals[-1], visits[-1].lane.place)
        if (last := self._series.decisions.get(len(visits))) is not None:
            self._decide(plan_id, last)
        if self._series.maintenance_day is not None:
            self._maintain(self._visits[-1])

    def _treat(self, visit: Visit, ordered: Order, ordinal: int) -> None:
        self._now("in session")
        self.treated.append(treat(self._episode, visit, ordered, self._benches, self._recording, ordinal))
        self._now("between sessions")

    def _decide(self, plan_id: str, decision: Decision) -> list[str]:
        """The suggestion must have come; the prescriber accepts or declines it. The orders that this revoked."""
        place = self._episode.home
        found = self._episode.calls.watch(
            "treatment_plan",
            "ListSuggestions",
            pb.ListSuggestionsRequest(person_id=self._episode.person_id, page_size=100),
            self._episode.context("prescriber", place),
            until=lambda answer: any(
                one.kind_code == decision.kind_code and one.plan_id == plan_id for one in answer.suggestions
            ),
            effect="answer to suggestion",
        )
        [suggestion] = [one for one in found.suggestions if one.kind_code == decision.kind_code]
        request = pb.DecideSuggestionRequest(
            suggestion_id=suggestion.suggestion_id,
            decision="accept" if decision.accept else "decline",
            reason_code=_ACCEPTED if decision.accept else _DECLINED,
        )
        answer = self._episode.ask("prescriber", "treatment_plan", "DecideSuggestion", request, place=place)
        self._episode.forward(5)
        self.decided.append(f"{decision.kind_code} {'accepted' if decision.accept else 'declined'}")
        return list(answer.revoked_order_ids)

    def _maintain(self, visit: Visit) -> None:
        """One infusion to keep what was gained, under a consent and a plan of its own; a week later the person has lost it."""
        self._episode.at(max(self._episode.now, visit.starts_at - _ANSWERED_BEFORE))
        for place in dict.fromkeys((self._episode.home, visit.lane.place)):
            consent(self._episode, place)
        plan_id = plan(self._episode, MAINTENANCE_PROTOCOL)
        session_id = book(self._episode, visit, plan_id)
        self.booked += 1
        self._treat(visit, order(self._episode, visit, session_id), 1)
        self._episode.now += _ANSWERED_AFTER_MAINTENANCE
        mood(self._episode, self._series.maintenance_total, visit.lane.place)
        self._decide(plan_id, self._series.decisions[len(self._visits)])
