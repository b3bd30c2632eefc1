"""An answer to a proposed change, whoever gives it. Answers may come twice, late, and in any order."""

from uuid import UUID

from sqlalchemy import select, update

from chassis.errors import Poison
from chassis.unit_of_work import UnitOfWork
from scheduling.commands.settle_change import open_change, settle_done, settle_refused
from scheduling.tables import session_change

_COLUMNS = ("plan_accepted", "devices_accepted")


def answered(uow: UnitOfWork, change_id: str, column: str, accepted: bool, reason_code: str) -> None:
    """Keeps the first answer of each side; the second yes ends the change, as does the first no.

    Poison for a change that nobody proposed here.
    """
    session_id = uow.execute(
        select(session_change.c.session_id).where(session_change.c.change_id == UUID(change_id))
    ).scalar_one_or_none()
    if session_id is None:
        raise Poison("change_id: must be a change that was proposed here")
    change = open_change(uow, session_id)
    # Late, or about an earlier change of the session: it was settled without this answer, or with it.
    if change is None or change.change_id != UUID(change_id) or getattr(change, column) is not None:
        return
    uow.execute(update(session_change).where(session_change.c.change_id == change.change_id).values({column: accepted}))
    if not accepted:
        settle_refused(uow, change, reason_code or "not.accepted")
    elif all(name == column or getattr(change, name) for name in _COLUMNS):
        settle_done(uow, change)
