"""A person answered an instrument: a C-SSRS counts for the gate before the next start, every score for the series."""

from chassis.unit_of_work import UnitOfWork
from saguaro.intake.v1 import events_pb2 as intake_events
from treatment_plan.screenings import keep_screening
from treatment_plan.series_results import keep_result


def react(uow: UnitOfWork, event: intake_events.InstrumentCompleted) -> None:
    """Keeps what treatment rests on."""
    keep_screening(uow, event)
    keep_result(uow, event)
