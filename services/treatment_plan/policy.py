"""Reads the policy in force at a site and time. A site's own row goes before one of the whole network, then the latest wins."""

from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from sqlalchemy import or_, select

from chassis.errors import FailedPrecondition, NotFound
from chassis.policy import in_force, number
from chassis.unit_of_work import UnitOfWork
from treatment_plan.domain.accounting import DiscrepancyPolicy
from treatment_plan.domain.limits import Library, Limit
from treatment_plan.domain.start import EchoPolicy
from treatment_plan.domain.weight import WeightPolicy
from treatment_plan.tables import dosing_weight_rule, library_concentration, library_limit, policy_number, protocol


def library_in_force(uow: UnitOfWork, library_code: str, site_id: str, at: datetime) -> Library:
    """The drug library of a site. FailedPrecondition LIBRARY_NOT_IN_FORCE where it has no bag: no entry, no order."""
    limits = uow.execute(
        in_force(library_limit, ("limit_code", "severity"), site_id, at).where(
            library_limit.c.library_code == library_code
        )
    ).all()
    bags = uow.execute(
        in_force(library_concentration, ("concentration_mg_per_ml",), site_id, at).where(
            library_concentration.c.library_code == library_code
        )
    ).all()
    entries = tuple(bag.concentration_mg_per_ml for bag in bags if bag.in_use)
    if not entries or not limits:
        raise FailedPrecondition("LIBRARY_NOT_IN_FORCE", rule="a drug library with entries and limits must be in force")
    return Library(
        library_code,
        entries,
        tuple(Limit(row.limit_code, row.severity, row.lower_bound, row.upper_bound) for row in limits),
    )


def number_in_force(uow: UnitOfWork, policy_code: str, site_id: str, at: datetime) -> Decimal:
    """One number of policy. FailedPrecondition POLICY_NOT_IN_FORCE names the policy that is missing."""
    return number(uow, policy_number, policy_code, site_id, at)


def echo_policy(uow: UnitOfWork, site_id: str, at: datetime) -> EchoPolicy:
    """How fresh an echo must be."""
    return EchoPolicy(
        max_age=timedelta(seconds=float(number_in_force(uow, "echo_max_age_s", site_id, at))),
        max_ahead=timedelta(seconds=float(number_in_force(uow, "echo_max_ahead_s", site_id, at))),
    )


def discrepancy_policy(uow: UnitOfWork, site_id: str, at: datetime) -> DiscrepancyPolicy:
    """How far pump volume and rate times time may be apart."""
    return DiscrepancyPolicy(
        fraction=number_in_force(uow, "discrepancy_fraction", site_id, at),
        volume_ml=number_in_force(uow, "discrepancy_ml", site_id, at),
    )


def order_expiry(uow: UnitOfWork, site_id: str, at: datetime) -> timedelta:
    """How long after the planned start an order may be used."""
    return timedelta(hours=float(number_in_force(uow, "order_expiry_h", site_id, at)))


def protocol_in_force(uow: UnitOfWork, protocol_code: str, at: datetime | None) -> Any:
    """The protocol's row in force at a time, or its latest one when `at` is None. NotFound when there is none."""
    chosen = select(protocol).where(protocol.c.protocol_code == protocol_code)
    if at is not None:
        until = protocol.c.effective_until
        chosen = chosen.where(protocol.c.effective_from <= at, or_(until.is_(None), until > at))
    newest = chosen.order_by(protocol.c.effective_from.desc(), protocol.c.version.desc()).limit(1)
    row = uow.execute(newest).one_or_none()
    if row is None:
        raise NotFound("protocol_code", "no such protocol in force at this time")
    return row


def weight_policy(uow: UnitOfWork, library_code: str, site_id: str, at: datetime) -> WeightPolicy:
    """How the dosing weight is made. FailedPrecondition POLICY_NOT_IN_FORCE where nothing says so."""
    mine = dosing_weight_rule.c.library_code == library_code
    row = uow.execute(in_force(dosing_weight_rule, ("library_code",), site_id, at).where(mine)).one_or_none()
    if row is None:
        raise FailedPrecondition("POLICY_NOT_IN_FORCE", rule="a rule of dosing weight must be in force for the library")
    return WeightPolicy(row.weight_rule, row.above_kg, row.above_bmi, row.ideal_bmi, row.excess_fraction)
