"""What a day came to, whatever the order in which its patients finished."""

from collections import Counter
from datetime import UTC, datetime
from decimal import Decimal
from random import Random

from saguaro.billing.v1.types_pb2 import ChargeLine, ChargeSet
from simulator.infusion import Infused
from simulator.money import Account
from simulator.patient import Outcome
from simulator.scripts import scripts
from simulator.settling import Settled
from simulator.totals import outage_alarms, totals
from simulator.treatment import Treated

DRAWN = scripts(1, 4, 1)


def treated(index: int, delivered_mg: str, *, alarms: str, outage: int = 0) -> Outcome:
    lines = [
        ChargeLine(code="96365", units="1", unit_price_usd="210.50", amount_usd="210.50"),
        ChargeLine(code="J3490", units="1", unit_price_usd="85.50", amount_usd="85.50"),
    ]
    charged = ChargeSet(kind="session", state="charged", lines=lines, total_usd="296.00")
    once = Treated(
        Infused(
            state="completed",
            flag_ids=(),
            ended_at=datetime(2026, 7, 14, 16, tzinfo=UTC),
            concentration_mg_per_ml=Decimal(1),
            pump_ml=Decimal(delivered_mg),
            reported_ml=Decimal(delivered_mg),
            alarms=Counter(alarms.split()),
            outage_alarms=Counter({"log.stopped": outage}) if outage else Counter(),
        ),
        Settled(Decimal("40.05"), Decimal(delivered_mg), Decimal("15.0"), charged),
        holds_released=index,
    )
    account = Account([charged], invoiced_usd=Decimal("296.00"), paid_usd=Decimal("296.00"))
    return Outcome(
        DRAWN[index], state="treated", booked=1, treated=[once], suggestions=["raise_dose declined"], account=account
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
        "suggestions": {"raise_dose declined": 2},
        "holds_released": 1,
        "ordered_mg": "80.1",
        "delivered_mg": "79.95",
        "wasted_mg": "30",
        "alarms": {"hr.silent": 3, "rr.low.caution": 1},
        "charges": {"96365": {"units": "2", "amount_usd": "421.00"}, "J3490": {"units": "2", "amount_usd": "171.00"}},
        "charge_sets": {"session charged": 2},
        "money": {
            "charged_usd": "592.00",
            "invoiced_usd": "592.00",
            "paid_usd": "592.00",
            "packages_usd": "0.00",
            "refunded_usd": "0.00",
        },
    }


def test_the_order_of_patients_changes_nothing() -> None:
    shuffled = day()
    Random(3).shuffle(shuffled)
    assert totals(shuffled) == totals(day())


def test_alarms_of_an_outage_are_counted_apart() -> None:
    assert outage_alarms(day()) == {"log.stopped": 2}
    assert "log.stopped" not in totals(day())["alarms"]
