"""Takes down plans and infusions as their owners tell of them, in any order and more than once, and judges anew what they change."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.dialects.postgresql import insert

from chassis.unit_of_work import UnitOfWork
from intake.outcomes import judge_results
from intake.series_tables import begun_infusion, signed_plan
from intake.tables import person


def take_down_plan(uow: UnitOfWork, *, plan_id: str, person_id: str, site_id: str, signed_at: datetime) -> None:
    """A plan is signed once; its revisions do not begin another series."""
    row = {"plan_id": UUID(plan_id), "person_id": UUID(person_id), "site_id": UUID(site_id), "signed_at": signed_at}
    uow.execute(insert(signed_plan).values(**row).on_conflict_do_nothing(constraint="signed_plan_pk"))
    _judge(uow, UUID(person_id))


def take_down_infusion(
    uow: UnitOfWork, *, session_id: str, person_id: str, site_id: str, started_at: datetime, plan_id: str = ""
) -> None:
    """A session has one infusion. The earliest start and the plan that was named hold, whichever event comes first."""
    new = insert(begun_infusion).values(
        session_id=UUID(session_id),
        person_id=UUID(person_id),
        site_id=UUID(site_id),
        started_at=started_at,
        plan_id=UUID(plan_id) if plan_id else None,
    )
    held = {
        "started_at": func.least(begun_infusion.c.started_at, new.excluded.started_at),
        "plan_id": func.coalesce(begun_infusion.c.plan_id, new.excluded.plan_id),
    }
    uow.execute(new.on_conflict_do_update(constraint="begun_infusion_pk", set_=held))
    _judge(uow, UUID(person_id))


def _judge(uow: UnitOfWork, person_id: UUID) -> None:
    """Under the person's lock: a result that is being completed now is either seen here, or sees what was taken down."""
    lock = select(person.c.person_id).where(person.c.person_id == person_id).with_for_update(key_share=True)
    if uow.execute(lock).one_or_none() is not None:
        judge_results(uow, person_id)
