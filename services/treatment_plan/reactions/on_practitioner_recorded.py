"""A practitioner as they stand now: the copy that each privilege is checked by."""

from datetime import date
from uuid import UUID

from sqlalchemy import delete
from sqlalchemy.dialects.postgresql import insert

from chassis.errors import Poison
from chassis.unit_of_work import UnitOfWork
from saguaro.intake.v1 import events_pb2 as intake_events
from treatment_plan.practitioner_tables import practitioner, practitioner_site


def react(uow: UnitOfWork, event: intake_events.PractitionerRecorded) -> None:
    """Keeps the whole of the highest revision; an older one that comes late changes nothing."""
    practitioner_id = UUID(event.practitioner_id)
    values = {
        "revision": event.revision,
        "licence_type": event.licence_type,
        "licence_state": event.licence_state,
        "licence_expires_on": day_of(event.licence_expires_on, "licence_expires_on"),
    }
    newer = (
        insert(practitioner)
        .values(practitioner_id=practitioner_id, **values)
        .on_conflict_do_update(
            index_elements=[practitioner.c.practitioner_id],
            set_=values,
            where=practitioner.c.revision < event.revision,
        )
        .returning(practitioner.c.practitioner_id)
    )
    if uow.execute(newer).one_or_none() is None:
        return
    uow.execute(delete(practitioner_site).where(practitioner_site.c.practitioner_id == practitioner_id))
    for granted in event.sites:
        uow.execute(
            insert(practitioner_site).values(
                practitioner_id=practitioner_id,
                site_id=UUID(granted.site_id),
                privileges=sorted(set(granted.privileges)),
                dea_expires_on=day_of(granted.dea_expires_on, "dea_expires_on") if granted.dea_expires_on else None,
            )
        )


def day_of(text: str, field: str) -> date:
    """A calendar day. Poison names the field."""
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise Poison(f"{field}: must be a day, YYYY-MM-DD") from None
