"""A billing desk for the tests: a site with prices, people with accounts, and sessions that closed."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

from chassis.testing import ServiceHarness
from chassis.values import to_timestamp
from saguaro.billing.v1 import service_pb2 as pb
from saguaro.billing.v1 import types_pb2 as types
from saguaro.intake.v1 import events_pb2 as intake_events
from saguaro.scheduling.v1 import events_pb2 as scheduling_events
from saguaro.treatment_plan.v1 import events_pb2 as plan_events

# 09:00 in Phoenix.
START = datetime(2026, 7, 15, 16, 0, tzinfo=UTC)
PRICES = {"96374": "120.00", "96365": "350.00", "96366": "95.50", "J3490": "12.25"}
# What a site may also have prices for.
VISITS = {"99214": "210.00", "96127": "8.40"}


@dataclass
class Desk:
    """Builds what a test needs through the service's own commands and reactions."""

    harness: ServiceHarness

    def site(self, time_zone: str = "America/Phoenix") -> str:
        """A site that opened; it has no prices."""
        site_id = str(uuid4())
        self.open_site(site_id, time_zone)
        return site_id

    def open_site(self, site_id: str, time_zone: str = "America/Phoenix") -> str:
        """What becomes of the news that a site opened."""
        event = scheduling_events.SiteOpened(
            site_id=site_id, site_code="PHX", time_zone=time_zone, opened_at=to_timestamp(START)
        )
        return self.harness.deliver(event, at=START)

    def publish(self, site_id: str, day: str = "2026-01-01", **changes: str | None) -> str:
        """A price list of the site: PRICES with changes, None leaves a code out."""
        prices = {code: price for code, price in (PRICES | changes).items() if price is not None}
        items = [types.PriceItem(code=code, unit_price_usd=price) for code, price in prices.items()]
        request = pb.PublishPriceListRequest(site_id=site_id, effective_from=day, items=items)
        return str(self.harness.call("PublishPriceList", request, role="billing_admin", at=START).price_list_id)

    def priced_site(self, time_zone: str = "America/Phoenix") -> str:
        """A site that opened and has prices."""
        site_id = self.site(time_zone)
        self.publish(site_id)
        return site_id

    def person(self) -> str:
        """A person with an account."""
        person_id = str(uuid4())
        self.register(person_id)
        return person_id

    def register(self, person_id: str) -> str:
        """What becomes of the news that a person was registered."""
        event = intake_events.PatientRegistered(
            person_id=person_id, site_id=str(uuid4()), registered_at=to_timestamp(START), synthetic=True
        )
        return self.harness.deliver(event, at=START)

    def closed(self, site_id: str, person_id: str, *, seconds: int = 2400, **changes: Any) -> plan_events.SessionClosed:
        """A session of 40 mg from 50 mg/mL that delivered for so many seconds; a change to None leaves a field out."""
        values: dict[str, Any] = {
            "session_id": str(uuid4()),
            "person_id": person_id,
            "site_id": site_id,
            "plan_id": str(uuid4()),
            "order_id": str(uuid4()),
            "ordinal": 1,
            "ordered_mg": "40",
            "delivered_mg": "40",
            "delivered_ml": "40",
            "wasted_mg": "0",
            "ndc": "67457-108-10",
            "vial_concentration_mg_per_ml": "50",
            "started_at": to_timestamp(START),
            "stopped_at": to_timestamp(START + timedelta(seconds=seconds)),
            "delivering_seconds": seconds,
            "closed_at": to_timestamp(START + timedelta(hours=2)),
        }
        values |= changes
        return plan_events.SessionClosed(**{name: value for name, value in values.items() if value is not None})

    def charge(self, event: plan_events.SessionClosed) -> types.ChargeSet:
        """Delivers the event and reads what it came to."""
        assert self.harness.deliver(event, at=START + timedelta(hours=2)) == "applied"
        return self.charge_set(event.session_id)

    def charge_set(self, session_id: str) -> types.ChargeSet:
        """The charge set of a session."""
        found = self.harness.call("GetChargeSet", pb.GetChargeSetRequest(session_id=session_id)).charge_set
        assert isinstance(found, types.ChargeSet)
        return found

    def invoice(self, person_id: str, site_id: str) -> types.Invoice:
        """A new invoice of the person at the site."""
        request = pb.IssueInvoiceRequest(person_id=person_id, site_id=site_id)
        issued = self.harness.call("IssueInvoice", request, role="biller", at=START + timedelta(days=1)).invoice
        assert isinstance(issued, types.Invoice)
        return issued

    def pay(self, invoice_id: str, amount_usd: str, request_id: str = "") -> str:
        """A payment by card."""
        request = pb.RecordPaymentRequest(
            invoice_id=invoice_id, amount_usd=amount_usd, method_code="card", request_id=request_id
        )
        return str(self.harness.call("RecordPayment", request, role="biller", at=START + timedelta(days=2)).payment_id)

    def evaluated(self, site_id: str, person_id: str, code: str = "99214", **changes: Any) -> str:
        """An evaluation at the start of the day's session; returns its id."""
        values: dict[str, Any] = {"evaluation_id": str(uuid4()), "evaluated_at": to_timestamp(START)} | changes
        event = intake_events.EvaluationRecorded(
            person_id=person_id, site_id=site_id, practitioner_id=str(uuid4()), cpt_code=code, **values
        )
        assert self.harness.deliver(event, at=START) == "applied"
        return str(values["evaluation_id"])

    def answered(self, site_id: str, person_id: str, instrument: str = "PHQ-9", **changes: Any) -> str:
        """A completed instrument; returns the id of its result."""
        values: dict[str, Any] = {"result_id": str(uuid4()), "completed_at": to_timestamp(START)} | changes
        event = intake_events.InstrumentCompleted(
            person_id=person_id, site_id=site_id, instrument=instrument, instrument_version="1", **values
        )
        assert self.harness.deliver(event, at=START) == "applied"
        return str(values["result_id"])

    def charges(self, person_id: str, kind: str = "all") -> list[types.ChargeSet]:
        """The charge sets of a person."""
        request = pb.ListChargeSetsRequest(person_id=person_id, kind=kind, page_size=500)
        return list(self.harness.call("ListChargeSets", request, role="biller").charge_sets)

    def held(self, site_id: str, reason: str = "") -> list[types.ChargeSet]:
        """The held charge sets of a site."""
        request = pb.ListHeldChargesRequest(site_id=site_id, hold_reason_code=reason)
        return list(self.harness.call("ListHeldCharges", request, role="biller").charge_sets)

    def bill(self, rpc: str, request: Any, at: datetime = START + timedelta(days=2)) -> Any:
        """A call of a biller."""
        return self.harness.call(rpc, request, role="biller", at=at)

    def invoice_now(self, invoice_id: str) -> types.Invoice:
        """An invoice as it stands."""
        found = self.bill("GetInvoice", pb.GetInvoiceRequest(invoice_id=invoice_id)).invoice
        assert isinstance(found, types.Invoice)
        return found

    def overpay(self, invoice_id: str, amount_usd: str) -> Any:
        """A payment whose excess is kept as credit."""
        return self.bill(
            "RecordPayment",
            pb.RecordPaymentRequest(
                invoice_id=invoice_id, amount_usd=amount_usd, method_code="check", keep_excess_as_credit=True
            ),
        )

    def refund(self, payment_id: str, amount_usd: str) -> str:
        """Money given back by card."""
        request = pb.RefundPaymentRequest(
            payment_id=payment_id, amount_usd=amount_usd, method_code="card", reason_code="overpayment"
        )
        return str(self.bill("RefundPayment", request).refund_id)

    def adjust(self, invoice_id: str, kind_code: str, amount_usd: str) -> types.Invoice:
        """A credit note, write-off or discount."""
        request = pb.AdjustInvoiceRequest(
            invoice_id=invoice_id, kind_code=kind_code, amount_usd=amount_usd, reason_code="goodwill"
        )
        found = self.bill("AdjustInvoice", request).invoice
        assert isinstance(found, types.Invoice)
        return found

    def void(self, invoice_id: str) -> types.Invoice:
        """An invoice taken back."""
        request = pb.VoidInvoiceRequest(invoice_id=invoice_id, reason_code="wrong_codes")
        found = self.bill("VoidInvoice", request).invoice
        assert isinstance(found, types.Invoice)
        return found

    def sell(self, site_id: str, person_id: str, count: int, price_usd: str, at: datetime = START) -> types.Package:
        """A package of sessions, paid by card."""
        request = pb.SellPackageRequest(
            person_id=person_id, site_id=site_id, session_count=count, price_usd=price_usd, method_code="card"
        )
        found = self.bill("SellPackage", request, at).package
        assert isinstance(found, types.Package)
        return found

    def statement(self, person_id: str, first: str = "2026-01-01", last: str = "2027-12-31", site: str = "") -> Any:
        """A statement of a period, every site by default."""
        request = pb.GetStatementRequest(person_id=person_id, site_id=site, from_date=first, until_date=last)
        return self.bill("GetStatement", request).statement

    def ledger(self, site_id: str) -> tuple[dict[str, str], str]:
        """Balances by account, and their sum."""
        found = self.harness.call("GetLedgerBalance", pb.GetLedgerBalanceRequest(site_id=site_id))
        return {one.account_code: one.balance_usd for one in found.accounts}, found.sum_usd


def units(charged: types.ChargeSet) -> dict[str, str]:
    """Units by code."""
    return {line.code: line.units for line in charged.lines}
