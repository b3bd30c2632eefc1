"""Changes of a booking that scheduling proposed: what we answer, what waits, how it was settled."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import cast, func, select, update
from sqlalchemy.dialects.postgresql import JSONPATH

from chassis.unit_of_work import UnitOfWork
from device_telemetry.attachments import close, open_attachments
from device_telemetry.care_tables import session_change
from device_telemetry.domain.pump_state import LIVE
from device_telemetry.tables import attachment, authorisation, infusion_session, session_state

_RUNNING = "$.pump.meters.*.last_infusing ? (@ == true)"


def change_pending(uow: UnitOfWork, session_id: UUID) -> bool:
    """Whether a change that we accepted waits to be settled."""
    waiting = select(session_change.c.change_id).where(
        session_change.c.session_id == session_id,
        session_change.c.settled_at.is_(None),
        session_change.c.accepted,
    )
    return uow.execute(waiting.limit(1)).first() is not None


def lock_session(uow: UnitOfWork, session_id: UUID) -> Any:
    """The booked session, locked; None while its booking is not known."""
    return uow.execute(
        select(infusion_session).where(infusion_session.c.session_id == session_id).with_for_update()
    ).one_or_none()


def devices_in_use(uow: UnitOfWork, session_id: UUID) -> bool:
    """Whether a start was authorised, or a pump of the session runs whatever anybody said."""
    authorised = uow.execute(select(authorisation.c.order_id).where(authorisation.c.session_id == session_id)).first()
    phase = uow.execute(select(session_state.c.phase).where(session_state.c.session_id == session_id)).scalar()
    running = uow.execute(
        select(session_state.c.session_id).where(
            session_state.c.session_id == session_id,
            func.jsonb_path_exists(session_state.c.state, cast(_RUNNING, JSONPATH)),
        )
    ).first()
    return authorised is not None or phase in LIVE or running is not None


def settle(uow: UnitOfWork, session_id: UUID, outcome: str, at: datetime) -> None:
    """Nothing of this session waits any more."""
    uow.execute(
        update(session_change)
        .where(session_change.c.session_id == session_id, session_change.c.settled_at.is_(None))
        .values(settled_at=at, outcome=outcome)
    )


def take_devices_off(uow: UnitOfWork, session_id: UUID, at: datetime) -> None:
    """The session is not where its devices are. A pump that runs stays: what it reports is the fact, whatever the booking says."""
    for row in uow.execute(open_attachments(attachment.c.session_id == session_id)).all():
        if row.kind != "pump" or not devices_in_use(uow, session_id):
            close(uow, row, at)
