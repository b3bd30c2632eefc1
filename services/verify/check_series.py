"""A plan answers to the person: only by a prescriber's signed revision, never by itself, and no order outlives its plan's numbers."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from verify.check_starts import authorisations
from verify.outcome import Check, Outcome
from verify.world import World


def orders_of_present_numbers(world: World) -> Outcome:
    """An order that could still be used belongs to the newest version of a signed plan."""
    outcome = Outcome()
    for row in world.databases.rows(
        "treatment_plan",
        "SELECT o.order_id, o.plan_version, p.version, p.state FROM treatment_order o JOIN plan p USING (plan_id)"
        " WHERE o.used_at IS NULL AND o.revoked_at IS NULL",
    ):
        outcome.look(
            row.plan_version == row.version and row.state == "signed",
            f"order {row.order_id}: is unused and was left in force by a change of its plan",
        )
    return outcome


def changes_were_decided(world: World) -> Outcome:
    """An accepted raise is a version of the plan with that dose, signed by who accepted; a declined one changed nothing."""
    outcome = Outcome()
    versions: dict[Any, list[Any]] = {}
    for row in world.databases.rows(
        "treatment_plan", "SELECT plan_id, version, dose_mg_per_kg, recorded_by, recorded_at FROM plan_version"
    ):
        versions.setdefault(row.plan_id, []).append(row)
    for row in world.databases.rows(
        "treatment_plan",
        "SELECT suggestion_id, plan_id, kind_code, state, suggested_dose_mg_per_kg, decided_by, decided_at FROM suggestion",
    ):
        of_plan = versions.get(row.plan_id, [])
        made = [one for one in of_plan if one.recorded_at == row.decided_at and one.recorded_by == row.decided_by]
        holds = True
        if row.kind_code == "raise_dose":
            wanted = row.state == "accepted"
            holds = any(one.dose_mg_per_kg == row.suggested_dose_mg_per_kg for one in made) == wanted
        outcome.look(holds, f"suggestion {row.suggestion_id}: what was decided is not what the plan says")
    return outcome


def nothing_under_a_hold(world: World) -> Outcome:
    """After an abort or an adverse event nothing is started before a prescriber has decided."""
    outcome = Outcome()
    holds: dict[Any, list[Any]] = {}
    for row in world.databases.rows(
        "treatment_plan", "SELECT person_id, session_id, placed_at, released_at FROM prescriber_hold"
    ):
        holds.setdefault(row.person_id, []).append(row)
    for start in authorisations(world):
        at = start.authorised_at
        held = any(
            row.session_id != start.session_id
            and row.placed_at <= at
            and (row.released_at is None or row.released_at > at)
            for row in holds.get(start.person_id, [])
        )
        outcome.look(not held, f"session {start.session_id}: was started while the person's next order was held")
    return outcome


def apart(world: World) -> Outcome:
    """From the end of one infusion of a person to the start of the next at any site: the hard interval of the policy at least."""
    outcome = Outcome()
    [least] = world.databases.rows(
        "scheduling", "SELECT min(infusion_interval_min) AS minutes FROM booking_policy WHERE scope = 'network'"
    )
    last: dict[Any, Any] = {}
    for row in world.databases.rows(
        "treatment_plan",
        "SELECT session_id, person_id, started_at, coalesce(stopped_at, started_at) AS stopped_at FROM pump_totals"
        " WHERE started_at IS NOT NULL ORDER BY started_at, session_id",
    ):
        before = last.get(row.person_id)
        holds = before is None or row.started_at - before >= timedelta(minutes=least.minutes)
        outcome.look(holds, f"session {row.session_id}: began too soon after the person's last infusion")
        last[row.person_id] = max(row.stopped_at, before or row.stopped_at)
    return outcome


CHECKS = (
    Check("series.orders", orders_of_present_numbers),
    Check("series.decided", changes_were_decided),
    Check("series.holds", nothing_under_a_hold),
    Check("series.apart", apart),
)
