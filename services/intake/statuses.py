"""What the record holds about people, without who they are: read for a whole page at once."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Column, ColumnElement, and_, func, or_, select
from sqlalchemy.dialects.postgresql import distinct_on

from chassis.unit_of_work import UnitOfWork
from chassis.values import to_timestamp
from intake.tables import clearance, consent, diagnosis, person, registration, safety_flag
from saguaro.intake.v1 import types_pb2 as types


def statuses(uow: UnitOfWork, person_ids: Sequence[UUID]) -> list[types.PatientStatus]:
    """One for each person on record, in the order of their ids, as of the clinic time of the call."""
    at = uow.clinic_time
    people = uow.execute(select(person).where(person.c.person_id.in_(person_ids)).order_by(person.c.person_id)).all()
    sites = _lists(uow, person_ids, registration.c.site_id)
    flags = _lists(uow, person_ids, safety_flag.c.flag_id, safety_flag.c.cleared_at.is_(None))
    codes = _lists(uow, person_ids, diagnosis.c.icd10cm_code)
    running = and_(
        consent.c.granted_at <= at,
        consent.c.expires_at > at,
        or_(consent.c.withdrawn_at.is_(None), consent.c.withdrawn_at > at),
    )
    consents = _lists(uow, person_ids, consent.c.kind, running)
    states = _states(uow, person_ids, at)
    return [
        types.PatientStatus(
            person_id=str(row.person_id),
            site_ids=sites.get(row.person_id, []),
            state=states.get(row.person_id, "registered"),
            open_flag_ids=flags.get(row.person_id, []),
            diagnosis_codes=codes.get(row.person_id, []),
            active_consents=consents.get(row.person_id, []),
            registered_at=to_timestamp(row.registered_at),
        )
        for row in people
    ]


def _lists(
    uow: UnitOfWork, person_ids: Sequence[UUID], column: Column[Any], *only: ColumnElement[bool]
) -> dict[UUID, list[str]]:
    """Person -> every different value of a column of a table about people, in order."""
    whose = column.table.c.person_id
    query = (
        select(whose, func.array_agg(column.distinct()).label("found"))
        .where(whose.in_(person_ids), *only)
        .group_by(whose)
    )
    return {row.person_id: [str(value) for value in row.found] for row in uow.execute(query)}


def _states(uow: UnitOfWork, person_ids: Sequence[UUID], at: datetime) -> dict[UUID, str]:
    """The latest decision of each; a clearance that has expired leaves the person registered."""
    latest = (
        select(clearance.c.person_id, clearance.c.outcome, clearance.c.expires_at)
        .ext(distinct_on(clearance.c.person_id))
        .where(clearance.c.person_id.in_(person_ids), clearance.c.decided_at <= at)
        .order_by(clearance.c.person_id, clearance.c.decided_at.desc(), clearance.c.clearance_id.desc())
    )
    return {
        row.person_id: row.outcome if row.expires_at is None or row.expires_at > at else "registered"
        for row in uow.execute(latest)
    }
