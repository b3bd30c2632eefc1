"""A statement says what the ledger says: by day at the site, with its reasons, and its sums are the ledger's."""

from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest

from chassis.errors import InvalidArgument, NotFound
from saguaro.billing.v1 import service_pb2 as pb
from tests.billing.desk import START, VISITS, Desk


@pytest.fixture
def desk(shared_desk: Desk) -> Desk:
    """One database for the module."""
    return shared_desk


def test_every_kind_of_movement_is_on_it_with_a_running_balance(desk: Desk) -> None:
    site, person = desk.site(), desk.person()
    desk.publish(site, **VISITS)
    desk.evaluated(site, person)
    desk.charge(desk.closed(site, person))
    issued = desk.invoice(person, site)
    payment_id = desk.overpay(issued.invoice_id, "600.00").payment_id
    desk.refund(payment_id, "27.75")
    desk.adjust(issued.invoice_id, "credit_note", "10.00")
    desk.sell(site, person, 1, "300.00", START)
    desk.charge(desk.closed(site, person))
    said = desk.statement(person)
    assert [(line.kind, line.amount_usd, line.balance_usd) for line in said.lines] == [
        ("charge", "210.00", "210.00"),
        ("package_sale", "0.00", "210.00"),
        ("charge", "362.25", "572.25"),
        ("charge", "362.25", "934.50"),
        ("package_draw", "-362.25", "572.25"),
        ("payment", "-600.00", "-27.75"),
        ("refund", "27.75", "0.00"),
        ("adjustment", "-10.00", "-10.00"),
    ]
    assert (said.charges_usd, said.payments_usd, said.refunds_usd, said.adjustments_usd) == (
        "934.50", "600.00", "27.75", "372.25",
    )  # fmt: skip
    assert (said.opening_usd, said.closing_usd) == ("0.00", "-10.00")
    assert [line.reason_code for line in said.lines][-2:] == ["overpayment", "goodwill"]
    assert [line.code for line in said.lines[2].lines] == ["96365", "J3490"]
    assert [(one.drawn_count, one.state) for one in said.packages] == [(1, "used")]
    accounts, _ = desk.ledger(site)
    assert (accounts["accounts_receivable"], accounts["customer_credit"]) == ("0.00", "-10.00")


def test_a_period_opens_with_what_was_before(desk: Desk) -> None:
    site, person = desk.priced_site(), desk.person()
    desk.charge(desk.closed(site, person))
    issued = desk.invoice(person, site)
    desk.pay(issued.invoice_id, "100.00")
    before = desk.statement(person, "2026-07-01", "2026-07-16")
    after = desk.statement(person, "2026-07-17", "2026-07-31")
    assert (before.opening_usd, before.closing_usd, len(before.lines)) == ("0.00", "362.25", 1)
    assert (after.opening_usd, after.closing_usd, len(after.lines)) == ("362.25", "262.25", 1)


def test_the_day_is_that_of_the_site(desk: Desk) -> None:
    """06:30Z on the 18th is still the 17th in Phoenix."""
    site, person = desk.priced_site(), desk.person()
    desk.charge(desk.closed(site, person))
    issued = desk.invoice(person, site)
    request = pb.RecordPaymentRequest(invoice_id=issued.invoice_id, amount_usd="1.00", method_code="cash")
    desk.bill("RecordPayment", request, datetime(2026, 7, 18, 6, 30, tzinfo=UTC))
    assert [line.posted_on for line in desk.statement(person).lines] == ["2026-07-15", "2026-07-17"]


def test_it_is_of_one_site_or_of_all(desk: Desk) -> None:
    site, other, person = desk.priced_site(), desk.priced_site(), desk.person()
    desk.charge(desk.closed(site, person))
    desk.charge(desk.closed(other, person, seconds=600))
    desk.charge(desk.closed(site, desk.person()))
    assert desk.statement(person).closing_usd == "494.50"
    assert desk.statement(person, site=site).closing_usd == "362.25"
    assert desk.statement(person, site=other).closing_usd == "132.25"


def test_a_person_without_movements_has_an_empty_one(desk: Desk) -> None:
    said = desk.statement(desk.person())
    assert (list(said.lines), said.closing_usd) == ([], "0.00")


def test_a_bad_period_and_an_unknown_person_are_refused(desk: Desk) -> None:
    person = desk.person()
    for first, last, field in (
        ("2026-07-02", "2026-07-01", "until_date"),
        ("2026-02-30", "2026-07-01", "from_date"),
    ):
        with pytest.raises(InvalidArgument) as refused:
            desk.statement(person, first, last)
        assert refused.value.field == field
    with pytest.raises(NotFound):
        desk.statement(str(uuid4()))


def test_an_invoice_taken_back_leaves_what_is_owed_as_it_was(desk: Desk) -> None:
    site, person = desk.priced_site(), desk.person()
    desk.charge(desk.closed(site, person))
    issued = desk.invoice(person, site)
    desk.pay(issued.invoice_id, "100.00")
    desk.adjust(issued.invoice_id, "discount", "2.25")
    desk.void(issued.invoice_id)
    said = desk.statement(person, last=(START + timedelta(days=9)).date().isoformat())
    assert [(line.kind, line.amount_usd) for line in said.lines][-1] == ("void", "2.25")
    assert (said.closing_usd, said.adjustments_usd) == ("262.25", "0.00")
