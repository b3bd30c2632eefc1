"""A hold becomes a booking by compare-and-swap: of several who confirm it, one does."""

from typing import Any
from uuid import UUID

from sqlalchemy import Row, select, update

from chassis.errors import FailedPrecondition, NotFound, SaguaroError
from chassis.index import Ids
from chassis.unit_of_work import UnitOfWork
from chassis.values import to_timestamp
from saguaro.scheduling.v1 import events_pb2 as events
from scheduling.commands.booking_checks import ordinal_booked
from scheduling.commands.booking_statements import PLAN_TOPIC, Asked, standing_session
from scheduling.domain import words
from scheduling.domain.booking_rules import require_future, require_plan
from scheduling.reading import plan_facts
from scheduling.tables import hold, waiting_entry

_BOOK = """
INSERT INTO booking (session_id, person_id, site_id, plan_id, ordinal, state, starts_at, infusion_min, ends_at, chair_id,
                     pump_id, monitor_id, nurse_id, booked_at, changed_at, infusion_starts_at, infusion_ends_at)
SELECT hold_id, person_id, site_id, plan_id, ordinal, 'booked', starts_at, infusion_min, ends_at, chair_id, pump_id,
       monitor_id, nurse_id, %(now)s, %(now)s, infusion_starts_at, infusion_ends_at
FROM hold WHERE hold_id = %(hold_id)s ON CONFLICT DO NOTHING
"""


def confirm(uow: UnitOfWork, hold_id: UUID, field: str) -> Ids:
    """Books what is held. What the hold claimed is the session's without a moment between: their ids are one.

    FailedPrecondition HOLD_EXPIRED, HOLD_CONFIRMED or HOLD_RELEASED; the plan must still be signed.
    """
    row = uow.execute(
        update(hold)
        .where(hold.c.hold_id == hold_id, hold.c.state == words.HELD, hold.c.expires_at > uow.clinic_time)
        .values(state=words.CONFIRMED, changed_at=uow.clinic_time)
        .returning(*hold.c)
    ).one_or_none()
    if row is None:
        raise _not_held(uow, hold_id, field)
    asked = _asked(row)
    require_future(row.starts_at, uow.clinic_time)
    uow.refuse_if_parked(PLAN_TOPIC, str(row.person_id))
    require_plan(plan_facts(uow, row.plan_id), row.plan_id, row.person_id, row.ordinal)
    if uow.driver.execute(_BOOK, {"hold_id": hold_id, "now": uow.clinic_time}).rowcount == 0:
        raise ordinal_booked(asked, standing_session(uow, asked, hold_id) or hold_id)
    if row.waiting_id is not None:
        uow.execute(
            update(waiting_entry)
            .where(waiting_entry.c.waiting_id == row.waiting_id)
            .values(state=words.BOOKED, changed_at=uow.clinic_time)
        )
    uow.emit(_session_booked(uow, row))
    return {"session_id": str(hold_id), "ends_at": row.ends_at.isoformat()}


def _not_held(uow: UnitOfWork, hold_id: UUID, field: str) -> SaguaroError:
    state = uow.execute(select(hold.c.state).where(hold.c.hold_id == hold_id)).scalar_one_or_none()
    if state is None:
        return NotFound(field, "must be a hold on record", hold_id=str(hold_id))
    rules = {
        words.CONFIRMED: ("HOLD_CONFIRMED", "a hold is confirmed once"),
        words.RELEASED: ("HOLD_RELEASED", "a hold that was released holds nothing"),
    }
    reason, rule = rules.get(state, ("HOLD_EXPIRED", "must be confirmed before its time is over"))
    return FailedPrecondition(reason, field=field, rule=rule, hold_id=str(hold_id))


def _asked(row: Row[Any]) -> Asked:
    resources = {kind: getattr(row, f"{kind}_id") for kind in words.INFUSION_KINDS}
    return Asked(row.person_id, row.site_id, row.plan_id, row.ordinal, row.starts_at, row.infusion_min, resources)


def _session_booked(uow: UnitOfWork, row: Row[Any]) -> events.SessionBooked:
    return events.SessionBooked(
        session_id=str(row.hold_id),
        person_id=str(row.person_id),
        site_id=str(row.site_id),
        plan_id=str(row.plan_id),
        ordinal=row.ordinal,
        starts_at=to_timestamp(row.starts_at),
        ends_at=to_timestamp(row.ends_at),
        chair_id=str(row.chair_id),
        pump_id=str(row.pump_id),
        monitor_id=str(row.monitor_id),
        nurse_id=str(row.nurse_id),
        booked_at=to_timestamp(uow.clinic_time),
        infusion_starts_at=to_timestamp(row.infusion_starts_at),
        infusion_ends_at=to_timestamp(row.infusion_ends_at),
    )
