"""What a journey came to. Sums of exact numbers: the order in which patients finished changes nothing."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from decimal import Decimal
from typing import Any

from chassis.values import decimal_text
from saguaro.billing.v1 import types_pb2 as billing_types
from simulator.patient import Outcome, usd
from simulator.treatment import Treated


def totals(outcomes: Sequence[Outcome]) -> dict[str, Any]:
    """Patients by state, sessions, decisions, clinical alarms by kind, charges by code, money; mg and USD as decimals in text."""
    treated = [one for outcome in outcomes for one in outcome.treated]
    sets = [one for outcome in outcomes for one in outcome.account.charge_sets]
    return {
        "patients": dict(sorted(Counter(outcome.state for outcome in outcomes).items())),
        "sessions": _sessions(outcomes, treated),
        "suggestions": _sum_of(Counter(outcome.suggestions) for outcome in outcomes),
        "holds_released": sum(one.holds_released for one in treated),
        "ordered_mg": _mg(one.settled.ordered_mg for one in treated),
        "delivered_mg": _mg(one.settled.delivered_mg for one in treated),
        "wasted_mg": _mg(one.settled.wasted_mg for one in treated),
        "alarms": _sum_of(one.infused.alarms for one in treated),
        "charges": _charges(sets),
        "charge_sets": dict(sorted(Counter(f"{one.kind} {one.state}" for one in sets).items())),
        "money": _money(outcomes, sets),
    }


def outage_alarms(outcomes: Sequence[Outcome]) -> dict[str, int]:
    """Technical alarms that only an outage of the network causes: no part of the totals."""
    return _sum_of(one.infused.outage_alarms for outcome in outcomes for one in outcome.treated)


def _sessions(outcomes: Sequence[Outcome], treated: Sequence[Treated]) -> dict[str, int]:
    ended = Counter(one.infused.state for one in treated)
    return {
        "booked": sum(outcome.booked for outcome in outcomes),
        "cancelled": sum(outcome.cancelled for outcome in outcomes),
        "no_show": sum(outcome.state == "no_show" for outcome in outcomes),
        "completed": ended["completed"],
        "aborted": ended["aborted"],
    }


def _charges(sets: Sequence[billing_types.ChargeSet]) -> dict[str, dict[str, str]]:
    units: defaultdict[str, Decimal] = defaultdict(Decimal)
    amounts: defaultdict[str, Decimal] = defaultdict(Decimal)
    for line in (line for one in sets for line in one.lines):
        units[line.code] += Decimal(line.units or "0")
        amounts[line.code] += Decimal(line.amount_usd or "0")
    return {code: {"units": _plain(units[code]), "amount_usd": usd(amounts[code])} for code in sorted(units)}


def _money(outcomes: Sequence[Outcome], sets: Sequence[billing_types.ChargeSet]) -> dict[str, str]:
    accounts = [outcome.account for outcome in outcomes]
    return {
        "charged_usd": usd(sum((Decimal(one.total_usd or "0") for one in sets), Decimal(0))),
        "invoiced_usd": usd(sum((one.invoiced_usd for one in accounts), Decimal(0))),
        "paid_usd": usd(sum((one.paid_usd for one in accounts), Decimal(0))),
        "packages_usd": usd(sum((one.package_usd for one in accounts), Decimal(0))),
        "refunded_usd": usd(sum((one.refunded_usd for one in accounts), Decimal(0))),
    }


def _sum_of(counters: Iterable[Counter[str]]) -> dict[str, int]:
    total: Counter[str] = Counter()
    for counter in counters:
        total.update(counter)
    return dict(sorted(total.items()))


def _mg(amounts: Iterable[Decimal]) -> str:
    return _plain(sum(amounts, Decimal(0)))


def _plain(amount: Decimal) -> str:
    text = decimal_text(amount)
    return text.rstrip("0").rstrip(".") if "." in text else text
