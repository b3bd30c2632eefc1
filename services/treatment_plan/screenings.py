"""The C-SSRS of a person as intake tells them: the copy that the gate before a start looks at."""

from uuid import UUID

from sqlalchemy.dialects.postgresql import insert

from chassis.unit_of_work import UnitOfWork
from chassis.values import from_timestamp
from saguaro.intake.v1 import events_pb2 as intake_events
from treatment_plan.session_tables import suicide_risk_screening

# The screener and the form since the last visit.
CSSRS = "C-SSRS"


def keep_screening(uow: UnitOfWork, event: intake_events.InstrumentCompleted) -> None:
    """Keeps a C-SSRS by its result; other instruments are none of it. Possible in any order and more than once."""
    if not event.instrument.startswith(CSSRS):
        return
    uow.execute(
        insert(suicide_risk_screening)
        .values(
            result_id=UUID(event.result_id),
            person_id=UUID(event.person_id),
            site_id=UUID(event.site_id),
            instrument=event.instrument,
            band=event.band,
            completed_at=from_timestamp(event.completed_at),
        )
        .on_conflict_do_nothing()
    )
