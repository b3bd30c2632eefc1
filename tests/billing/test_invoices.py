"""Invoices and payments: what is due, exactly, and never more."""

from concurrent.futures import ThreadPoolExecutor
from uuid import uuid4

import pytest

from chassis.errors import FailedPrecondition, InvalidArgument, NotFound, PermissionDenied
from saguaro.billing.v1 import events_pb2 as events
from saguaro.billing.v1 import service_pb2 as pb
from saguaro.billing.v1 import types_pb2 as types
from tests.billing.desk import Desk


def _invoice(desk: Desk, invoice_id: str) -> types.Invoice:
    found = desk.harness.call("GetInvoice", pb.GetInvoiceRequest(invoice_id=invoice_id)).invoice
    assert isinstance(found, types.Invoice)
    return found


def test_an_invoice_holds_every_charge_of_a_site_that_is_on_none(desk: Desk) -> None:
    site, other, person = desk.priced_site(), desk.priced_site(), desk.person()
    sets = [desk.charge(desk.closed(site, person)).charge_set_id for _ in range(2)]
    elsewhere = desk.charge(desk.closed(other, person)).charge_set_id
    desk.charge(desk.closed(site, person, stopped_at=None))
    issued = desk.invoice(person, site)
    assert list(issued.charge_set_ids) == sets
    assert (issued.total_usd, issued.paid_usd, issued.state) == ("724.50", "0.00", types.INVOICE_STATE_ISSUED)
    assert list(desk.invoice(person, other).charge_set_ids) == [elsewhere]
    with pytest.raises(FailedPrecondition) as nothing:
        desk.invoice(person, site)
    assert nothing.value.reason == "NOTHING_TO_INVOICE"
    assert [one.total_usd for one in desk.harness.events(events.InvoiceIssued)] == ["724.50", "362.25"]


def test_payments_add_up_to_what_is_due_and_no_further(desk: Desk) -> None:
    site, person = desk.priced_site(), desk.person()
    desk.charge(desk.closed(site, person))
    issued = desk.invoice(person, site)
    desk.pay(issued.invoice_id, "362.24")
    assert _invoice(desk, issued.invoice_id).state == types.INVOICE_STATE_ISSUED
    for amount in ("0.02", "0.005", "0", "0.00"):
        with pytest.raises(InvalidArgument) as refused:
            desk.pay(issued.invoice_id, amount)
        assert refused.value.field == "amount_usd"
    desk.pay(issued.invoice_id, "0.01")
    paid = _invoice(desk, issued.invoice_id)
    assert (paid.paid_usd, paid.state) == ("362.25", types.INVOICE_STATE_PAID)
    assert desk.ledger(site) == (
        {"accounts_receivable": "0.00", "cash": "362.25", "revenue.96365": "-350.00", "revenue.J3490": "-12.25"},
        "0.00",
    )


def test_the_same_payment_sent_twice_is_kept_once(desk: Desk) -> None:
    site, person = desk.priced_site(), desk.person()
    desk.charge(desk.closed(site, person))
    issued, request_id = desk.invoice(person, site), str(uuid4())
    assert desk.pay(issued.invoice_id, "100.00", request_id) == desk.pay(issued.invoice_id, "100.00", request_id)
    assert _invoice(desk, issued.invoice_id).paid_usd == "100.00"
    assert len(desk.harness.events(events.PaymentReceived)) == 1


def test_of_many_full_payments_at_once_one_is_kept(desk: Desk) -> None:
    site, person = desk.priced_site(), desk.person()
    desk.charge(desk.closed(site, person))
    issued = desk.invoice(person, site)

    def pay(_: int) -> str:
        try:
            return desk.pay(issued.invoice_id, issued.total_usd)
        except InvalidArgument as refused:
            return refused.field

    with ThreadPoolExecutor(8) as pool:
        results = list(pool.map(pay, range(8)))
    assert results.count("amount_usd") == 7
    assert _invoice(desk, issued.invoice_id).paid_usd == issued.total_usd


def test_unknown_invoices_and_other_roles_are_refused(desk: Desk) -> None:
    with pytest.raises(NotFound):
        desk.pay(str(uuid4()), "1.00")
    with pytest.raises(NotFound):
        _invoice(desk, str(uuid4()))
    request = pb.IssueInvoiceRequest(person_id=str(uuid4()), site_id=str(uuid4()))
    with pytest.raises(PermissionDenied):
        desk.harness.call("IssueInvoice", request, role="nurse")
