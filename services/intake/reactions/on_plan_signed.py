"""A prescriber signed a plan: the series that it begins has a baseline of its own."""

from chassis.unit_of_work import UnitOfWork
from chassis.values import from_timestamp
from intake.series import take_down_plan
from saguaro.treatment_plan.v1 import events_pb2 as plan_events


def react(uow: UnitOfWork, event: plan_events.PlanSigned) -> None:
    """Results that were completed since are judged anew."""
    take_down_plan(
        uow,
        plan_id=event.plan_id,
        person_id=event.person_id,
        site_id=event.site_id,
        signed_at=from_timestamp(event.signed_at),
    )
