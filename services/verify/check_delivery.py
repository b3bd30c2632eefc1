"""Delivered is at most ordered, or somebody was told: an alarm of the session, or the discrepancy on its record."""

from __future__ import annotations

from decimal import Decimal

from verify.outcome import Check, Outcome
from verify.parsed import events_of
from verify.world import World


def at_most_ordered(world: World) -> Outcome:
    """Each infusion with totals: the pump's volume against the order's, and the reported dose against the ordered one."""
    outcome = Outcome()
    alarmed = {
        row.session_id
        for row in world.databases.rows(
            "device_telemetry",
            "SELECT DISTINCT session_id FROM alarm WHERE kind_code IN ('pump.over_delivery', 'pump.programme_changed')",
        )
    }
    for row in world.databases.rows(
        "treatment_plan",
        "SELECT t.session_id, t.delivered_ml, o.vtbi_ml, o.ordered_mg, c.delivered_mg, coalesce(c.discrepancy, false) AS discrepancy"
        " FROM pump_totals t JOIN treatment_order o USING (order_id) LEFT JOIN session_closure c ON c.session_id = t.session_id",
    ):
        more = row.delivered_ml > row.vtbi_ml or (row.delivered_mg is not None and row.delivered_mg > row.ordered_mg)
        outcome.look(
            not more or row.discrepancy or row.session_id in alarmed,
            f"session {row.session_id}: more was delivered than ordered, without an alarm or a discrepancy",
        )
    return outcome


def account_balances(world: World) -> Outcome:
    """What was opened is what was given, returned and wasted, and waste has a witness (21 CFR 1304.22(c), two people by house policy)."""
    outcome = Outcome()
    for row in world.databases.rows(
        "treatment_plan",
        "SELECT session_id, opened_mg - pump_mg - returned_mg - wasted_mg AS rest, wasted_mg, closed_by, witnessed_by"
        " FROM session_closure",
    ):
        outcome.look(row.rest == 0, f"session {row.session_id}: its drug account does not balance")
        outcome.look(
            row.wasted_mg == 0 or row.witnessed_by != row.closed_by,
            f"session {row.session_id}: waste without a witness",
        )
    return outcome


def totals_as_reported(world: World) -> Outcome:
    """Treatment-plan's totals are what the pump's last event said, and each end that was reported is on its record."""
    outcome = Outcome()
    kept = {
        str(row.session_id): row
        for row in world.databases.rows(
            "treatment_plan",
            "SELECT session_id, order_id, outcome, delivered_ml, keep_vein_open_ml, delivering_seconds, paused_seconds FROM pump_totals",
        )
    }
    reported = set()
    for event in events_of(world, "InfusionCompleted", "InfusionAborted"):
        reported.add(event.session_id)
        row = kept.get(event.session_id)
        same = (
            row is not None
            and str(row.order_id) == event.order_id
            and row.outcome == ("completed" if type(event).__name__ == "InfusionCompleted" else "aborted")
            and row.delivered_ml == Decimal(event.delivered_ml)
            and row.keep_vein_open_ml == Decimal(event.keep_vein_open_ml or "0")
            and row.delivering_seconds == event.delivering_seconds
            and row.paused_seconds == event.paused_seconds
        )
        outcome.look(same, f"session {event.session_id}: the record's totals are not the pump's")
    for session_id in sorted(set(kept) - reported):
        outcome.look(False, f"session {session_id}: has totals that no pump reported")
    return outcome


CHECKS = (
    Check("delivery.at_most_ordered", at_most_ordered),
    Check("delivery.account", account_balances),
    Check("delivery.totals", totals_as_reported),
)
