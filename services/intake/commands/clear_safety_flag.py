"""A clinician has evaluated the person and says so in a note. Only that clears a flag, never a later lower score."""

from typing import Any
from uuid import UUID

from sqlalchemy import insert, select, update

from chassis.errors import FailedPrecondition, InvalidArgument, NotFound
from chassis.index import Command, Ids
from chassis.unit_of_work import UnitOfWork
from chassis.values import to_timestamp
from intake import facts, policy, roles
from intake.domain import cssrs
from intake.domain.due import day_begins
from intake.domain.practitioner import CLEAR, DIAGNOSE
from intake.follow_ups import close_review
from intake.practitioners import require_privilege
from intake.record import lock_person, zone_of
from intake.tables import note, safety_flag
from saguaro.intake.v1 import events_pb2 as events
from saguaro.intake.v1 import service_pb2 as pb


def handle(uow: UnitOfWork, request: pb.ClearSafetyFlagRequest) -> Ids:
    """The note is sealed with the person's key. FLAG_CLEARED when somebody cleared it before; CSSRS_REQUIRED; see `require_privilege`."""
    if not request.note.strip():
        raise InvalidArgument("note", "must say what was found and done")
    flag_id = UUID(request.flag_id)
    mine = safety_flag.c.flag_id == flag_id
    person_id = uow.execute(select(safety_flag.c.person_id).where(mine)).scalar_one_or_none()
    if person_id is None:
        raise NotFound("flag_id", "must be a safety flag on record")
    lock_person(uow, person_id)
    row = uow.execute(select(safety_flag).where(mine).with_for_update()).one()
    if row.cleared_at is not None:
        rule = "a flag is cleared once"
        raise FailedPrecondition(
            "FLAG_CLEARED", field="flag_id", rule=rule, flag_id=str(flag_id), note_id=str(row.note_id)
        )
    require_privilege(uow, row.site_id, CLEAR, DIAGNOSE)
    _require_cssrs(uow, row)
    note_id, at, actor_id = uow.new_id(), uow.clinic_time, uow.context.actor_id
    uow.execute(
        insert(note).values(
            note_id=note_id,
            person_id=person_id,
            site_id=row.site_id,
            text_sealed=uow.seal(person_id, request.note),
            written_at=at,
            written_by=actor_id,
        )
    )
    uow.execute(update(safety_flag).where(mine).values(cleared_at=at, cleared_by=actor_id, note_id=note_id))
    close_review(uow, flag_id)
    uow.emit(
        events.SafetyFlagCleared(
            flag_id=str(flag_id),
            person_id=str(person_id),
            site_id=str(row.site_id),
            note_id=str(note_id),
            cleared_at=to_timestamp(at),
        )
    )
    return {"flag_id": str(flag_id), "note_id": str(note_id)}


def _require_cssrs(uow: UnitOfWork, row: Any) -> None:
    """Some reasons ask for a C-SSRS of the day on which they were raised, at the site, or later (house policy)."""
    reason = policy.flags(uow, row.site_id).get(row.reason_code)
    if reason is None or not reason.needs_cssrs:
        return
    day = day_begins(row.raised_at, zone_of(uow, row.site_id))
    if not facts.screened_since(uow, row.person_id, cssrs.INSTRUMENT, day, uow.clinic_time):
        rule = "a complete C-SSRS of the day on which the flag was raised, or later, must be on record"
        raise FailedPrecondition("CSSRS_REQUIRED", field="flag_id", rule=rule, flag_id=str(row.flag_id))


def answer(uow: UnitOfWork, ids: Ids) -> pb.ClearSafetyFlagResponse:
    """The ids of flag and note."""
    return pb.ClearSafetyFlagResponse(flag_id=ids["flag_id"], note_id=ids["note_id"])


COMMAND = Command("ClearSafetyFlag", pb.ClearSafetyFlagRequest, handle, answer, roles=roles.DECIDES)
