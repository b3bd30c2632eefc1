"""Facts on record that the gates rest on, as of a moment of clinic time."""

from datetime import date, datetime, timedelta
from uuid import UUID

from sqlalchemy import and_, func, or_, select
from sqlalchemy.dialects.postgresql import distinct_on

from chassis.unit_of_work import UnitOfWork
from intake.domain.eligibility import PREGNANCY_TEST, absent
from intake.domain.identity import day_of
from intake.domain.scale import INCOMPLETE, NOT_SCORABLE
from intake.domain.series import last_infusion_before
from intake.outcomes import series_of
from intake.people import open_identity
from intake.tables import clearance, clearance_rule, consent, diagnosis, instrument_result, registration, safety_flag


def consent_in_force(
    uow: UnitOfWork, person_id: UUID, site_id: UUID, kind: str, at: datetime, *, signed_after: datetime | None = None
) -> bool:
    """A consent of that kind, signed for that site, begun, not ended, not withdrawn."""
    mine = and_(consent.c.person_id == person_id, consent.c.site_id == site_id, consent.c.kind == kind)
    running = and_(consent.c.granted_at <= at, consent.c.expires_at > at)
    not_withdrawn = or_(consent.c.withdrawn_at.is_(None), consent.c.withdrawn_at > at)
    found = select(func.count()).where(mine, running, not_withdrawn)
    if signed_after is not None:
        found = found.where(consent.c.granted_at > signed_after)
    return bool(uow.execute(found).scalar_one())


def consent_for_series(uow: UnitOfWork, person_id: UUID, site_id: UUID, kind: str, at: datetime) -> bool:
    """A consent in force that was signed after the last infusion of the series before this one: each series needs its own."""
    series = series_of(uow, person_id)
    before = last_infusion_before(series.plans, series.infusions, at)
    return consent_in_force(uow, person_id, site_id, kind, at, signed_after=before)


def no_blocking_flag(uow: UnitOfWork, person_id: UUID) -> bool:
    """No open flag that blocks, at whichever site and whenever it was raised."""
    blocking = and_(safety_flag.c.person_id == person_id, safety_flag.c.blocks, safety_flag.c.cleared_at.is_(None))
    return not uow.execute(select(func.count()).where(blocking)).scalar_one()


def no_overdue_flag(uow: UnitOfWork, person_id: UUID, at: datetime) -> bool:
    """No open flag whose review was due before a moment, whether it blocks or not."""
    late = and_(safety_flag.c.person_id == person_id, safety_flag.c.cleared_at.is_(None), safety_flag.c.due_at <= at)
    return not uow.execute(select(func.count()).where(late, ~safety_flag.c.blocks)).scalar_one()


def screened(uow: UnitOfWork, person_id: UUID, instrument: str, at: datetime, valid_days: int) -> bool:
    """The latest result of an instrument is of the last `valid_days` and had answers enough. An older good one does not stand in."""
    query = (
        select(instrument_result.c.band, instrument_result.c.completed_at)
        .where(
            instrument_result.c.person_id == person_id,
            instrument_result.c.instrument == instrument,
            instrument_result.c.completed_at <= at,
        )
        .order_by(instrument_result.c.completed_at.desc(), instrument_result.c.result_id.desc())
        .limit(1)
    )
    row = uow.execute(query).one_or_none()
    return (
        row is not None
        and row.band not in (INCOMPLETE, NOT_SCORABLE)
        and row.completed_at >= at - timedelta(days=valid_days)
    )


def screened_since(uow: UnitOfWork, person_id: UUID, instrument: str, since: datetime, until: datetime) -> bool:
    """A complete result of an instrument from between two moments."""
    mine = and_(instrument_result.c.person_id == person_id, instrument_result.c.instrument == instrument)
    then = instrument_result.c.completed_at.between(since, until)
    complete = instrument_result.c.band.not_in((INCOMPLETE, NOT_SCORABLE))
    return bool(uow.execute(select(func.count()).where(mine, then, complete)).scalar_one())


def diagnosis_codes(uow: UnitOfWork, person_id: UUID, at: datetime) -> list[str]:
    """Codes recorded up to a moment."""
    query = select(diagnosis.c.icd10cm_code).where(diagnosis.c.person_id == person_id, diagnosis.c.recorded_at <= at)
    return sorted({row.icd10cm_code for row in uow.execute(query)})


def birth_date(uow: UnitOfWork, person_id: UUID) -> date:
    """The day that was stated last. ValueError when the sealed document holds none: it was checked when it was sealed."""
    query = select(registration.c.identity_sealed).where(registration.c.person_id == person_id)
    sealed = uow.execute(
        query.order_by(registration.c.registered_at.desc(), registration.c.site_id).limit(1)
    ).scalar_one()
    born = day_of(open_identity(uow, person_id, sealed).birth_date)
    if born is None:
        raise ValueError("a sealed identity without a birth date")
    return born


def clearances_in_force(uow: UnitOfWork, person_id: UUID, at: datetime) -> list[UUID]:
    """The latest decision for each indication, where it cleared the person and has not expired. It holds at every site."""
    latest = (
        select(clearance.c.clearance_id, clearance.c.outcome, clearance.c.expires_at)
        .ext(distinct_on(clearance.c.indication))
        .where(clearance.c.person_id == person_id, clearance.c.decided_at <= at)
        .order_by(clearance.c.indication, clearance.c.decided_at.desc(), clearance.c.clearance_id.desc())
    )
    return [row.clearance_id for row in uow.execute(latest) if row.outcome == "cleared" and row.expires_at > at]


def clearance_in_force(uow: UnitOfWork, person_id: UUID, at: datetime) -> bool:
    """The person is cleared for some indication."""
    return bool(clearances_in_force(uow, person_id, at))


def not_pregnant_at_clearance(uow: UnitOfWork, person_id: UUID, at: datetime) -> bool:
    """Every clearance in force rests on a no to pregnancy, and on a negative test where one was needed or on a decision about it.

    Met where there is no clearance: that is another rule's finding.
    """
    about = (absent("pregnancy"), PREGNANCY_TEST)
    unmet = select(func.count()).where(
        clearance_rule.c.clearance_id.in_(clearances_in_force(uow, person_id, at)),
        clearance_rule.c.code.in_(about),
        ~clearance_rule.c.met,
        clearance_rule.c.accepted.is_distinct_from(True),
    )
    return not uow.execute(unmet).scalar_one()
