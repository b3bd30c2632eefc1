"""What is on record about a session, folded from its rows: the latest answer of each item, the latest value of each measure."""

from collections.abc import Mapping, Sequence
from dataclasses import fields
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

from sqlalchemy import Table, func, select

from chassis.unit_of_work import UnitOfWork
from treatment_plan.domain.bag import Bag
from treatment_plan.domain.discharge import Dissociation
from treatment_plan.domain.ready import Arrival
from treatment_plan.domain.scores import Aldrete
from treatment_plan.session_tables import (
    arrival_answer,
    bag,
    infusion_progress,
    observation,
    suicide_risk_screening,
)
from treatment_plan.tables import pump_totals, session_readiness

# What intake calls a C-SSRS whose answers decide nothing: it was not completed.
INCOMPLETE = "incomplete"


def one_row(uow: UnitOfWork, table: Table, session_id: UUID) -> Any:
    """The session's row in a table that has one a session; or None."""
    return uow.execute(select(table).where(table.c.session_id == session_id)).one_or_none()


def arrival_of(uow: UnitOfWork, session_id: UUID) -> Arrival:
    """The latest answer of each item."""
    rows = uow.execute(
        select(arrival_answer)
        .where(arrival_answer.c.session_id == session_id)
        .order_by(arrival_answer.c.recorded_at, arrival_answer.c.answer_id)
    ).all()
    answers: dict[str, Any] = {}
    for row in rows:
        for field in fields(Arrival):
            value = getattr(row, field.name)
            if value is not None:
                answers[field.name] = value
    return Arrival(**answers)


def observations_of(uow: UnitOfWork, session_id: UUID) -> Sequence[Any]:
    """All observations, by the time at which they were taken."""
    return uow.execute(
        select(observation)
        .where(observation.c.session_id == session_id)
        .order_by(observation.c.taken_at, observation.c.observation_id)
    ).all()


def of_phase(rows: Sequence[Any], phase: str, since: datetime | None = None) -> list[Any]:
    """Those of a phase that were taken from a time on."""
    return [row for row in rows if row.phase == phase and (since is None or row.taken_at >= since)]


def latest(rows: Sequence[Any], column: str) -> Any:
    """The latest value of a column that was looked at; None without one."""
    return next((getattr(row, column) for row in reversed(rows) if getattr(row, column) is not None), None)


def latest_vitals(rows: Sequence[Any]) -> Mapping[str, Decimal | None]:
    """The latest value of each vital sign and of MOAA/S. Systolic and diastolic come of the same measurement."""
    names = ("systolic_mmhg", "diastolic_mmhg", "heart_rate_per_min", "spo2_percent", "respiratory_rate_per_min")
    values: dict[str, Decimal | None] = {name: latest(rows, name) for name in names}
    moaas = latest(rows, "moaas")
    values["moaas"] = None if moaas is None else Decimal(moaas)
    return values


def latest_cadss(rows: Sequence[Any]) -> Dissociation | None:
    """The latest CADSS with its form."""
    row = next((row for row in reversed(rows) if row.cadss_total is not None), None)
    return None if row is None else Dissociation(row.cadss_form, row.cadss_total)


def aldrete_of(row: Any) -> Aldrete | None:
    """The Aldrete score of an observation; None where it was not taken."""
    if row.aldrete_variant is None:
        return None
    return Aldrete(
        row.aldrete_activity,
        row.aldrete_respiration,
        row.aldrete_circulation,
        row.aldrete_consciousness,
        row.aldrete_oxygen_saturation,
        row.aldrete_variant,
    )


def latest_aldrete(rows: Sequence[Any]) -> Aldrete | None:
    """The latest Aldrete score."""
    scores = [score for row in rows if (score := aldrete_of(row)) is not None]
    return scores[-1] if scores else None


def bag_row(uow: UnitOfWork, session_id: UUID) -> Any:
    """The bag that was prepared last; or None."""
    chosen = select(bag).where(bag.c.session_id == session_id)
    return uow.execute(chosen.order_by(bag.c.prepared_at.desc(), bag.c.bag_id.desc()).limit(1)).one_or_none()


def bag_of(row: Any) -> Bag:
    """A bag's row as the rules take it."""
    return Bag(row.ndc, row.lot, row.expires_on, row.vial_concentration_mg_per_ml, row.drawn_ml, row.final_ml)


def screened(uow: UnitOfWork, session: Any, max_age: timedelta) -> bool:
    """Whether a C-SSRS was completed after the person's last infusion, and not longer ago than `max_age`."""
    last_visit = uow.execute(
        select(func.max(func.coalesce(pump_totals.c.stopped_at, pump_totals.c.started_at))).where(
            pump_totals.c.person_id == session.person_id, pump_totals.c.session_id != session.session_id
        )
    ).scalar_one()
    after = uow.clinic_time - max_age
    if last_visit is not None and last_visit > after:
        after = last_visit
    found = select(suicide_risk_screening.c.result_id).where(
        suicide_risk_screening.c.person_id == session.person_id,
        suicide_risk_screening.c.completed_at >= after,
        suicide_risk_screening.c.completed_at <= uow.clinic_time,
        suicide_risk_screening.c.band != INCOMPLETE,
    )
    return uow.execute(found.limit(1)).one_or_none() is not None


def readiness_of(uow: UnitOfWork, order_id: UUID) -> Any:
    """How the session was made ready for this order; or None."""
    return uow.execute(select(session_readiness).where(session_readiness.c.order_id == order_id)).one_or_none()


def ended_at_of(uow: UnitOfWork, session_id: UUID) -> datetime | None:
    """When the infusion ended; None while it has not."""
    row = one_row(uow, infusion_progress, session_id)
    return None if row is None else row.ended_at
