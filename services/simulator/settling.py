"""After the infusion: the drug is accounted for, the session closed, its charge awaited."""

from dataclasses import dataclass
from decimal import Decimal
from typing import Final

from chassis.values import decimal_text
from saguaro.billing.v1 import service_pb2 as billing
from saguaro.billing.v1 import types_pb2 as billing_types
from saguaro.treatment_plan.v1 import service_pb2 as plan
from simulator.day import Visit
from simulator.drug import account_of, bag_of
from simulator.episode import Episode
from simulator.infusion import Infused
from simulator.planning import Order

_TOTALS_ON_THEIR_WAY: Final = ("PUMP_TOTALS_MISSING",)


@dataclass(frozen=True)
class Settled:
    """A closed session with its charges."""

    ordered_mg: Decimal
    delivered_mg: Decimal
    wasted_mg: Decimal
    charge_set: billing_types.ChargeSet


def settle(episode: Episode, visit: Visit, order: Order, infused: Infused) -> Settled:
    """Closes one session and waits for what billing makes of it."""
    closed = close(episode, visit, order, infused)
    return Settled(
        ordered_mg=Decimal(closed.ordered_mg),
        delivered_mg=Decimal(closed.delivered_mg),
        wasted_mg=Decimal(closed.wasted_mg),
        charge_set=await_charge(episode, visit, order),
    )


def close(episode: Episode, visit: Visit, order: Order, infused: Infused) -> plan.CloseSessionResponse:
    """The account balances to the last decimal by the volume that the network has of the pump."""
    account = account_of(bag_of(order.programme), infused.reported_ml * infused.concentration_mg_per_ml)
    place = visit.lane.place
    request = plan.CloseSessionRequest(
        session_id=order.session_id,
        opened_mg=decimal_text(account.opened_mg),
        returned_mg=decimal_text(account.returned_mg),
        wasted_mg=decimal_text(account.wasted_mg),
        witnessed_by=place.staff("witness"),
    )
    closed: plan.CloseSessionResponse = episode.ask(
        "nurse", "treatment_plan", "CloseSession", request, place=place, until=_TOTALS_ON_THEIR_WAY
    )
    return closed


def await_charge(episode: Episode, visit: Visit, order: Order) -> billing_types.ChargeSet:
    """The charge set of the session, once billing has heard that it is closed."""
    answer = episode.calls.watch(
        "billing",
        "GetChargeSet",
        billing.GetChargeSetRequest(session_id=order.session_id),
        episode.context("biller", visit.lane.place),
        until=lambda found: bool(found.charge_set.charge_set_id),
        effect="session closed to charge set",
    )
    charge_set: billing_types.ChargeSet = answer.charge_set
    return charge_set
