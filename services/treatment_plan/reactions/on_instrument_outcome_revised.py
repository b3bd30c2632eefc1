"""A result has another baseline than was known: what it shows is judged anew."""

from chassis.unit_of_work import UnitOfWork
from saguaro.intake.v1 import events_pb2 as intake_events
from treatment_plan.series_results import revise_outcome


def react(uow: UnitOfWork, event: intake_events.InstrumentOutcomeRevised) -> None:
    """Keeps the newer word; nothing that a prescriber decided changes."""
    revise_outcome(uow, event)
