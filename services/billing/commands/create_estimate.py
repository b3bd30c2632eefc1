"""A person gets an estimate before the first session. Nothing of it is charged."""

from datetime import timedelta
from decimal import Decimal
from uuid import UUID

from sqlalchemy import insert

from billing.accounts import require_account, require_zone
from billing.domain import words
from billing.domain.money import to_cents, total
from billing.estimates import (
    Repeated,
    day_of,
    estimate_message,
    estimate_row,
    exclusions,
    repeated_lines,
    require_prices,
)
from billing.policy_tables import policy_number
from billing.pricing import PriceList, coding_on, price_list_on
from billing.tables import estimate, estimate_line
from chassis.errors import FailedPrecondition
from chassis.index import Command, Ids
from chassis.policy import number
from chassis.unit_of_work import UnitOfWork
from chassis.values import decimal_text, site_date, to_timestamp
from saguaro.billing.v1 import events_pb2 as events
from saguaro.billing.v1 import service_pb2 as pb


def handle(uow: UnitOfWork, request: pb.CreateEstimateRequest) -> Ids:
    """Keeps the estimate. FailedPrecondition when the site has no prices for what is needed; optional codes without one are named."""
    site_id, at = UUID(request.site_id), uow.clinic_time
    today = site_date(at, require_zone(uow, site_id))
    first_day = day_of(request.first_service_date, "first_service_date")
    require_account(uow, UUID(request.person_id))
    prices, policy = price_list_on(uow, site_id, first_day), coding_on(uow, site_id, at)
    if prices is None or policy is None:
        raise FailedPrecondition(
            "PRICE_LIST_MISSING", field="first_service_date", rule="the site must have prices on that day"
        )
    lines = repeated_lines(uow, request, policy, at)
    require_prices(lines, prices.prices)
    priced = [line for line in lines if line[0].code in prices.prices]
    unpriced = sorted({line.code for line, _ in lines if line.code not in prices.prices})
    estimate_id = uow.new_id()
    rows = _rows(estimate_id, priced, prices)
    total_usd = total(_amount_usd(line, prices) for line in priced)
    valid_until = today + timedelta(days=int(number(uow, policy_number, words.ESTIMATE_VALID, site_id)))
    uow.execute(
        insert(estimate).values(
            estimate_id=estimate_id,
            person_id=UUID(request.person_id),
            site_id=site_id,
            plan_id=UUID(request.plan_id) if request.plan_id else None,
            session_count=request.session_count,
            infusion_minutes=request.infusion_minutes,
            price_list_id=prices.price_list_id,
            total_usd=total_usd,
            issued_on=today,
            valid_until=valid_until,
            exclusion_codes=exclusions(uow, site_id, at),
            unpriced_codes=unpriced,
            dispute_above_usd=number(uow, policy_number, words.DISPUTE_ABOVE, site_id),
            created_at=at,
        )
    )
    uow.execute(insert(estimate_line), rows)
    uow.emit(
        events.EstimateCreated(
            estimate_id=str(estimate_id),
            person_id=request.person_id,
            site_id=request.site_id,
            plan_id=request.plan_id,
            total_usd=decimal_text(total_usd),
            valid_until=valid_until.isoformat(),
            created_at=to_timestamp(at),
        )
    )
    return {"estimate_id": str(estimate_id)}


def _rows(estimate_id: UUID, lines: list[Repeated], prices: PriceList) -> list[dict[str, object]]:
    return [
        {
            "estimate_id": estimate_id,
            "line_number": n,
            "code": line.code,
            "units": line.units * times,
            "unit_price_usd": prices.prices[line.code],
            "amount_usd": _amount_usd((line, times), prices),
        }
        for n, (line, times) in enumerate(lines, start=1)
    ]


def _amount_usd(repeated: Repeated, prices: PriceList) -> Decimal:
    """Each visit's amount is rounded as it will be charged, then taken as often as there are such visits."""
    line, times = repeated
    return to_cents(line.units * prices.prices[line.code]) * times


def answer(uow: UnitOfWork, ids: Ids) -> pb.CreateEstimateResponse:
    """The estimate."""
    row = estimate_row(uow, UUID(ids["estimate_id"]))
    return pb.CreateEstimateResponse(estimate=estimate_message(uow, row))


COMMAND = Command(
    "CreateEstimate", pb.CreateEstimateRequest, handle, answer, roles=frozenset({"biller", "intake_clerk"})
)
