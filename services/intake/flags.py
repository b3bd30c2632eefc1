"""Raises a safety flag: what a result says about a person's safety, who must see to it, and by when."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import Column, and_, func, insert, select

from chassis.unit_of_work import UnitOfWork
from chassis.values import to_timestamp
from intake import policy
from intake.domain.due import due_at
from intake.domain.practitioner import CLEAR, DIAGNOSE
from intake.follow_ups import ask_for
from intake.practitioners import at_site, missing
from intake.rule_tables import flag_assignment
from intake.tables import clearance, diagnosis, safety_flag
from saguaro.intake.v1 import events_pb2 as events


def raise_flag(uow: UnitOfWork, result_id: UUID, place: dict[str, UUID], reason_code: str, zone: str) -> None:
    """One flag of a result. `place`: person_id and site_id; `zone`: the site's. KeyError for a reason that the policy data do not know."""
    reason = policy.flags(uow, place["site_id"])[reason_code]
    flag_id, due = uow.new_id(), due_at(uow.clinic_time, reason.due_minutes, zone)
    owner_id = owner_of(uow, place["person_id"], place["site_id"])
    uow.execute(
        insert(safety_flag).values(
            flag_id=flag_id,
            **place,
            result_id=result_id,
            reason_code=reason_code,
            blocks=reason.blocks,
            raised_at=uow.clinic_time,
            due_at=due,
            owner_id=owner_id,
        )
    )
    assign(uow, flag_id, place, owner_id)
    ask_for(uow, flag_id, place, due, needs_cssrs=reason.needs_cssrs, result_id=result_id)
    uow.emit(
        events.SafetyFlagRaised(
            flag_id=str(flag_id),
            person_id=str(place["person_id"]),
            site_id=str(place["site_id"]),
            reason_code=reason_code,
            blocks=reason.blocks,
            raised_at=to_timestamp(uow.clinic_time),
            due_at=to_timestamp(due),
            owner_id=str(owner_id),
        )
    )


def owner_of(uow: UnitOfWork, person_id: UUID, site_id: UUID) -> UUID:
    """Who has to evaluate the person: somebody who may clear the flag (house policy).

    The caller if qualified; else who last diagnosed or decided about the person; else who of the site has the fewest open flags. Where
    nobody at the site is qualified, the caller, who has to find somebody.
    """
    caller = UUID(str(uow.context.actor_id))
    if may_clear(uow, caller, site_id):
        return caller
    for known in (
        _last(uow, clearance.c.decided_by, clearance.c.decided_at, person_id),
        _last(uow, diagnosis.c.recorded_by, diagnosis.c.recorded_at, person_id),
    ):
        if known is not None and may_clear(uow, known, site_id):
            return known
    qualified = [who for who in at_site(uow, site_id) if may_clear(uow, who, site_id)]
    return min(qualified, key=lambda who: (_open_flags(uow, who), who), default=caller)


def may_clear(uow: UnitOfWork, practitioner_id: UUID, site_id: UUID) -> bool:
    """Whether somebody may clear a flag at a site now."""
    return any(not missing(uow, practitioner_id, site_id, privilege) for privilege in (CLEAR, DIAGNOSE))


def _last(uow: UnitOfWork, who: Column[UUID], when: Column[datetime], person_id: UUID) -> UUID | None:
    """The actor of the latest row about a person, up to now."""
    mine = and_(who.table.c.person_id == person_id, when <= uow.clinic_time)
    found: UUID | None = uow.execute(select(who).where(mine).order_by(when.desc(), who).limit(1)).scalar_one_or_none()
    return found


def _open_flags(uow: UnitOfWork, owner_id: UUID) -> int:
    mine = and_(safety_flag.c.owner_id == owner_id, safety_flag.c.cleared_at.is_(None))
    return int(uow.execute(select(func.count()).where(mine)).scalar_one())


def assign(uow: UnitOfWork, flag_id: UUID, place: dict[str, UUID], owner_id: UUID) -> None:
    """Writes down who has to see to a flag from now on."""
    before = select(func.count()).where(flag_assignment.c.flag_id == flag_id)
    uow.execute(
        insert(flag_assignment).values(
            flag_id=flag_id,
            position=int(uow.execute(before).scalar_one()) + 1,
            **place,
            owner_id=owner_id,
            assigned_at=uow.clinic_time,
            assigned_by=uow.context.actor_id,
        )
    )
