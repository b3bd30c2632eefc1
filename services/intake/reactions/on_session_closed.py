"""A session is over: somebody asks the person how they are, a day later (house policy), and the plan of its infusion is known."""

from datetime import timedelta
from uuid import UUID

from sqlalchemy.dialects.postgresql import insert

from chassis.unit_of_work import UnitOfWork
from chassis.values import from_timestamp
from intake import policy
from intake.series import take_down_infusion
from intake.tables import follow_up
from saguaro.treatment_plan.v1 import events_pb2 as plan_events


def react(uow: UnitOfWork, event: plan_events.SessionClosed) -> None:
    """One check for each session, however often it is said to be closed. Counted from the pump's stop; without one, from the closing."""
    ended_at = from_timestamp(event.stopped_at if event.HasField("stopped_at") else event.closed_at)
    hours = float(policy.number(uow, "follow_up.after_session_hours"))
    uow.execute(
        insert(follow_up)
        .values(
            follow_up_id=uow.new_id(),
            person_id=UUID(event.person_id),
            site_id=UUID(event.site_id),
            session_id=UUID(event.session_id),
            kind="after_session",
            due_at=ended_at + timedelta(hours=hours),
        )
        .on_conflict_do_nothing(constraint="follow_up_once")
    )
    if event.HasField("started_at"):
        take_down_infusion(
            uow,
            session_id=event.session_id,
            person_id=event.person_id,
            site_id=event.site_id,
            started_at=from_timestamp(event.started_at),
            plan_id=event.plan_id,
        )
