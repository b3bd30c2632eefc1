"""A nurse has seen an alarm. The condition may go on: an acknowledgement clears nothing."""

from uuid import UUID

from sqlalchemy import select, update

from chassis.errors import NotFound
from chassis.index import Command, Ids
from chassis.unit_of_work import UnitOfWork
from chassis.values import to_timestamp
from device_telemetry.tables import alarm
from saguaro.device_telemetry.v1 import events_pb2 as events
from saguaro.device_telemetry.v1 import service_pb2 as pb


def handle(uow: UnitOfWork, request: pb.AcknowledgeAlarmRequest) -> Ids:
    """Keeps who acknowledged first, and when; a second nurse changes nothing. NotFound for an unknown alarm."""
    alarm_id = UUID(request.alarm_id)
    row = uow.execute(select(alarm).where(alarm.c.alarm_id == alarm_id).with_for_update()).one_or_none()
    if row is None:
        raise NotFound("alarm_id", "must be an alarm on record", alarm_id=request.alarm_id)
    if row.acknowledged_at is None:
        uow.execute(
            update(alarm)
            .where(alarm.c.alarm_id == alarm_id)
            .values(acknowledged_at=uow.clinic_time, acknowledged_by=uow.context.actor_id)
        )
        uow.emit(
            events.AlarmAcknowledged(
                alarm_id=request.alarm_id,
                session_id=str(row.session_id),
                acknowledged_by=str(uow.context.actor_id),
                acknowledged_at=to_timestamp(uow.clinic_time),
            )
        )
    return {"alarm_id": request.alarm_id}


def answer(uow: UnitOfWork, ids: Ids) -> pb.AcknowledgeAlarmResponse:
    """The id of the alarm."""
    return pb.AcknowledgeAlarmResponse(alarm_id=ids["alarm_id"])


COMMAND = Command("AcknowledgeAlarm", pb.AcknowledgeAlarmRequest, handle, answer, roles=frozenset({"nurse"}))
