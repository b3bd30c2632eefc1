"""A practitioner is recorded: licence, and privileges by site. The event holds the whole state, and the highest revision holds."""

from datetime import date
from uuid import UUID

from sqlalchemy import delete
from sqlalchemy.dialects.postgresql import insert

from chassis.unit_of_work import UnitOfWork
from chassis.values import from_timestamp
from device_telemetry.care_tables import practitioner, practitioner_site
from saguaro.intake.v1 import events_pb2 as intake


def react(uow: UnitOfWork, event: intake.PractitionerRecorded) -> None:
    """Replaces the copy, unless a later revision is there."""
    practitioner_id = UUID(event.practitioner_id)
    values = {
        "revision": event.revision,
        "licence_type": event.licence_type,
        "licence_state": event.licence_state,
        "licence_expires_on": date.fromisoformat(event.licence_expires_on),
        "recorded_at": from_timestamp(event.recorded_at),
    }
    kept = uow.execute(
        insert(practitioner)
        .values(practitioner_id=practitioner_id, **values)
        .on_conflict_do_update(
            index_elements=["practitioner_id"], set_=values, where=practitioner.c.revision < event.revision
        )
        .returning(practitioner.c.revision)
    ).one_or_none()
    if kept is None:
        return
    uow.execute(delete(practitioner_site).where(practitioner_site.c.practitioner_id == practitioner_id))
    for at_site in event.sites:
        uow.execute(
            insert(practitioner_site).values(
                practitioner_id=practitioner_id,
                site_id=UUID(at_site.site_id),
                privileges=list(at_site.privileges),
                dea_expires_on=date.fromisoformat(at_site.dea_expires_on) if at_site.dea_expires_on else None,
            )
        )
