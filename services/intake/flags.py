"""Raises a safety flag: what a result says about a person's safety, with the time by which somebody must have seen to it."""

from uuid import UUID

from sqlalchemy import insert

from chassis.unit_of_work import UnitOfWork
from chassis.values import to_timestamp
from intake import policy
from intake.domain.due import due_at
from intake.tables import safety_flag
from saguaro.intake.v1 import events_pb2 as events


def raise_flag(uow: UnitOfWork, result_id: UUID, place: dict[str, UUID], reason_code: str, zone: str) -> None:
    """One flag of a result. `place`: person_id and site_id; `zone`: the site's. KeyError for a reason that the policy data do not know."""
    blocks, minutes = policy.flags(uow)[reason_code]
    flag_id, due = uow.new_id(), due_at(uow.clinic_time, minutes, zone)
    uow.execute(
        insert(safety_flag).values(
            flag_id=flag_id,
            **place,
            result_id=result_id,
            reason_code=reason_code,
            blocks=blocks,
            raised_at=uow.clinic_time,
            due_at=due,
        )
    )
    uow.emit(
        events.SafetyFlagRaised(
            flag_id=str(flag_id),
            person_id=str(place["person_id"]),
            site_id=str(place["site_id"]),
            reason_code=reason_code,
            blocks=blocks,
            raised_at=to_timestamp(uow.clinic_time),
            due_at=to_timestamp(due),
        )
    )
