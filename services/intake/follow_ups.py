"""What must be done about a person because of a flag: a clinician's review, and a C-SSRS where the reason asks for one."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import and_, insert, select, update

from chassis.unit_of_work import UnitOfWork
from intake.domain import cssrs
from intake.tables import follow_up, instrument_result

REVIEW, CSSRS, AFTER_SESSION = "clinician_review", "cssrs", "after_session"
DONE = "done"


def ask_for(
    uow: UnitOfWork, flag_id: UUID, place: dict[str, UUID], due: datetime, *, needs_cssrs: bool, result_id: UUID
) -> None:
    """A review of every flag; a C-SSRS where it is needed and the result that raised the flag is none itself."""
    instrument = select(instrument_result.c.instrument).where(instrument_result.c.result_id == result_id)
    also = needs_cssrs and uow.execute(instrument).scalar_one() != cssrs.INSTRUMENT
    for kind in (REVIEW, CSSRS) if also else (REVIEW,):
        uow.execute(
            insert(follow_up).values(follow_up_id=uow.new_id(), **place, flag_id=flag_id, kind=kind, due_at=due)
        )


def close_review(uow: UnitOfWork, flag_id: UUID) -> None:
    """The clinician's note is the review."""
    _close(uow, follow_up.c.flag_id == flag_id, follow_up.c.kind == REVIEW)


def close_cssrs(uow: UnitOfWork, person_id: UUID) -> None:
    """A complete C-SSRS is what was asked for, by whichever flag."""
    _close(uow, follow_up.c.person_id == person_id, follow_up.c.kind == CSSRS)


def _close(uow: UnitOfWork, *which: object) -> None:
    still_open = and_(*which, follow_up.c.done_at.is_(None))  # type: ignore[arg-type]
    done = {"done_at": uow.clinic_time, "done_by": uow.context.actor_id, "outcome_code": DONE}
    uow.execute(update(follow_up).where(still_open).values(**done))
