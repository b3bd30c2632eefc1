"""Prices and policy of a site on a day: what a service comes to, from facts that the database keeps."""

from datetime import UTC, date, datetime, time
from decimal import Decimal
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import Row, select

from billing.domain import words
from billing.domain.charging import Outcome, SessionFacts, charge
from billing.domain.coding import CodingPolicy
from billing.domain.visits import AssessmentRule, EvaluationRule, charge_evaluation
from billing.policy_tables import assessment_policy, coding_policy, evaluation_policy, policy_number
from billing.tables import charge_review, price_item, price_list
from chassis.policy import in_force, number
from chassis.unit_of_work import UnitOfWork
from chassis.values import decimal_text

# The rules that hold for every payer.
_ANY_PAYER = "any"
_CODING = (
    "push_code", "push_from_min", "initial_code", "initial_from_min", "initial_covers_min", "additional_code",
    "additional_unit_min", "additional_beyond_min", "drug_code", "drug_units", "bills_paused_time",
)  # fmt: skip


class PriceList(NamedTuple):
    """The prices in force on a day."""

    price_list_id: UUID
    effective_from: date
    prices: dict[str, Decimal]


def outcome_of(uow: UnitOfWork, row: Row[Any], review: Row[Any] | None = None) -> Outcome:
    """What a session or evaluation of this charge set comes to, by the policy and the prices of its day."""
    at = moment_of(row)
    if row.kind == words.EVALUATION:
        # A code that nobody knew on its day may have a rule by the day of its review; the price stays that of its day.
        at = at if review is None else review.reviewed_at
        return charge_evaluation(evaluation_rule(uow, row.site_id, row.subject_code, at), _prices(uow, row))
    holds = bool(number(uow, policy_number, words.DISCREPANCY_HOLDS, row.site_id, at))
    policy = None if row.service_date is None else coding_on(uow, row.site_id, at)
    return charge(facts_of(row, review), policy, _prices(uow, row), holds)


def facts_of(row: Row[Any], review: Row[Any] | None) -> SessionFacts:
    """The facts of a session's charge set, with what a person established beside what the devices said."""
    return SessionFacts(
        service_date=row.service_date,
        stopped=row.stopped,
        delivering_seconds=row.delivering_seconds,
        delivered_mg=_text(row.delivered_mg),
        vial_mg_per_ml=_text(row.vial_mg_per_ml),
        ndc=row.ndc,
        paused_seconds=row.paused_seconds,
        wasted_mg=_text(row.wasted_mg),
        discrepancy=row.discrepancy,
        reviewed=review is not None,
        reviewed_seconds=None if review is None else review.delivering_seconds,
    )


def moment_of(row: Row[Any]) -> datetime:
    """When the service began. A set of the first release has only its day; one without a start was captured about then."""
    if row.served_at is not None:
        served_at: datetime = row.served_at
        return served_at
    if row.service_date is not None:
        return datetime.combine(row.service_date, time(12), UTC)
    captured_at: datetime = row.captured_at
    return captured_at


def last_review(uow: UnitOfWork, charge_set_id: UUID) -> Row[Any] | None:
    """What a person established last about a charge set."""
    return uow.execute(
        select(charge_review)
        .where(charge_review.c.charge_set_id == charge_set_id)
        .order_by(charge_review.c.charge_review_id.desc())
        .limit(1)
    ).one_or_none()


def coding_on(uow: UnitOfWork, site_id: UUID, at: datetime) -> CodingPolicy | None:
    """The rules from times to codes that are in force at the site."""
    query = in_force(coding_policy, ("payer_code",), site_id, at).where(coding_policy.c.payer_code == _ANY_PAYER)
    row = uow.execute(query).one_or_none()
    return None if row is None else CodingPolicy(**{name: row._mapping[name] for name in _CODING})


def evaluation_rule(uow: UnitOfWork, site_id: UUID, cpt_code: str, at: datetime) -> EvaluationRule | None:
    """The rule of an evaluation code in force at the site; None for a code that the policy does not know."""
    query = in_force(evaluation_policy, ("cpt_code",), site_id, at).where(evaluation_policy.c.cpt_code == cpt_code)
    row = uow.execute(query).one_or_none()
    return None if row is None else EvaluationRule(row.cpt_code, row.needs_price)


def assessment_rule(uow: UnitOfWork, site_id: UUID, instrument: str, at: datetime) -> AssessmentRule | None:
    """The rule of an instrument in force at the site; None for one that the policy does not know."""
    query = in_force(assessment_policy, ("instrument",), site_id, at)
    row = uow.execute(query.where(assessment_policy.c.instrument == instrument)).one_or_none()
    return None if row is None else AssessmentRule(row.code, row.billable)


def price_list_on(uow: UnitOfWork, site_id: UUID, day: date) -> PriceList | None:
    """The site's prices in force on a day."""
    found = uow.execute(
        select(price_list.c.price_list_id, price_list.c.effective_from)
        .where(price_list.c.site_id == site_id, price_list.c.effective_from <= day)
        .order_by(price_list.c.effective_from.desc())
        .limit(1)
    ).one_or_none()
    if found is None:
        return None
    items = uow.execute(
        select(price_item.c.code, price_item.c.unit_price_usd).where(price_item.c.price_list_id == found.price_list_id)
    )
    return PriceList(found.price_list_id, found.effective_from, {row.code: row.unit_price_usd for row in items})


def _prices(uow: UnitOfWork, row: Row[Any]) -> dict[str, Decimal] | None:
    found = None if row.service_date is None else price_list_on(uow, row.site_id, row.service_date)
    return None if found is None else found.prices


def _text(value: Decimal | None) -> str:
    return "" if value is None else decimal_text(value)
