"""Holds that let go: released by somebody, or over by clinic time."""

from collections.abc import Iterable
from uuid import UUID

from chassis.unit_of_work import UnitOfWork
from scheduling.domain import words


def let_go(uow: UnitOfWork, hold_id: UUID, state: str) -> bool:
    """Ends a hold that is held, as `state` says, and frees what it has. False when somebody was faster."""
    found = uow.driver.execute(
        "UPDATE hold SET state = %s, changed_at = %s WHERE hold_id = %s AND state = 'held' RETURNING waiting_id",
        (state, uow.clinic_time, hold_id),
    ).fetchone()
    if found is None:
        return False
    uow.driver.execute("UPDATE claim SET active = false WHERE session_id = %s AND active", (hold_id,))
    if found[0] is not None:
        uow.driver.execute(
            "UPDATE waiting_entry SET state = 'waiting', changed_at = %s WHERE waiting_id = %s AND state = 'offered'",
            (uow.clinic_time, found[0]),
        )
    return True


def expire(uow: UnitOfWork, holds: Iterable[UUID]) -> int:
    """Lets go of those of the holds that are over by clinic time, in the order of their ids; returns how many."""
    count = 0
    for hold_id in sorted(holds):
        over = uow.driver.execute(
            "SELECT 1 FROM hold WHERE hold_id = %s AND state = 'held' AND expires_at <= %s FOR UPDATE",
            (hold_id, uow.clinic_time),
        ).fetchone()
        if over is not None and let_go(uow, hold_id, words.EXPIRED):
            count += 1
    return count
