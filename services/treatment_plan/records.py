"""Rows that several commands and reactions read or change, and the order in which they are locked: person, plan, session, order.

The person's lock joins what comes from intake (a consent withdrawn, a flag raised) with what is decided here (an order issued), so that
neither slips past the other. Whoever needs several locks takes them in this order.
"""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Table, and_, func, or_, select, update

from chassis.errors import FailedPrecondition, Finding, NotFound
from chassis.unit_of_work import UnitOfWork
from chassis.values import to_timestamp
from saguaro.treatment_plan.v1 import events_pb2 as events
from treatment_plan.domain.session_state import PLANNED, PREPARED, READY
from treatment_plan.tables import (
    clearance,
    consent,
    plan,
    plan_version,
    safety_flag,
    session_closure,
    session_record,
    treatment_order,
)

TREATMENT_CONSENT = "ketamine_treatment"
CONSENT_TOPIC = "saguaro.intake.consent"
UNUSED = and_(treatment_order.c.used_at.is_(None), treatment_order.c.revoked_at.is_(None))


def lock_person(uow: UnitOfWork, person_id: UUID | str) -> None:
    """Until commit, nobody else decides about this person."""
    uow.execute(select(func.pg_advisory_xact_lock(func.hashtextextended(f"treatment_plan.person:{person_id}", 0))))


def plan_for_update(uow: UnitOfWork, plan_id: UUID | str) -> Any:
    """The plan with its newest numbers, locked. NotFound (plan_id)."""
    wanted = UUID(str(plan_id))
    if uow.execute(select(plan.c.plan_id).where(plan.c.plan_id == wanted).with_for_update()).one_or_none() is None:
        raise NotFound("plan_id", "no such plan")
    return plan_row(uow, wanted)


def plan_row(uow: UnitOfWork, plan_id: UUID | str) -> Any:
    """The plan with its newest numbers. NotFound (plan_id)."""
    row = uow.execute(plans().where(plan.c.plan_id == UUID(str(plan_id)))).one_or_none()
    if row is None:
        raise NotFound("plan_id", "no such plan")
    return row


def plans() -> Any:
    """Plans joined with their newest numbers."""
    newest = and_(plan_version.c.plan_id == plan.c.plan_id, plan_version.c.version == plan.c.version)
    numbers = [column for column in plan_version.c if column.name not in plan.c]
    return select(plan, *numbers).join(plan_version, newest)


def session_of(uow: UnitOfWork, session_id: str) -> Any:
    """The session, not locked. FailedPrecondition SESSION_NOT_YET_KNOWN: its booking may still be on the way, so ask again."""
    row = uow.execute(select(session_record).where(session_record.c.session_id == UUID(session_id))).one_or_none()
    if row is None:
        raise FailedPrecondition(
            "SESSION_NOT_YET_KNOWN",
            field="session_id",
            rule="the session's booking must have arrived; repeat the call with the same request_id",
            session_id=session_id,
        )
    return row


def session_for_update(uow: UnitOfWork, session_id: str) -> Any:
    """The session, locked. FailedPrecondition SESSION_NOT_YET_KNOWN."""
    session_of(uow, session_id)
    return uow.execute(
        select(session_record).where(session_record.c.session_id == UUID(session_id)).with_for_update()
    ).one()


def set_session_state(uow: UnitOfWork, session_id: UUID, state: str) -> None:
    """Moves the session on."""
    uow.execute(update(session_record).where(session_record.c.session_id == session_id).values(state=state))


def sessions_accounted(uow: UnitOfWork, plan_id: UUID) -> int:
    """How many sessions of a plan had their infusion and the drug accounted for."""
    of_plan = session_record.c.plan_id == plan_id
    joined = select(func.count()).select_from(session_closure).join(session_record, of_session(session_closure))
    return int(uow.execute(joined.where(of_plan)).scalar_one())


def of_session(table: Table) -> ColumnElement[bool]:
    """Joins a table with the session that its rows belong to."""
    return table.c.session_id == session_record.c.session_id


def live_order(uow: UnitOfWork, session_id: UUID) -> Any:
    """The session's order that is not revoked, locked; or None."""
    live = and_(treatment_order.c.session_id == session_id, treatment_order.c.revoked_at.is_(None))
    return uow.execute(select(treatment_order).where(live).with_for_update()).one_or_none()


def revoke_unused_orders(uow: UnitOfWork, condition: ColumnElement[bool], reason_code: str) -> list[UUID]:
    """Revokes each order that was not used and fits; a session that was ready for it is planned again. Returns the orders' ids."""
    concerned = select(treatment_order.c.session_id).where(UNUSED, condition)
    uow.execute(
        select(session_record.c.session_id)
        .where(session_record.c.session_id.in_(concerned))
        .order_by(session_record.c.session_id)
        .with_for_update()
    )
    revoked = uow.execute(
        update(treatment_order)
        .where(UNUSED, condition)
        .values(revoked_at=uow.clinic_time, revoked_reason_code=reason_code)
        .returning(
            treatment_order.c.order_id,
            treatment_order.c.session_id,
            treatment_order.c.person_id,
            treatment_order.c.site_id,
        )
    ).all()
    for row in sorted(revoked, key=lambda order: str(order.order_id)):
        uow.execute(
            update(session_record)
            .where(session_record.c.session_id == row.session_id, session_record.c.state.in_((PREPARED, READY)))
            .values(state=PLANNED)
        )
        uow.emit(
            events.OrderRevoked(
                order_id=str(row.order_id),
                session_id=str(row.session_id),
                person_id=str(row.person_id),
                site_id=str(row.site_id),
                reason_code=reason_code,
                revoked_at=to_timestamp(uow.clinic_time),
            )
        )
    return sorted(row.order_id for row in revoked)


def clearance_findings(uow: UnitOfWork, person_id: UUID, indication: str, at: datetime) -> list[Finding]:
    """What stands against treating this indication: the latest decision must be a clearance, and not expired."""
    latest = uow.execute(
        select(clearance.c.cleared, clearance.c.expires_at)
        .where(clearance.c.person_id == person_id, clearance.c.indication == indication)
        .order_by(clearance.c.decided_at.desc(), clearance.c.clearance_id.desc())
        .limit(1)
    ).one_or_none()
    if latest is None:
        return [Finding("person_id", "a clearance for this indication must be known: none has arrived")]
    if not latest.cleared:
        return [Finding("person_id", "a clearance for this indication must be in force: the latest decision declined")]
    if latest.expires_at is not None and latest.expires_at <= at:
        return [Finding("person_id", "a clearance for this indication must be in force: it expired")]
    return []


def flag_findings(uow: UnitOfWork, person_id: UUID) -> list[Finding]:
    """A finding when a safety flag that blocks is open."""
    open_flag = and_(safety_flag.c.person_id == person_id, safety_flag.c.blocks, safety_flag.c.cleared_at.is_(None))
    if uow.execute(select(safety_flag.c.flag_id).where(open_flag).limit(1)).one_or_none() is None:
        return []
    return [Finding("person_id", "no safety flag that blocks may be open")]


def treatment_consent_in_force(uow: UnitOfWork, person_id: UUID, at: datetime) -> bool:
    """Whether a treatment consent is known to hold."""
    holding = and_(consent.c.person_id == person_id, consent.c.kind == TREATMENT_CONSENT, consent_holds(at))
    return uow.execute(select(consent.c.consent_id).where(holding).limit(1)).one_or_none() is not None


def consent_holds(at: datetime) -> ColumnElement[bool]:
    """Granted, not withdrawn, not expired."""
    return and_(
        consent.c.granted_at.is_not(None),
        consent.c.withdrawn_at.is_(None),
        or_(consent.c.expires_at.is_(None), consent.c.expires_at > at),
    )


def consent_findings(uow: UnitOfWork, person_id: UUID, at: datetime) -> list[Finding]:
    """A finding when the treatment consents that are known were all withdrawn or have expired.

    None known yet is no finding: this is a copy, and the start of an infusion asks intake itself.
    """
    kind = and_(consent.c.person_id == person_id, consent.c.kind == TREATMENT_CONSENT)
    known, holding = func.count().label("known"), func.count().filter(consent_holds(at)).label("holding")
    counts = uow.execute(select(known, holding).where(kind)).one()
    if counts.known and not counts.holding:
        return [Finding("person_id", "the treatment consent must be in force: it was withdrawn or expired")]
    return []
