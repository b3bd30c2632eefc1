"""Holds: after an abort or an adverse event nothing more is ordered or started until a prescriber decided (house policy)."""

from uuid import UUID

from sqlalchemy import and_, select
from sqlalchemy.dialects.postgresql import insert

from chassis.errors import Finding
from chassis.unit_of_work import UnitOfWork
from treatment_plan.hold_tables import prescriber_hold


def place_hold(
    uow: UnitOfWork,
    person_id: UUID | str,
    site_id: UUID | str,
    plan_id: UUID | str,
    session_id: UUID | str,
    reason_code: str,
) -> None:
    """Holds the person's next order and start. One open hold for each session and reason; a second one changes nothing.

    `reason_code` is a stable code: "infusion.aborted", "adverse_event.severe".
    """
    uow.execute(
        insert(prescriber_hold)
        .values(
            hold_id=uow.new_id(),
            person_id=UUID(str(person_id)),
            site_id=UUID(str(site_id)),
            plan_id=UUID(str(plan_id)),
            session_id=UUID(str(session_id)),
            reason_code=reason_code,
            placed_at=uow.clinic_time,
        )
        .on_conflict_do_nothing()
    )


def hold_findings(uow: UnitOfWork, person_id: UUID) -> list[Finding]:
    """A finding while a hold of this person waits for a prescriber."""
    waiting = and_(prescriber_hold.c.person_id == person_id, prescriber_hold.c.released_at.is_(None))
    if uow.execute(select(prescriber_hold.c.hold_id).where(waiting).limit(1)).one_or_none() is None:
        return []
    return [Finding("session_id", "no hold may wait for a prescriber's decision")]
