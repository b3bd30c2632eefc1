"""A named nurse takes a device from its session."""

from uuid import UUID

from sqlalchemy import func, select, update
from sqlalchemy.dialects.postgresql import Range

from chassis.errors import FailedPrecondition, NotFound
from chassis.index import Command, Ids
from chassis.unit_of_work import UnitOfWork
from device_telemetry.tables import attachment, attachment_version
from saguaro.device_telemetry.v1 import service_pb2 as pb


def handle(uow: UnitOfWork, request: pb.DetachDeviceRequest) -> Ids:
    """Closes the open attachment at clinic time. NotFound when the device is not attached to this session."""
    row = uow.execute(
        select(attachment.c.attachment_id, func.lower(attachment.c.during).label("attached_at"))
        .where(attachment.c.device_id == UUID(request.device_id), attachment.c.session_id == UUID(request.session_id))
        .where(func.upper_inf(attachment.c.during))
        .with_for_update()
    ).one_or_none()
    if row is None:
        raise NotFound("device_id", "must be attached to this session", device_id=request.device_id)
    if uow.clinic_time <= row.attached_at:
        raise FailedPrecondition(
            "DETACHED_BEFORE_ATTACHED", field="device_id", rule="must be attached before it is detached"
        )
    uow.execute(
        update(attachment)
        .where(attachment.c.attachment_id == row.attachment_id)
        .values(during=Range(row.attached_at, uow.clinic_time, bounds="[)"), detached_by=uow.context.actor_id)
    )
    uow.execute(update(attachment_version).values(version=attachment_version.c.version + 1))
    return {"attachment_id": str(row.attachment_id)}


def answer(uow: UnitOfWork, ids: Ids) -> pb.DetachDeviceResponse:
    """The id of the attachment."""
    return pb.DetachDeviceResponse(attachment_id=ids["attachment_id"])


COMMAND = Command("DetachDevice", pb.DetachDeviceRequest, handle, answer, roles=frozenset({"nurse"}))
