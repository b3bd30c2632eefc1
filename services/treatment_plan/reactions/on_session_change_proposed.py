"""Scheduling wants to move or cancel a session: this service agrees unless its infusion was already authorised."""

from uuid import UUID

from sqlalchemy import and_, select
from sqlalchemy.dialects.postgresql import insert

from chassis.unit_of_work import UnitOfWork
from chassis.values import from_timestamp, to_timestamp
from saguaro.scheduling.v1 import events_pb2 as scheduling_events
from saguaro.treatment_plan.v1 import events_pb2 as events
from treatment_plan.hold_tables import session_change
from treatment_plan.tables import session_record, treatment_order

STARTED = "infusion.started"


def react(uow: UnitOfWork, event: scheduling_events.SessionChangeProposed) -> None:
    """Answers once. After agreeing, orders and starts are refused until scheduling decides.

    A session that is not known never started here; its booking shares the key, so that it would have come before.
    """
    session_id = UUID(event.session_id)
    # A start takes this lock too: it is either before the answer, and refuses the change, or after it.
    uow.execute(select(session_record.c.session_id).where(session_record.c.session_id == session_id).with_for_update())
    used = and_(treatment_order.c.session_id == session_id, treatment_order.c.used_at.is_not(None))
    accepted = uow.execute(select(treatment_order.c.order_id).where(used).limit(1)).one_or_none() is None
    kept = uow.execute(
        insert(session_change)
        .values(
            change_id=UUID(event.change_id),
            session_id=session_id,
            person_id=UUID(event.person_id),
            site_id=UUID(event.site_id),
            kind=event.kind,
            accepted=accepted,
            proposed_at=from_timestamp(event.proposed_at),
        )
        .on_conflict_do_nothing()
        .returning(session_change.c.change_id)
    ).one_or_none()
    if kept is None:
        return
    uow.emit(
        events.SessionChangeAnswered(
            change_id=event.change_id,
            session_id=event.session_id,
            person_id=event.person_id,
            site_id=event.site_id,
            accepted=accepted,
            reason_code="" if accepted else STARTED,
            answered_at=to_timestamp(uow.clinic_time),
        )
    )
