"""After the infusion: the drug is accounted for, the session closed, the charge awaited, invoiced and paid."""

from dataclasses import dataclass
from decimal import Decimal
from typing import Final

from chassis.values import decimal_text
from saguaro.billing.v1 import service_pb2 as billing
from saguaro.billing.v1 import types_pb2 as billing_types
from saguaro.treatment_plan.v1 import service_pb2 as plan
from simulator.drug import account_of, bag_of
from simulator.episode import Episode
from simulator.infusion import Infused
from simulator.planning import Order

_TOTALS_ON_THEIR_WAY: Final = ("PUMP_TOTALS_MISSING",)
_METHODS: Final = ("card", "cash", "check", "transfer")


@dataclass(frozen=True)
class Settled:
    """A closed session with its charges and what was paid for it."""

    ordered_mg: Decimal
    delivered_mg: Decimal
    wasted_mg: Decimal
    charge_set: billing_types.ChargeSet
    charge_sets: int
    paid_usd: Decimal
    invoice_paid: bool


def settle(episode: Episode, order: Order, infused: Infused) -> Settled:
    """Closes and bills one session. A charge that is held for review is not invoiced."""
    episode.forward(4)
    closed = close(episode, order, infused)
    episode.forward(10)
    charge_set = await_charge(episode, order)
    paid_usd, invoice_paid = Decimal(0), True
    if charge_set.state == "charged":
        paid_usd, invoice_paid = invoice_and_pay(episode)
    listed = episode.ask(
        "biller",
        "billing",
        "ListChargeSets",
        billing.ListChargeSetsRequest(person_id=episode.person_id, page_size=500),
        place=episode.treated_at,
    )
    return Settled(
        ordered_mg=Decimal(closed.ordered_mg),
        delivered_mg=Decimal(closed.delivered_mg),
        wasted_mg=Decimal(closed.wasted_mg),
        charge_set=charge_set,
        charge_sets=len(listed.charge_sets),
        paid_usd=paid_usd,
        invoice_paid=invoice_paid,
    )


def close(episode: Episode, order: Order, infused: Infused) -> plan.CloseSessionResponse:
    """The account balances to the last decimal by the volume that the network has of the pump."""
    account = account_of(bag_of(order.programme), infused.reported_ml * infused.concentration_mg_per_ml)
    request = plan.CloseSessionRequest(
        request_id=episode.request_id(),
        session_id=order.session_id,
        opened_mg=decimal_text(account.opened_mg),
        returned_mg=decimal_text(account.returned_mg),
        wasted_mg=decimal_text(account.wasted_mg),
        witnessed_by=episode.treated_at.staff("witness"),
    )
    closed: plan.CloseSessionResponse = episode.ask(
        "nurse", "treatment_plan", "CloseSession", request, place=episode.treated_at, until=_TOTALS_ON_THEIR_WAY
    )
    return closed


def await_charge(episode: Episode, order: Order) -> billing_types.ChargeSet:
    """The charge set of the session, once billing has heard that it is closed."""
    answer = episode.calls.watch(
        "billing",
        "GetChargeSet",
        billing.GetChargeSetRequest(session_id=order.session_id),
        episode.context("biller", episode.treated_at),
        until=lambda found: bool(found.charge_set.charge_set_id),
        effect="session closed to charge set",
    )
    charge_set: billing_types.ChargeSet = answer.charge_set
    return charge_set


def invoice_and_pay(episode: Episode) -> tuple[Decimal, bool]:
    """The person pays at the desk. What was paid, and whether the invoice then reads as paid."""
    place = episode.treated_at
    asked = billing.IssueInvoiceRequest(
        request_id=episode.request_id(), person_id=episode.person_id, site_id=place.site_id
    )
    invoice = episode.ask("biller", "billing", "IssueInvoice", asked, place=place).invoice
    episode.forward(2)
    payment = billing.RecordPaymentRequest(
        request_id=episode.request_id(),
        invoice_id=invoice.invoice_id,
        amount_usd=invoice.total_usd,
        method_code=_METHODS[episode.script.index % len(_METHODS)],
    )
    episode.ask("biller", "billing", "RecordPayment", payment, place=place)
    read = billing.GetInvoiceRequest(invoice_id=invoice.invoice_id)
    now = episode.ask("biller", "billing", "GetInvoice", read, place=place).invoice
    paid = now.state == billing_types.INVOICE_STATE_PAID and now.paid_usd == now.total_usd
    return Decimal(invoice.total_usd), bool(paid)
