"""Rows that several use cases read: sessions, programmes, limits in force."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from sqlalchemy import Row, Table, or_, select

from chassis.errors import NotFound
from chassis.unit_of_work import UnitOfWork
from device_telemetry.domain.policy import Limit, Policy, Side, SilenceLimit
from device_telemetry.domain.programme import Programme
from device_telemetry.tables import alarm_limit, infusion_session, silence_limit, telemetry_policy

_MILLION = 1_000_000


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
    found = _in_force(uow, telemetry_policy, at, (site_id,))
    chosen = _of_site(found, site_id, "name")
    return int(chosen[name].seconds)


def policies_of(uow: UnitOfWork, sites: Iterable[UUID], at: datetime) -> dict[UUID, Policy]:
    """Limits, silences and other numbers in force at `at`, for each of the sites."""
    wanted = tuple(set(sites))
    limits = _in_force(uow, alarm_limit, at, wanted)
    silences = _in_force(uow, silence_limit, at, wanted)
    numbers = _in_force(uow, telemetry_policy, at, wanted)
    return {
        site_id: Policy(
            limits=tuple(_limit(row) for row in _of_site(limits, site_id, "kind_code").values()),
            silences=tuple(_silence(row) for row in _of_site(silences, site_id, "kind_code").values()),
            feed_slack_ms=_of_site(numbers, site_id, "name")["feed_slack"].seconds * 1000,
            clock_tolerance_ms=_of_site(numbers, site_id, "name")["clock_tolerance"].seconds * 1000,
        )
        for site_id in wanted
    }


def _in_force(uow: UnitOfWork, table: Table, at: datetime, sites: tuple[UUID, ...]) -> list[Row[Any]]:
    return list(
        uow.execute(
            select(table)
            .where(table.c.effective_from <= at, or_(table.c.effective_to.is_(None), table.c.effective_to > at))
            .where(or_(table.c.site_id.is_(None), table.c.site_id.in_(sites)))
            .order_by(table.c.site_id.nulls_first(), table.c.effective_from, table.primary_key.columns[0])
        )
    )


def _of_site(rows: list[Row[Any]], site_id: UUID, key: str) -> Mapping[str, Row[Any]]:
    """By key: the network's row, or the site's own, which goes before it."""
    chosen: dict[str, Row[Any]] = {}
    for row in rows:
        if row.site_id is None or row.site_id == site_id:
            chosen[getattr(row, key)] = row
    return dict(sorted(chosen.items()))


def _limit(row: Any) -> Limit:
    return Limit(
        kind=row.kind_code,
        metric=row.metric,
        side=Side(row.side),
        bound_e6=int(Decimal(row.bound) * _MILLION),
        inclusive=row.inclusive,
        priority=row.priority,
        duration_ms=row.duration_s * 1000,
        confirm_ms=row.confirm_s * 1000,
    )


def _silence(row: Any) -> SilenceLimit:
    return SilenceLimit(row.kind_code, tuple(row.metrics.split(",")), row.after_s * 1000, row.priority, row.required)
