"""A good-faith estimate of a series: the codes and units that its sessions will come to, at the prices of its first day.

Source: No Surprises Act, good-faith estimates for people who pay themselves (45 CFR 149.610): items with codes and expected charges, the
period, what is left out, and from which difference on the bill may be disputed (45 CFR 149.620).
"""

from datetime import date, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from sqlalchemy import Row, select

from billing.charge_messages import id_text
from billing.domain import words
from billing.domain.coding import CodedLine, CodingPolicy, time_lines
from billing.policy_tables import assessment_policy, estimate_exclusion, policy_number
from billing.pricing import evaluation_rule
from billing.tables import estimate, estimate_line, price_list
from chassis.errors import FailedPrecondition, InvalidArgument, NotFound
from chassis.policy import in_force, number
from chassis.unit_of_work import UnitOfWork
from chassis.values import decimal_text
from saguaro.billing.v1 import service_pb2 as pb
from saguaro.billing.v1 import types_pb2 as types

# A line of one visit, and how many such visits the series has.
Repeated = tuple[CodedLine, int]


def repeated_lines(
    uow: UnitOfWork, request: pb.CreateEstimateRequest, policy: CodingPolicy, at: datetime
) -> list[Repeated]:
    """The lines of the whole series: infusion time, drug, evaluations, instruments up to the daily cap."""
    site_id, sessions = UUID(request.site_id), request.session_count
    lines: list[Repeated] = [(line, sessions) for line in time_lines(request.infusion_minutes, policy)]
    lines.append((CodedLine(policy.drug_code, policy.drug_units), sessions))
    for code in dict.fromkeys(request.evaluation_codes):
        rule = evaluation_rule(uow, site_id, code, at)
        if rule is None:
            raise InvalidArgument("evaluation_codes", "must be codes that the policy charges")
        times = list(request.evaluation_codes).count(code)
        lines.append((CodedLine(code, Decimal(1), optional=not rule.needs_price), times))
    cap = int(number(uow, policy_number, words.DAILY_UNIT_CAP, site_id, at))
    instruments = min(request.assessments_per_session, cap)
    assessment = _assessment_code(uow, site_id, at)
    if instruments and assessment is not None:
        lines.append((CodedLine(assessment, Decimal(instruments), optional=True), sessions))
    return lines


def _assessment_code(uow: UnitOfWork, site_id: UUID, at: datetime) -> str | None:
    rows = uow.execute(in_force(assessment_policy, ("instrument",), site_id, at))
    codes = sorted({row.code for row in rows if row.billable})
    return codes[0] if codes else None


def require_prices(lines: list[Repeated], prices: dict[str, Decimal]) -> None:
    """FailedPrecondition PRICE_MISSING names every needed code that the site has no price for."""
    missing = sorted({line.code for line, _ in lines if line.code not in prices and not line.optional})
    if missing:
        raise FailedPrecondition(
            "PRICE_MISSING", field="site_id", rule=f"the site must have a price for {', '.join(missing)}"
        )


def exclusions(uow: UnitOfWork, site_id: UUID, at: datetime) -> list[str]:
    """What an estimate of this site says that it leaves out."""
    rows = uow.execute(in_force(estimate_exclusion, ("exclusion_code",), site_id, at))
    return [row.exclusion_code for row in rows if row.stated]


def estimate_row(uow: UnitOfWork, estimate_id: UUID) -> Row[Any]:
    """An estimate with the first day of its prices. NotFound for one that was never made."""
    row = uow.execute(
        select(estimate, price_list.c.effective_from)
        .join(price_list, price_list.c.price_list_id == estimate.c.price_list_id)
        .where(estimate.c.estimate_id == estimate_id)
    ).one_or_none()
    if row is None:
        raise NotFound("estimate_id", "must be an estimate on record", estimate_id=str(estimate_id))
    return row


def estimate_message(uow: UnitOfWork, row: Row[Any]) -> types.Estimate:
    """An estimate as the contract writes it."""
    lines = uow.execute(
        select(estimate_line)
        .where(estimate_line.c.estimate_id == row.estimate_id)
        .order_by(estimate_line.c.line_number)
    )
    return types.Estimate(
        estimate_id=str(row.estimate_id),
        person_id=str(row.person_id),
        site_id=str(row.site_id),
        plan_id=id_text(row.plan_id),
        session_count=row.session_count,
        lines=[
            types.ChargeLine(
                code=line.code,
                units=decimal_text(line.units),
                unit_price_usd=decimal_text(line.unit_price_usd),
                amount_usd=decimal_text(line.amount_usd),
            )
            for line in lines
        ],
        total_usd=decimal_text(row.total_usd),
        price_list_id=str(row.price_list_id),
        prices_effective_from=row.effective_from.isoformat(),
        issued_on=row.issued_on.isoformat(),
        valid_until=row.valid_until.isoformat(),
        exclusion_codes=row.exclusion_codes,
        unpriced_codes=row.unpriced_codes,
    )


def day_of(text: str, field: str) -> date:
    """A day of the calendar. InvalidArgument naming the field."""
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise InvalidArgument(field, "must be a day of the calendar, YYYY-MM-DD") from None
