"""What had to be there before a start was there, and nobody went home before the criteria held (house policy)."""

from __future__ import annotations

from typing import Any

from verify.check_starts import authorisations
from verify.outcome import Check, Outcome
from verify.world import World


def bag_by_two(world: World) -> Outcome:
    """The bag of each start: prepared and checked by two people before it, in date, and exactly at the order's concentration."""
    outcome = Outcome()
    bags = world.databases.by_id(
        "treatment_plan",
        "SELECT r.order_id, b.prepared_by, b.checked_by, b.checked_at, b.expires_on, b.vial_concentration_mg_per_ml,"
        " b.drawn_ml, b.final_ml, o.concentration_mg_per_ml"
        " FROM session_readiness r JOIN bag b USING (bag_id) JOIN treatment_order o ON o.order_id = r.order_id",
    )
    for start in authorisations(world):
        broken = [rule for holds, rule in _bag_rules(bags.get(start.order_id), start) if not holds]
        outcome.look(not broken, f"session {start.session_id}: {'; '.join(broken)}")
    return outcome


def _bag_rules(bag: Any, start: Any) -> list[tuple[bool, str]]:
    if bag is None:
        return [(False, "was started without a bag on record")]
    return [
        (
            bag.checked_by is not None and bag.checked_by != bag.prepared_by and bag.checked_at <= start.authorised_at,
            "the bag was not checked by a second person before the start",
        ),
        (bag.expires_on >= start.authorised_at.date(), "the lot was past its last day"),
        (
            bag.vial_concentration_mg_per_ml * bag.drawn_ml == bag.concentration_mg_per_ml * bag.final_ml,
            "the bag's concentration is not the order's",
        ),
    ]


def identity_checked(world: World) -> Outcome:
    """Two identifiers were checked before each start."""
    outcome = Outcome()
    checked: dict[Any, list[Any]] = {}
    for row in world.databases.rows("treatment_plan", "SELECT session_id, checked_at FROM identity_check"):
        checked.setdefault(row.session_id, []).append(row.checked_at)
    for start in authorisations(world):
        holds = any(at <= start.authorised_at for at in checked.get(start.session_id, []))
        outcome.look(holds, f"session {start.session_id}: was started without an identity check")
    return outcome


def screened_since_last_visit(world: World) -> Outcome:
    """A C-SSRS was completed since the person's last start, before each start."""
    outcome = Outcome()
    screened: dict[Any, list[Any]] = {}
    for row in world.databases.rows(
        "intake", "SELECT person_id, completed_at FROM instrument_result WHERE instrument = 'C-SSRS-SCREENER'"
    ):
        screened.setdefault(row.person_id, []).append(row.completed_at)
    last: dict[Any, Any] = {}
    for start in authorisations(world):
        since, at = last.get(start.person_id), start.authorised_at
        holds = any(done <= at and (since is None or done > since) for done in screened.get(start.person_id, []))
        outcome.look(holds, f"session {start.session_id}: was started without a C-SSRS since the last visit")
        last[start.person_id] = at
    return outcome


def discharged_in_order(world: World) -> Outcome:
    """Each discharge: by somebody named, after the infusion's end, with instructions given and no blocking flag open."""
    outcome = Outcome()
    flags: dict[Any, list[Any]] = {}
    for row in world.databases.rows("intake", "SELECT person_id, raised_at, cleared_at FROM safety_flag WHERE blocks"):
        flags.setdefault(row.person_id, []).append(row)
    for row in world.databases.rows(
        "treatment_plan",
        "SELECT d.session_id, d.person_id, d.discharged_by, d.discharged_at, p.ended_at,"
        " EXISTS (SELECT FROM aftercare a WHERE a.session_id = d.session_id AND a.status_code = 'given'"
        "         AND a.recorded_at <= d.discharged_at) AS instructed"
        " FROM session_discharge d LEFT JOIN infusion_progress p USING (session_id)",
    ):
        at = row.discharged_at
        is_open = any(
            flag.raised_at <= at and (flag.cleared_at is None or flag.cleared_at > at)
            for flag in flags.get(row.person_id, [])
        )
        rules = (
            (row.ended_at is not None and row.ended_at < at, "before the infusion's end"),
            (row.instructed, "without aftercare instructions"),
            (not is_open, "under an open safety flag"),
        )
        broken = [rule for holds, rule in rules if not holds]
        outcome.look(not broken, f"session {row.session_id}: was discharged {', '.join(broken)}")
    return outcome


CHECKS = (
    Check("gate.bag", bag_by_two),
    Check("gate.identity", identity_checked),
    Check("gate.screening", screened_since_last_visit),
    Check("gate.discharge", discharged_in_order),
)
