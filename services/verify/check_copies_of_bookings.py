"""What others copied of scheduling's bookings is what scheduling has, and all agree on how each session stands."""

from __future__ import annotations

from verify.agree import agree
from verify.outcome import Check, Outcome
from verify.world import World

_BOOKINGS = "SELECT session_id, person_id, site_id, plan_id, ordinal, starts_at, booked_at FROM booking"
# "ended" is how the first release called a session that recovers.
_RAN = ("infusing", "paused", "ended", "recovering", "discharged", "closed")
_CALLED_OFF = ("cancelled", "no_show")


def sessions(world: World) -> Outcome:
    """Treatment-plan's records of sessions and device-telemetry's sessions."""
    outcome, data = Outcome(), world.databases
    bookings = data.by_id("scheduling", _BOOKINGS)
    agree(
        outcome,
        "treatment-plan's session",
        bookings,
        data.by_id(
            "treatment_plan",
            "SELECT session_id, person_id, site_id, plan_id, ordinal, starts_at, booked_at FROM session_record",
        ),
        ("person_id", "site_id", "plan_id", "ordinal", "starts_at", "booked_at"),
    )
    agree(
        outcome,
        "device-telemetry's session",
        bookings,
        data.by_id("device_telemetry", "SELECT session_id, person_id, site_id, booked_at FROM infusion_session"),
        ("person_id", "site_id", "booked_at"),
    )
    return outcome


def states(world: World) -> Outcome:
    """A booking is fulfilled where the drug ran, called off where it was called off; a cancelled one is known to the ward."""
    outcome, data = Outcome(), world.databases
    records = data.by_id("treatment_plan", "SELECT session_id, state FROM session_record")
    wards = data.by_id("device_telemetry", "SELECT session_id, cancelled_at, ready_at FROM infusion_session")
    ready = data.by_id(
        "treatment_plan", "SELECT session_id, max(ready_at) AS ready_at FROM session_readiness GROUP BY 1"
    )
    for row in data.rows("scheduling", "SELECT session_id, state FROM booking"):
        record, ward = records.get(row.session_id), wards.get(row.session_id)
        if record is None or ward is None:
            continue  # said by the check of sessions
        # The drug may run in a session that was called off meanwhile: the device's report is the fact.
        ran, off = record.state in _RAN, row.state in _CALLED_OFF
        outcome.look(
            (row.state == "fulfilled") == (ran and not off),
            f"session {row.session_id}: scheduling and treatment-plan differ on whether it took place",
        )
        outcome.look(
            off == (record.state == "cancelled") or (off and ran),
            f"session {row.session_id}: scheduling and treatment-plan differ on whether it was called off",
        )
        outcome.look(
            (row.state == "cancelled") == (ward.cancelled_at is not None),
            f"session {row.session_id}: scheduling and device-telemetry differ on whether it was cancelled",
        )
        at = ready[row.session_id].ready_at if row.session_id in ready else None
        outcome.look(ward.ready_at == at, f"session {row.session_id}: device-telemetry does not know when it was ready")
    return outcome


CHECKS = (Check("copies.sessions", sessions), Check("copies.session_states", states))
