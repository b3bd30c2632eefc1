"""What a day came to, whatever the order in which its patients finished."""

from collections import Counter
from decimal import Decimal
from random import Random

from saguaro.billing.v1.types_pb2 import ChargeLine, ChargeSet
from simulator.infusion import Infused
from simulator.patient import Outcome
from simulator.scripts import scripts
from simulator.settling import Settled
from simulator.totals import outage_alarms, totals

DRAWN = scripts(1, 4, 1)


def treated(index: int, delivered_mg: str, *, alarms: str, outage: int = 0) -> Outcome:
    lines = [
        ChargeLine(code="96365", units="1", unit_price_usd="210.50", amount_usd="210.50"),
        ChargeLine(code="J3490", units="1", unit_price_usd="85.50", amount_usd="85.50"),
    ]
    return Outcome(
        DRAWN[index],
        state="treated",
        booked=1,
        infused=Infused(
            state="completed",
            concentration_mg_per_ml=Decimal(1),
            pump_ml=Decimal(delivered_mg),
            reported_ml=Decimal(delivered_mg),
            alarms=Counter(alarms.split()),
            outage_alarms=Counter({"log.stopped": outage}) if outage else Counter(),
        ),
        settled=Settled(
            ordered_mg=Decimal("40.05"),
            delivered_mg=Decimal(delivered_mg),
            wasted_mg=Decimal("15.0"),
            charge_set=ChargeSet(state="charged", lines=lines, total_usd="296.00"),
            charge_sets=1,
            paid_usd=Decimal("296.00"),
            invoice_paid=True,
        ),
    )


def day() -> list[Outcome]:
    return [
        treated(0, "40.0", alarms="hr.silent rr.low.caution hr.silent"),
        treated(1, "39.950", alarms="hr.silent", outage=2),
        Outcome(DRAWN[2], state="declined"),
        Outcome(DRAWN[3], state="no_show", booked=1),
    ]


def test_the_sums() -> None:
    assert totals(day()) == {
        "patients": {"declined": 1, "no_show": 1, "treated": 2},
        "sessions": {"booked": 3, "cancelled": 0, "no_show": 1, "completed": 2, "aborted": 0},
        "ordered_mg": "80.1",
        "delivered_mg": "79.95",
        "wasted_mg": "30",
        "alarms": {"hr.silent": 3, "rr.low.caution": 1},
        "charges": {"96365": {"units": "2", "amount_usd": "421.00"}, "J3490": {"units": "2", "amount_usd": "171.00"}},
        "total_usd": "592.00",
        "payments": {"count": 2, "total_usd": "592.00"},
    }


def test_the_order_of_patients_changes_nothing() -> None:
    shuffled = day()
    Random(3).shuffle(shuffled)
    assert totals(shuffled) == totals(day())


def test_alarms_of_an_outage_are_counted_apart() -> None:
    assert outage_alarms(day()) == {"log.stopped": 2}
    assert "log.stopped" not in totals(day())["alarms"]
