"""What happens while an infusion runs: clinic time passes, the nurse looks, and the script's events come at their minutes."""

from collections import deque
from collections.abc import Callable
from datetime import datetime, timedelta
from decimal import ROUND_FLOOR, Decimal
from typing import Final

from chassis.remote import RemoteError
from saguaro.device_telemetry.v1 import service_pb2 as pb
from saguaro.treatment_plan.v1 import service_pb2 as plan
from simulator.arrival import moaas, observe, vital_signs
from simulator.bedside import FRAME_MIN, Bedside, Bench
from simulator.chairside import ON_ITS_WAY, attach, detach, echo, programme_of
from simulator.day import Visit
from simulator.episode import Episode
from simulator.planning import Order
from simulator.pump import Programme
from simulator.screening import safety_questions
from simulator.unexpected import Unexpected

_KEEP_OPEN_MIN: Final = 10
# Alertness is looked at a quarter of an hour apart, dissociation when it is strongest.
_LOOKS_MIN: Final = (15, 30, 40)
_LONG_LOOKS_MIN: Final = tuple(range(60, 240, 15))
# While the person's vital signs stand against a resume, it is asked for again at the next look.
_MOST_RESUMES: Final = 6
_NOT_NOW: Final = "FAILED_PRECONDITION"
_TENTH: Final = Decimal("0.1")
_Event = tuple[float, Callable[[], None]]


class Course:
    """One infusion from its start to the pump's own end."""

    def __init__(self, episode: Episode, visit: Visit, order: Order, bedside: Bedside, bench: Bench) -> None:
        self.episode, self.visit, self.order, self.bedside = episode, visit, order, bedside
        self._bench = bench
        # Which of the lane's pumps is attached, and the last frame of each that was.
        self.pump_kind = "pump"
        self.last_frames: dict[str, int] = {}
        self.flag_ids: list[str] = []
        self._before_ml = Decimal(0)
        self._last = False

    @property
    def delivered_ml(self) -> Decimal:
        """By the pumps themselves, all of them together."""
        return self._before_ml + self.bedside.pump.delivered_ml

    def run(self) -> None:
        """Clinic time passes in steps: whatever comes first of the next look, the script's next event and the pump's own end."""
        episode, bedside = self.episode, self.bedside
        began = episode.now
        events = deque(sorted(self._events(), key=lambda event: event[0]))
        while True:
            step = began + timedelta(minutes=FRAME_MIN)
            while step <= episode.now:
                step += timedelta(minutes=FRAME_MIN)
            event_at = began + timedelta(minutes=events[0][0]) if events else None
            ends_at = bedside.pump.ends_at() if bedside.pump.infusing else None
            moment = min(at for at in (step, event_at, ends_at) if at is not None)
            self._to(max(moment, episode.now))
            if moment == ends_at:
                self._end()
                return
            if moment == event_at:
                events.popleft()[1]()
            bedside.pump.advance(episode.now)
            self._report()
            if self._last:
                return

    def _events(self) -> list[_Event]:
        looks = (*_LOOKS_MIN, *(at for at in _LONG_LOOKS_MIN if at < self.episode.script.duration_min))
        events: list[_Event] = [(at, self._look) for at in looks]
        own: dict[str, list[_Event]] = {
            "paused": [(12, lambda: self._pause("paused")), (18, lambda: self._resume("comfort.restored"))],
            "occluded": [(9, lambda: self._pause("occluded")), (11, lambda: self._resume("line.cleared"))],
            "aborted": [(17, self._stop)],
            "pump_changed": [(16, self._change_pump)],
            "adverse_event": [(22, self._adverse_event)],
            "flag_while_infusing": [(20, self._high_answer)],
        }
        return events + own.get(self.episode.script.way, [])

    def _to(self, moment: datetime) -> None:
        self.episode.at(moment)
        self.bedside.watch_until(moment)

    def _report(self) -> None:
        self.bedside.report()
        self.last_frames[self.bedside.pump.device_id] = self.bedside.pump_sequence

    def _end(self) -> None:
        """All went in: the pump stands still, or keeps the vein open for a while first."""
        pump = self.bedside.pump
        if self.episode.script.way == "keep_vein_open":
            pump.keep_vein_open(self.episode.now)
            self._report()
            self._to(self.episode.now + timedelta(minutes=_KEEP_OPEN_MIN))
        pump.complete(self.episode.now)
        self._report()

    def _look(self) -> None:
        """Alertness a little lowered, pressure a little raised, and how strange the world seems."""
        seen = vital_signs(self.episode, "infusion", more=14)
        seen.moaas.CopyFrom(moaas(4))
        seen.cadss.form, seen.cadss.total = "CADSS", 12 + self.episode.script.index % 9
        observe(self.episode, self.visit, self.order, seen)

    def _pause(self, reason: str) -> None:
        self.bedside.pump.pause(self.episode.now, reason)

    def _resume(self, reason_code: str) -> None:
        """The pump goes on only once the network has said that it may."""
        self._report()
        against = ""
        for _ in range(_MOST_RESUMES):
            # After a second stop limit, or a long pause, it is the prescriber who decides.
            needs = echo(self.episode, self.visit, self.order, self.bedside).resume_privilege
            role = "prescriber" if needs == "sign" else "nurse"
            request = pb.ResumeInfusionRequest(session_id=self.order.session_id, reason_code=reason_code)
            try:
                place = self.visit.lane.place
                self.episode.ask(role, "device_telemetry", "ResumeInfusion", request, place=place, until=ON_ITS_WAY)
            except RemoteError as refused:
                if refused.code != _NOT_NOW:
                    raise
                against = refused.reason
                self._to(self.episode.now + timedelta(minutes=FRAME_MIN))
                self.bedside.pump.advance(self.episode.now)
            else:
                self.bedside.pump.start(self.episode.now)
                return
        raise Unexpected(f"a paused infusion must be let go on once the person's vital signs have settled: {against}")

    def _stop(self) -> None:
        """The person wishes to stop, which is always honoured: the reason goes on record, and the pump is stopped by hand."""
        request = pb.RecordStopRequest(session_id=self.order.session_id, reason_code="person.wish")
        self.episode.ask("nurse", "device_telemetry", "RecordStop", request, place=self.visit.lane.place)
        self.bedside.pump.pause(self.episode.now, "stopped")
        self._last = True

    def _change_pump(self) -> None:
        """The first pump is taken off, a second one gives what is left: the same programme but for the volume."""
        first, spare = self.bedside.pump, self._bench.spare
        first.pause(self.episode.now, "paused")
        self._report()
        detach(self.episode, self.visit, self.order, self.pump_kind)
        self._before_ml += first.delivered_ml
        self.pump_kind = "spare_pump"
        attach(self.episode, self.visit, self.order, self.pump_kind)
        whole = programme_of(self.order.programme)
        left_ml = (whole.vtbi_ml - self._before_ml).quantize(_TENTH, ROUND_FLOOR)
        self._to(self.episode.now + timedelta(minutes=2))
        programme = Programme(whole.drug_code, whole.concentration_mg_per_ml, whole.rate_ml_per_h, left_ml)
        spare.program(programme, self.episode.now)
        self.bedside.pump = spare
        self._resume("pump.changed")

    def _adverse_event(self) -> None:
        request = plan.RecordAdverseEventRequest(
            session_id=self.order.session_id,
            kind_code="vomiting",
            severity_code="moderate",
            action_codes=["medication_given"],
            outcome_code="recovering",
        )
        self.episode.ask("nurse", "treatment_plan", "RecordAdverseEvent", request, place=self.visit.lane.place)

    def _high_answer(self) -> None:
        """The infusion goes on; the person does not go home before somebody has talked with them."""
        self.flag_ids += safety_questions(self.episode, self.visit.lane.place, high=True)
