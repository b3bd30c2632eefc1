"""Somebody refused a change, or it ran out of time: the session stands as it was."""

from uuid import UUID

from chassis.unit_of_work import UnitOfWork
from chassis.values import from_timestamp
from saguaro.scheduling.v1 import events_pb2 as scheduling_events
from treatment_plan.changes import settle


def react(uow: UnitOfWork, event: scheduling_events.SessionChangeRefused) -> None:
    """Orders and starts go on."""
    settle(uow, UUID(event.session_id), from_timestamp(event.refused_at))
