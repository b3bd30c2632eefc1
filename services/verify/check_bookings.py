"""No two bookings of a chair, pump, monitor, nurse or person overlap, and each that stands holds what it names."""

from __future__ import annotations

from typing import Any

from verify.outcome import Check, Outcome
from verify.world import World

_STANDING = ("booked", "arrived", "fulfilled")
_OTHERS = """
SELECT hold_id AS id FROM hold WHERE state = 'held'
UNION ALL SELECT consultation_id FROM consultation WHERE state <> 'cancelled'
UNION ALL SELECT earlier_hold_id FROM session_change WHERE state = 'proposed' AND kind = 'move'
UNION ALL SELECT later_hold_id FROM session_change WHERE state = 'proposed' AND kind = 'move'
"""


def no_overlap(world: World) -> Outcome:
    """Read from the claims: two active ones of one resource, or of one person at any site, never share a moment."""
    outcome = Outcome()
    last: dict[Any, Any] = {}
    for row in world.databases.rows(
        "scheduling",
        "SELECT resource_id, session_id, kind, lower(during) AS starts_at, upper(during) AS ends_at FROM claim WHERE active"
        " ORDER BY resource_id, lower(during), session_id",
    ):
        before = last.get(row.resource_id)
        outcome.look(
            before is None or before.ends_at <= row.starts_at,
            f"{row.kind} {row.resource_id}: held at once by the sessions {before and before.session_id} and {row.session_id}",
        )
        # The one that ends last is what the next one may run into.
        if before is None or row.ends_at > before.ends_at:
            last[row.resource_id] = row
    return outcome


def claims_as_booked(world: World) -> Outcome:
    """A booking that stands holds its chair, pump, monitor, nurse and person; one that was called off holds nothing.

    Holds, consultations and the new time of a move that waits for answers hold what is theirs under ids of their own.
    """
    outcome = Outcome()
    held: dict[Any, dict[str, Any]] = {}
    for row in world.databases.rows("scheduling", "SELECT session_id, kind, resource_id FROM claim WHERE active"):
        held.setdefault(row.session_id, {})[row.kind] = row.resource_id
    for row in world.databases.rows(
        "scheduling", "SELECT session_id, state, chair_id, pump_id, monitor_id, nurse_id, person_id FROM booking"
    ):
        named = {kind: getattr(row, f"{kind}_id") for kind in ("chair", "pump", "monitor", "nurse", "person")}
        claimed = held.pop(row.session_id, {})
        if row.state in _STANDING:
            outcome.look(claimed == named, f"session {row.session_id}: does not hold what it is booked with")
        else:
            outcome.look(not claimed, f"session {row.session_id}: was called off and still holds something")
    others = {row.id for row in world.databases.rows("scheduling", _OTHERS)}
    for session_id in held.keys() - others:
        outcome.look(False, f"session {session_id}: holds something without a booking")
    return outcome


CHECKS = (Check("booking.no_overlap", no_overlap), Check("booking.claims", claims_as_booked))
