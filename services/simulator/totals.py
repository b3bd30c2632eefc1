"""What a day came to. Sums of exact numbers: the order in which patients finished changes nothing."""

from collections import Counter, defaultdict
from collections.abc import Sequence
from decimal import Decimal
from typing import Any

from chassis.values import decimal_text
from simulator.infusion import Infused
from simulator.patient import Outcome, usd
from simulator.settling import Settled


def totals(outcomes: Sequence[Outcome]) -> dict[str, Any]:
    """Patients by state, sessions by outcome, clinical alarms by kind, charges by code, payments; mg and USD as decimals in text."""
    settled = [outcome.settled for outcome in outcomes if outcome.settled is not None]
    infused = [outcome.infused for outcome in outcomes if outcome.infused is not None]
    return {
        "patients": dict(sorted(Counter(outcome.state for outcome in outcomes).items())),
        "sessions": _sessions(outcomes, infused),
        "ordered_mg": _mg(one.ordered_mg for one in settled),
        "delivered_mg": _mg(one.delivered_mg for one in settled),
        "wasted_mg": _mg(one.wasted_mg for one in settled),
        "alarms": _sum_of(one.alarms for one in infused),
        "charges": _charges(settled),
        "total_usd": usd(sum((Decimal(one.charge_set.total_usd or "0") for one in settled), Decimal(0))),
        "payments": {
            "count": sum(one.paid_usd > 0 for one in settled),
            "total_usd": usd(sum((one.paid_usd for one in settled), Decimal(0))),
        },
    }


def outage_alarms(outcomes: Sequence[Outcome]) -> dict[str, int]:
    """Technical alarms that only an outage of the network causes: no part of the totals."""
    return _sum_of(outcome.infused.outage_alarms for outcome in outcomes if outcome.infused is not None)


def _sessions(outcomes: Sequence[Outcome], infused: Sequence[Infused]) -> dict[str, int]:
    ended = Counter(one.state for one in infused)
    return {
        "booked": sum(outcome.booked for outcome in outcomes),
        "cancelled": sum(outcome.cancelled for outcome in outcomes),
        "no_show": sum(outcome.state == "no_show" for outcome in outcomes),
        "completed": ended["completed"],
        "aborted": ended["aborted"],
    }


def _charges(settled: Sequence[Settled]) -> dict[str, dict[str, str]]:
    units: defaultdict[str, Decimal] = defaultdict(Decimal)
    amounts: defaultdict[str, Decimal] = defaultdict(Decimal)
    for one in settled:
        for line in one.charge_set.lines:
            units[line.code] += Decimal(line.units)
            amounts[line.code] += Decimal(line.amount_usd)
    return {code: {"units": _plain(units[code]), "amount_usd": usd(amounts[code])} for code in sorted(units)}


def _sum_of(counters: Any) -> dict[str, int]:
    total: Counter[str] = Counter()
    for counter in counters:
        total.update(counter)
    return dict(sorted(total.items()))


def _mg(amounts: Any) -> str:
    return _plain(sum(amounts, Decimal(0)))


def _plain(amount: Decimal) -> str:
    text = decimal_text(amount)
    return text.rstrip("0").rstrip(".") if "." in text else text
