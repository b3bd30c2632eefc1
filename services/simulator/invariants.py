"""What must hold of a day, as far as the apis alone can tell."""

from collections.abc import Iterable, Sequence
from datetime import time
from decimal import Decimal
from typing import Any, Final
from uuid import UUID

from chassis.context import RequestContext
from saguaro.billing.v1 import service_pb2 as billing
from saguaro.device_telemetry.v1 import service_pb2 as device
from simulator.calls import Calls
from simulator.day import INFUSION_DAY, Day, site_moment
from simulator.hl7_messages import PUBLISHED
from simulator.patient import Outcome
from simulator.places import Place
from simulator.treatment import Treated

CLOSES: Final = time(23)
_OVER_DELIVERY: Final = "pump.over_delivery"


def check(calls: Calls, day: Day, outcomes: Sequence[Outcome], unacknowledged: Sequence[str]) -> list[dict[str, Any]]:
    """[{name, ok, looked_at, found}]; `found` names ids and rules, never a value."""
    treated = [(outcome, one) for outcome in outcomes for one in outcome.treated]
    return [
        _finding("every patient's way ended as scripted", len(outcomes), (_failure(one) for one in outcomes)),
        _finding("the published HL7 messages were acknowledged", len(PUBLISHED), unacknowledged),
        _finding("the published HL7 messages were kept for an operator", len(PUBLISHED), _not_kept(calls, day)),
        _finding(
            "delivered at most ordered, or an alarm",
            len(treated),
            (_id(outcome) for outcome, one in treated if not _within_order(one)),
        ),
        _finding(
            "the network's volume is the pumps'",
            len(treated),
            (_id(outcome) for outcome, one in treated if one.infused.pump_ml != one.infused.reported_ml),
        ),
        _finding(
            "every milligram ordered was delivered or left in the bag",
            len(treated),
            (_id(outcome) for outcome, one in treated if not _accounted(one)),
        ),
        _finding("one charge set a session", len(outcomes), (_id(one) for one in outcomes if not _charged_once(one))),
        _finding("every invoice is paid", len(outcomes), (_id(one) for one in outcomes if one.account.unpaid)),
        _finding(
            "what was charged was invoiced, or drawn from a package",
            len(outcomes),
            (_id(one) for one in outcomes if not one.failure and not _all_invoiced(one)),
        ),
        _finding("the ledger of each site sums to zero", len(day.places), _unbalanced(calls, day)),
    ]


def _finding(name: str, looked_at: int, found: Iterable[str]) -> dict[str, Any]:
    listed = [text for text in found if text]
    return {"name": name, "ok": not listed, "looked_at": looked_at, "found": listed}


def _id(outcome: Outcome) -> str:
    return outcome.person_id or f"patient {outcome.script.index}"


def _failure(outcome: Outcome) -> str:
    return f"{_id(outcome)} ({outcome.script.way}): {outcome.failure}" if outcome.failure else ""


def _within_order(one: Treated) -> bool:
    return one.settled.delivered_mg <= one.settled.ordered_mg or one.infused.alarms[_OVER_DELIVERY] > 0


def _accounted(one: Treated) -> bool:
    """To the last decimal: the milligrams are the pumps' millilitres at the bag's concentration."""
    return one.settled.delivered_mg == one.infused.reported_ml * one.infused.concentration_mg_per_ml


def _charged_once(outcome: Outcome) -> bool:
    sessions = [one.session_id for one in outcome.account.charge_sets if one.kind == "session"]
    return bool(outcome.failure) or (len(sessions) == len(set(sessions)) == len(outcome.treated))


def _all_invoiced(outcome: Outcome) -> bool:
    """Every dollar charged was asked for once: by an invoice, or by the package that the session was drawn from."""
    owed = sum(
        (
            Decimal(one.total_usd)
            for one in outcome.account.charge_sets
            if one.state == "charged" and not one.package_id
        ),
        Decimal(0),
    )
    return outcome.account.invoiced_usd == owed


def _not_kept(calls: Calls, day: Day) -> list[str]:
    """Both come from equipment that is registered nowhere: they lie in quarantine, newest first."""
    found, token = 0, ""
    while True:
        request = device.ListQuarantineRequest(page_size=500, page_token=token)
        page = calls.ask("device_telemetry", "ListQuarantine", request, _context(day, day.places[0], "operator"))
        found += sum(item.source == "hl7" for item in page.items)
        token = page.next_page_token
        if found >= len(PUBLISHED):
            return []
        if not token:
            return [f"{found} of {len(PUBLISHED)}"]


def _unbalanced(calls: Calls, day: Day) -> list[str]:
    found = []
    for place in day.places:
        request = billing.GetLedgerBalanceRequest(site_id=place.site_id)
        balance = calls.ask("billing", "GetLedgerBalance", request, _context(day, place, "biller"))
        sums = sum((Decimal(account.balance_usd) for account in balance.accounts), Decimal(0))
        if sums != 0 or Decimal(balance.sum_usd) != 0:
            found.append(place.site_id)
    return found


def _context(day: Day, place: Place, role: str) -> RequestContext:
    """Somebody who looks at the day when it is over."""
    return RequestContext(
        actor_id=UUID(place.staff(role)),
        role=role,
        site_id=place.site_id,
        purpose="HOPERAT",
        correlation_id=UUID(day.run.id("closing")),
        clinic_time=site_moment(place, INFUSION_DAY, CLOSES),
    )
