"""A person's series over weeks: infusions on their days, answers between them, what is suggested and decided."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import ROUND_DOWN, Decimal
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import update

from chassis.values import to_timestamp
from saguaro.device_telemetry.v1 import events_pb2 as device_events
from saguaro.intake.v1 import events_pb2 as intake_events
from saguaro.scheduling.v1 import events_pb2 as scheduling_events
from saguaro.treatment_plan.v1 import service_pb2 as pb
from saguaro.treatment_plan.v1 import types_pb2 as types
from tests.treatment_plan.ward import NOW, SITE, Ward
from treatment_plan.tables import treatment_order

BASELINE = 20


@dataclass
class Course:
    """One plan and its days. PHQ-9 by default; the baseline is 20."""

    ward: Ward
    plan: types.Plan
    instrument: str = "PHQ-9"
    baseline: int = BASELINE
    given: int = 0

    def day(self, number: int) -> datetime:
        """A day of the series at the same hour."""
        return NOW + timedelta(days=number)

    def booked(self, at: datetime) -> str:
        """A session at a time; returns its id."""
        event = scheduling_events.SessionBooked(
            session_id=str(uuid4()),
            person_id=self.plan.person_id,
            site_id=SITE,
            plan_id=self.plan.plan_id,
            ordinal=self.given + 1,
            starts_at=to_timestamp(at),
            ends_at=to_timestamp(at + timedelta(hours=2)),
            booked_at=to_timestamp(NOW),
        )
        assert self.ward.harness.deliver(event) == "applied"
        return str(event.session_id)

    def ended(self, at: datetime) -> Any:
        """An infusion that was ordered, authorised and ran for 40 minutes: the pump's word of its end, not yet told."""
        session_id = self.booked(at)
        order = self.ward.call("IssueOrder", pb.IssueOrderRequest(session_id=session_id), at=at)
        with self.ward.harness.database.unit_of_work(self.ward.harness.context(at=at)) as uow:
            uow.execute(
                update(treatment_order)
                .where(treatment_order.c.order_id == UUID(order.order_id))
                .values(used_at=at, pump_id=uuid4(), authorisation_id=uuid4())
            )
        self.given += 1
        return device_events.InfusionCompleted(
            session_id=session_id,
            person_id=self.plan.person_id,
            site_id=SITE,
            order_id=order.order_id,
            started_at=to_timestamp(at),
            stopped_at=to_timestamp(at + timedelta(minutes=40)),
            delivered_ml=order.programme.vtbi_ml,
            keep_vein_open_ml="0",
            delivering_seconds=2400,
            expected_ml=order.programme.vtbi_ml,
        )

    def infused(self, number: int) -> None:
        """An infusion on a day."""
        assert self.ward.harness.deliver(self.ended(self.day(number))) == "applied"

    def answered(self, number: int, total: int) -> Any:
        """What intake says of the answers given a day after: judged against the baseline."""
        gain = Decimal(self.baseline - total) * 100 / self.baseline
        outcomes = [name for name, met in (("response", gain >= 50), ("remission", total < 5 <= self.baseline)) if met]
        return intake_events.InstrumentCompleted(
            result_id=str(uuid4()),
            person_id=self.plan.person_id,
            site_id=SITE,
            instrument=self.instrument,
            instrument_version="1",
            total=total,
            score=str(total),
            completed_at=to_timestamp(self.day(number) + timedelta(hours=20)),
            baseline_total=self.baseline,
            improvement_percent=str(gain.quantize(Decimal("0.1"), rounding=ROUND_DOWN)),
            outcome_codes=outcomes,
        )

    def answer(self, number: int, total: int) -> None:
        """The person answers after the infusion of a day."""
        assert self.ward.harness.deliver(self.answered(number, total)) == "applied"

    def step(self, number: int, total: int) -> None:
        """An infusion and the answer to it."""
        self.infused(number)
        self.answer(number, total)

    def suggestions(self, *, decided_too: bool = False) -> list[types.Suggestion]:
        """What is suggested to the prescriber."""
        request = pb.ListSuggestionsRequest(person_id=self.plan.person_id, decided_too=decided_too)
        return list(self.ward.call("ListSuggestions", request).suggestions)

    def decide(self, suggestion: types.Suggestion, decision: str, number: int, **changes: str) -> Any:
        """The prescriber decides on a day."""
        request = pb.DecideSuggestionRequest(
            suggestion_id=suggestion.suggestion_id, decision=decision, reason_code="clinical.judgement", **changes
        )
        return self.ward.call("DecideSuggestion", request, at=self.day(number) + timedelta(hours=21))

    def now(self) -> types.Plan:
        """The plan as it stands."""
        found: types.Plan = self.ward.call("GetPlan", pb.GetPlanRequest(plan_id=self.plan.plan_id)).plan
        return found


def kinds(found: list[types.Suggestion]) -> list[tuple[str, int]]:
    """Kind and number of infusions of each suggestion."""
    return [(item.kind_code, item.after_sessions) for item in found]
