"""Rows that several use cases read: sessions, programmes, times in force."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Row, select

from chassis.errors import NotFound
from chassis.policy import in_force
from chassis.unit_of_work import UnitOfWork
from device_telemetry.domain.programme import Programme
from device_telemetry.policy_tables import telemetry_policy
from device_telemetry.tables import infusion_session


def session_of(uow: UnitOfWork, session_id: str) -> Row[Any]:
    """The booked session. NotFound when scheduling's booking is not known here."""
    row = uow.execute(select(infusion_session).where(infusion_session.c.session_id == UUID(session_id))).one_or_none()
    if row is None:
        raise NotFound("session_id", "must be a booked session", session_id=session_id)
    return row


def programme_of(row: Any) -> Programme:
    """The programme in a row of an order or an authorisation."""
    return Programme(row.drug_code, row.concentration_mg_per_ml, row.rate_ml_per_h, row.vtbi_ml)


def seconds_of(uow: UnitOfWork, name: str, site_id: UUID, at: datetime) -> int:
    """A policy number in force at this site and time, in seconds. LookupError when there is none."""
    query = in_force(telemetry_policy, ("name",), site_id, at).where(telemetry_policy.c.name == name)
    row = uow.execute(query).one_or_none()
    if row is None:
        raise LookupError(f"the policy {name} is not in force")
    return int(row.seconds)
