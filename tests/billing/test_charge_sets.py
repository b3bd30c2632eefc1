"""One charge set a session, however often and in whatever order the news comes."""

from uuid import uuid4

import pytest

from chassis.errors import AlreadyExists, InvalidArgument, NotFound, PermissionDenied
from saguaro.billing.v1 import events_pb2 as events
from saguaro.billing.v1 import service_pb2 as pb
from saguaro.billing.v1 import types_pb2 as types
from tests.billing.desk import START, Desk


def test_a_session_is_charged_by_the_sites_prices(desk: Desk) -> None:
    site, person = desk.priced_site(), desk.person()
    event = desk.closed(site, person, seconds=151 * 60)
    charged = desk.charge(event)
    assert [(line.code, line.units, line.amount_usd) for line in charged.lines] == [
        ("96365", "1", "350.00"),
        ("96366", "2", "191.00"),
        ("J3490", "1", "12.25"),
    ]
    assert (charged.total_usd, charged.service_date, charged.person_id) == ("553.25", "2026-07-15", person)
    (captured,) = desk.harness.events(events.ChargeCaptured)
    assert (captured.session_id, captured.total_usd) == (event.session_id, "553.25")
    assert list(captured.lines) == list(charged.lines)


def test_the_same_news_twice_gives_one_set(desk: Desk) -> None:
    site, person = desk.priced_site(), desk.person()
    event, event_id = desk.closed(site, person), uuid4()
    assert desk.harness.deliver(event, at=START, event_id=event_id, sequence=1) == "applied"
    assert desk.harness.deliver(event, at=START, event_id=event_id, sequence=1) == "duplicate"
    # Even under another event id the session is charged once.
    assert desk.harness.deliver(event, at=START) == "applied"
    assert len(desk.harness.events(events.ChargeCaptured)) == 1
    assert desk.ledger(site)[0]["accounts_receivable"] == "362.25"


def test_a_session_waits_for_its_site_and_its_person(desk: Desk) -> None:
    site, person = str(uuid4()), str(uuid4())
    desk.publish(site)
    event = desk.closed(site, person)
    assert desk.harness.deliver(event, at=START) == "early"
    assert desk.open_site(site) == "applied"
    with pytest.raises(NotFound):
        desk.charge_set(event.session_id)
    assert desk.register(person) == "applied"
    assert desk.charge_set(event.session_id).state == "charged"


def test_without_a_price_it_is_held_and_charged_when_the_price_comes(desk: Desk) -> None:
    site, person = desk.site(), desk.person()
    unpriced = desk.charge(desk.closed(site, person))
    assert (unpriced.state, unpriced.hold_reason_code) == ("held", "price_list.missing")
    desk.publish(site, "2026-01-01", J3490=None)
    partly = desk.charge_set(unpriced.session_id)
    assert (partly.state, partly.hold_reason_code) == ("held", "price.missing")
    assert desk.ledger(site) == ({}, "0.00")
    # A list that begins after the day changes nothing; one that holds on it releases the charge.
    desk.publish(site, "2026-07-16")
    assert desk.charge_set(unpriced.session_id).state == "held"
    desk.publish(site, "2026-07-15")
    released = desk.charge_set(unpriced.session_id)
    assert (released.state, released.hold_reason_code, released.total_usd) == ("charged", "", "362.25")
    assert len(desk.harness.events(events.ChargeCaptured)) == 1


def test_a_charge_of_a_day_stays_as_it_was_priced(desk: Desk) -> None:
    site, person = desk.priced_site(), desk.person()
    charged = desk.charge(desk.closed(site, person))
    desk.publish(site, "2026-07-01", **{"96365": "1.00"})
    assert desk.charge_set(charged.session_id) == charged


def test_fractions_of_a_cent_are_rounded_half_up_on_the_line(desk: Desk) -> None:
    site, person = desk.site(), desk.person()
    desk.publish(site, "2026-01-01", J3490="0.005", **{"96365": "10.004999"})
    charged = desk.charge(desk.closed(site, person))
    assert [line.amount_usd for line in charged.lines] == ["10.00", "0.01"]
    assert [line.unit_price_usd for line in charged.lines] == ["10.004999", "0.005"]


def test_what_is_free_of_charge_leaves_the_ledger_empty(desk: Desk) -> None:
    site, person = desk.site(), desk.person()
    desk.publish(site, "2026-01-01", J3490="0", **{"96365": "0.00"})
    assert desk.charge(desk.closed(site, person)).state == "charged"
    assert desk.ledger(site) == ({}, "0.00")


def test_charge_sets_of_a_person_are_listed_in_pages(desk: Desk) -> None:
    site, person = desk.priced_site(), desk.person()
    sessions = [desk.charge(desk.closed(site, person)).session_id for _ in range(3)]
    desk.charge(desk.closed(site, desk.person()))
    first = desk.harness.call("ListChargeSets", pb.ListChargeSetsRequest(person_id=person, page_size=2))
    request = pb.ListChargeSetsRequest(person_id=person, page_size=2, page_token=first.next_page_token)
    second = desk.harness.call("ListChargeSets", request)
    assert [one.session_id for one in (*first.charge_sets, *second.charge_sets)] == sessions
    assert second.next_page_token == ""


def test_price_lists_are_checked(desk: Desk) -> None:
    site = desk.priced_site()
    with pytest.raises(AlreadyExists) as twice:
        desk.publish(site)
    assert twice.value.reason == "PRICE_LIST_EXISTS"
    with pytest.raises(InvalidArgument) as day:
        desk.publish(site, "2026-02-30")
    assert day.value.field == "effective_from"
    item = types.PriceItem(code="96365", unit_price_usd="1")
    doubled = pb.PublishPriceListRequest(site_id=site, effective_from="2026-02-01", items=[item, item])
    with pytest.raises(InvalidArgument) as code:
        desk.harness.call("PublishPriceList", doubled, role="billing_admin")
    assert code.value.field == "items.code"
    with pytest.raises(PermissionDenied):
        desk.harness.call("PublishPriceList", doubled, role="biller")
