"""A session that will not take place: its record is cancelled, its unused order revoked."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import select, update

from chassis.unit_of_work import UnitOfWork
from treatment_plan.domain.session_state import BEFORE_DRUG
from treatment_plan.records import revoke_unused_orders
from treatment_plan.tables import session_record, treatment_order


def call_off(uow: UnitOfWork, session_id: UUID, at: datetime, reason_code: str) -> None:
    """Cancels unless the drug runs already: then only the pump's report ends a session.

    Nothing to do for a session that is not known: a booking and its end share a key, so that the booking came before and an operator
    skipped it.
    """
    chosen = select(session_record.c.state).where(session_record.c.session_id == session_id).with_for_update()
    session = uow.execute(chosen).one_or_none()
    if session is None or session.state not in BEFORE_DRUG:
        return
    uow.execute(
        update(session_record)
        .where(session_record.c.session_id == session_id)
        .values(state="cancelled", cancelled_at=at, cancelled_reason_code=reason_code)
    )
    revoke_unused_orders(uow, treatment_order.c.session_id == session_id, reason_code)
