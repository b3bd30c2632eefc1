"""Over-payments, credit, refunds, adjustments and invoices taken back: exact, with a reason, and never more than there is."""

from concurrent.futures import ThreadPoolExecutor

import pytest

from chassis.errors import FailedPrecondition, InvalidArgument, NotFound
from saguaro.billing.v1 import events_pb2 as events
from saguaro.billing.v1 import service_pb2 as pb
from saguaro.billing.v1 import types_pb2 as types
from tests.billing.desk import VISITS, Desk

UNKNOWN = "00000000-0000-7000-8000-000000000000"


def _invoiced(desk: Desk) -> tuple[str, str, types.Invoice]:
    """A site, a person and an invoice of 362.25."""
    site, person = desk.priced_site(), desk.person()
    desk.charge(desk.closed(site, person))
    return site, person, desk.invoice(person, site)


def _balance(desk: Desk, site: str) -> dict[str, str]:
    accounts, sum_usd = desk.ledger(site)
    assert sum_usd == "0.00"
    return {name: amount for name, amount in accounts.items() if not name.startswith("revenue.")}


def test_what_is_paid_beyond_what_is_due_is_credit(desk: Desk) -> None:
    site, person, issued = _invoiced(desk)
    assert desk.overpay(issued.invoice_id, "400.00").credit_usd == "37.75"
    paid = desk.invoice_now(issued.invoice_id)
    assert (paid.paid_usd, paid.due_usd, paid.state) == ("362.25", "0.00", types.INVOICE_STATE_PAID)
    assert _balance(desk, site) == {"accounts_receivable": "0.00", "cash": "400.00", "customer_credit": "-37.75"}
    assert desk.statement(person).closing_usd == "-37.75"


def test_credit_goes_to_another_invoice_and_no_further(desk: Desk) -> None:
    site, person, issued = _invoiced(desk)
    desk.overpay(issued.invoice_id, "400.00")
    desk.charge(desk.closed(site, person))
    second = desk.invoice(person, site)
    for amount in ("37.76", "362.26", "0", "0.001"):
        with pytest.raises(InvalidArgument) as refused:
            desk.bill("ApplyCredit", pb.ApplyCreditRequest(invoice_id=second.invoice_id, amount_usd=amount))
        assert refused.value.field == "amount_usd"
    used = desk.bill("ApplyCredit", pb.ApplyCreditRequest(invoice_id=second.invoice_id, amount_usd="37.75")).invoice
    assert (used.paid_usd, used.due_usd) == ("37.75", "324.50")
    assert _balance(desk, site) == {"accounts_receivable": "324.50", "cash": "400.00", "customer_credit": "0.00"}
    assert [one.amount_usd for one in desk.harness.events(events.CreditApplied)] == ["37.75"]


def test_a_refund_takes_credit_first_then_makes_the_invoice_due_again(desk: Desk) -> None:
    site, _, issued = _invoiced(desk)
    payment_id = desk.overpay(issued.invoice_id, "400.00").payment_id
    desk.refund(payment_id, "37.75")
    assert desk.invoice_now(issued.invoice_id).due_usd == "0.00"
    desk.refund(payment_id, "62.25")
    again = desk.invoice_now(issued.invoice_id)
    assert (again.due_usd, again.paid_usd, again.state) == ("62.25", "300.00", types.INVOICE_STATE_ISSUED)
    assert _balance(desk, site) == {"accounts_receivable": "62.25", "cash": "300.00", "customer_credit": "0.00"}
    assert [one.amount_usd for one in desk.harness.events(events.RefundIssued)] == ["37.75", "62.25"]


def test_never_more_is_given_back_than_was_paid(desk: Desk) -> None:
    site, _, issued = _invoiced(desk)
    payment_id = desk.pay(issued.invoice_id, "100.00")
    desk.pay(issued.invoice_id, "200.00")
    desk.refund(payment_id, "60.00")
    with pytest.raises(InvalidArgument) as refused:
        desk.refund(payment_id, "40.01")
    assert refused.value.field == "amount_usd"
    desk.refund(payment_id, "40.00")
    with pytest.raises(InvalidArgument):
        desk.refund(payment_id, "0.01")
    assert _balance(desk, site) == {"accounts_receivable": "162.25", "cash": "200.00"}
    with pytest.raises(NotFound):
        desk.refund(UNKNOWN, "1.00")


def test_of_many_refunds_of_a_payment_at_once_no_more_is_given_back_than_was_paid(desk: Desk) -> None:
    site, _, issued = _invoiced(desk)
    payment_id = desk.pay(issued.invoice_id, "100.00")

    def back(_: int) -> bool:
        try:
            return bool(desk.refund(payment_id, "30.00"))
        except InvalidArgument:
            return False

    with ThreadPoolExecutor(8) as pool:
        assert sum(pool.map(back, range(8))) == 3
    assert _balance(desk, site) == {"accounts_receivable": "352.25", "cash": "10.00"}


def test_credit_that_went_elsewhere_cannot_be_given_back_too(desk: Desk) -> None:
    site, person, issued = _invoiced(desk)
    payment_id = desk.overpay(issued.invoice_id, "400.00").payment_id
    desk.charge(desk.closed(site, person))
    second = desk.invoice(person, site)
    desk.bill("ApplyCredit", pb.ApplyCreditRequest(invoice_id=second.invoice_id, amount_usd="37.75"))
    with pytest.raises(InvalidArgument):
        desk.refund(payment_id, "362.26")
    desk.refund(payment_id, "362.25")
    assert desk.invoice_now(issued.invoice_id).due_usd == "362.25"


@pytest.mark.parametrize("kind", ["write_off", "discount", "credit_note"])
def test_an_adjustment_takes_off_what_is_due(desk: Desk, kind: str) -> None:
    site, person, issued = _invoiced(desk)
    adjusted = desk.adjust(issued.invoice_id, kind, "62.25")
    assert (adjusted.adjusted_usd, adjusted.due_usd, adjusted.total_usd) == ("62.25", "300.00", "362.25")
    assert _balance(desk, site) == {"accounts_receivable": "300.00", f"adjustments.{kind}": "62.25"}
    (line,) = [one for one in desk.statement(person).lines if one.kind == "adjustment"]
    assert (line.reason_code, line.amount_usd) == ("goodwill", "-62.25")
    with pytest.raises(InvalidArgument):
        desk.adjust(issued.invoice_id, kind, "300.01")


def test_a_write_off_takes_off_what_is_due_and_no_more(desk: Desk) -> None:
    _, _, issued = _invoiced(desk)
    desk.pay(issued.invoice_id, "300.00")
    with pytest.raises(InvalidArgument) as refused:
        desk.adjust(issued.invoice_id, "write_off", "62.26")
    assert refused.value.field == "amount_usd"
    assert desk.adjust(issued.invoice_id, "write_off", "62.25").state == types.INVOICE_STATE_PAID


def test_a_credit_note_of_what_is_paid_becomes_credit(desk: Desk) -> None:
    site, _, issued = _invoiced(desk)
    payment_id = desk.pay(issued.invoice_id, "362.25")
    noted = desk.adjust(issued.invoice_id, "credit_note", "12.25")
    assert (noted.paid_usd, noted.due_usd, noted.state) == ("350.00", "0.00", types.INVOICE_STATE_PAID)
    assert _balance(desk, site)["customer_credit"] == "-12.25"
    desk.refund(payment_id, "12.25")
    assert desk.invoice_now(issued.invoice_id) == noted
    assert _balance(desk, site) == {
        "accounts_receivable": "0.00", "adjustments.credit_note": "12.25", "cash": "350.00", "customer_credit": "0.00",
    }  # fmt: skip


def test_an_invoice_taken_back_frees_its_charges_and_its_money(desk: Desk) -> None:
    site, person, issued = _invoiced(desk)
    desk.pay(issued.invoice_id, "100.00")
    desk.adjust(issued.invoice_id, "discount", "12.25")
    void = desk.void(issued.invoice_id)
    assert (void.state, void.due_usd, list(void.lines)) == (types.INVOICE_STATE_VOID, "0.00", list(issued.lines))
    assert _balance(desk, site) == {
        "accounts_receivable": "362.25", "adjustments.discount": "0.00", "cash": "100.00", "customer_credit": "-100.00",
    }  # fmt: skip
    for attempt in (lambda: desk.void(issued.invoice_id), lambda: desk.pay(issued.invoice_id, "1.00")):
        with pytest.raises(FailedPrecondition) as refused:
            attempt()
        assert refused.value.reason == "INVOICE_VOID"
    again = desk.invoice(person, site)
    assert (list(again.charge_set_ids), again.total_usd) == (list(issued.charge_set_ids), "362.25")
    assert len(desk.harness.events(events.InvoiceVoided)) == 1


def test_an_invoice_taken_back_is_how_a_late_infusion_gets_modifier_25(desk: Desk) -> None:
    site, person = desk.site(), desk.person()
    desk.publish(site, **VISITS)
    desk.evaluated(site, person)
    early = desk.invoice(person, site)
    assert early.lines[0].line.modifier == ""
    desk.charge(desk.closed(site, person))
    desk.void(early.invoice_id)
    assert "25" in {line.line.modifier for line in desk.invoice(person, site).lines}
